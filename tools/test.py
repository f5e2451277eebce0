#!/usr/bin/python3
"""Builds and runs every test suite, and ends with one line: `N passed, N failed`.

Usage: tools/test.py [SUITE[/PROGRAM]...]    tools/test.py unit walk/test_publish asan/log
SUITE: see SUITES below; none means all, in that order.

A suite is a list of programs. GoogleTest programs are counted by their cases; scripts print one
line `ok NAME` or `not ok NAME [- reason]` per case, as in TAP. A program that ends badly without
naming a failed case, says nothing at all, takes too long, or cannot be built, is one failed case:
what was not run has not passed. The last lines of what failed are shown;
all lies in build/test-logs/.

Environment: FUZZ_SECONDS (20) per fuzzer; NILO_WERROR (OFF); the scripts get NILO, the program.
Whoever asks for more (FUZZ_SECONDS, KILLS, CUTS, ROUNDS) gives the programs as much more time.
"""

import concurrent.futures
import dataclasses
import glob
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOGS = os.path.join(ROOT, "build", "test-logs")
CORPUS = os.path.join(ROOT, "fuzz-corpus")  # grows from run to run, not in git
PROGRAM_TIMEOUT_S = 600
ROUND_TIMEOUT_S = 60  # added for each kill or round that is asked for
SHOWN_LINES_MAX = 100
FUZZ_SECONDS = int(os.environ.get("FUZZ_SECONDS", "20"))
JOBS = os.cpu_count() or 1
WERROR = os.environ.get("NILO_WERROR", "OFF")
# Where everything is compiled anew, with precompiled headers; elsewhere ccache does better without.
PCH = "-DNILO_PCH=" + ("ON" if os.environ.get("CI") else "OFF")

# Rooms whose tests start threads; ThreadSanitizer has nothing to say about the others.
THREADED = ("base", "net", "log", "bus", "tables", "mqtt", "api", "app")


@dataclasses.dataclass
class Case:
    """One program to run: `kind` says how its output is counted."""

    name: str
    command: list
    kind: str  # gtest, script, vitest or fuzz
    cwd: str = ROOT


@dataclasses.dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


PATTERNS = {
    # The closing summary repeats failed names without a time, so the time tells them apart.
    "gtest": (r"^\[       OK \] .* \(\d+ ms\)", r"^\[  FAILED  \] .* \(\d+ ms\)",
              r"^\[  SKIPPED \] .* \(\d+ ms\)"),
    "script": (r"^ok\b(?!.*# SKIP)", r"^not ok\b", r"^ok\b.*# SKIP"),
    # TAP again, but a file's line closes a block of its cases, which stand indented.
    "vitest": (r"^ +ok\b(?!.*(# SKIP|\{$))", r"^ +not ok\b(?!.*\{$)", r"^ +ok\b.*# SKIP"),
}


def count(kind, output, exit_code):
    """Cases in `output`; a bad end that no case explains is a failed case of its own."""
    if kind == "fuzz":
        return Outcome(passed=int(exit_code == 0), failed=int(exit_code != 0))
    found = [len(re.findall(pattern, output, re.MULTILINE)) for pattern in PATTERNS[kind]]
    outcome = Outcome(*found)
    said_nothing = outcome.passed + outcome.failed + outcome.skipped == 0
    if outcome.failed == 0 and (exit_code != 0 or said_nothing):
        outcome.failed = 1
    return outcome


def timeout_s(kind, environment):
    rounds = max(int(environment.get(name, "0")) for name in ("KILLS", "CUTS", "ROUNDS"))
    asked = {"fuzz": FUZZ_SECONDS, "script": rounds * ROUND_TIMEOUT_S}
    return PROGRAM_TIMEOUT_S + asked.get(kind, 0)


def run_case(case, environment):
    """Runs one program; its output goes to a log file, and to the screen if it failed."""
    started = time.monotonic()
    limit_s = timeout_s(case.kind, environment)
    log = os.path.join(LOGS, case.name.replace("/", "-") + ".log")
    with open(log, "wb") as out:
        try:
            exit_code = subprocess.run(case.command, cwd=case.cwd, env=environment, stdout=out,
                                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                       timeout=limit_s, check=False).returncode
        except subprocess.TimeoutExpired:
            out.write(f"\nnot ok {case.name} - still running after {limit_s} s\n".encode())
            exit_code = -1
        except OSError as error:
            out.write(f"\nnot ok {case.name} - cannot run: {error}\n".encode())
            exit_code = -1
    with open(log, encoding="utf-8", errors="replace") as text:
        output = text.read()
    outcome = count(case.kind, output, exit_code)
    report = f"  {case.name:<32} {outcome.passed:5} passed"
    if outcome.skipped:
        report += f", {outcome.skipped} SKIPPED"
    if outcome.failed:
        report += f", {outcome.failed} FAILED (exit {exit_code}); {os.path.relpath(log, ROOT)}:\n"
        passed = re.compile(PATTERNS["gtest"][0] + r"|^\[ RUN      \].*", re.MULTILINE)
        shown = [line for line in output.splitlines() if line and not passed.match(line)]
        report += "\n".join(shown[-SHOWN_LINES_MAX:])
    print(f"{report}   {time.monotonic() - started:.1f} s", flush=True)
    return outcome


def configure(folder, *options):
    path = os.path.join(ROOT, "build", folder)
    subprocess.run(["cmake", "-S", ROOT, "-B", path, "-G", "Ninja", "--log-level=WARNING",
                    *options], check=True, stdout=subprocess.DEVNULL)
    return path


def ninja(path, targets=()):
    """Builds `targets`, or everything; tells all mistakes, then raises CalledProcessError."""
    subprocess.run(["ninja", "-C", path, "-j", str(JOBS), "-k", "0", "--quiet", *targets],
                   check=True)


def build_release():
    """build/, shared with `make run`: the program and all its tests."""
    path = configure("", "-DCMAKE_BUILD_TYPE=Release", f"-DNILO_WERROR={WERROR}", "-DNILO_PCH=OFF")
    ninja(path)
    return path


def configure_clang():
    """build/clang: unit tests and fuzzers with ASan and UBSan, so each room is compiled once."""
    return configure("clang", "-DNILO_FUZZ=ON", "-DNILO_SANITIZE=address,undefined",
                     f"-DNILO_WERROR={WERROR}", PCH, "-DCMAKE_CXX_COMPILER=clang++-14",
                     "-DCMAKE_C_COMPILER=clang-14")


def programs_of(path, prefix):
    """(name, program) of what CMake knows in `path`; so a file left by an older build is not run."""
    listing = subprocess.run(["ctest", "--test-dir", path, "--show-only=json-v1"], check=True,
                             capture_output=True, text=True).stdout
    names = [test["name"] for test in json.loads(listing)["tests"]]
    return {name[len(prefix):]: os.path.join(path, name) for name in names
            if name.startswith(prefix)}


def build_programs(path, programs):
    ninja(path, [os.path.basename(program) for program in programs.values()])


def suite_unit():
    path = build_release()
    return [Case(f"unit/{name}", [program], "gtest", path)
            for name, program in programs_of(path, "test_").items()]


def suite_asan():
    path = configure_clang()
    programs = programs_of(path, "test_")
    build_programs(path, programs)
    return [Case(f"asan/{name}", [program], "gtest", path) for name, program in programs.items()]


def suite_tsan():
    path = configure("tsan", "-DNILO_SANITIZE=thread", PCH)
    programs = {name: program for name, program in programs_of(path, "test_").items()
                if name in THREADED}
    build_programs(path, programs)
    # ThreadSanitizer of g++ 12 cannot start where the kernel spreads addresses widely.
    fixed = ["setarch", "-R"]
    prefix = fixed if subprocess.run([*fixed, "true"], check=False).returncode == 0 else []
    return [Case(f"tsan/{name}", [*prefix, program], "gtest", path)
            for name, program in programs.items()]


def suite_fuzz():
    path = configure_clang()
    programs = programs_of(path, "fuzz_")
    build_programs(path, programs)
    cases = []
    for name, program in programs.items():
        corpus = os.path.join(CORPUS, name)
        os.makedirs(corpus, exist_ok=True)
        seeds = [s for s in [os.path.join(ROOT, "tests", "fuzz", name)] if os.path.isdir(s)]
        flags = [f"-max_total_time={FUZZ_SECONDS}", "-timeout=10", "-rss_limit_mb=2048",
                 "-verbosity=0", "-print_final_stats=1", f"-artifact_prefix={LOGS}/{name}-"]
        cases.append(Case(f"fuzz/{name}", [program, *flags, corpus, *seeds], "fuzz", path))
    return cases


def suite_web():
    """The pages: their pure code by vitest, and that they can be built at all."""
    out = os.path.join(ROOT, "build", "web-test")
    subprocess.run(["node", "web/build.mjs", out], cwd=ROOT, check=True)
    command = ["node_modules/.bin/vitest", "run", "--root", "web", "--reporter=tap"]
    return [Case("web/vitest", command, "vitest")]


def script_suite(folder):
    """tests/`folder`/test_*.py, one after the other against the Release program."""
    def suite():
        build_release()
        scripts = sorted(glob.glob(os.path.join(ROOT, "tests", folder, "test_*.py")))
        return [Case(f"{folder}/{os.path.basename(s)[:-3]}", [sys.executable, s], "script")
                for s in scripts]
    return suite


def suite_browser():
    """tests/browser/test_*.mjs: Debian's chromium against the Release program."""
    build_release()
    scripts = sorted(glob.glob(os.path.join(ROOT, "tests", "browser", "test_*.mjs")))
    return [Case(f"browser/{os.path.basename(s)[:-4]}", ["node", s], "script") for s in scripts]


# In this order: what is quick and what most often breaks comes first.
SUITES = {
    "tools": script_suite("tools"),
    "web": suite_web,
    "unit": suite_unit,
    "walk": script_suite("walk"),
    "browser": suite_browser,
    "crash": script_suite("crash"),
    "asan": suite_asan,
    "tsan": suite_tsan,
    "fuzz": suite_fuzz,
}


def run_suite(name, program, environment):
    """Builds suite `name` and runs it, or only its `program` if that is not empty."""
    started = time.monotonic()
    print(f"{name}: building", flush=True)
    try:
        cases = SUITES[name]()
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"{name}: CANNOT RUN, nothing was tested: {str(error)[:200]}", flush=True)
        return Outcome(failed=1)
    cases = [case for case in cases if program in ("", case.name.partition("/")[2])]
    if not cases:
        print(f"{name}: CANNOT RUN, there is no such program", flush=True)
        return Outcome(failed=1)
    total = Outcome()
    jobs = 1 if cases[0].kind == "script" else JOBS  # scripts start servers, and load them
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for outcome in pool.map(lambda case: run_case(case, environment), cases):
            total.add(outcome)
    print(f"{name}: {total.passed} passed, {total.failed} failed, {total.skipped} skipped, "
          f"{time.monotonic() - started:.0f} s\n", flush=True)
    return total


def main(arguments):
    wanted = [argument.partition("/")[::2] for argument in arguments] or [(s, "") for s in SUITES]
    for name, _ in wanted:
        if name not in SUITES:
            print(f"no suite {name}; there are: {' '.join(SUITES)}", file=sys.stderr)
            return 2
    os.makedirs(LOGS, exist_ok=True)
    environment = {
        **os.environ,
        "NILO": os.path.join(ROOT, "build", "nilo"),
        "PYTHONPATH": os.path.join(ROOT, "tests", "walk"),  # for `import harness`
        "PYTHONDONTWRITEBYTECODE": "1",
        "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
    }
    total = Outcome()
    for name, program in wanted:
        total.add(run_suite(name, program, environment))
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
