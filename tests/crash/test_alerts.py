"""Crashes while things cross limits and people acknowledge: each crossing is told exactly once.

A naive model makes transitions of the readings that are stored, in the order in which they were
published (one connection for each thing). The history, the alerts and the notices must be these.
The mails of such notices are test_notices.py's.

KILLS (8), CUTS (4) and SEED (random, printed) come from the environment. Power cuts need root and a
loop device.
"""

import json
import os
import random
import struct
import threading
import time

import harness
import raw_mqtt
from disk import Disk

KILLS = int(os.environ.get("KILLS", "8"))
CUTS = int(os.environ.get("CUTS", "4"))
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
PUBLISHERS = 4
TANKS_EACH = 40
# Of one publisher; then it is quiet. All rounds together stay within what one answer has: 100,000
# readings, and 100 notices of an alert.
READINGS_EACH_ROUND = min(400, 6_000 // max(KILLS, CUTS, 1))
WINDOW = 8
LEVELS = (5, 20, 21, 22.5, 50, 77.5, 79, 80, 95)
# The limit of `flap` is beyond what one tank changes; nobody listens at the webhook.
STACK = """
[table.levels]
key = ["device_id int", "time timestamp"]
thing = "tank-{device_id}"
columns = { n = { type = "int" }, percent = { type = "double", unit = "%" } }

[rule.store]
sql = "SELECT cast(topic(2) AS Int) AS device_id, n, percent FROM 'tank/+'"
put = "levels"

[alert.level]
of = "tank-*/percent"
low = 20
high = 80
clear = 2
flap = { changes = 1000, within = "1s" }
webhook = { url = "http://127.0.0.1:9/", body = "${thing.id} ${state}", allow_private = true }
"""


class Publisher(threading.Thread):
    """Publishes readings of its own tanks and notes what is acknowledged, until the server goes."""

    def __init__(self, port, number, first, seed):
        super().__init__(daemon=True)
        self.port = port
        self.number = number
        self.next = first
        self.last = first + READINGS_EACH_ROUND
        self.dice = random.Random(seed)
        self.acknowledged = set()

    def run(self):
        try:
            connection = raw_mqtt.Connection(self.port)
            assert connection.log_in(f"publisher-{self.number}") == 0
            in_flight = {}
            free = list(range(1, WINDOW + 1))
            while self.next < self.last or in_flight:
                while free and self.next < self.last:
                    packet_id = free.pop()
                    in_flight[packet_id] = self.next
                    connection.send(self._packet(packet_id))
                    self.next += 1
                first, body = connection.read()
                assert first == 0x40, first
                packet_id = struct.unpack(">H", body[:2])[0]
                self.acknowledged.add(in_flight.pop(packet_id))
                free.append(packet_id)
        except OSError:
            pass

    def _packet(self, packet_id):
        tank = self.number * TANKS_EACH + self.dice.randrange(TANKS_EACH)
        reading = {"n": self.next, "percent": self.dice.choice(LEVELS)}
        return raw_mqtt.publish_packet(f"tank/{tank}", json.dumps(reading), packet_id)


class Person(threading.Thread):
    """Acknowledges what fires, and notes what the server said yes to."""

    def __init__(self, server, seed):
        super().__init__(daemon=True)
        self.server = server
        self.dice = random.Random(seed)
        self.done = []

    def run(self):
        try:
            while True:
                path = "/api/v1/alerts?state=firing&limit=50"
                for item in self.server.get_json(path)["alerts"]:
                    if self.dice.random() < 0.5:
                        continue
                    status, body, _ = self.server.request(
                        "POST", f"/api/v1/alerts/{item['id']}/acknowledge", "{}")
                    assert status in (200, 409, 503), body  # it was over; the power went
                    if status == 200:
                        self.done.append(item["id"])
        except (OSError, ValueError):  # cut off, maybe within an answer
            pass


def ask(server, statement):
    status, body = server.sql(statement)
    assert status == 200, body
    return json.loads(body)["rows"]


def stored_readings(server):
    """[(device, n, percent)] as published."""
    return ask(server, "SELECT device_id, n, percent FROM levels ORDER BY device_id, n")


def model(readings):
    """{alert id: [state after each transition]}"""
    told = {}
    for device, _, percent in readings:
        for condition, fires, is_over in (("low", percent <= 20, percent > 22),
                                          ("high", percent >= 80, percent < 78)):
            states = told.setdefault(f"level~tank-{device}~{condition}", [])
            is_firing = bool(states) and states[-1] == "firing"
            if not is_firing and fires:
                states.append("firing")
            elif is_firing and is_over:
                states.append("normal")
    return {alert: states for alert, states in told.items() if states}


def history(server):
    """{alert id: [(state, who)]} in the order of time."""
    found = {}
    for alert, state, by in ask(
            server, 'SELECT id, state, "by" FROM sys_alert_history ORDER BY id, time'):
        found.setdefault(alert, []).append((state, by))
    return found


def without_people(story):
    return {alert: [state for state, by in rows if by is None] for alert, rows in story.items()}


def check_people(story, done):
    """What a person was told is done is in the history, and only while the alert was open."""
    for alert in set(done):
        count = sum(1 for _, by in story.get(alert, []) if by is not None)
        assert count >= done.count(alert), f"{alert}: acknowledged {done.count(alert)}, has {count}"
    for alert, rows in story.items():
        for (before, _), (_, by) in zip(rows, rows[1:]):
            assert by is None or before != "normal", f"{alert}: {rows}"


def check_alerts(server, story):
    now = dict(ask(server, "SELECT id, state FROM latest('sys_alerts')"))
    assert now == {alert: rows[-1][0] for alert, rows in story.items()}


def check_notices(server, expected):
    for alert, states in expected.items():
        notices = server.get_json(f"/api/v1/alerts/{alert}")["notices"]
        assert len({notice["id"] for notice in notices}) == len(notices), alert
        events = sorted(notice["event"] for notice in notices)
        wanted = sorted({"firing": "firing", "normal": "recovered"}[state] for state in states)
        assert events == wanted, f"{alert}: {len(events)} notices, {len(wanted)} transitions"


def check(server, acknowledged, done):
    """All is as the model says; how many transitions."""
    readings = stored_readings(server)
    lost = acknowledged - {(device // TANKS_EACH, n) for device, n, _ in readings}
    assert not lost, f"{len(lost)} acknowledged readings lost"
    expected = model(readings)
    count = sum(len(states) for states in expected.values())
    harness.wait_until(lambda: ask(
        server, 'SELECT count(*) FROM sys_alert_history WHERE "by" IS NULL')[0][0] >= count,
        f"{count} transitions")
    story = history(server)
    told = without_people(story)
    wrong = [alert for alert in expected.keys() | told.keys()
             if expected.get(alert) != told.get(alert)]
    assert not wrong, f"{wrong[0]}: {told.get(wrong[0])} and not {expected.get(wrong[0])}"
    check_people(story, done)
    check_alerts(server, story)
    return count, expected


def crash_and_count(server, dice, crash, crashes):
    """`crash()` ends the server in the midst of it; each crossing is told once nevertheless."""
    server.start()
    firsts, acknowledged, done, count = [0] * PUBLISHERS, set(), [], 0
    for _ in range(crashes):
        publishers = [Publisher(server.mqtt_port, number, first, dice.random())
                      for number, first in enumerate(firsts)]
        person = Person(server, dice.random())
        for thread in [*publishers, person]:
            thread.start()
        # The moment of the crash is what the dice decide; rather while there is load.
        time.sleep(dice.uniform(0.02, 0.1 + READINGS_EACH_ROUND / 1000))
        crash()
        for thread in [*publishers, person]:
            thread.join()
        firsts = [publisher.next for publisher in publishers]
        acknowledged |= {(each.number, n) for each in publishers for n in each.acknowledged}
        done += person.done
        server.start()
        count, expected = check(server, acknowledged, done)
    check_notices(server, expected)
    assert acknowledged and done, "the load never got an answer"
    print(f"# {len(acknowledged)} readings, {count} transitions, {len(done)} acknowledged by people")
    assert server.stop() == 0


def write_something(server):
    """In vain; but where it was quiet just then, nothing else would notice that the disk is gone."""
    try:
        connection = raw_mqtt.Connection(server.mqtt_port)
        connection.log_in("late")
        connection.send(raw_mqtt.publish_packet("tank/0", '{"n":-1,"percent":50}', 1))
    except OSError:
        pass  # it noticed


@harness.case
def every_crossing_is_told_once_whenever_the_server_is_killed():
    print(f"# seed {SEED}, {KILLS} kills", flush=True)
    server = harness.Server(stack=harness.make_folder(STACK))
    crash_and_count(server, random.Random(SEED), server.kill, KILLS)


@harness.case
def every_crossing_is_told_once_whenever_the_power_is_cut():
    print(f"# seed {SEED}, {CUTS} cuts", flush=True)
    with Disk() as disk:
        server = harness.Server(stack=harness.make_folder(STACK),
                                data=os.path.join(disk.path, "data"))

        def cut():
            disk.cut_power()
            write_something(server)
            assert server.wait() == 1, "a disk that fails ends the server"
            disk.power_on()
        crash_and_count(server, random.Random(SEED), cut, CUTS)


harness.main()
