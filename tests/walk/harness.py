"""What black-box tests share: a server of their own, real clients, and cases counted as TAP.

    import harness

    @harness.case
    def an_acknowledged_reading_is_a_row():
        with harness.Server() as server:
            server.publish("water1/pub", '{"distance": 41.2}')
            assert server.get_json("/prod/data?device_id=1")["distance"] == 41.2

    harness.main()

A case is a function; its name, read as a sentence, is the case's name. A case that raises has
failed: its trace and the logs of its servers are printed. Nothing sleeps for luck: wait_until().
Run through `make test SUITES=walk`, or one file: `tools/test.py walk/test_NAME`.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NILO = os.environ.get("NILO", os.path.join(ROOT, "build", "nilo"))
WATER_TANKS = os.path.join(ROOT, "examples", "water-tanks")
START_TIMEOUT_S = 30
CLIENT_TIMEOUT_S = 30

_cases = []
_servers = []  # of the running case: their logs are shown when it fails
_folders = []  # of the running case


def case(function):
    """Registers `function` as a case of this file."""
    _cases.append(function)
    return function


def skip(reason):
    """Ends the running case as skipped, e.g. where only root may do what it does."""
    raise Skipped(reason)


class Skipped(Exception):
    pass


def main():
    """Runs the cases of this file in order and exits: 0 if none failed."""
    failed = 0
    for function in _cases:
        name = function.__name__.replace("_", " ")
        _servers.clear()
        try:
            function()
            print(f"ok {name}", flush=True)
        except Skipped as reason:
            print(f"ok {name} # SKIP {reason}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {name}", flush=True)
            print(_indented(traceback.format_exc()), flush=True)
            for server in _servers:
                print(_indented(f"server log ({server.data}):\n{server.log_text()[-6000:]}"))
        finally:
            for server in _servers:
                server.discard()
            while _folders:
                shutil.rmtree(_folders.pop(), ignore_errors=True)
    sys.exit(1 if failed else 0)


def _indented(text):
    return "\n".join("#   " + line for line in text.splitlines())


def wait_until(condition, what, timeout_s=10):
    """Returns condition()'s first true value; fails, naming `what`, after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout_s} s: not yet {what}")
        time.sleep(0.01)


def make_folder(nilo_toml=None):
    """A folder that goes with the case; a stack, if `nilo_toml` is given."""
    folder = tempfile.mkdtemp(prefix="nilo-walk-")
    _folders.append(folder)
    if nilo_toml is not None:
        with open(os.path.join(folder, "nilo.toml"), "w", encoding="utf-8") as file:
            file.write(nilo_toml)
    return folder


def nilo(*arguments, stdin=None, environment=None):
    """Runs `nilo ARGUMENTS` to its end; the caller looks at returncode, stdout, stderr."""
    return subprocess.run([NILO, *arguments], input=stdin, capture_output=True, text=True,
                          timeout=CLIENT_TIMEOUT_S, check=False,
                          env={**os.environ, **(environment or {})})


class Server:
    """One `nilo serve` on free ports, with a data folder that goes with it.

    `stack`: the folder to serve; `flags`: more of the command line; `data`: a folder of the
    caller's; `environment`: more of it; `program`: another nilo. Started by `with`, or by start();
    may be stopped or killed and started again on the same data.
    """

    def __init__(self, stack=WATER_TANKS, flags=("--open",), data=None, environment=None,
                 program=NILO):
        self.stack = stack
        self.flags = list(flags)
        self.environment = environment or {}
        self.program = program
        self._folder = make_folder()
        self.data = data or os.path.join(self._folder, "data")
        self.mqtt_port = 0
        self.mqtts_port = 0  # with flags "--mqtts" and "--https"
        self.url = ""
        self.https_url = ""
        self.setup_code = ""  # for the first user; empty: --open, or there is one
        self._log = os.path.join(self._folder, "server.log")
        self._process = None
        _servers.append(self)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, failure, *_):
        if self._process and self._process.poll() is None:
            code = self.stop()
            assert failure or code == 0, f"the server ended with {code}"

    def start(self):
        """Starts it and waits until /healthz answers 200."""
        addresses = {}
        self._process = subprocess.Popen(
            [self.program, "serve", self.stack, "--data", self.data, "--mqtt", "127.0.0.1:0",
             "--http", "127.0.0.1:0", *self.flags],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            text=True, errors="replace", env={**os.environ, **self.environment})
        threading.Thread(target=self._read_output, args=(self._process.stdout, addresses),
                         daemon=True).start()

        def knows_its_addresses():
            self._assert_running()
            return "ready" in addresses

        wait_until(knows_its_addresses, "its addresses printed", START_TIMEOUT_S)
        self.mqtt_port = int(addresses["MQTT"].rsplit(":", 1)[1])
        self.url = addresses["Open"]
        self.mqtts_port = int(addresses.get("MQTTS", ":0").rsplit(":", 1)[1])
        self.https_url = addresses.get("HTTPS", "")
        wait_until(self._is_healthy, "healthy", START_TIMEOUT_S)
        self.setup_code = addresses.get("Setup code", "")
        return self

    def _read_output(self, stream, addresses):
        with open(self._log, "a", encoding="utf-8") as log:
            for line in stream:
                log.write(line)
                log.flush()
                found = re.match(r"\s*(MQTTS?|Open|HTTPS|Setup code)\s+(\S+)", line)
                if line == "ready\n":
                    addresses["ready"] = line
                elif found:
                    addresses.setdefault(found[1], found[2])

    def _is_healthy(self):
        self._assert_running()
        try:
            return self.get("/healthz")[0] == 200
        except OSError:
            return False

    def _assert_running(self):
        code = self._process.poll()
        assert code is None, f"the server ended with {code}"

    def stop(self):
        """SIGTERM; returns its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self):
        """Waits for its end; returns its exit code."""
        return self._process.wait(START_TIMEOUT_S)

    def kill(self):
        """SIGKILL: what was not on disk is gone."""
        self._process.kill()
        self.wait()

    def discard(self):
        """Ends it whatever its state; main() does this after each case."""
        if self._process and self._process.poll() is None:
            self.kill()

    @property
    def pid(self):
        return self._process.pid

    def log_text(self):
        """What it wrote to stdout and stderr, over all its starts."""
        try:
            with open(self._log, encoding="utf-8", errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def client_flags(self):
        """What mosquitto_pub and _sub need to find this server."""
        return ["-h", "127.0.0.1", "-p", str(self.mqtt_port)]

    def publish(self, topic, payload, *flags, qos=1):
        """mosquitto_pub; returns once it is acknowledged (QoS 1). Fails if it is refused."""
        done = subprocess.run(["mosquitto_pub", *self.client_flags(), "-q", str(qos), "-t", topic,
                               "-m", payload, *flags], capture_output=True, text=True,
                              timeout=CLIENT_TIMEOUT_S, check=False)
        assert done.returncode == 0, f"mosquitto_pub ended with {done.returncode}: {done.stderr}"

    def subscribe(self, topic, *flags, count=1):
        """Starts mosquitto_sub -v for `count` messages; returns once it is subscribed."""
        return Subscriber(self, topic, count, flags)

    def request(self, method, path, body=None, headers=None):
        """(status, body text, headers) of one HTTP request; an error status is an answer too."""
        data = body.encode() if isinstance(body, str) else body
        wanted = urllib.request.Request(self.url + path, data=data, method=method,
                                        headers=headers or {})
        try:
            with urllib.request.urlopen(wanted, timeout=CLIENT_TIMEOUT_S) as answer:
                return answer.status, answer.read().decode("utf-8", "replace"), answer.headers
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode("utf-8", "replace"), answer.headers

    def get(self, path, headers=None):
        """(status, body text)."""
        return self.request("GET", path, headers=headers)[:2]

    def get_json(self, path):
        status, body = self.get(path)
        assert status == 200, f"GET {path}: {status} {body}"
        return json.loads(body)

    def sql(self, statement, accept="application/json"):
        """(status, body text) of POST /api/v1/sql."""
        return self.request("POST", "/api/v1/sql", json.dumps({"sql": statement}),
                            {"Content-Type": "application/json", "Accept": accept})[:2]


class Subscriber:
    """A running mosquitto_sub; lines() waits for its messages."""

    def __init__(self, server, topic, count, flags):
        self._process = subprocess.Popen(
            ["stdbuf", "-oL", "mosquitto_sub", *server.client_flags(), "-d", "-v", "-q", "1",
             "-t", topic, "-C", str(count), *flags],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0)
        # -d mixes the protocol's steps into the output: the way to know it is subscribed. Unbuffered:
        # communicate() does not see what was read ahead.
        for line in iter(self._process.stdout.readline, b""):
            if b"Subscribed (" in line:
                return
        raise AssertionError(f"mosquitto_sub {topic} ended before it was subscribed")

    def kill(self):
        """It goes without a goodbye."""
        self._process.kill()
        self._process.wait()

    def lines(self, timeout_s=CLIENT_TIMEOUT_S):
        """`topic payload` of each message, once all have come."""
        try:
            output, _ = self._process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            output, _ = self._process.communicate()
            raise AssertionError(f"mosquitto_sub still waits; it has:\n{output}") from None
        return [line for line in output.decode("utf-8", "replace").splitlines()
                if line and not line.startswith(("Client ", "Subscribed "))]
