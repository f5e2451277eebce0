#!/usr/bin/python3
"""What a machine can nag about, offline; ends with one line: `N passed, N failed`.

Usage: tools/check.py [STEP...]       STEP: see STEPS below; none means all, in that order.

Environment: NILO_WERROR=ON (CI) builds in build/, which the tests use as well; otherwise the build
with -Werror has its own folder, so that `make run` and `make check` do not undo each other's work.
A file that passed is looked at again only when it, something of ours that it includes, or the way
of looking changed: build/check-cache/ remembers.
"""

import concurrent.futures
import glob
import hashlib
import os
import re
import subprocess
import sys
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


def each(paths, look, way):
    """look(path) for every path that changed since it last passed, in parallel; joins complaints.

    `way`: a text that changes whenever the same file might now be judged differently.
    """
    def one(path):
        content = "\0".join([way, path] + [read(p) for p in sorted(closure(path))])
        mark = os.path.join(CACHE, hashlib.sha256(content.encode()).hexdigest())
        if os.path.exists(mark):
            return ""
        complaint = look(path)
        if not complaint:
            with open(mark, "w", encoding="utf-8"):
                pass
        return complaint

    os.makedirs(CACHE, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return "\n".join(filter(None, pool.map(one, paths)))


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
               "-DNILO_WERROR=ON")


def check_build():
    """g++ 12, every warning an error: the program and all tests."""
    return configure() or run("ninja", "-C", BUILD, "--quiet")


DUCKDB = "node_modules/duckdb/src/duckdb/src/include"  # as in CMakeLists.txt


def check_headers():
    """Each header compiles when nothing is included before it."""
    def look(path):
        include = f'#include "{path[len("src/"):]}"\n'
        return run("g++", "-std=c++20", "-fsyntax-only", "-Isrc", "-isystem", DUCKDB, *WARNINGS, "-x",
                   "c++", "-", stdin=include)
    return each(files("src/*.h"), look, "header 1")


def check_clang():
    """clang-tidy 14 over the sources, clang's own warnings included.

    The tests meet clang 14 in tools/test.py, whose suite asan is built with it.
    """
    def look(path):
        said = run("clang-tidy-14", "-p", BUILD, "--quiet", path)
        return re.sub(r"(?m)^\d+ warnings? .*\n", "", said)  # counts of what it does not show

    compiled = glob.glob(os.path.join(BUILD, "compile_commands.json"))
    if not compiled and configure():
        return "cmake failed; see step build"
    sources = [path for path in files("src/*.cc") if not path.endswith(("_test.cc", "_fuzz.cc"))]
    return each(sources, look, read(".clang-tidy") + "clang 1")


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
