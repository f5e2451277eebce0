#!/usr/bin/python3
"""The figures: ours and mosquitto, interleaved in one run, medians and ratios.

    make bench                     everything (about six minutes)
    make bench ARGS="publish"      one part: publish latency rules replay start idle
                                   restart alerts storm pages tls

The server runs on core 0, the load generator on core 1. Each figure comes with its command.
Absolute figures depend on the machine: compare the ratios.
"""

import json
import os
import re
import resource
import shutil
import socketserver
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import bench_sessions
import bench_tls

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
STORM_THINGS = 10_000
STORM_WINDOW = 1_000
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
    stack_text = W1_STACK
    flags = ()

    def start(self):
        stack = os.path.join(self.folder, "stack")
        os.makedirs(stack, exist_ok=True)
        with open(os.path.join(stack, "nilo.toml"), "w", encoding="utf-8") as file:
            file.write(self.stack_text)
        self.process = subprocess.Popen(
            ["taskset", "-c", SERVER_CORE, NILO, "serve", stack, "--open", "--mqtt", "127.0.0.1:0",
             "--http", "127.0.0.1:0", "--data", os.path.join(self.folder, "data"), *self.flags],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = ""
        for line in self.process.stdout:
            if found := re.match(r" *MQTT +\S+:(\d+)", line):
                self.port = int(found[1])
            if found := re.match(r" *MQTTS +\S+:(\d+)", line):
                self.tls_port = int(found[1])
            if found := re.match(r" *Open +(\S+)", line):
                self.url = found[1]
            if line == "ready\n":
                return
        raise SystemExit("nilo serve ended before it was ready")

    def row_count(self, table="readings"):
        body = json.dumps({"sql": f"SELECT count(*) FROM {table}"}).encode()
        request = urllib.request.Request(self.url + "/api/v1/sql", data=body,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["rows"][0][0]


class NiloWithTls(Nilo):
    flags = ("--mqtts", "127.0.0.1:0", "--https", "127.0.0.1:0", "--loops", "1")

    def start(self):
        folder = os.path.join(self.folder, "data", "certs")
        bench_tls.make_certificate(folder)
        self.certificate = os.path.join(folder, "server.crt")
        super().start()


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


def start_storm(port):
    """Every thing reports that it is nearly empty, at once; returns when all are taken."""
    sys.path.append(os.path.join(ROOT, "tests", "walk"))
    import raw_mqtt  # pylint: disable=import-outside-toplevel
    connection = raw_mqtt.Connection(port)
    assert connection.log_in("storm") == 0
    for first in range(0, STORM_THINGS, STORM_WINDOW):
        connection.send(b"".join(
            raw_mqtt.publish_packet(f"level/{first + i}", '{"percent":10}', 1 + i)
            for i in range(STORM_WINDOW)))
        for _ in range(STORM_WINDOW):
            connection.read()


def bench_storm():
    flags = ["--connections", "50", "--window", "100", "--seconds", str(SECONDS)]
    rates, mails = {"calm": [], "storm": []}, 0
    for _ in range(ROUNDS):
        for kind, found in rates.items():
            with MailSink() as sink:
                server = Nilo()
                server.stack_text = STORM_STACK.replace("MAIL_PORT", str(sink.server_address[1]))
                with server:
                    if kind == "storm":
                        threading.Timer(1, start_storm, [server.port]).start()
                    found.append(measure("publish", "--port", str(server.port), *flags))
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


def bench_tls_part():
    bench_tls.bench(NiloWithTls, say, ROUNDS, SECONDS, SERVER_CORE, LOAD_CORE)


PARTS = {"publish": bench_publish, "latency": bench_latency, "rules": bench_rules,
         "replay": bench_replay, "start": bench_start, "idle": bench_idle,
         "restart": bench_restart, "alerts": bench_alerts, "storm": bench_storm,
         "pages": bench_pages, "tls": bench_tls_part}


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
