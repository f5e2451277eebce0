#!/usr/bin/python3
"""Do the rooms of src/ keep to tools/layers.txt?

Usage: tools/check_layers.py [ROOT]      exit 1 if a rule is broken

Checked: every include (rooms, fences, existence), files that include each other in a circle, the
ROOMS that each src/ROOM/CMakeLists.txt links, and that docs/ARCHITECTURE.md names every room.
Each finding is `file:line: what is wrong` and, below it, what to do.
"""

import fnmatch
import os
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


class Layers:
    """tools/layers.txt, parsed."""

    def __init__(self, path):
        self.rooms = {}  # room -> rooms it may include
        self.fences = []  # (header or folder/, most files or None, patterns of files)
        self.free = []
        section = ""
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                words = line.split("#")[0].split()
                if not words:
                    continue
                if words[0].startswith("["):
                    section = words[0].strip("[]")
                elif section == "rooms":
                    self.rooms[words[0]] = set(words[1:])
                elif section == "fences":
                    most = None if words[1] == "-" else int(words[1])
                    self.fences.append((words[0], most, words[2:]))
                elif section == "free":
                    self.free += words

    def fence_of(self, header):
        return next((fence for fence in self.fences if covers(fence[0], header)), None)

    def is_free(self, header):
        is_standard = "." not in header and "/" not in header
        return is_standard or any(covers(word, header) for word in self.free)


def covers(word, header):
    """`word` is a header, or a folder when it ends in '/'."""
    return header.startswith(word) if word.endswith("/") else header == word


class Checker:
    def __init__(self, root):
        self.root = root
        self.layers = Layers(os.path.join(root, "tools", "layers.txt"))
        self.findings = []
        self.includes = {}  # file -> [(line, is_quoted, header)]
        self.read_sources()

    def read_sources(self):
        source = os.path.join(self.root, "src")
        for folder, _, files in sorted(os.walk(source)):
            for name in sorted(files):
                if name.endswith((".h", ".cc")):
                    path = os.path.relpath(os.path.join(folder, name), self.root)
                    self.includes[path] = self.includes_of(path)

    def includes_of(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8") as lines:
            found = [(number, INCLUDE.match(line)) for number, line in enumerate(lines, 1)]
        return [(number, m[1] == '"', m[2]) for number, m in found if m]

    def report(self, path, line, what, remedy):
        self.findings.append(f"{path}:{line}: {what}\n    {remedy}")

    def check(self):
        self.check_layers_file()
        for path, includes in self.includes.items():
            for line, is_quoted, header in includes:
                if is_quoted:
                    self.check_room(path, line, header)
                else:
                    self.check_third_party(path, line, header)
        self.check_fence_sizes()
        self.check_circles()
        self.check_links()
        self.check_architecture()
        return self.findings

    def check_layers_file(self):
        """A room lists only rooms above it, so the rooms cannot form a circle."""
        known = set()
        for room, below in self.layers.rooms.items():
            for other in sorted(below - known):
                self.report("tools/layers.txt", 1, f"room {room} may include {other}, which is not "
                            "listed above it", "order the rooms so that each names earlier ones only")
            known.add(room)

    def check_room(self, path, line, header):
        room, other = room_of(path), header.split("/")[0]
        if f"src/{header}" not in self.includes:
            self.report(path, line, f'"{header}" is not a file under src/',
                        'name our headers from src/ on: "room/file.h"; others in <>')
        elif room not in self.layers.rooms:
            self.report(path, line, f"room {room} is not in tools/layers.txt",
                        "add it there, with the rooms it may include")
        elif other != room and other not in self.layers.rooms[room]:
            self.report(path, line, f"{room} must not include {other} ({header})",
                        f"pass it in from app as a function or an interface of {room}, or find the "
                        "message or table that is missing; see docs/ARCHITECTURE.md")

    def check_third_party(self, path, line, header):
        fence = self.layers.fence_of(header)
        if fence is None:
            if not self.layers.is_free(header):
                self.report(path, line, f"<{header}> has no fence",
                            "state in tools/layers.txt which files may include it")
        elif not any(fnmatch.fnmatch(path, pattern) for pattern in fence[2]):
            self.report(path, line, f"<{header}> is allowed only in {' '.join(fence[2])}",
                        "use what that room offers, or let it offer what is missing")

    def check_fence_sizes(self):
        for name, most, _ in self.layers.fences:
            users = {path: line for path, includes in self.includes.items()
                     for line, is_quoted, header in includes if not is_quoted and covers(name, header)}
            if most is not None and len(users) > most:
                path, line = sorted(users.items())[-1]
                self.report(path, line, f"<{name}> is in {len(users)} files, at most {most} may: "
                            f"{' '.join(sorted(users))}", "move the use into one of them")

    def check_circles(self):
        state = {}  # file -> "open" while its includes are being walked, then "done"

        def visit(path, trail):
            state[path] = "open"
            for line, is_quoted, header in self.includes[path]:
                other = f"src/{header}"
                if not is_quoted or other not in self.includes:
                    continue
                if state.get(other) == "open":
                    circle = trail[trail.index(other):] + [other]
                    self.report(path, line, "headers include each other: " + " -> ".join(circle),
                                "declare forward, or move what both need into a third header")
                elif other not in state:
                    visit(other, trail + [other])
            state[path] = "done"

        for path in self.includes:
            if path not in state:
                visit(path, [path])

    def check_links(self):
        """nilo_room(X ROOMS ...) names exactly the rooms that the files of X include."""
        for room in self.existing_rooms():
            path = f"src/{room}/CMakeLists.txt"
            if not os.path.exists(os.path.join(self.root, path)):
                continue
            with open(os.path.join(self.root, path), encoding="utf-8") as text:
                words = re.sub(r"#.*", "", text.read()).replace("(", " ( ").replace(")", " ) ").split()
            linked = set()
            if "ROOMS" in words:
                rest = words[words.index("ROOMS") + 1:]
                linked = set(rest[:next(i for i, w in enumerate(rest) if w == ")" or w.isupper())])
            used = {header.split("/")[0] for file, includes in self.includes.items()
                    if room_of(file) == room for _, is_quoted, header in includes if is_quoted}
            for other in sorted(used - linked - {room}):
                self.report(path, 1, f"{room} includes {other} but does not link it",
                            f"add {other} to ROOMS")
            for other in sorted(linked - used):
                self.report(path, 1, f"{room} links {other} but includes nothing of it",
                            f"remove {other} from ROOMS")

    def existing_rooms(self):
        return sorted({room_of(path) for path in self.includes})

    def check_architecture(self):
        path = "docs/ARCHITECTURE.md"
        try:
            with open(os.path.join(self.root, path), encoding="utf-8") as text:
                told = text.read()
        except FileNotFoundError:
            told = ""
        for room in self.existing_rooms():
            if f"src/{room}/" not in told:
                self.report(path, 1, f"src/{room}/ is not mentioned", "tell what happens there")
        for name in sorted(set(re.findall(r"(?<![\w/.])(?:src|docs|tests|tools|examples)/[\w./-]*\w",
                                          told))):
            if not os.path.exists(os.path.join(self.root, name)):
                self.report(path, 1, f"{name} does not exist", "correct the name")


def room_of(path):
    return path.split("/")[1]


def main(arguments):
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    findings = Checker(arguments[0] if arguments else here).check()
    for finding in findings:
        print(finding)
    if findings:
        print(f"{len(findings)} findings; the rules are in tools/layers.txt")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
