#!/usr/bin/python3
"""What a machine can nag about, offline; ends with one line: `N passed, N failed`.

Usage: tools/check.py [STEP...]       STEP: see STEPS below; none means all, in that order.

Environment: NILO_WERROR=ON (CI) builds in build/, which the tests use as well; otherwise the build
with -Werror has its own folder, so that `make run` and `make check` do not undo each other's work.
A file that passed is looked at again only when it, something of ours that it includes, or the way
of looking changed: build/check-cache/ remembers.
"""

import bisect
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build", "" if os.environ.get("NILO_WERROR") == "ON" else "check")
CACHE = os.path.join(ROOT, "build", "check-cache")
JOBS = os.cpu_count() or 1
WARNINGS = "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror".split()
OUTPUT_LINES_MAX = 200


def files(*patterns):
    """Paths of the working tree, tracked or about to be, relative to ROOT."""
    listing = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--",
                              *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for path in listing.stdout.split("\n")
            if path and os.path.exists(os.path.join(ROOT, path))]


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as text:
        return text.read()


def run(*command, stdin=None):
    """The output of a command that failed, or "" if it did not."""
    done = subprocess.run(command, cwd=ROOT, input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return (done.stdout or f"{command[0]} ended with {done.returncode}") if done.returncode else ""


def closure(path, seen=None):
    """`path` and all of ours that it includes, directly or not."""
    seen = {path} if seen is None else seen
    for header in re.findall(r'#include "([^"]+)"', read(path)):
        other = f"src/{header}"
        if other not in seen and os.path.exists(os.path.join(ROOT, other)):
            seen.add(other)
            closure(other, seen)
    return seen


def unseen(paths, way):
    """{path: the file to make once it passed}, of those that changed since they last did.

    `way`: a text that changes whenever the same file might now be judged differently.
    """
    os.makedirs(CACHE, exist_ok=True)
    marks = {}
    for path in paths:
        content = "\0".join([way, path] + [read(p) for p in sorted(closure(path))])
        marks[path] = os.path.join(CACHE, hashlib.sha256(content.encode()).hexdigest())
    return {path: mark for path, mark in marks.items() if not os.path.exists(mark)}


def each(paths, look, way):
    """look(path) for every unseen path, in parallel; joins complaints."""
    def one(path, mark):
        complaint = look(path)
        if not complaint:
            pathlib.Path(mark).touch()
        return complaint

    marks = unseen(paths, way)
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return "\n".join(filter(None, pool.map(one, marks.keys(), marks.values())))


def check_format():
    return run("clang-format-14", "--dry-run", "--Werror", *files("src/*.h", "src/*.cc"))


def check_layers():
    return run(sys.executable, "tools/check_layers.py")


def check_scripts():
    complaints = []
    for path in files("*.py"):
        try:
            compile(read(path), path, "exec")
        except SyntaxError as error:
            complaints.append(f"{path}:{error.lineno}: {error.msg}")
    complaints += [run("bash", "-n", path) for path in files("*.sh", ".ci/run")]
    return "\n".join(filter(None, complaints))


def check_lock():
    """npm packages come from the public registry, whatever the machine that wrote the lock uses."""
    hosts = set(re.findall(r'"resolved": "([a-z+]+://[^/"]*)', read("package-lock.json")))
    odd = hosts - {"https://registry.npmjs.org"}
    return f"package-lock.json: not from registry.npmjs.org: {' '.join(sorted(odd))}" if odd else ""


def check_docs():
    """A page that is named anywhere exists; the README.md of formats and decisions link each page."""
    complaints = []
    for path in files("*.md", "*.h", "*.cc", "*.py", "*.toml", "*.txt"):
        if path.startswith("tests/tools/"):
            continue
        named = set(re.findall(r"docs/[\w/-]+\.md", read(path)))
        complaints += [f"{path} names {page}, which does not exist" for page in sorted(named)
                       if not os.path.exists(os.path.join(ROOT, page))]
    for folder in ("docs/formats", "docs/decisions"):
        pages = files(f"{folder}/*.md")
        index = f"{folder}/README.md"
        told = read(index) if index in pages else ""
        complaints += [f"{index} does not link {os.path.basename(page)}" for page in pages
                       if page != index and f"({os.path.basename(page)})" not in told]
    return "\n".join(complaints)


def check_conformance():
    """docs/conformance.md names the test of every statement of MQTT, and each exists."""
    return run(sys.executable, "tools/conformance.py", "check")


WEB_FORBIDDEN = {
    r"\b(inner|outer)HTML\b|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|DOMParser"
    r"|createContextualFragment|srcdoc": "makes elements from text; what devices send stays text",
    r"\beval\(|new Function\(": "runs text as a program; the content security policy forbids it",
}


def check_web():
    """The pages: strict types, and no element made from text."""
    complaints = []
    for path in files("web/*.ts", "web/*.tsx"):
        for line, text in enumerate(read(path).split("\n"), 1):
            complaints += [f"{path}:{line}: {why}: {text.strip()}"
                           for pattern, why in WEB_FORBIDDEN.items() if re.search(pattern, text)]
    complaints.append(run("node_modules/.bin/tsc", "--noEmit", "-p", "web"))
    return "\n".join(filter(None, complaints))


def configure():
    return run("cmake", "-S", ".", "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
               "-DNILO_WERROR=ON", "-DNILO_PCH=OFF")


def check_build():
    """g++ 12, every warning an error: the program and all tests."""
    return configure() or run("ninja", "-C", BUILD, "--quiet")


DUCKDB = "node_modules/duckdb/src/duckdb/src/include"  # as in CMakeLists.txt


def check_headers():
    """Each header compiles when nothing is included before it.

    Step build has shown that of every header which is the first include of a source.
    """
    def look(path):
        include = f'#include "{path[len("src/"):]}"\n'
        return run("g++", "-std=c++20", "-fsyntax-only", "-Isrc", "-isystem", DUCKDB, *WARNINGS, "-x",
                   "c++", "-", stdin=include)

    sources = [path for path in files("src/*.cc") if not path.endswith("_fuzz.cc")]
    first = [re.search(r"^#include (.*)$", read(path), re.MULTILINE) for path in sources]
    shown = {f"src/{include[1].strip(chr(34))}" for include in first if include}
    return each([path for path in files("src/*.h") if path not in shown], look, "header 1")


TIDY_GROUP = 16  # files


def check_clang():
    """clang-tidy 14 over the sources, clang's own warnings included.

    Nearly all of its time goes into the headers of libraries. So the sources of a room are looked at
    as one text first, which is several times as quick; if that has anything to be said of a file,
    were it only that two have the same name for something of their own, the file is looked at alone.
    So are sources with using-declarations, which another file of the group might use instead.
    The tests meet clang 14 in tools/test.py, whose suite asan is built with it.
    """
    database = os.path.join(BUILD, "compile_commands.json")
    if not os.path.exists(database) and configure():
        return "cmake failed; see step build"
    commands = {os.path.relpath(entry["file"], ROOT): entry["command"]
                for entry in json.loads(read(database))}
    sources = [path for path in files("src/*.cc") if not path.endswith(("_test.cc", "_fuzz.cc"))]
    marks = unseen(sources, read(".clang-tidy") + "clang 2")

    def flags_of(path):
        """None: it has to be looked at alone."""
        words = shlex.split(commands.get(path, ""))
        compiler = [i for i, word in enumerate(words) if re.search(r"(g|c|clang)\+\+(-\d+)?$", word)]
        if not compiler or re.search(r"(?m)^using \w+(::\w+)+;", read(path)):
            return None
        return tuple(words[compiler[0] + 1:words.index("-o")])

    def look_alone(path):
        said = run("clang-tidy-14", "-p", BUILD, "--quiet", path)
        said = re.sub(r"(?m)^\d+ warnings? .*\n", "", said)  # counts of what it does not show
        if not said:
            pathlib.Path(marks[path]).touch()
        return said

    def look(group, flags):
        if len(group) == 1:
            return look_alone(group[0])
        ends = []  # the last line of each
        text = ""
        for path in group:
            text += read(path) + "\n"
            ends.append(text.count("\n"))
        with tempfile.NamedTemporaryFile("w", suffix=".cc", dir=CACHE, encoding="utf-8") as whole:
            whole.write(text)
            whole.flush()
            said = run("clang-tidy-14", "--quiet", f"--config-file={ROOT}/.clang-tidy", whole.name,
                       "--", *flags)
            lines = {int(line) for line in re.findall(
                rf"(?m)^{re.escape(whole.name)}:(\d+):\d+: (?:error|warning)", said)}
        if not said:
            for path in group:
                pathlib.Path(marks[path]).touch()
            return ""
        odd = sorted({group[bisect.bisect_left(ends, line)] for line in lines}) or group
        rest = [path for path in group if path not in odd]
        return "\n".join(filter(None, [*map(look_alone, odd), rest and look(rest, flags)]))

    alike = {}  # by folder and flags
    for path in marks:
        alike.setdefault((os.path.dirname(path), flags_of(path)), []).append(path)
    groups = []
    for (_, flags), paths in alike.items():
        size = TIDY_GROUP if flags else 1
        groups += [(paths[at:at + size], flags) for at in range(0, len(paths), size)]
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return "\n".join(filter(None, pool.map(lambda group: look(*group), groups)))


STEPS = {
    "format": check_format,
    "layers": check_layers,
    "scripts": check_scripts,
    "lock": check_lock,
    "docs": check_docs,
    "conformance": check_conformance,
    "web": check_web,
    "build": check_build,
    "headers": check_headers,
    "clang": check_clang,
}


def main(arguments):
    unknown = [a for a in arguments if a not in STEPS]
    if unknown:
        print(f"no step {unknown[0]}; there are: {' '.join(STEPS)}", file=sys.stderr)
        return 2
    passed = failed = 0
    for name in arguments or STEPS:
        started = time.monotonic()
        complaint = STEPS[name]().strip()
        if complaint:
            failed += 1
            lines = complaint.split("\n")
            print("\n".join(lines[-OUTPUT_LINES_MAX:]))
        else:
            passed += 1
        print(f"{'not ok' if complaint else 'ok'} {name}   {time.monotonic() - started:.1f} s",
              flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
