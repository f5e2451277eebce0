"""A listener with the profile of AWS IoT Core, beside one without."""

import subprocess

import harness
import raw_mqtt

STACK = """
[listener.devices]
address  = "127.0.0.1:0"
protocol = "mqtt"
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


@harness.case
def all_others_are_not():
    with harness.Server() as server:
        assert published(server, DEEP, 2) == 0
        heard = server.subscribe("a/#", count=1)
        server.publish("a", "x")
        assert heard.lines() == ["a x"]


harness.main()
