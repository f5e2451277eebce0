#!/usr/bin/python3
"""Holds docs/conformance.md against the tests: which test shows which statement of MQTT.

Usage: tools/conformance.py [check|fill|count] [ROOT]

check   says what is wrong: a row that says nothing, a test that the page does not name or that is
        not there any more, a statement that a test names and the page does not know. Exit 1 then.
fill    writes the last column of the page's tables anew, from the tests.
count   how many statements have a test, a reason instead, or are missing.

A test says what it shows in a line of its own: in tests/mqtt/*.txt below the name of a case,

    3.1.1 [MQTT-3.1.4-4] [Paho testBasic]

and in C++ and Python the same in a comment right above TEST(...), TEST_P(...) or `def`. A row of
the page is: statement | what it asks | what we do or why there is no test | tests. A third cell
that begins with `missing:` says what is not done.
"""

import glob
import os
import re
import sys

PAGE = os.path.join("docs", "conformance.md")
VERSIONS = ("3.1.1", "5.0")
ID = r"MQTT-\d+\.\d+\.\d+-\d+|Paho \w+"
SHOWS = re.compile(rf"(?:(?://|#)\s+)?({'|'.join(map(re.escape, VERSIONS))})((?:\s+\[(?:{ID})\])+)")
ROW = re.compile(rf"\| ({ID}) \| (.*?) \| (.*?) \| (.*?) \|")
NAMES = re.compile(r"== (.*)|TEST(?:_[FP])?\((\w+), (\w+)\)|def (\w+)\(")
TESTS_SHOWN_MAX = 4
MENTIONS = ("tests/mqtt/*.txt", "src/mqtt/*.h", "src/mqtt/*.cc")
SOURCES = ("tests/mqtt/*.txt", "src/*/*_test.cc", "tests/*/test_*.py")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def name_in(line):
    """The test that begins in `line`, or None."""
    found = NAMES.match(line)
    if not found:
        return None
    text, suite, test, function = found.groups()
    return text or function or f"{suite}.{test}"


def shown_by(root):
    """(version, statement) -> [(file, test)], and a list of complaints."""
    shown, complaints = {}, []
    for path in sum((sorted(glob.glob(os.path.join(root, p))) for p in SOURCES), []):
        is_text = path.endswith(".txt")
        file = os.path.basename(path)
        case, waiting = None, []
        for number, line in enumerate(read(path).split("\n"), 1):
            tag = SHOWS.fullmatch(line.strip())
            here = name_in(line)
            if tag:
                ids = re.findall(rf"\[({ID})\]", tag.group(2))
                waiting += [(tag.group(1), one) for one in ids]
            elif here:
                case = here
            elif "[MQTT-" in line and is_text and re.match(r"(3\.1\.1|5\.0) ", line):
                complaints.append(f"{path}:{number}: not a list of statements: {line}")
            if waiting and (is_text or here):
                for one in waiting:
                    shown.setdefault(one, [])
                    if (file, case) not in shown[one]:
                        shown[one].append((file, case))
                waiting = []
        complaints += [f"{path}: nothing follows the line that names {one[1]}" for one in waiting]
    return shown, complaints


def cell(tests):
    texts = [f"`{file}` {test}" for file, test in tests[:TESTS_SHOWN_MAX]]
    if len(tests) > TESTS_SHOWN_MAX:
        texts.append(f"and {len(tests) - TESTS_SHOWN_MAX} more")
    return "; ".join(texts)


def rows(page):
    """(line number, version, statement, what it asks, what we do, tests) of each row."""
    version = None
    for number, line in enumerate(page.split("\n")):
        heading = re.match(r"## .*?(3\.1\.1|5\.0)", line)
        if line.startswith("## "):
            version = heading.group(1) if heading else None
        found = ROW.fullmatch(line)
        if found and version:
            yield (number, version, *(text.strip() for text in found.groups()))


def kind(ours, tests):
    """What a row has: a test, a reason why there is none, nothing, or it says what is missing."""
    if ours.startswith("missing:"):
        return "missing"
    return "test" if tests else "reason" if ours else "empty"


def check(root):
    shown, complaints = shown_by(root)
    page = read(os.path.join(root, PAGE))
    known = set()
    for number, version, statement, asks, ours, tests in rows(page):
        where = f"{PAGE}:{number + 1}: {version} {statement}"
        if (version, statement) in known:
            complaints.append(f"{where} is there twice")
        known.add((version, statement))
        wanted = cell(shown.get((version, statement), []))
        if tests != wanted:
            complaints.append(f"{where}: the tests are others now (run tools/conformance.py fill)")
        if not asks or kind(ours, wanted) == "empty":
            complaints.append(f"{where} says neither which test shows it nor why there is none")
    complaints += [f"{' '.join(one)} is named by {shown[one][0]}, and {PAGE} has no such row"
                   for one in sorted(shown) if one not in known]
    listed = {statement for _, statement in known}
    for path in sorted(sum((glob.glob(os.path.join(root, p)) for p in MENTIONS), [])):
        unknown = set(re.findall(r"MQTT-\d+\.\d+\.\d+-\d+", read(path))) - listed
        complaints += [f"{path} names {one}, which neither standard has" for one in sorted(unknown)]
    for number, line in enumerate(page.split("\n"), 1):
        if re.match(r"\| (MQTT-|Paho )", line) and not ROW.fullmatch(line):
            complaints.append(f"{PAGE}:{number}: not a row: {line}")
    return complaints


def fill(root):
    shown, complaints = shown_by(root)
    path = os.path.join(root, PAGE)
    lines = read(path).split("\n")
    for number, version, statement, asks, ours, _ in rows("\n".join(lines)):
        tests = cell(shown.get((version, statement), []))
        lines[number] = f"| {statement} | {asks} | {ours} | {tests} |"
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    return complaints


def count(root):
    counts = {}
    for _, version, statement, _, ours, tests in rows(read(os.path.join(root, PAGE))):
        what = "Paho" if statement.startswith("Paho") else "statements"
        counts.setdefault((version, what), []).append(kind(ours, tests))
    for (version, what), kinds in sorted(counts.items()):
        parts = ", ".join(f"{kinds.count(k)} {k}" for k in ("test", "reason", "missing", "empty"))
        print(f"{version} {what}: {len(kinds)}: {parts}")
    return []


def main(arguments):
    command = arguments[0] if arguments else "check"
    root = arguments[1] if len(arguments) > 1 else os.path.dirname(os.path.dirname(
        os.path.abspath(__file__)))
    commands = {"check": check, "fill": fill, "count": count}
    if command not in commands:
        print(__doc__, file=sys.stderr)
        return 2
    complaints = commands[command](root)
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
