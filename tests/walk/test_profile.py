"""A listener with the profile of AWS IoT Core, beside one without."""

import subprocess
import time

import harness
import raw_mqtt
import websocket

STACK = """
[listener.devices]
address  = "127.0.0.1:0"
protocol = "mqtt"
profile  = "aws"
"""
WEB = """
[listener.people]
address  = "127.0.0.1:0"
protocol = "http"
profile  = "aws"
"""
DEEP = "1/2/3/4/5/6/7/8/9"


def published(server, topic, qos, *flags):
    """The exit code of mosquitto_pub."""
    return subprocess.run(["mosquitto_pub", *server.client_flags(), "-q", str(qos), "-t", topic,
                           "-m", "x", *flags], capture_output=True, check=False,
                          timeout=harness.CLIENT_TIMEOUT_S).returncode


@harness.case
def what_comes_by_it_is_held_to_its_limits():
    with harness.Server(stack=harness.make_folder(STACK)) as server:
        heard = server.subscribe("a/#", count=1)
        server.publish("a", "not a child of itself")
        server.publish("a/", "but this is")
        assert heard.lines() == ["a/ but this is"]
        server.publish("kept/x", "1", "-r")
        heard = server.subscribe("kept/+", count=1)
        server.publish("kept/y", "2")
        assert heard.lines() == ["kept/y 2"], "nothing retained for a wildcard"
        assert published(server, "1/2/3/4/5/6/7/8", 1) == 0
        client = raw_mqtt.Connection(server.mqtt_port)
        assert client.log_in() == 0
        client.send(raw_mqtt.publish_packet(DEEP, "x", 1))
        assert client.is_closed_by_server()
        client = raw_mqtt.Connection(server.mqtt_port)
        assert client.log_in(client_id="x" * 129) == 2


def code_over_websocket(server, topic):
    """The reason code that a QoS 1 publish of a 5.0 client is answered with."""
    page = websocket.Client(server, {"Sec-WebSocket-Protocol": "mqtt"}, path="/mqtt")
    page.send(2, raw_mqtt.connect_packet("web", level=5))
    assert page.frame()[1][:1] == b"\x20"
    page.send(2, raw_mqtt.packet(0x32, raw_mqtt.text(topic) + b"\0\1\0x"))
    puback = page.frame()[1]
    assert puback[0] == 0x40, puback
    page.close()
    return puback[4] if len(puback) > 4 else 0


@harness.case
def what_comes_by_websocket_is_held_to_those_of_the_http_listener():
    with harness.Server(stack=harness.make_folder(WEB)) as server:
        assert code_over_websocket(server, "1/2/3/4/5/6/7/8") == 0x10, "nobody listens"
        assert code_over_websocket(server, DEEP) == 0x90
        assert published(server, DEEP, 2) == 0, "MQTT itself has a listener of its own"
    with harness.Server(stack=harness.make_folder(STACK)) as server:
        assert code_over_websocket(server, DEEP) == 0x10, "and the other way round"
        assert published(server, DEEP, 1) != 0


@harness.case
def who_publishes_more_in_a_second_is_read_later_and_loses_nothing():
    with harness.Server(stack=harness.make_folder(STACK)) as server:
        heard = server.subscribe("fast/+", count=250)
        client = raw_mqtt.Connection(server.mqtt_port)
        assert client.log_in() == 0
        began = time.monotonic()
        client.send(b"".join(raw_mqtt.publish_packet(f"fast/{i}", "x") for i in range(250)))
        assert heard.lines() == [f"fast/{i} x" for i in range(250)]
        # A hundred in each second: they lie in three, and the one in the middle is whole.
        assert time.monotonic() - began >= 1


@harness.case
def all_others_are_not():
    with harness.Server() as server:
        assert published(server, DEEP, 2) == 0
        heard = server.subscribe("a/#", count=1)
        server.publish("a", "x")
        assert heard.lines() == ["a x"]


harness.main()
