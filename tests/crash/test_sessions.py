"""kill -9 while sessions are at work: QoS 2 is exactly once, retained messages and wills survive.

KILLS (6) and SEED (random, printed) come from the environment: KILLS=100 SEED=7 tools/test.py \
crash/test_sessions
"""

import os
import random
import time

import harness
import raw_mqtt
from exactly_once import Reader, Writer
from load import STACK, ask

KILLS = int(os.environ.get("KILLS", "6"))
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))


@harness.case
def qos_2_is_exactly_once_however_often_the_server_is_killed():
    print(f"# seed {SEED}, {KILLS} kills", flush=True)
    dice = random.Random(SEED)
    server = harness.Server(stack=harness.make_folder(STACK))
    server.start()
    readers = [Reader(server, "once", "crash/1", 2), Reader(server, "once-all", "#", 2),
               Reader(server, "at-least-once", "crash/1", 1)]
    for reader in readers:
        reader.start()
        assert reader.subscribed.wait(10)
    writer = Writer(server, "writer", "crash/1")
    writer.start()
    for _ in range(KILLS):
        time.sleep(dice.uniform(0.02, 0.5))  # the moment of the kill is what the dice decide
        server.kill()
        server.start()
    writer.finish()
    for reader in readers:
        reader.wanted = writer.published
        reader.finish()
    everything = list(range(1, writer.published + 1))
    for reader in readers[:2]:
        assert reader.got == everything, what_is_wrong(reader.got, everything)
    assert sorted(set(readers[2].got)) == everything, what_is_wrong(readers[2].got, everything)
    assert ask(server, "SELECT count(*), count(DISTINCT n) FROM counts") == \
        [[writer.published, writer.published]], "a row is missing, or there twice"
    assert retained_of(server, "crash/1") == b'{"n": %d}' % writer.published
    print(f"# {writer.published} messages, 0 lost, 0 twice", flush=True)


def what_is_wrong(got, everything):
    twice = len(got) - len(set(got))
    return (f"{len(everything)} sent, {len(set(everything) - set(got))} lost, {twice} twice, "
            f"in order: {got == sorted(got)}")


def retained_of(server, topic):
    connection = raw_mqtt.Connection(server.mqtt_port)
    assert connection.log_in("retained") == 0
    connection.send(raw_mqtt.subscribe_packet(topic, 0))
    first, body = connection.read()
    while first >> 4 != 3:
        first, body = connection.read()
    assert first & 1, "not a retained message"
    connection.close()
    return body[2 + len(topic):]


@harness.case
def the_will_of_a_client_that_stays_away_after_a_kill_is_published():
    server = harness.Server(stack=harness.make_folder(STACK))
    server.start()
    reader = Reader(server, "watcher", "wills", 2)
    reader.start()
    assert reader.subscribed.wait(10)
    stays_away = log_in_with_will(server, "stays-away", b'{"n": 1}')
    comes_back = log_in_with_will(server, "comes-back", b'{"n": 2}')
    server.kill()
    server.start()
    stays_away.close()
    comes_back.close()
    back = raw_mqtt.Connection(server.mqtt_port)
    assert back.log_in("comes-back") == 0
    reader.wanted = 1
    reader.finish()
    assert reader.got == [1], reader.got
    back.close()


def log_in_with_will(server, client_id, payload):
    connection = raw_mqtt.Connection(server.mqtt_port)
    body = raw_mqtt.text("MQTT") + bytes([4, 2 | 4 | 2 << 3, 0, 60]) + raw_mqtt.text(client_id) + \
        raw_mqtt.text("wills") + raw_mqtt.text(payload)
    connection.send(raw_mqtt.packet(0x10, body))
    first, answer = connection.read()
    assert first == 0x20 and answer[1] == 0, (first, answer)
    return connection


harness.main()
