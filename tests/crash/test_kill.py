"""kill -9 at random moments under load: what was acknowledged is there once, and nothing twice.

KILLS (10) and SEED (random, printed) come from the environment: KILLS=100 SEED=7 tools/test.py crash
"""

import json
import os
import random
import struct
import threading
import time

import harness
import raw_mqtt

KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
PUBLISHERS = 6
WINDOW = 40
STACK = """
[table.counts]
key = ["publisher int", "time timestamp"]
columns = { n = { type = "int" } }

[rule.store]
sql = "SELECT cast(topic(2) AS Int) AS publisher, n FROM 'crash/+'"
put = "counts"
"""


class Publisher(threading.Thread):
    """Publishes 1, 2, 3, ... and notes what is acknowledged, until the server is gone."""

    def __init__(self, port, number, first):
        super().__init__(daemon=True)
        self.port = port
        self.number = number
        self.next = first
        self.acknowledged = []

    def run(self):
        try:
            connection = raw_mqtt.Connection(self.port)
            assert connection.log_in(f"publisher-{self.number}") == 0
            in_flight = {}
            free = list(range(1, WINDOW + 1))
            while True:
                out = b""
                while free:
                    packet_id = free.pop()
                    in_flight[packet_id] = self.next
                    out += raw_mqtt.publish_packet(f"crash/{self.number}",
                                                   json.dumps({"n": self.next}), packet_id)
                    self.next += 1
                connection.send(out)
                first, body = connection.read()
                assert first == 0x40, first
                packet_id = struct.unpack(">H", body[:2])[0]
                self.acknowledged.append(in_flight.pop(packet_id))
                free.append(packet_id)
        except OSError:
            pass


def subscribe_watcher(port):
    """A persistent session that sleeps through everything."""
    connection = raw_mqtt.Connection(port)
    assert connection.log_in("watcher", clean=False) == 0
    connection.send(raw_mqtt.subscribe_packet("crash/+"))
    while connection.read()[0] != 0x90:
        pass
    connection.send(raw_mqtt.packet(0xe0))
    connection.close()


def drain_watcher(port, expected):
    """What waited for the watcher: {(publisher, n): times received}."""
    connection = raw_mqtt.Connection(port, timeout_s=5)
    assert connection.log_in("watcher", clean=False) == 0
    received = {}
    try:
        while not expected <= set(received):
            first, body = connection.read()
            if first >> 4 != 3:
                continue
            size = struct.unpack(">H", body[:2])[0]
            topic, rest = body[2:2 + size].decode(), body[2 + size:]
            key = int(topic.split("/")[1]), json.loads(rest[2:])["n"]
            received[key] = received.get(key, 0) + 1
            connection.send(raw_mqtt.packet(0x40, rest[:2]))
    except TimeoutError:
        pass
    connection.send(raw_mqtt.packet(0xe0))
    connection.close()
    return received


def ask(server, statement):
    status, body = server.sql(statement)
    assert status == 200, body
    return json.loads(body)["rows"]


def rows_since(server, firsts):
    """[(publisher, n)] of the rows with n from `firsts`[publisher] on."""
    return [(publisher, row[0]) for publisher, first in enumerate(firsts)
            for row in ask(server, f"SELECT n FROM counts WHERE publisher = {publisher} "
                                   f"AND n >= {first}")]


@harness.case
def acknowledged_rows_survive_kill_9_once():
    print(f"# seed {SEED}, {KILLS} kills", flush=True)
    dice = random.Random(SEED)
    acknowledged_count = row_count = 0
    server = harness.Server(stack=harness.make_folder(STACK))
    server.start()
    firsts = [1] * PUBLISHERS
    for kill in range(KILLS):
        publishers = [Publisher(server.mqtt_port, i, firsts[i]) for i in range(PUBLISHERS)]
        for publisher in publishers:
            publisher.start()
        time.sleep(dice.uniform(0.02, 0.6))  # the moment of the kill is what the dice decide
        server.kill()
        for publisher in publishers:
            publisher.join()
        acknowledged = {(p.number, n) for p in publishers for n in p.acknowledged}
        server.start()
        rows = rows_since(server, firsts)
        lost = acknowledged - set(rows)
        assert not lost, f"kill {kill}: {len(lost)} acknowledged rows lost, e.g. {min(lost)}"
        assert len(rows) == len(set(rows)), f"kill {kill}: rows are there twice"
        row_count += len(rows)
        assert ask(server, "SELECT count(*) FROM counts") == [[row_count]], \
            f"kill {kill}: rows of earlier rounds are gone, or came twice"
        acknowledged_count += len(acknowledged)
        firsts = [publisher.next for publisher in publishers]
    assert acknowledged_count, "the load never got an acknowledgement"
    print(f"# {acknowledged_count} rows acknowledged, 0 lost, 0 twice", flush=True)


@harness.case
def messages_waiting_for_a_sleeping_session_survive_kill_9():
    print(f"# seed {SEED}", flush=True)
    dice = random.Random(SEED)
    server = harness.Server(stack=harness.make_folder(STACK))
    server.start()
    nexts = [1] * PUBLISHERS
    for _ in range(min(KILLS, 10)):
        subscribe_watcher(server.mqtt_port)
        publishers = [Publisher(server.mqtt_port, i, nexts[i]) for i in range(PUBLISHERS)]
        for publisher in publishers:
            publisher.start()
        time.sleep(dice.uniform(0.02, 0.3))
        server.kill()
        acknowledged = set()
        for publisher in publishers:
            publisher.join()
            nexts[publisher.number] = publisher.next
            acknowledged.update((publisher.number, n) for n in publisher.acknowledged)
        server.start()
        received = drain_watcher(server.mqtt_port, acknowledged)
        lost = acknowledged - set(received)
        assert not lost, f"{len(lost)} of {len(acknowledged)} lost, e.g. {min(lost)}"
        assert max(received.values(), default=1) == 1, "a message came twice"


harness.main()
