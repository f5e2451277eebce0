"""Who is there, told as messages; and messages for one rule alone."""

import json
import struct

import harness
import raw_mqtt

STACK = """
[table.levels]
key     = ["device_id int", "time timestamp"]
columns = { distance = "double" }
[rule.store]
sql = "SELECT cast(topic(2) AS Int) AS device_id, distance FROM 'tank/+' WHERE distance < 100"
put = "levels"
[table.clients]
key     = ["client text"]
columns = { state = "text", address = "text" }
[rule.presence]
sql = "SELECT clientId AS client, eventType AS state, ipAddress AS address FROM '$aws/events/presence/#'"
put = "clients"
"""


def events_of(lines):
    """[(topic, event)] of what mosquitto_sub -v printed."""
    return [(line.split(" ", 1)[0], json.loads(line.split(" ", 1)[1])) for line in lines]


@harness.case
def who_comes_listens_and_goes_is_told_in_the_words_of_aws():
    with harness.Server(stack=harness.make_folder(STACK)) as server:
        heard = server.subscribe("$aws/events/+/+/pump", "-t", "$aws/events/+/+/other", count=5)
        listener = server.subscribe("a/+", "-i", "pump")
        listener.kill()
        harness.wait_until(lambda: "1" in server.sql(
            "SELECT count(*) FROM latest('clients') WHERE client = 'pump' "
            "AND state = 'disconnected'", "text/csv")[1].split(), "gone")
        server.publish("x", "y", "-i", "other")
        events = events_of(heard.lines())
        topics = [topic.removeprefix("$aws/events/") for topic, _ in events]
        assert topics == ["presence/connected/pump", "subscriptions/subscribed/pump",
                          "presence/disconnected/pump", "presence/connected/other",
                          "presence/disconnected/other"], topics
        connected, subscribed, lost, _, left = [event for _, event in events]
        assert connected["clientId"] == "pump" and connected["ipAddress"] == "127.0.0.1"
        assert subscribed["topics"] == ["a/+"]
        assert lost["disconnectReason"] == "CONNECTION_LOST"
        assert lost["clientInitiatedDisconnect"] is False
        assert lost["versionNumber"] == connected["versionNumber"]
        assert lost["sessionIdentifier"] == connected["sessionIdentifier"]
        assert left["clientInitiatedDisconnect"] is True
        assert left["disconnectReason"] == "CLIENT_INITIATED_DISCONNECT"


@harness.case
def ours_says_it_for_each_client():
    with harness.Server() as server:
        heard = server.subscribe("$presence/pump", count=2)
        server.publish("x", "y", "-i", "pump")
        states = [event["state"] for _, event in events_of(heard.lines())]
        assert states == ["connected", "disconnected"], states


@harness.case
def a_message_for_one_rule_is_heard_by_nobody_else():
    with harness.Server(stack=harness.make_folder(STACK)) as server:
        everything = server.subscribe("#", count=1)
        errors = server.subscribe("$error/#", count=1)
        server.publish("$aws/rules/store/tank/7", '{"distance":5}')
        server.publish("$aws/rules/store/tank/8", '{"distance":500}')  # its WHERE says no
        server.publish("$aws/rules/no-such-rule/tank/9", '{"distance":5}')
        server.publish("end", "x")
        assert everything.lines() == ["end x"]
        (topic, error), = events_of(errors.lines())
        assert topic == "$error/rules/no-such-rule", topic
        assert error["reason"].startswith("RuleNotFound"), error
        rows = server.sql("SELECT device_id FROM levels", "text/csv")[1].split()
        assert rows == ["device_id", "7"], rows


@harness.case
def the_answer_says_when_there_is_no_rule():
    with harness.Server(stack=harness.make_folder(STACK)) as server:
        client = raw_mqtt.Connection(server.mqtt_port)
        assert client.log_in(level=5) == 0
        for topic, reason in (("$aws/rules/store/tank/1", 0), ("$aws/rules/nothing", 0x10)):
            client.send(raw_mqtt.packet(0x32, raw_mqtt.text(topic) + struct.pack(">H", 7)
                                        + b"\0" + b'{"distance":1}'))
            first, body = client.read()
            assert first == 0x40 and (body[2] if len(body) > 2 else 0) == reason, (topic, body)
        client.send(raw_mqtt.packet(0x82, struct.pack(">H", 9) + b"\0"
                                    + raw_mqtt.text("$aws/rules/#") + b"\1"))
        assert client.read()[1][-1] == 0x87, "nobody listens there"
        status, body, _ = server.request("POST", "/api/v1/publish?topic=$aws/rules/nothing", "{}")
        assert status == 404, (status, body)


harness.main()
