"""MQTT as the clients of other people speak it: mosquitto's, Paho's, MQTT.js, and our own."""

import json
import os
import queue
import shutil
import subprocess

import paho.mqtt.client as paho

import harness

VERSIONS = ("mqttv311", "mqttv5")
MQTT_JS = os.path.join(harness.ROOT, "node_modules", "mqtt")
MQTT_JS_SCRIPT = """
const mqtt = require(process.env.MQTT_JS);
const version = Number(process.argv[1]);
const client = mqtt.connect(process.env.URL, { protocolVersion: version, reconnectPeriod: 0 });
client.on('error', (error) => { console.error(error); process.exit(1); });
const received = [];
client.on('message', (topic, payload, packet) => {
  received.push(`${topic} ${payload} ${packet.qos}`);
  if (received.length < 3) return;
  console.log(received.sort().join('\\n'));
  client.end(false, {}, () => process.exit(0));
});
client.on('connect', () => client.subscribe('js/+', { qos: 2 }, (error, granted) => {
  if (error || granted[0].qos !== 2) { console.error(error, granted); process.exit(1); }
  for (const qos of [0, 1, 2]) client.publish(`js/${qos}`, 'hello', { qos });
}));
"""


def run(*command, environment=None):
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          timeout=harness.CLIENT_TIMEOUT_S, env={**os.environ,
                                                                 **(environment or {})})
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}: {done.stderr}"
    return done.stdout


# 3.1.1 [MQTT-7.0.0-2] [MQTT-7.1.1-1]
# 5.0 [MQTT-4.2.0-1]
@harness.case
def mosquitto_publishes_and_subscribes_at_every_quality_and_version():
    with harness.Server() as server:
        for version in VERSIONS:
            for qos in (0, 1, 2):
                listener = server.subscribe("from/+", "-V", version, "-q", str(qos),
                                            "-F", "%t %p %q")
                server.publish("from/me", "hello", "-V", version, qos=qos)
                assert listener.lines() == [f"from/me hello {qos}"], (version, qos)


@harness.case
def wildcards_choose_what_is_heard_and_dollar_is_not_in_them():
    with harness.Server() as server:
        heard = {"#": ["a", "a/b", "a/b/c", "x"], "a/#": ["a", "a/b", "a/b/c"], "a/+": ["a/b"],
                 "+": ["a", "x"], "+/b/+": ["a/b/c"], "a/b": ["a/b"]}
        listeners = {topic_filter: server.subscribe(topic_filter, count=len(topics))
                     for topic_filter, topics in heard.items()}
        errors = server.subscribe("$error/#")
        for topic in ("a", "a/b", "a/b/c", "x"):
            server.publish(topic, "1")
        for topic_filter, topics in heard.items():
            lines = listeners[topic_filter].lines()
            assert lines == [f"{topic} 1" for topic in topics], (topic_filter, lines)
        server.publish("water1/pub", "hello")
        assert errors.lines()[0].startswith("$error/rules/store ")


@harness.case
def a_retained_message_waits_for_its_subscriber_until_it_is_cleared():
    server = harness.Server()
    with server:
        server.publish("state/a", "on", "-r")
        server.publish("state/b", "on", "-r")
        server.publish("state/b", "", "-r")
        server.publish("state/c", "not kept")
    for stop in (server.kill, server.stop):
        server.start()
        for version in VERSIONS:
            out = run("mosquitto_sub", *server.client_flags(), "-V", version, "-t", "state/+",
                      "-F", "%t %p %r", "--retained-only", "-C", "1")
            assert out == "state/a on 1\n", out
        listener = server.subscribe("state/+", "-F", "%t %p %r", count=2)
        server.publish("state/c", "end")
        assert listener.lines() == ["state/a on 1", "state/c end 0"]
        stop()


@harness.case
def a_will_is_published_when_its_client_is_gone_and_not_when_it_says_goodbye():
    with harness.Server() as server:
        listener = server.subscribe("will/#", count=2)
        for version in VERSIONS:
            will = ["-V", version, "--will-topic", f"will/{version}", "--will-payload", "gone",
                    "--will-qos", "1"]
            server.publish("other", "x", *will)  # says goodbye
            sleeper = server.subscribe("never", *will)
            sleeper.kill()
        assert listener.lines() == [f"will/{version} gone" for version in VERSIONS]


@harness.case
def what_a_sleeping_client_missed_is_there_when_it_wakes_also_after_a_crash():
    server = harness.Server()
    server.start()
    sessions = {"old": ["-V", "mqttv311"], "new": ["-V", "mqttv5", "-x", "3600"]}
    for name, version in sessions.items():
        run("mosquitto_sub", *server.client_flags(), *version, "-c", "-i", name, "-q", "1",
            "-t", "missed/#", "-E")
    expected = []
    for ended in (None, server.stop, server.kill):
        number = len(expected)
        expected.append(f"missed/{number} {number}")
        server.publish(*expected[-1].split(), qos=2)
        if ended:
            ended()
            server.start()
    for name, version in sessions.items():
        out = run("mosquitto_sub", *server.client_flags(), *version, "-c", "-i", name, "-q", "1",
                  "-t", "missed/#", "-v", "-C", str(len(expected)))
        assert out.splitlines() == expected, (name, out)
    server.stop()


@harness.case
def properties_of_mqtt_5_travel_with_the_message():
    with harness.Server() as server:
        listener = server.subscribe("props", "-V", "mqttv5", "-F",
                                    "%p|%C|%D|%R|%P|%E", "-D", "subscribe",
                                    "subscription-identifier", "7")
        server.publish("props", "x", "-V", "mqttv5",
                       "-D", "publish", "content-type", "text/plain",
                       "-D", "publish", "correlation-data", "42",
                       "-D", "publish", "response-topic", "answer/here",
                       "-D", "publish", "user-property", "place", "barn",
                       "-D", "publish", "message-expiry-interval", "100")
        fields = listener.lines()[0].split("|")
        assert fields[:4] == ["x", "text/plain", "42", "answer/here"], fields
        assert "place:barn" in fields[4] and int(fields[5]) in (99, 100), fields


@harness.case
def devices_log_in_with_a_token_or_with_a_name_and_a_password():
    with harness.Server(flags=()) as server:
        with open(os.path.join(server.data, "admin.token"), encoding="ascii") as file:
            admin = file.read().strip()
        http = ["--http", server.url.removeprefix("http://"), "--token", admin]
        token = run(harness.NILO, "token", "new", "barn", *http).strip()
        made = harness.nilo("token", "new", "esp32", "--password-file", "-", *http,
                            stdin="correct horse\n")
        assert made.returncode == 0, made.stderr
        for version in VERSIONS:
            for login in (["-u", "whoever", "-P", token], ["-u", "esp32", "-P", "correct horse"]):
                server.publish("water1/pub", '{"distance":47}', "-V", version, *login)
            for login in ([], ["-u", "barn", "-P", "nilo_wrong"], ["-u", "esp32", "-P", "wrong"],
                          ["-u", "nobody", "-P", "correct horse"], ["-u", "barn", "-P", "x" * 300]):
                done = subprocess.run(
                    ["mosquitto_pub", *server.client_flags(), "-V", version, "-t", "a", "-m", "b",
                     *login], capture_output=True, text=True, check=False, timeout=20)
                # The return code or reason code of the CONNACK.
                assert done.returncode in ((4, 5) if version == "mqttv311" else (0x86, 0x87)), \
                    (login, done)


@harness.case
def with_open_a_name_without_a_password_is_let_in():
    with harness.Server() as server:
        for version in VERSIONS:
            server.publish("a", "b", "-V", version, "-u", "?SDK=Python&Version=1.5.4")
            server.publish("a", "b", "-V", version, "-u", "barn")


@harness.case
def paho_for_python_speaks_with_us():
    with harness.Server() as server:
        for version in (paho.MQTTv311, paho.MQTTv5):
            received, steps = queue.Queue(), queue.Queue()
            client = paho.Client(client_id="", protocol=version)
            client.on_connect = lambda *args: steps.put(("connected", args[3]))
            client.on_subscribe = lambda *args: steps.put(("subscribed", list(args[3])))
            client.on_message = lambda _1, _2, message: received.put(message)
            client.connect("127.0.0.1", server.mqtt_port)
            client.loop_start()
            assert steps.get(timeout=10)[1] == 0
            client.subscribe([("paho/#", 2), ("other", 1)] if version == paho.MQTTv311 else
                             [("paho/#", paho.SubscribeOptions(qos=2)),
                              ("other", paho.SubscribeOptions(qos=1))])
            granted = [int(getattr(code, "value", code)) for code in steps.get(timeout=10)[1]]
            assert granted == [2, 1], granted
            sent = [client.publish(f"paho/{qos}", str(number), qos=qos)
                    for qos in (0, 1, 2) for number in range(50)]
            for one in sent:
                one.wait_for_publish(10)
            messages = [received.get(timeout=10) for _ in range(150)]
            assert received.empty()
            for qos in (0, 1, 2):
                of_it = [m.payload.decode() for m in messages if m.topic == f"paho/{qos}"]
                assert of_it == [str(number) for number in range(50)], (version, qos, of_it)
                assert {m.qos for m in messages if m.topic == f"paho/{qos}"} == {qos}
            client.disconnect()
            client.loop_stop()


@harness.case
def paho_for_c_speaks_with_us():
    if not shutil.which("paho_c_pub"):
        harness.skip("paho.mqtt.c-examples is not installed")
    with harness.Server() as server:
        address = ["-c", f"tcp://127.0.0.1:{server.mqtt_port}"]
        for version in ("311", "5"):
            for qos in ("0", "1", "2"):
                listener = server.subscribe("c/hello", "-q", "2", "-F", "%t %p %q")
                run("paho_c_pub", "c/hello", *address, "-V", version, "-q", qos, "-m", "from C",
                    "-i", "c-pub")
                assert listener.lines() == [f"c/hello from C {qos}"], (version, qos)


@harness.case
def mqtt_js_speaks_with_us():
    if not os.path.isdir(MQTT_JS):
        harness.skip("npm package mqtt is not installed")
    with harness.Server() as server:
        for version in ("4", "5"):
            out = run("node", "-e", MQTT_JS_SCRIPT, "--", version,
                      environment={"MQTT_JS": MQTT_JS,
                                   "URL": f"mqtt://127.0.0.1:{server.mqtt_port}"})
            assert out == "js/0 hello 0\njs/1 hello 1\njs/2 hello 2\n", out


# 3.1.1 [MQTT-7.1.2-1]
# 5.0 [MQTT-4.2.0-1]
@harness.case
def nilo_publishes_and_subscribes():
    with harness.Server() as server:
        address = ["--mqtt", f"127.0.0.1:{server.mqtt_port}"]
        run(harness.NILO, "pub", "-t", "ours/state", "-m", "kept", "-r", *address)
        listener = subprocess.Popen([harness.NILO, "sub", "-t", "ours/#", "-v", "-C", "5",
                                     *address], stdout=subprocess.PIPE, text=True)
        assert listener.stdout.readline() == "ours/state kept\n", "so it is subscribed"
        run(harness.NILO, "pub", "-t", "ours/zero", "-m", "0", "-q", "0", *address)
        lines = harness.nilo("pub", "-t", "ours/lines", "-l", *address, stdin="a\nb\nc\n")
        assert lines.returncode == 0, lines.stderr
        rest, _ = listener.communicate(timeout=harness.CLIENT_TIMEOUT_S)
        assert rest.splitlines() == ["ours/zero 0", "ours/lines a", "ours/lines b",
                                     "ours/lines c"], rest
        shown = run(harness.NILO, "sub", "-t", "ours/state", "-C", "1", "--json", *address)
        assert json.loads(shown) == {"topic": "ours/state", "payload": "kept", "qos": 1,
                                     "retain": True}, shown


harness.main()
