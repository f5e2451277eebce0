"""More than there is room for: clients than descriptors, publishes than the receive maximum."""

import os

import harness
import raw_mqtt

DESCRIPTORS = 200  # half of them are the server's own


@harness.case
def clients_leave_descriptors_for_the_log_and_for_pages():
    program = os.path.join(harness.make_folder(), "nilo-with-few-descriptors")
    with open(program, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nulimit -n {DESCRIPTORS}\nexec "{os.path.abspath(harness.NILO)}" "$@"\n')
    os.chmod(program, 0o755)
    with harness.Server(program=program) as server:
        clients, refused = [], 0
        for i in range(DESCRIPTORS):
            connection = raw_mqtt.Connection(server.mqtt_port)
            try:
                assert connection.log_in(f"client-{i}") == 0
                clients.append(connection)
            except OSError:
                refused += 1
        assert len(clients) == DESCRIPTORS // 2, len(clients)
        assert server.get("/healthz")[0] == 200
        assert f"nilo_clients_refused_total {refused}" in server.get("/metrics")[1]
        clients.pop().close()

        def may_come_in():
            connection = raw_mqtt.Connection(server.mqtt_port)
            try:
                return connection.log_in("late") == 0
            except OSError:
                return False
        harness.wait_until(may_come_in, "room again when one has left")


# 3.1.1 section 4.4: what was not answered is sent again before anything else.
@harness.case
def more_than_the_receive_maximum_at_qos_2_below_5_gets_through_after_a_lost_connection():
    count = 3_000
    with harness.Server() as server:
        def publishes(flags):
            return b"".join(
                raw_mqtt.packet(0x34 | flags, raw_mqtt.text("t") + i.to_bytes(2, "big") + b"x")
                for i in range(1, count + 1))
        watcher = raw_mqtt.Connection(server.mqtt_port)
        watcher.log_in("watcher")
        watcher.send(raw_mqtt.subscribe_packet("t", qos=0))
        assert watcher.read()[0] == 0x90
        lost = raw_mqtt.Connection(server.mqtt_port)
        assert lost.log_in("hurried", clean=False) == 0
        lost.send(publishes(0))
        for _ in range(count // 3):
            assert lost.read()[0] == 0x50
        lost.close()
        again = raw_mqtt.Connection(server.mqtt_port)
        assert again.log_in("hurried", clean=False) == 0
        again.send(publishes(8))
        received = [again.read() for _ in range(count)]
        assert all(first == 0x50 for first, _ in received), received
        again.send(b"".join(raw_mqtt.packet(0x62, body) for _, body in received))
        assert [again.read() for _ in range(count)] == [(0x70, body) for _, body in received]
        assert [watcher.read()[0] for _ in range(count)] == [0x30] * count
        watcher.send(b"\xc0\0")
        assert watcher.read()[0] == 0xd0, "each once"


harness.main()
