#!/usr/bin/python3
"""The figures: ours and mosquitto, interleaved in one run, medians and ratios.

    make bench                     everything (about six minutes)
    make bench ARGS="publish"      one part: publish latency rules replay start idle

The server runs on core 0, the load generator on core 1. Each figure comes with its command.
Absolute figures depend on the machine: compare the ratios.
"""

import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NILO = os.path.join(ROOT, "build", "nilo")
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECONDS = float(os.environ.get("SECONDS", "4"))
SERVER_CORE, LOAD_CORE = "0", "1"

W1_STACK = """
[table.readings]
key = ["device_id int", "time timestamp"]
[table.readings.columns]
temperature = { type = "double", unit = "°C" }
humidity = { type = "double", unit = "%" }
battery = { type = "double", unit = "V" }

[rule.store]
sql = \"\"\"
SELECT device_id, ts AS time, temperature, humidity, battery FROM 'site/+/data'\"\"\"
put = "readings"

[tables]
memory = "8GB"
"""
MOSQUITTO_CONF = """
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
max_inflight_messages 0
set_tcp_nodelay true
log_type error
"""


class Server:
    """A broker pinned to the server's core, with a folder of its own."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="nilo-bench-")
        self.process = None
        self.port = 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Nilo(Server):
    name = "nilo"

    def start(self):
        stack = os.path.join(self.folder, "stack")
        os.makedirs(stack, exist_ok=True)
        with open(os.path.join(stack, "nilo.toml"), "w", encoding="utf-8") as file:
            file.write(W1_STACK)
        self.process = subprocess.Popen(
            ["taskset", "-c", SERVER_CORE, NILO, "serve", stack, "--open", "--mqtt", "127.0.0.1:0",
             "--http", "127.0.0.1:0", "--data", os.path.join(self.folder, "data")],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = ""
        for line in self.process.stdout:
            if found := re.match(r"mqtt +\S+:(\d+)", line):
                self.port = int(found[1])
            if found := re.match(r"http +(\S+)", line):
                self.url = found[1]
            if line == "ready\n":
                return
        raise SystemExit("nilo serve ended before it was ready")

    def row_count(self):
        body = json.dumps({"sql": "SELECT count(*) FROM readings"}).encode()
        request = urllib.request.Request(self.url + "/api/v1/sql", data=body,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["rows"][0][0]


class Mosquitto(Server):
    name = "mosquitto"

    def start(self):
        self.port = 21883
        conf = os.path.join(self.folder, "mosquitto.conf")
        with open(conf, "w", encoding="utf-8") as file:
            file.write(MOSQUITTO_CONF.format(port=self.port))
        self.process = subprocess.Popen(["taskset", "-c", SERVER_CORE, "mosquitto", "-c", conf],
                                        stderr=subprocess.DEVNULL)
        wait_for_port(self.port)


def wait_for_port(port):
    import socket
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"nothing listens on {port}")


def measure(*arguments):
    """Runs `nilo bench ARGUMENTS` on the generator's core; its JSON, and how it was called."""
    command = ["bench", *arguments]
    done = subprocess.run(["taskset", "-c", LOAD_CORE, NILO, *command], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"nilo {' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout)


def median_of(reports, key):
    return statistics.median(report[key] for report in reports)


def say(what, figure, goal="", command=""):
    print(f"{what:<58} {figure:>16}   {goal}")
    if command:
        print(f"{'':>4}$ {command}")
    sys.stdout.flush()


def bench_publish():
    flags = ["--connections", "50", "--window", "100", "--seconds", str(SECONDS)]
    reports = {"nilo": [], "mosquitto": []}
    for _ in range(ROUNDS):
        for kind in (Nilo, Mosquitto):
            with kind() as server:
                report = measure("publish", "--port", str(server.port), *flags)
                if kind is Nilo:
                    report["rows"] = server.row_count()
                    assert report["rows"] >= report["acknowledged"], report
                reports[kind.name].append(report)
    ours = median_of(reports["nilo"], "per_second")
    theirs = median_of(reports["mosquitto"], "per_second")
    command = "nilo bench publish " + " ".join(flags)
    say("W1, QoS 1, 50 x 100 in flight: rows acknowledged after sync", f"{ours:,.0f}/s",
        "goal 400,000/s", command)
    say("  mosquitto acknowledges, storing nothing", f"{theirs:,.0f}/s")
    say("  ratio", f"{ours / theirs:.1f}", "goal 3.0")


def bench_latency():
    flags = ["--rate", "10000", "--seconds", str(SECONDS)]
    reports = {"nilo": [], "mosquitto": []}
    for _ in range(ROUNDS):
        for kind in (Nilo, Mosquitto):
            with kind() as server:
                reports[kind.name].append(measure("latency", "--port", str(server.port), *flags))
    say("publish to subscriber at 10,000/s, p99", f"{median_of(reports['nilo'], 'p99_ms'):.2f} ms",
        "goal 10 ms", "nilo bench latency " + " ".join(flags))
    say("  p50", f"{median_of(reports['nilo'], 'p50_ms'):.2f} ms")
    say("  mosquitto with no-delay, p99", f"{median_of(reports['mosquitto'], 'p99_ms'):.2f} ms")
    say("  mosquitto with no-delay, p50", f"{median_of(reports['mosquitto'], 'p50_ms'):.2f} ms")


def bench_rules():
    reports = [measure("rules", "--seconds", str(SECONDS)) for _ in range(ROUNDS)]
    say("rules alone, the tanks' rule, one core", f"{median_of(reports, 'per_second'):,.0f}/s",
        "goal 1,500,000/s", "nilo bench rules")


def bench_replay():
    reports = []
    for _ in range(ROUNDS):
        folder = tempfile.mkdtemp(prefix="nilo-bench-")
        reports.append(measure("replay", "--dir", folder, "--rows", "3000000"))
        shutil.rmtree(folder, ignore_errors=True)
    say("replay, log to tables, one core", f"{median_of(reports, 'rows_per_second'):,.0f} rows/s",
        "goal 3,000,000/s", "nilo bench replay --rows 3000000")


def bench_start():
    times = []
    with Nilo() as server:
        while True:
            measure("publish", "--port", str(server.port), "--seconds", "1")
            if server.row_count() >= 1_000_000:
                break
        rows = server.row_count()
        for _ in range(ROUNDS):
            server.process.kill()
            server.process.wait()
            began = time.monotonic()
            server.start()
            times.append((time.monotonic() - began) * 1_000_000 / rows)
            assert server.row_count() == rows
    say("start after kill -9, for each 1 M rows in the log", f"{statistics.median(times):.2f} s",
        "goal 2 s", "nilo serve")


def bench_idle():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(10_000, hard - 200)
    with Nilo() as server:
        # taskset replaces itself by the server.
        report = measure("idle", "--port", str(server.port), "--connections", str(count),
                         "--pid", str(server.process.pid))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    say("idle, resident", f"{report['before_kib'] / 1024:.1f} MiB", "goal 50 MB")
    say(f"{count:,} idle connections, each", f"{report['kib_each']:.2f} KiB", "goal 4 KB",
        f"nilo bench idle --connections {count}")


PARTS = {"publish": bench_publish, "latency": bench_latency, "rules": bench_rules,
         "replay": bench_replay, "start": bench_start, "idle": bench_idle}


def main(wanted):
    unknown = [part for part in wanted if part not in PARTS]
    if unknown:
        raise SystemExit(f"no part {' '.join(unknown)}; there are: {' '.join(PARTS)}")
    version = subprocess.run(["mosquitto", "-h"], capture_output=True, text=True, check=False)
    print(f"{ROUNDS} rounds of {SECONDS:g} s, medians; {version.stdout.splitlines()[0]}; server on "
          f"core {SERVER_CORE}, generator on core {LOAD_CORE}\n")
    for part in wanted or PARTS:
        PARTS[part]()


if __name__ == "__main__":
    main(sys.argv[1:])
