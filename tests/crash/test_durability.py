"""Another program's opinion: a load script kills the server, cuts its power, and counts.

NILO_DURABILITY names the script; without it, shared/tools/durability_mqtt.py beside this folder.
ROUNDS (2) comes from the environment. Power cuts need root, a loop device and xfsprogs.
"""

import os
import re
import subprocess
import sys

import harness
from load import STACK

SCRIPT = os.environ.get("NILO_DURABILITY", os.path.join(
    os.path.dirname(harness.ROOT), "shared", "tools", "durability_mqtt.py"))
ROUNDS = os.environ.get("ROUNDS", "2")


def rounds_of(*flags):
    """Runs the script; (messages acknowledged, lost, received twice)."""
    if not os.path.exists(SCRIPT):
        harness.skip("no load script")
    stack = harness.make_folder(STACK)
    # With `exec`, so that the signal meets the server and not the shell before it.
    launch = (f"exec {harness.NILO} serve {stack} --open --mqtt 127.0.0.1:{{port}} "
              "--http 127.0.0.1:0 --data {dir}/data")
    done = subprocess.run([sys.executable, SCRIPT, "--launch", launch, "--rounds", ROUNDS,
                           "--max", "1.0", "--settle", "1.0", *flags],
                          capture_output=True, text=True, check=False)
    found = re.search(r"^acked (\d+), lost (\d+) \(.*\), dup (\d+)", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    print("".join(f"# {line}\n" for line in done.stdout.splitlines()[-2:]), end="", flush=True)
    assert done.returncode == 0, done.stdout
    return tuple(int(number) for number in found.groups())


@harness.case
def a_kill_loses_nothing_at_qos_1():
    acknowledged, lost, _ = rounds_of("--qos", "1")
    assert acknowledged > 0 and lost == 0


@harness.case
def a_kill_loses_and_doubles_nothing_at_qos_2():
    acknowledged, lost, twice = rounds_of("--qos", "2")
    assert acknowledged > 0 and (lost, twice) == (0, 0)


def a_power_cut_loses_nothing(file_system, qos):
    if os.geteuid() != 0:
        harness.skip("only root may mount")
    flags = ("--fault", "powercut", "--fs", file_system, "--qos", qos)
    acknowledged, lost, twice = rounds_of(*flags)
    assert acknowledged > 0 and lost == 0, flags
    assert qos == "1" or twice == 0, flags


@harness.case
def a_power_cut_of_ext4_loses_nothing():
    a_power_cut_loses_nothing("ext4", "1")
    a_power_cut_loses_nothing("ext4", "2")


@harness.case
def a_power_cut_of_xfs_loses_nothing():
    a_power_cut_loses_nothing("xfs", "1")
    a_power_cut_loses_nothing("xfs", "2")


harness.main()
