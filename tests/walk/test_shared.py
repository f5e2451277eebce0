"""Shared subscriptions: each message goes to one member of a group, whatever happens to the others."""

import re
import subprocess

import harness
import raw_mqtt


def member(server, client_id, clean=True, share="workers", qos=1):
    connection = raw_mqtt.Connection(server.mqtt_port)
    assert connection.log_in(client_id, clean=clean) == 0
    connection.send(raw_mqtt.subscribe_packet(f"$share/{share}/jobs/+", qos))
    first, body = connection.read()
    assert first == 0x90 and body[2] == qos, (first, body)
    return connection


def receive(connection, acknowledges=True):
    """Topic and packet id of the next PUBLISH at QoS 1."""
    while True:
        first, body = connection.read()
        if first & 0xf0 == 0x30:
            break
    size = int.from_bytes(body[:2], "big")
    packet_id = int.from_bytes(body[2 + size:4 + size], "big")
    if acknowledges:
        connection.send(raw_mqtt.packet(0x40, packet_id.to_bytes(2, "big")))
    return body[2:2 + size].decode(), packet_id


def publish(connection, topics):
    for packet_id, topic in enumerate(topics, 1):
        connection.send(raw_mqtt.publish_packet(topic, "x", packet_id))
    for _ in topics:
        first, _body = connection.read()
        assert first == 0x40, first


@harness.case
def messages_are_spread_over_members_on_all_loops():
    with harness.Server() as server:
        members = [member(server, f"member-{i}") for i in range(8)]
        publisher = raw_mqtt.Connection(server.mqtt_port)
        assert publisher.log_in("publisher") == 0
        topics = [f"jobs/{i}" for i in range(80)]
        publish(publisher, topics)
        heard = [receive(connection)[0] for connection in members for _ in range(10)]
        assert sorted(heard) == sorted(topics), heard


@harness.case
def what_a_member_did_not_acknowledge_goes_to_another_even_after_a_crash():
    with harness.Server() as server:
        first = member(server, "first", clean=False)
        publisher = raw_mqtt.Connection(server.mqtt_port)
        assert publisher.log_in("publisher") == 0
        publish(publisher, ["jobs/1", "jobs/2"])
        assert receive(first, acknowledges=False)[0] == "jobs/1"
        server.kill()
        server.start()
        second = member(server, "second")
        # A clean start ends the session: it will not come back for its messages.
        again = raw_mqtt.Connection(server.mqtt_port)
        assert again.log_in("first", clean=True) == 0
        assert [receive(second)[0] for _ in range(2)] == ["jobs/1", "jobs/2"]


@harness.case
def a_group_keeps_its_members_over_a_restart():
    with harness.Server() as server:
        member(server, "first", clean=False).close()
        server.stop()
        server.start()
        publisher = raw_mqtt.Connection(server.mqtt_port)
        assert publisher.log_in("publisher") == 0
        publish(publisher, ["jobs/1"])
        first = raw_mqtt.Connection(server.mqtt_port)
        assert first.log_in("first", clean=False) == 0
        assert receive(first)[0] == "jobs/1"


@harness.case
def the_server_says_how_it_is_doing_under_sys():
    with harness.Server() as server:
        heard = subprocess.run(
            ["mosquitto_sub", *server.client_flags(), "-t", "$SYS/#", "-C", "9", "-W", "10", "-v"],
            capture_output=True, text=True, timeout=harness.CLIENT_TIMEOUT_S, check=True).stdout
        values = dict(line.rsplit(" ", 1) if "uptime" not in line and "version" not in line
                      else line.split(" ", 1) for line in heard.splitlines())
        assert values["$SYS/broker/clients/connected"] == "1", values
        assert re.fullmatch(r"\d+ seconds", values["$SYS/broker/uptime"]), values
        assert values["$SYS/broker/version"].startswith("nilometer "), values
        assert int(values["$SYS/broker/retained messages/count"]) == 0, values


harness.main()
