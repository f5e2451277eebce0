"""tools/conformance.py finds what it claims to find, and nothing where page and tests agree."""

import os
import subprocess
import sys
import tempfile

import harness

TOOL = os.path.join(harness.ROOT, "tools", "conformance.py")
PAGE = """# Conformance

## Statements of MQTT 3.1.1

| Statement | What it asks | What we do | Shown by |
|---|---|---|---|
| MQTT-1.5.3-1 | Text is text. |  | `text.txt` text that is none |
| MQTT-3.1.0-1 | CONNECT is first. | The client's duty. |  |

## Statements of MQTT 5.0

| Statement | What it asks | What we do | Shown by |
|---|---|---|---|
| MQTT-1.5.4-1 | Text is text. |  | `text.txt` text that is none; `codec_test.cc` Codec.RefusesNoText |
| Paho test_basic | In and out. |  | `test_walk.py` in_and_out |
"""
CLEAN = {
    "docs/conformance.md": PAGE,
    "tests/mqtt/text.txt": "== text that is none\n3.1.1 [MQTT-1.5.3-1]\n5.0 [MQTT-1.5.4-1]\n",
    "src/mqtt/codec_test.cc": "// 5.0 [MQTT-1.5.4-1]\nTEST(Codec, RefusesNoText) {\n",
    "tests/walk/test_walk.py": "# 5.0 [Paho test_basic]\n@harness.case\ndef in_and_out():\n",
}


def run(command, changes):
    """What the tool says of the clean tree with `changes`, and the page afterwards."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**CLEAN, **changes}.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        done = subprocess.run([sys.executable, TOOL, command, root], capture_output=True,
                              text=True, check=False)
        with open(os.path.join(root, "docs/conformance.md"), encoding="utf-8") as file:
            page = file.read()
    assert not done.stderr, done.stderr
    return done.stdout, page


def expect(path, text, wanted):
    said, _ = run("check", {path: text})
    assert wanted in said, f"{wanted!r} is not in:\n{said}"


@harness.case
def page_and_tests_that_agree_have_no_findings():
    assert run("check", {}) == ("", PAGE)
    assert run("fill", {}) == ("", PAGE)


@harness.case
def a_row_without_test_and_reason_is_refused():
    expect("docs/conformance.md", PAGE.replace(" The client's duty. ", "  "),
           "3.1.1 MQTT-3.1.0-1 says neither")


@harness.case
def a_test_that_is_gone_is_refused():
    expect("src/mqtt/codec_test.cc", "TEST(Codec, RefusesNoText) {\n",
           "5.0 MQTT-1.5.4-1: the tests are others now")
    expect("tests/mqtt/text.txt", "== another name\n3.1.1 [MQTT-1.5.3-1]\n5.0 [MQTT-1.5.4-1]\n",
           "3.1.1 MQTT-1.5.3-1: the tests are others now")


@harness.case
def a_statement_that_the_page_does_not_have_is_refused():
    expect("tests/mqtt/text.txt", CLEAN["tests/mqtt/text.txt"] + "5.0 [MQTT-3.1.0-1]\n",
           "5.0 MQTT-3.1.0-1 is named by")
    expect("src/mqtt/broker.cc", "// [MQTT-9.9.9-9]\n", "MQTT-9.9.9-9, which neither standard has")


@harness.case
def a_row_that_is_broken_or_there_twice_is_refused():
    expect("docs/conformance.md", PAGE + "| Paho test_basic | In and out. |  |\n", "not a row")
    expect("docs/conformance.md", PAGE + "| Paho test_basic | Again. |  |  |\n", "is there twice")


@harness.case
def fill_writes_what_the_tests_show():
    emptied = PAGE.replace(" `text.txt` text that is none |", "  |")
    assert run("fill", {"docs/conformance.md": emptied})[1] == PAGE


@harness.case
def count_tells_tests_reasons_and_what_is_missing():
    page = PAGE + "| MQTT-3.1.2-1 | A name. | missing: nobody looks |  |\n"
    said, _ = run("count", {"docs/conformance.md": page})
    assert "3.1.1 statements: 2: 1 test, 1 reason, 0 missing, 0 empty" in said, said
    assert "5.0 statements: 2: 1 test, 0 reason, 1 missing, 0 empty" in said, said


harness.main()
