#!/usr/bin/python3
"""The figures: ours and other brokers, interleaved in one run, medians and ratios.

    make bench                     everything (about twenty minutes)
    make bench ARGS="publish"      one part: publish qos2 lockstep fanin fanout flood latency idle
                                   loops (bench_broker.py), rules replay start restart alerts
                                   storm pages tls

The server runs on core 0, the load generator on core 1. Each figure comes with its command and,
where it matters, the lowest and highest of its rounds. Absolute figures depend on the machine:
compare the ratios. Environment: ROUNDS (3), SECONDS (4), FLASHMQ (the program, to be in it).
"""

import json
import os
import shutil
import socketserver
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import bench_broker
import bench_sessions
import bench_tls
from bench_kit import (FLASHMQ, LOAD_CORE, NILO, ROOT, ROUNDS, SECONDS, SERVER_CORE, W1_STACK, Nilo,
                       measure, median_of, pinned, say)

STORM_THINGS = 10_000
STORM_WINDOW = 1_000
STORM_S = 15  # in which they fire, and some hundreds of their mails go out
STORM_STACK = W1_STACK + """
[table.levels]
key = ["tank int", "time timestamp"]
thing = "tank-{tank}"
columns = { percent = { type = "double", unit = "%" } }

[rule.levels]
sql = "SELECT cast(topic(2) AS Int) AS tank, percent FROM 'level/+'"
put = "levels"

[alert.level]
of = "tank-*/percent"
low = 20
mail = { to = ["anna@example.org"], subject = "${thing.id}", text = "${value} %" }

[mail]
server = "127.0.0.1"
port = MAIL_PORT
tls = "none"
from = "tanks@example.org"
"""


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


def resident_mib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def bench_restart():
    sessions = int(os.environ.get("SESSIONS", "100000"))
    each = 10
    times, drains = [], []
    with Nilo() as server:
        before = resident_mib(server.process.pid)
        began = time.monotonic()
        bench_sessions.begin_sessions(server.port, sessions)
        begun = time.monotonic() - began
        alone = resident_mib(server.process.pid)
        bench_sessions.queue_messages(server.port, sessions, each)
        full = resident_mib(server.process.pid)
        for i in range(ROUNDS):
            server.process.kill()
            server.process.wait()
            began = time.monotonic()
            server.start()
            times.append(time.monotonic() - began)
            drains.append(bench_sessions.drain(server.port, i, each))
        again = resident_mib(server.process.pid)
    say(f"ready after kill -9, {sessions:,} sessions, {sessions * each:,} messages wait",
        f"{statistics.median(times):.2f} s", "goal 5 s", f"SESSIONS={sessions} make bench "
        "ARGS=restart")
    say("  then a session has its messages after", f"{statistics.median(drains) * 1000:.0f} ms")
    say("  sessions begun", f"{sessions / begun:,.0f}/s")
    say("  memory of a session that is away", f"{(alone - before) * 1024 / sessions:.2f} KiB")
    say("  resident with all that waits; after the start", f"{full:.0f}, {again:.0f} MiB")


def measure_alerts(*flags):
    with tempfile.TemporaryDirectory(prefix="nilo-bench-") as folder:
        return measure("alerts", "--dir", folder, *flags)


def bench_alerts():
    for crossings in ("0", "0.01", "0.1"):
        reports = [measure_alerts("--crossings", crossings) for _ in range(ROUNDS)]
        say(f"alerts, {float(crossings):.0%} of the changes cross a limit, one core",
            f"{median_of(reports, 'per_second'):,.0f} changes/s", "goal 50,000/s",
            f"nilo bench alerts --crossings {crossings}")
    watched = measure_alerts("--changes", "1")["resident_kib"]
    plain = measure_alerts("--changes", "1", "--without")["resident_kib"]
    say("an instance of an alert, resident", f"{(watched - plain) * 1024 / 300_000:.0f} B", "",
        "nilo bench alerts --changes 1 --without")


class MailSink(socketserver.ThreadingTCPServer):
    """Takes every mail and forgets it."""

    allow_reuse_address = True
    daemon_threads = True

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"220 sink\r\n")
            for line in self.rfile:
                verb = line[:4].upper()
                if verb == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    while self.rfile.readline() not in (b".\r\n", b""):
                        pass
                    self.server.count += 1
                self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.count = 0

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return super().__enter__()

    def __exit__(self, *failure):
        self.shutdown()
        super().__exit__(*failure)


def report_levels(port, percent):
    """Of every thing, at once; returns when all are taken."""
    sys.path.append(os.path.join(ROOT, "tests", "walk"))
    import raw_mqtt  # pylint: disable=import-outside-toplevel
    connection = raw_mqtt.Connection(port)
    assert connection.log_in("storm") == 0
    for first in range(0, STORM_THINGS, STORM_WINDOW):
        connection.send(b"".join(
            raw_mqtt.publish_packet(f"level/{first + i}", f'{{"percent":{percent}}}', 1 + i)
            for i in range(STORM_WINDOW)))
        for _ in range(STORM_WINDOW):
            connection.read()


def bench_storm():
    """All things report once more while others publish: 10 %, which fires, or 50 % as before."""
    flags = ["--connections", "50", "--window", "100", "--seconds", str(STORM_S)]
    rates, mails = {"calm": [], "storm": []}, 0
    for _ in range(ROUNDS):
        for kind, found in rates.items():
            with pinned(LOAD_CORE), MailSink() as sink:
                server = Nilo()
                server.stack_text = STORM_STACK.replace("MAIL_PORT", str(sink.server_address[1]))
                with server:
                    report_levels(server.port, 50)
                    percent = 10 if kind == "storm" else 50
                    report = threading.Timer(1, report_levels, [server.port, percent])
                    report.start()
                    found.append(measure("publish", "--port", str(server.port), *flags))
                    report.join()
                    assert server.row_count("levels") == 2 * STORM_THINGS
                    if kind == "storm":
                        assert server.row_count("sys_alerts") == STORM_THINGS
                        mails = sink.count
    calm, storm = (median_of(found, "per_second") for found in rates.values())
    say(f"publish while {STORM_THINGS:,} things fire, against none firing", f"{storm / calm:.2f}",
        f"goal 0.95; {storm:,.0f}/s, {calm:,.0f}/s; {mails:,} mails sent meanwhile",
        f"nilo bench publish {' '.join(flags)}")


def bench_pages():
    """In Debian's chromium, beside everything else on this machine: nothing is pinned."""
    command = ["node", os.path.join(ROOT, "tools", "bench_pages.mjs")]
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          env={**os.environ, "NILO": NILO})
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    figures = json.loads(done.stdout)
    drawn, crowd = figures["drawn"], figures["crowd"]
    say(f"received to drawn in a chart at {drawn['messages_per_s']:,}/s, p99",
        f"{drawn['p99_ms']:.1f} ms", "goal 50 ms", "node tools/bench_pages.mjs drawn")
    say("  p50", f"{drawn['p50_ms']:.1f} ms")
    say("  until the browser has it, p99", f"{drawn['arrived_p99_ms']:.1f} ms")
    say("  publish to a bare MQTT subscriber in the same run, p99", f"{drawn['mqtt_p99_ms']:.1f} ms")
    say("  control: until a page has it that draws nothing, p99",
        f"{drawn['bare_arrived_p99_ms']:.1f} ms")
    say("  control: from frame to frame in that page, p99", f"{drawn['bare_frame_p99_ms']:.1f} ms")
    say("  control: a small write until it is on disk, p99", f"{drawn['sync_p99_ms']:.1f} ms")
    say(f"{crowd['pages']} open pages of the tanks, server", f"{crowd['tanks']:.3f} cores",
        "goal 0.5", "node tools/bench_pages.mjs crowd")
    say("  at 100 readings a second", f"{crowd['at_100']:.3f} cores", "goal 0.5")
    say("from page to page, p50", f"{figures['switch']['p50_ms']:.0f} ms", "goal 100 ms",
        "node tools/bench_pages.mjs switch")
    say("  p95", f"{figures['switch']['p95_ms']:.0f} ms", "goal 100 ms")
    heap = figures["heap"]
    say(f"heap of a page at 5 readings/s over {heap['minutes']} min, after collection",
        f"{heap['kb_per_minute']:.1f} KB/min", "goal 0",
        "HEAP_MINUTES=60 node tools/bench_pages.mjs heap")
    if heap["full_kb_per_minute"] is not None:
        say("  from when its window of points is full, after 30 min",
            f"{heap['full_kb_per_minute']:.1f} KB/min", "goal 0")


class NiloWithTls(Nilo):
    flags = ("--mqtts", "127.0.0.1:0", "--https", "127.0.0.1:0", "--loops", "1")

    def start(self):
        data = os.path.join(self.folder, "data")
        bench_tls.run(NILO, "cert", "server", "--data", data)
        self.certificate = os.path.join(data, "certs", "ca.crt")
        super().start()


def bench_tls_part():
    bench_tls.bench(NiloWithTls, say, ROUNDS, SECONDS, SERVER_CORE, LOAD_CORE)


PARTS = {**bench_broker.PARTS, "rules": bench_rules, "replay": bench_replay, "start": bench_start,
         "restart": bench_restart, "alerts": bench_alerts, "storm": bench_storm,
         "pages": bench_pages, "tls": bench_tls_part}


def versions():
    """Of the peers: the first line of what they say about themselves."""
    for command in [["mosquitto", "-h"]] + ([[FLASHMQ, "--version"]] if FLASHMQ else []):
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        yield said.stdout.splitlines()[0]


def main(wanted):
    unknown = [part for part in wanted if part not in PARTS]
    if unknown:
        raise SystemExit(f"no part {' '.join(unknown)}; there are: {' '.join(PARTS)}")
    print(f"{ROUNDS} rounds of {SECONDS:g} s, medians; {', '.join(versions())}; server on core "
          f"{SERVER_CORE}, generator on core {LOAD_CORE}\n")
    for part in wanted or PARTS:
        PARTS[part]()


if __name__ == "__main__":
    main(sys.argv[1:])
