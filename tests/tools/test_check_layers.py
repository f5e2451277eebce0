"""tools/check_layers.py finds what it claims to find, and nothing in a clean tree."""

import os
import subprocess
import sys
import tempfile

import harness

CHECKER = os.path.join(harness.ROOT, "tools", "check_layers.py")
CLEAN = {
    "tools/layers.txt": "[rooms]\nbase\nlog base\nbus base\n"
                        "[fences]\nlmdb.h 1 src/log/*.cc\n[free]\nsys/ fmt/\n",
    "docs/ARCHITECTURE.md": "src/base/ src/log/ src/bus/\n",
    "src/base/clock.h": "#include <vector>\n#include <sys/time.h>\n",
    "src/log/log.h": '#pragma once\n#include "base/clock.h"\n',
    "src/log/log.cc": '#include "log/log.h"\n#include <lmdb.h>\n',
    "src/log/CMakeLists.txt": "nilo_room(log ROOMS base LIBRARIES lmdb)\n",
    "src/bus/bus.h": "#pragma once\n",
    "src/bus/CMakeLists.txt": "nilo_room(bus)\n",
}


def findings(changes):
    """What is said about the clean tree with `changes`, a path -> text."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**CLEAN, **changes}.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        done = subprocess.run([sys.executable, CHECKER, root], capture_output=True, text=True,
                              check=False)
    assert not done.stderr, done.stderr
    assert done.returncode == (1 if done.stdout else 0), done
    return done.stdout


def expect(path, text, wanted):
    said = findings({path: text})
    assert wanted in said, f"{wanted!r} is not in:\n{said}"


@harness.case
def a_clean_tree_has_no_findings():
    assert findings({}) == ""


@harness.case
def an_include_upwards_is_refused_with_file_and_line():
    expect("src/base/clock.h", '\n#include "bus/bus.h"\n',
           "src/base/clock.h:2: base must not include bus (bus/bus.h)")


@harness.case
def neighbours_must_not_include_each_other():
    expect("src/log/log.cc", '#include "bus/bus.h"\n', "src/log/log.cc:1: log must not include bus")


@harness.case
def a_header_behind_a_fence_is_refused_elsewhere():
    expect("src/bus/bus.h", "#include <lmdb.h>\n",
           "src/bus/bus.h:1: <lmdb.h> is allowed only in src/log/*.cc")


@harness.case
def one_file_more_than_the_fence_allows_is_refused():
    expect("src/log/second.cc", "#include <lmdb.h>\n",
           "src/log/second.cc:1: <lmdb.h> is in 2 files, at most 1 may")


@harness.case
def a_third_party_header_without_a_fence_is_refused():
    expect("src/bus/bus.h", "#include <curl/curl.h>\n", "<curl/curl.h> has no fence")


@harness.case
def a_quoted_include_that_is_not_ours_is_refused():
    expect("src/bus/bus.h", '#include "bus.h"\n', '"bus.h" is not a file under src/')


@harness.case
def headers_in_a_circle_are_named_in_order():
    expect("src/base/clock.h", '#include "base/clock.h"\n',
           "headers include each other: src/base/clock.h -> src/base/clock.h")


@harness.case
def a_room_that_is_included_but_not_linked_is_refused():
    expect("src/log/CMakeLists.txt", "nilo_room(log LIBRARIES lmdb)\n",
           "src/log/CMakeLists.txt:1: log includes base but does not link it")


@harness.case
def a_room_that_is_linked_but_not_included_is_refused():
    expect("src/bus/CMakeLists.txt", "nilo_room(bus ROOMS base)\n", "bus links base but includes")


@harness.case
def a_room_missing_from_the_architecture_is_refused():
    expect("docs/ARCHITECTURE.md", "src/base/ src/log/\n", "src/bus/ is not mentioned")


@harness.case
def a_file_that_the_architecture_invents_is_refused():
    expect("docs/ARCHITECTURE.md", "src/base/ src/log/ src/bus/ `src/bus/old.h`\n",
           "src/bus/old.h does not exist")


@harness.case
def a_room_that_layers_txt_does_not_know_is_refused():
    expect("src/attic/old.cc", '#include "base/clock.h"\n', "room attic is not in tools/layers.txt")


@harness.case
def layers_that_form_a_circle_are_refused():
    expect("tools/layers.txt", CLEAN["tools/layers.txt"].replace("base\nlog", "base log\nlog", 1),
           "room base may include log, which is not listed above it")


harness.main()
