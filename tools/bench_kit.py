"""What the parts of `make bench` share: servers on a core of their own, `nilo bench`, printing."""

import contextlib
import json
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NILO = os.environ.get("NILO", os.path.join(ROOT, "build", "nilo"))
FLASHMQ = os.environ.get("FLASHMQ")  # a program; without it there is no such column
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


FLASHMQ_CONF = """
listen {{
  protocol mqtt
  port {port}
  inet_protocol ip4
  inet4_bind_address 127.0.0.1
  tcp_nodelay true
}}
allow_anonymous true
thread_count 1
log_level warning
log_file {folder}/log
rlimit_nofile {files}
"""


@contextlib.contextmanager
def pinned(core):
    """This process, while it plays a part of its own beside the server."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(core)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Server:
    """A broker pinned to the server's core, with a folder of its own."""

    cores = SERVER_CORE

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
            ["taskset", "-c", self.cores, NILO, "serve", stack, "--open", "--mqtt", "127.0.0.1:0",
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


class Mosquitto(Server):
    name = "mosquitto"

    def start(self):
        self.port = free_port()
        conf = os.path.join(self.folder, "mosquitto.conf")
        with open(conf, "w", encoding="utf-8") as file:
            file.write(MOSQUITTO_CONF.format(port=self.port))
        self.process = subprocess.Popen(["taskset", "-c", SERVER_CORE, "mosquitto", "-c", conf],
                                        stderr=subprocess.DEVNULL)
        wait_for_port(self.port)


class FlashMq(Server):
    """Without sessions on disk; one thread."""

    name = "flashmq"

    def start(self):
        self.port = free_port()
        conf = os.path.join(self.folder, "flashmq.conf")
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with open(conf, "w", encoding="utf-8") as file:
            file.write(FLASHMQ_CONF.format(port=self.port, folder=self.folder, files=files))
        self.process = subprocess.Popen(
            ["taskset", "-c", SERVER_CORE, FLASHMQ, "--config-file", conf],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.port)


BROKERS = (Nilo, Mosquitto) + ((FlashMq,) if FLASHMQ else ())


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def wait_for_port(port):
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


def measure_brokers(part, *flags, brokers=BROKERS, check=None):
    """Reports by broker of ROUNDS runs each, the brokers taking turns."""
    reports = {kind.name: [] for kind in brokers}
    for _ in range(ROUNDS):
        for kind in brokers:
            with kind() as server:
                report = measure(part, "--port", str(server.port), *flags)
                if check and kind is Nilo:
                    check(server, report)
                reports[kind.name].append(report)
    return reports


def median_of(reports, key):
    return statistics.median(report[key] for report in reports)


def spread_of(reports, key):
    found = [report[key] for report in reports]
    return f"{min(found):,.4g} to {max(found):,.4g}"


def say(what, figure, goal="", command=""):
    print(f"{what:<58} {figure:>16}   {goal}")
    if command:
        print(f"{'':>4}$ {command}")
    sys.stdout.flush()
