"""kill -9 at random moments under load: what was acknowledged is there once, and nothing twice.

KILLS (10) and SEED (random, printed) come from the environment: KILLS=100 SEED=7 tools/test.py crash
"""

import json
import os
import random
import struct
import time

import harness
import raw_mqtt
from load import PUBLISHERS, STACK, acknowledged_by, ask, rows_since, start_publishers

KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
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


@harness.case
def acknowledged_rows_survive_kill_9_once():
    print(f"# seed {SEED}, {KILLS} kills", flush=True)
    dice = random.Random(SEED)
    acknowledged_count = row_count = 0
    server = harness.Server(stack=harness.make_folder(STACK))
    server.start()
    firsts = [1] * PUBLISHERS
    for kill in range(KILLS):
        publishers = start_publishers(server.mqtt_port, firsts)
        time.sleep(dice.uniform(0.02, 0.6))  # the moment of the kill is what the dice decide
        server.kill()
        acknowledged = acknowledged_by(publishers)
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
        publishers = start_publishers(server.mqtt_port, nexts)
        time.sleep(dice.uniform(0.02, 0.3))
        server.kill()
        acknowledged = acknowledged_by(publishers)
        nexts = [publisher.next for publisher in publishers]
        server.start()
        received = drain_watcher(server.mqtt_port, acknowledged)
        lost = acknowledged - set(received)
        assert not lost, f"{len(lost)} of {len(acknowledged)} lost, e.g. {min(lost)}"
        assert max(received.values(), default=1) == 1, "a message came twice"


harness.main()
