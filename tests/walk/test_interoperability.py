"""The profile that the interoperability suites of Eclipse Paho pass with, seen by other clients.

interoperability/ is that profile, a stack. The suites are not part of this repository: they are run
where NILO_PAHO_SUITES names the folder that has client_test.py and client_test5.py, which takes
three minutes. Which case of ours shows the same as which of theirs: docs/conformance.md.
"""

import json
import os
import queue
import shutil
import subprocess
import sys
import threading

import paho.mqtt.client as paho

import harness

PROFILE = os.path.join(harness.ROOT, "tests", "walk", "interoperability")
SUITES = os.environ.get("NILO_PAHO_SUITES", "")
RUNNER = os.path.join(harness.ROOT, "tests", "walk", "clients", "paho_suite.py")
SUITE_TIMEOUT_S = 400
FORBIDDEN = "test/nosubscribe"
# Says that a right is missing, where the suite takes "unspecified error".
NOT_BY_DEFAULT = {"client_test": set(), "client_test5": {"test_subscribe_failure"}}
SIZES = {"client_test": 11, "client_test5": 27}


class House(harness.Server):
    """Closed, with the profile; `reasons`: as by default."""

    def __init__(self, reasons=False):
        folder = harness.make_folder()
        stack = os.path.join(folder, "stack")
        shutil.copytree(PROFILE, stack)
        if reasons:
            path = os.path.join(stack, "nilo.toml")
            with open(path, encoding="utf-8") as file:
                lines = [line for line in file if not line.startswith("reasons")]
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(lines)
        super().__init__(stack=stack, flags=())

    @property
    def admin(self):
        with open(os.path.join(self.data, "admin.token"), encoding="ascii") as file:
            return file.read().strip()

    def token_of(self, name):
        done = harness.nilo("token", "new", name, "--http", self.url.removeprefix("http://"),
                            environment={"NILO_TOKEN": self.admin})
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


class Client:
    """Paho's client for Python; answers() has what it was told, in order."""

    def __init__(self, server, token, version, keep_alive=60):
        self._told = queue.Queue()
        self.client = paho.Client(client_id="paho", protocol=version)
        self.client.username_pw_set("suite", token)
        self.client.on_connect = lambda *said: self._told.put(said[3:])
        self.client.on_subscribe = lambda *said: self._told.put(said[3])
        self.client.on_message = lambda _, __, message: self._told.put(message.topic)
        self.client.connect("127.0.0.1", server.mqtt_port, keepalive=keep_alive)
        self.client.loop_start()
        self.connack = self.answer()

    def answer(self):
        return self._told.get(timeout=harness.CLIENT_TIMEOUT_S)

    def subscribe(self, *filters):
        """The reason code of each."""
        self.client.subscribe([(one, paho.SubscribeOptions(2)) for one in filters]
                              if self.client._protocol == paho.MQTTv5  # pylint: disable=W0212
                              else [(one, 2) for one in filters])
        return [getattr(code, "value", code) for code in self.answer()]

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


# 5.0 [Paho test_server_keep_alive]
@harness.case
def a_client_of_5_0_is_told_to_be_heard_every_60_seconds():
    with House() as server:
        token = server.token_of("suite")
        for asked, told in ((120, 60), (0, 60), (61, 60), (60, None), (30, None)):
            client = Client(server, token, paho.MQTTv5, keep_alive=asked)
            code, properties = client.connack
            assert code.value == 0
            assert getattr(properties, "ServerKeepAlive", None) == told, (asked, properties)
            client.close()
        client = Client(server, token, paho.MQTTv311, keep_alive=120)
        assert client.connack == (0,), "below 5.0 nobody can be told, and it is let in"
        client.close()


# 3.1.1 [Paho test_subscribe_failure]
# 5.0 [Paho test_subscribe_failure]
@harness.case
def a_filter_that_a_policy_denies_is_refused_and_the_others_are_not():
    for reasons in (False, True):
        with House(reasons) as server:
            token = server.token_of("suite")
            for version in (paho.MQTTv311, paho.MQTTv5):
                client = Client(server, token, version)
                code = 0x87 if reasons and version == paho.MQTTv5 else 0x80
                assert client.subscribe("test/+", FORBIDDEN, "test/sub") == [2, code, 2], code
                server.publish(FORBIDDEN, "x", "-u", "x", "-P", server.admin)
                server.publish("test/other", "x", "-u", "x", "-P", server.admin)
                assert client.answer() == "test/other", "nor does a wildcard bring it"
                client.close()
            done = subprocess.run(
                ["mosquitto_sub", *server.client_flags(), "-u", "suite", "-P", token, "-t",
                 FORBIDDEN], capture_output=True, text=True, check=False,
                timeout=harness.CLIENT_TIMEOUT_S)
            assert "denied" in done.stdout + done.stderr, done


# 3.1.1 [Paho test_dollar_topics]
# 5.0 [Paho test_dollar_topics]
@harness.case
def who_publishes_under_dollar_is_not_closed_and_the_owner_hears_of_it():
    with House(reasons=True) as server:
        as_suite = ("-u", "suite", "-P", server.token_of("suite"))
        listener = server.subscribe("#", "-t", "$a/#", "-u", "x", "-P", server.admin)
        errors = server.subscribe("$error/#", "-u", "x", "-P", server.admin)
        server.publish("$a/b", "x", "-V", "mqttv311", *as_suite)
        server.publish("$a/b", "x", "-V", "mqttv311", *as_suite, qos=2)
        told = errors.lines()[0]
        assert told.startswith("$error/mqtt/publish ") and "the server's own" in told, told
        done = subprocess.run(
            ["mosquitto_pub", *server.client_flags(), *as_suite, "-V", "mqttv5", "-q", "1", "-t",
             "$a/b", "-m", "x"], capture_output=True, text=True, check=False,
            timeout=harness.CLIENT_TIMEOUT_S)
        assert "topic name invalid" in (done.stdout + done.stderr).lower(), done
        server.publish("a/b", "y", *as_suite)
        assert listener.lines() == ["a/b y"], "and nobody else did"


def failures_of(module, server, out):
    """The tests of a suite that failed, with why; all of them were run."""
    done = subprocess.run(
        [sys.executable, RUNNER, SUITES, module, str(server.mqtt_port), server.token_of("suite"),
         out], capture_output=True, text=True, timeout=SUITE_TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    with open(out, encoding="utf-8") as file:
        outcomes = json.load(file)
    assert len(outcomes) == SIZES[module], sorted(outcomes)
    return {name: why for name, why in outcomes.items() if why}


@harness.case
def the_suites_pass_with_the_profile_and_but_for_one_test_without_its_deviation():
    if not os.path.exists(os.path.join(SUITES, "client_test5.py")):
        harness.skip("NILO_PAHO_SUITES names no folder with the suites")
    failed = {}

    # They wait for most of their time, so all are run at once, each with a server of its own.
    def run(module, reasons):
        with House(reasons) as server:
            failed[module, reasons] = failures_of(module, server,
                                                  os.path.join(server.data, "outcomes.json"))

    threads = [threading.Thread(target=run, args=(module, reasons))
               for module in SIZES for reasons in (False, True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for module in SIZES:
        for reasons in (False, True):
            expected = NOT_BY_DEFAULT[module] if reasons else set()
            found = failed.get((module, reasons))
            assert found is not None and set(found) == expected, (module, reasons, found)


harness.main()
