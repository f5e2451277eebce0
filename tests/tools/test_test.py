"""tools/test.py counts rightly: what failed, crashed, stayed silent or never ran has not passed."""

import contextlib
import io
import sys

import harness

sys.path.insert(0, harness.ROOT + "/tools")
import test as runner  # noqa: E402  pylint: disable=wrong-import-position

GTEST = """[ RUN      ] Tank.IsFull
[       OK ] Tank.IsFull (0 ms)
[ RUN      ] Tank.IsEmpty
[  FAILED  ] Tank.IsEmpty (12 ms)
[ RUN      ] Tank.NeedsRoot
[  SKIPPED ] Tank.NeedsRoot (0 ms)
[  FAILED  ] 1 test, listed below:
[  FAILED  ] Tank.IsEmpty
"""


def counted(kind, output, exit_code):
    outcome = runner.count(kind, output, exit_code)
    return outcome.passed, outcome.failed, outcome.skipped


@harness.case
def googletest_cases_are_counted_once_each():
    assert counted("gtest", GTEST, 1) == (1, 1, 1)


@harness.case
def a_program_that_dies_after_passing_cases_has_failed():
    assert counted("gtest", "[       OK ] Tank.IsFull (0 ms)\n", -11) == (1, 1, 0)


@harness.case
def a_program_that_says_nothing_has_failed():
    assert counted("gtest", "", 0) == (0, 1, 0)
    assert counted("script", "hello\n", 0) == (0, 1, 0)


@harness.case
def script_lines_are_counted_as_tap():
    output = "ok one\nnot ok two - because\n# ok in a comment\nok three # SKIP no root\nokay\n"
    assert counted("script", output, 1) == (1, 1, 1)


@harness.case
def a_fuzzer_passes_by_its_exit_code():
    assert counted("fuzz", "", 0) == (1, 0, 0)
    assert counted("fuzz", "", 77) == (0, 1, 0)


@harness.case
def whoever_asks_for_more_gives_more_time():
    plain = runner.timeout_s("script", {})
    assert runner.timeout_s("fuzz", {}) > max(plain, runner.FUZZ_SECONDS)
    assert runner.timeout_s("script", {"ROUNDS": "50"}) >= plain + 50 * 6 * 5
    assert runner.timeout_s("gtest", {"KILLS": "100"}) == plain


@harness.case
def a_program_that_cannot_be_started_has_failed():
    runner.os.makedirs(runner.LOGS, exist_ok=True)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        outcome = runner.run_case(runner.Case("tools/absent", ["/absent"], "script"), {})
    assert "cannot run" in said.getvalue()
    assert (outcome.passed, outcome.failed) == (0, 1)


harness.main()
