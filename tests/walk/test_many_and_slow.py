"""Many clients, and clients that are faster than the disk: all are answered, in bounded memory."""

import json
import resource
import threading

import harness
import raw_mqtt

MIB = 1024 * 1024


def status_of(server, field):
    """A line of /proc/PID/status, in bytes."""
    with open(f"/proc/{server.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field + ":")) * 1024


@harness.case
def a_storm_of_connects_is_answered_and_costs_little():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with harness.Server() as server:
            # Half of the server's descriptors are for its clients.
            count = min(5_000, hard // 2 - 100)
            done = harness.nilo("bench", "idle", "--port", str(server.mqtt_port), "--connections",
                                str(count), "--at-once", "500", "--pid", str(server.pid))
            assert done.returncode == 0, done.stderr
            report = json.loads(done.stdout)
            print(f"# {report['seconds']} s, {report['kib_each']} KiB each")
            assert report["connections"] == count, report
            assert report["kib_each"] < 4, report
            server.publish("water1/pub", '{"distance":47}')
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@harness.case
def writers_faster_than_the_disk_are_held_back():
    writers, publishes, payload = 4, 1_200, b"x" * 60_000
    with harness.Server() as server:
        before = status_of(server, "VmRSS")
        # Retained, so that each is written to the log, and only the last of each topic is kept.
        connections = [raw_mqtt.Connection(server.mqtt_port, 60) for _ in range(writers)]
        for number, connection in enumerate(connections):
            assert connection.log_in(f"writer-{number}") == 0

        def write(number):
            packet = raw_mqtt.packet(0x31, raw_mqtt.text(f"fast/{number}") + payload)
            for _ in range(publishes):
                connections[number].send(packet)
            connections[number].send(raw_mqtt.packet(0xc0))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for connection in connections:
            assert connection.read() == (0xd0, b""), "all it wrote was read"
        grown = status_of(server, "VmHWM") - before
        sent = writers * publishes * len(payload)
        print(f"# {sent // MIB} MiB written, the server grew by {grown // MIB} MiB at most")
        assert grown < 200 * MIB, grown
        heard = server.subscribe("fast/+", count=writers)
        assert len(heard.lines()) == writers
        server.publish("water1/pub", '{"distance":47}')
        assert server.get_json("/prod/data?device_id=1")["distance"] == 47


harness.main()
