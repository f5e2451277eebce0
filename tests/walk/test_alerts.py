"""A low tank is told of once: from a reading over MQTT to the alert's row, its notices and back,
across restarts and kills."""

import base64
import hashlib
import json

import harness

TABLES = """
[things]
"tank-1" = { type = "tank", name = "Barn" }
"tank-2" = { type = "tank", name = "Orchard" }

[table.tank_levels]
key   = ["device_id int", "time timestamp"]
thing = "tank-{device_id}"

[table.tank_levels.columns]
distance = { type = "double", unit = "cm", min = 0, max = 89, invalid = [0] }

[table.tank_levels.derived]
percent = { sql = "100 * (89 - distance) / 89", unit = "%", decimals = 2 }

[rule.store]
sql = "SELECT cast(substring(topic(1), 5) AS Int) AS device_id, distance FROM '+/pub'"
put = "tank_levels"

[site]
name = "The farm"
url  = "http://localhost:8080"

[mail]
server = "127.0.0.1"
port   = 9
tls    = "none"
from   = "tanks@example.org"
"""

LEVEL = """
[alert.level]
of     = "type:tank/percent"
low    = 20
high   = 80
clear  = 2
remind = "30m"
mail   = { to = ["anna@example.org"], subject = "${thing.name} almost ${state}", \
text = "${thing.name} is at ${value} % (${distance} cm)." }
"""


def publish(server, tank, distance):
    server.publish(f"water{tank}/pub", json.dumps({"distance": distance}))


def alerts(server, state="open"):
    return server.get_json(f"/api/v1/alerts?state={state}")["alerts"]


def wait_for_state(server, alert_id, state):
    def has_state():
        found = [item for item in alerts(server, "all") if item["id"] == alert_id]
        return found[0] if found and found[0]["state"] == state else None

    return harness.wait_until(has_state, f"{alert_id} to be {state}")


def ask(server, statement):
    status, body = server.sql(statement)
    assert status == 200, body
    return [tuple(row) for row in json.loads(body)["rows"]]


def notices(server, alert_id):
    """(event, subject) of an alert's notices, oldest first."""
    story = server.get_json(f"/api/v1/alerts/{alert_id}")
    return [(each["event"], each["subject"]) for each in reversed(story["notices"])]


def link_of(server, alert_id):
    """The token of the link that a mail about this alert has."""
    with open(f"{server.data}/alert.key", encoding="utf-8") as file:
        key = base64.urlsafe_b64decode(file.read().strip() + "=")
    rows = ask(server, f"SELECT epoch_us(since) FROM latest('sys_alerts') WHERE id = '{alert_id}'")
    text = f"{rows[0][0]} {alert_id}".encode()
    signature = hashlib.blake2b(text, key=key, digest_size=16).digest()
    parts = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (text, signature)]
    return ".".join(parts)


def act(server, alert_id, verb, body=None):
    return server.request("POST", f"/api/v1/alerts/{alert_id}/{verb}", json.dumps(body or {}))


@harness.case
def a_low_tank_is_told_of_once_also_after_a_kill():
    with harness.Server(stack=harness.make_folder(TABLES + LEVEL)) as server:
        publish(server, 2, 75)
        item = wait_for_state(server, "level~tank-2~low", "firing")
        assert item["text"] == "Orchard is nearly empty: 15.73 %", item
        assert (item["value"], item["limit"], item["unit"]) == (15.73, 20, "%"), item
        told = [("firing", "Orchard almost empty")]
        assert notices(server, item["id"]) == told
        publish(server, 2, 75.5)
        server.kill()
        server.start()
        assert [each["id"] for each in alerts(server)] == ["level~tank-2~low"]
        publish(server, 2, 76)
        publish(server, 1, 44.5)
        assert notices(server, item["id"]) == told
        publish(server, 2, 44.5)
        item = wait_for_state(server, "level~tank-2~low", "normal")
        assert item["text"] == "Orchard is back to normal: 50.00 %", item
        told.append(("recovered", "Orchard is back to normal: 50.00 %"))
        assert notices(server, item["id"]) == told


@harness.case
def the_limits_fire_and_only_beyond_clear_it_is_over():
    with harness.Server(stack=harness.make_folder(TABLES + LEVEL)) as server:
        publish(server, 1, 71.2)  # 20.00 %
        wait_for_state(server, "level~tank-1~low", "firing")
        publish(server, 1, 70)  # 21.35 %
        publish(server, 2, 17.8)  # 80.00 %
        wait_for_state(server, "level~tank-2~high", "firing")
        wait_for_state(server, "level~tank-1~low", "firing")
        publish(server, 1, 69.41)  # 22.01 %
        wait_for_state(server, "level~tank-1~low", "normal")


@harness.case
def silence_is_told_of_once_and_its_end():
    stack = TABLES + LEVEL + 'silent = "2s"\n'
    with harness.Server(stack=harness.make_folder(stack)) as server:
        publish(server, 1, 44.5)
        item = wait_for_state(server, "level~tank-1~silent", "firing")
        assert item["text"] == "Barn is silent: no reading for 2 seconds", item
        server.kill()
        server.start()
        publish(server, 1, 44.5)
        wait_for_state(server, "level~tank-1~silent", "normal")
        events = [event for event, _ in notices(server, item["id"])]
        assert events == ["firing", "recovered"], events


@harness.case
def what_is_no_reading_makes_no_level_and_is_told_of_once():
    stack = TABLES + LEVEL + 'invalid = "1s"\nflap = { changes = 100, within = "1h" }\n'
    invalid, told = "level~tank-2~invalid", []
    with harness.Server(stack=harness.make_folder(stack)) as server:
        publish(server, 2, 44.5)
        # A timeout of the sensor, beyond the ground, no number, and nothing at all.
        for bad in ({"distance": 0}, {"distance": 95}, {"distance": "x"}, {}):
            server.publish("water2/pub", json.dumps(bad))
            item = wait_for_state(server, invalid, "firing")
            assert item["text"] == "Orchard sends no valid reading", item
            server.publish("water2/pub", json.dumps(bad))
            publish(server, 2, 44.5)
            wait_for_state(server, invalid, "normal")
            told += ["firing", "recovered"]
            assert [event for event, _ in notices(server, invalid)] == told, bad
        assert [each["id"] for each in alerts(server, "all")] == [invalid], "no level, no silence"


@harness.case
def a_low_tank_stays_low_while_it_sends_no_readings():
    stack = TABLES + LEVEL + 'invalid = "1s"\n'
    low, invalid = "level~tank-2~low", "level~tank-2~invalid"
    with harness.Server(stack=harness.make_folder(stack)) as server:
        publish(server, 2, 75)
        wait_for_state(server, low, "firing")
        publish(server, 2, 0)
        wait_for_state(server, invalid, "firing")
        server.kill()
        server.start()
        publish(server, 2, 0)
        assert {each["id"] for each in alerts(server)} == {low, invalid}
        publish(server, 2, 76)
        wait_for_state(server, invalid, "normal")
        assert [event for event, _ in notices(server, low)] == ["firing"]
        assert [event for event, _ in notices(server, invalid)] == ["firing", "recovered"]


@harness.case
def people_acknowledge_snooze_and_resolve():
    with harness.Server(stack=harness.make_folder(TABLES + LEVEL)) as server:
        low = "level~tank-2~low"
        assert act(server, low, "acknowledge")[0] == 404
        publish(server, 2, 75)
        wait_for_state(server, low, "firing")
        status, body = act(server, low, "acknowledge", {"note": "on my way"})[:2]
        item = json.loads(body)
        assert (status, item["state"], item["note"]) == (200, "acknowledged", "on my way"), item
        assert act(server, low, "snooze", {"for": "1h"})[0] == 200
        server.kill()
        server.start()
        item = wait_for_state(server, low, "snoozed")
        assert item["snoozed_until"] > item["since"], item
        assert act(server, low, "snooze", {"for": "soon"})[0] == 400
        assert act(server, low, "resolve")[0] == 200
        assert server.get_json("/api/v1/alerts")["alerts"] == []  # not open: somebody closed it
        assert server.get_json("/api/v1/status")["alerts"] == {"open": 0}
        publish(server, 2, 44.5)
        wait_for_state(server, low, "normal")
        status, body = act(server, low, "acknowledge")[:2]
        assert status == 409, body
        story = server.get_json(f"/api/v1/alerts/{low}")
        states = [each["state"] for each in story["history"]]
        assert states == ["normal", "resolved", "snoozed", "acknowledged", "firing"], states
        assert [each["event"] for each in story["notices"]] == ["firing"], story["notices"]


@harness.case
def the_link_of_a_mail_acknowledges_this_alert_alone():
    with harness.Server(stack=harness.make_folder(TABLES + LEVEL)) as server:
        publish(server, 2, 75)
        wait_for_state(server, "level~tank-2~low", "firing")
        path = "/api/v1/ack/" + link_of(server, "level~tank-2~low")
        assert server.get_json(path)["id"] == "level~tank-2~low"
        spoiled = path[:-1] + ("A" if path[-1] != "A" else "B")
        assert server.request("GET", spoiled)[0] == 404
        status, body = server.request("POST", path, "")[:2]
        assert (status, json.loads(body)["state"]) == (200, "acknowledged"), body
        assert server.request("POST", path, "")[0] == 200
        publish(server, 2, 44.5)
        wait_for_state(server, "level~tank-2~low", "normal")
        assert server.request("POST", path, "")[0] == 409


@harness.case
def an_alert_is_a_message_too():
    with harness.Server(stack=harness.make_folder(TABLES + LEVEL)) as server:
        subscriber = server.subscribe("$alert/#")
        publish(server, 2, 75)
        topic, payload = subscriber.lines()[0].split(" ", 1)
        message = json.loads(payload)
        assert topic == "$alert/level/tank-2/low", topic
        assert (message["id"], message["state"]) == ("level~tank-2~low", "firing"), message


@harness.case
def an_alert_that_left_the_stack_is_closed():
    folder = harness.make_folder(TABLES + LEVEL)
    with harness.Server(stack=folder) as server:
        publish(server, 2, 75)
        wait_for_state(server, "level~tank-2~low", "firing")
        assert server.stop() == 0
        with open(f"{folder}/nilo.toml", "w", encoding="utf-8") as file:
            file.write(TABLES)
        server.start()
        item = wait_for_state(server, "level~tank-2~low", "normal")
        assert "no such alert" in item["note"], item


@harness.case
def a_sample_reaches_all_who_would_be_told():
    with harness.Server(stack=harness.make_folder(TABLES + LEVEL)) as server:
        body = json.dumps({"alert": "level"})
        assert server.request("POST", "/api/v1/alerts/test", body)[0] == 404
        publish(server, 1, 44.5)
        status, answer = server.request("POST", "/api/v1/alerts/test", body)[:2]
        assert (status, len(json.loads(answer)["notices"])) == (200, 1), answer
        assert alerts(server, "all") == []


harness.main()
