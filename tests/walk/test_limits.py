"""More clients than the host has descriptors for."""

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


harness.main()
