"""What nobody should send, and what it gets: a clear answer, and a server that goes on."""

import json
import os
import socket

import harness
import raw_mqtt
from rude import assert_serves, connected, reason_at_the_end, rss, valid_packets

MIB = 1024 * 1024
CONNECT_TIMEOUT_S = 10  # of the server, for who says nothing

LIMITED_STACK = """
[sql]
time = "1s"
memory = "64MB"

[tables]
memory = "1MB"

[table.readings]
key = ["device int", "time timestamp"]
columns = { n = { type = "int" } }

[rule.store]
sql = "SELECT cast(topic(2) AS Int) AS device, n FROM 'readings/+'"
put = "readings"
"""

CIRCLE_STACK = """
[rule.there]
sql = "SELECT * FROM 'here'"
republish = "there"

[rule.back]
sql = "SELECT * FROM 'there'"
republish = "here"
"""


def error_reasons(server):
    rows = json.loads(server.sql("SELECT reason FROM sys_errors ORDER BY time")[1])["rows"]
    return [row[0] for row in rows]


def send_and_hang_up(server, level, data, needs_login):
    """Sends `data`, says that nothing follows, and waits until the server closes."""
    connection = raw_mqtt.Connection(server.mqtt_port)
    if needs_login:
        assert connection.log_in(level=level) == 0
    try:
        connection.send(data)
        connection.socket.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the server was quicker to close
    assert connection.is_closed_by_server(), f"still open after {data.hex()}"
    connection.close()


@harness.case
def every_prefix_of_every_packet_ends_its_connection_only():
    with harness.Server() as server:
        count = 0
        for level in (4, 5):
            for packet, needs_login in valid_packets(level):
                for size in range(len(packet)):
                    send_and_hang_up(server, level, packet[:size], needs_login)
                    # The same, as a whole packet with less in it than belongs there.
                    if size >= 2:
                        short = packet[:1] + bytes([size - 2]) + packet[2:size]
                        send_and_hang_up(server, level, short, needs_login)
                    count += 1
        assert count > 200, count
        assert_serves(server)


@harness.case
def a_packet_of_300_mb_is_refused_before_it_comes():
    with harness.Server() as server:
        before = rss(server)
        for announced in (b"\xff\xff\xff\x7f", b"\x80\x80\x80\x80\x01", b"\xff\xff\xff\xff\xff"):
            stranger = raw_mqtt.Connection(server.mqtt_port)
            stranger.send(b"\x10" + announced)
            assert stranger.is_closed_by_server()
            guest = connected(server, level=5)
            guest.send(b"\x32" + announced + raw_mqtt.text("a"))
            assert reason_at_the_end(guest) in (0x81, 0x95)
        http = socket.create_connection(server.url.removeprefix("http://").split(":"), 10)
        http.sendall(b"POST /api/v1/publish?topic=a HTTP/1.1\r\nHost: localhost\r\n"
                     b"Content-Length: 300000000\r\n\r\n")
        assert http.recv(100).startswith(b"HTTP/1.1 413 "), "the length alone is too much"
        assert rss(server) - before < 8 * MIB, "memory was taken for what never came"
        assert_serves(server)


@harness.case
def a_payload_of_10_mb_is_refused_and_the_client_told_why():
    with harness.Server() as server:
        before = rss(server)
        payload = b"x" * 10_000_000
        for level, reason in ((4, None), (5, 0x95)):
            client = connected(server, level=level)
            try:
                client.send(raw_mqtt.packet(0x32, raw_mqtt.text("a") + b"\0\1" +
                                            (b"\0" if level == 5 else b"") + payload))
            except OSError:
                pass  # it need not wait for the end
            try:
                assert reason_at_the_end(client) == reason
            except OSError:
                pass  # a reset: the answer was overtaken by our own bytes
        assert rss(server) - before < 8 * MIB
        assert_serves(server)


@harness.case
def topics_too_deep_too_long_or_not_text_are_refused():
    with harness.Server() as server:
        topics = {"10,000 levels": b"/" * 9_999, "65,535 bytes": b"a" * 65_535,
                  "not UTF-8": b"water\xff/pub", "a surrogate": b"\xed\xa0\x80",
                  "a NUL": b"a\0b", "empty": b"", "a wildcard": b"water+/pub"}
        for name, topic in topics.items():
            for level, none in ((4, b""), (5, b"\0")):
                client = connected(server, level=level)
                client.send(raw_mqtt.packet(0x32, raw_mqtt.text(topic) + b"\0\1" + none))
                try:
                    first, body = client.read()
                    code = body[2] if first == 0x40 else body[0]
                    assert level == 5 and code >= 0x80, f"{name}: {first:#x} {body}"
                except ConnectionError:
                    assert level == 4, f"{name}: 5.0 is told why"
                client.close()
        assert_serves(server)


@harness.case
def filters_too_deep_or_wrong_get_no_subscription():
    with harness.Server() as server:
        for topic_filter in ("/" * 9_999, "+/" * 9_999 + "#", "a/#/b", "a+", "#a"):
            for level, none in ((4, b""), (5, b"\0")):
                client = connected(server, level=level)
                client.send(raw_mqtt.packet(
                    0x82, b"\0\1" + none + raw_mqtt.text(topic_filter) + b"\1"))
                try:
                    first, body = client.read()
                    assert first == 0xe0 or (first == 0x90 and body[-1] >= 0x80), \
                        (topic_filter[:20], hex(first), body)
                except ConnectionError:
                    assert level == 4, f"{topic_filter[:20]}: 5.0 is told why"
                client.close()
        assert_serves(server)


@harness.case
def payloads_that_are_no_readings_are_told_with_their_reason():
    with harness.Server() as server:
        deep = "[" * 100_000
        cases = [  # payload, a part of the reason
            (deep, "128"), ('{"a":' * 100_000, "128"), (deep + "]" * 100_000, "128"),
            ('{"distance":NaN}', "JSON"), ('{"distance":Infinity}', "JSON"),
            ('{"distance":1e999}', "finite"), ('{"distance":"NaN"}', "distance"), ('{"distance":', "JSON"),
            ('{"distance":null}', "no value"), ("", "JSON"), (b"\xff\xfe", "JSON")]
        client = connected(server)
        for packet_id, (payload, _) in enumerate(cases, 1):
            client.send(raw_mqtt.publish_packet("water1/pub", payload, packet_id))
            assert client.read()[0] == 0x40
        reasons = error_reasons(server)
        assert len(reasons) == len(cases), reasons
        for (payload, part), reason in zip(cases, reasons):
            assert part in reason, (payload[:30], reason)
        assert server.get_json("/api/v1/tables/tank_levels/rows")["rows"] == []
        assert server.request("POST", "/api/v1/sql", '{"sql":' + deep)[0] == 400
        assert_serves(server)


@harness.case
def of_two_devices_with_one_client_id_the_newer_stays():
    with harness.Server() as server:
        for level in (4, 5):
            older = connected(server, "twin", level=level)
            newer = connected(server, "twin", level=level)
            assert reason_at_the_end(older) == (0x8e if level == 5 else None)
            newer.send(raw_mqtt.packet(0xc0))
            assert newer.read()[0] == 0xd0
            newer.send(raw_mqtt.packet(0xe0))
        for _ in range(200):  # and many times over
            last = connected(server, "twin")
        last.send(raw_mqtt.packet(0xc0))
        assert last.read()[0] == 0xd0
        assert_serves(server)


def metric(server, name):
    lines = server.get("/metrics")[1].splitlines()
    return float(next(line for line in lines if line.startswith(name + " ")).split()[-1])


@harness.case
def who_subscribes_and_never_reads_costs_little_and_delays_nobody():
    round_size, rounds, payload = 500, 200, b"x" * 1000
    # At QoS 1 a message waits in the session's queue, of 64 MiB at most.
    for qos, grown_max, counter in ((0, 16 * MIB, "slow"), (1, 120 * MIB, "queue_full")):
        with harness.Server() as server:
            sleeper, awake, publisher = (connected(server, name)
                                         for name in ("sleeper", "awake", "publisher"))
            sleeper.send(raw_mqtt.subscribe_packet("flood/#", qos=qos))
            awake.send(raw_mqtt.subscribe_packet("flood/#", qos=0))
            assert sleeper.read()[0] == 0x90 and awake.read()[0] == 0x90
            before = rss(server)
            if qos == 0:
                packets = raw_mqtt.publish_packet("flood/1", payload) * round_size
            else:
                packets = b"".join(raw_mqtt.publish_packet("flood/1", payload, packet_id)
                                   for packet_id in range(1, round_size + 1))
            for _ in range(rounds):
                publisher.send(packets)
                for _ in range(round_size):
                    awake.read()
                    if qos == 1:
                        publisher.read()
            grown = rss(server) - before
            print(f"# QoS {qos}: {rounds * len(packets) // MIB} MiB not read, "
                  f"the server grew by {grown // MIB} MiB")
            assert grown < grown_max, grown
            dropped = metric(server, f'nilo_mqtt_messages_dropped_total{{why="{counter}"}}')
            assert dropped > 0, "what is dropped is counted"
            assert_serves(server)


@harness.case
def silent_and_half_open_connections_are_closed_in_time():
    with harness.Server() as server:
        strangers = [raw_mqtt.Connection(server.mqtt_port, CONNECT_TIMEOUT_S + 5)
                     for _ in range(40)]
        for stranger in strangers[:20]:
            stranger.send(b"\x10\x10\x00")
        slow_http = socket.create_connection(server.url.removeprefix("http://").split(":"),
                                             CONNECT_TIMEOUT_S + 5)
        slow_http.sendall(b"GET /healthz HT")
        assert_serves(server)
        for stranger in strangers:
            assert stranger.is_closed_by_server()
        assert slow_http.recv(100).startswith(b"HTTP/1.1 408 ")
        assert_serves(server)


@harness.case
def a_storm_of_2000_connections_is_let_in():
    with harness.Server() as server:
        before = rss(server)
        clients = [raw_mqtt.Connection(server.mqtt_port) for _ in range(2000)]
        for number, client in enumerate(clients):
            client.send(raw_mqtt.connect_packet(f"storm-{number}"))
        assert all(client.read() == (0x20, b"\0\0") for client in clients)
        for client in clients:
            client.send(raw_mqtt.packet(0xc0))
        assert all(client.read() == (0xd0, b"") for client in clients)
        assert rss(server) - before < 2000 * 4096, "4 KB for each"
        assert_serves(server)


@harness.case
def rules_that_call_each_other_are_stopped_and_told():
    with harness.Server(stack=harness.make_folder(CIRCLE_STACK)) as server:
        heard = server.subscribe("+", count=8)
        server.publish("here", "1")
        lines = heard.lines()
        assert lines == ["here 1", "there 1"] * 4, lines
        reasons = error_reasons(server)
        assert len(reasons) == 1 and "8" in reasons[0], reasons
        server.publish("elsewhere", "1")


@harness.case
def a_hundred_thousand_topics_cost_no_memory():
    with harness.Server() as server:
        client = connected(server)

        def publish_to(first, last):
            client.send(b"".join(raw_mqtt.publish_packet(f"topic/{number}/{'x' * 100}", "1")
                                 for number in range(first, last)))
            client.send(raw_mqtt.packet(0xc0))
            assert client.read()[0] == 0xd0, "all were taken"

        publish_to(0, 50_000)  # fills what is cached of topics
        before = rss(server)
        publish_to(50_000, 150_000)
        assert rss(server) - before < 16 * MIB
        assert_serves(server)


@harness.case
def who_knocks_at_the_wrong_door_is_sent_away():
    with harness.Server() as server:
        lost = raw_mqtt.Connection(server.mqtt_port)
        lost.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert lost.is_closed_by_server()
        tls = raw_mqtt.Connection(server.mqtt_port)
        tls.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500)
        assert tls.is_closed_by_server()
        device = raw_mqtt.Connection(int(server.url.rsplit(":", 1)[1]))
        device.send(raw_mqtt.connect_packet("device"))
        assert device.is_closed_by_server(), "HTTP says 400 and goodbye"
        assert_serves(server)


@harness.case
def more_subscriptions_than_a_session_may_have_are_refused():
    with harness.Server() as server:
        for level, none, refused in ((4, b"", 0x80), (5, b"\0", 0x97)):
            client = connected(server, level=level)
            for number in range(1001):
                client.send(raw_mqtt.packet(
                    0x82, b"\0\1" + none + raw_mqtt.text(f"many/{number}") + b"\1"))
            codes = [client.read()[1][-1] for _ in range(1001)]
            assert codes == [1] * 1000 + [refused], (set(codes), codes[-1])


@harness.case
def sql_that_writes_never_ends_or_wants_all_memory_is_refused():
    with harness.Server(stack=harness.make_folder(LIMITED_STACK)) as server:
        statements = [
            ("DELETE FROM readings", 400), ("INSERT INTO readings VALUES (1)", 400),
            ("DROP TABLE readings", 403), ("CREATE TABLE t (a INT)", 403),
            ("COPY readings TO '/tmp/nilo-stolen.csv'", 403), ("ATTACH '/tmp/nilo-x.db'", 403),
            ("SELECT * FROM read_csv('/etc/passwd')", 403), ("INSTALL httpfs", 403),
            ("SET memory_limit = '100GB'", 403),
            ("SELECT 1; SELECT 2", 400), ("SELEC 1", 400), ("SELECT * FROM redings", 400),
            ("SELECT count(*) FROM range(1000000000000) t WHERE hash(range) = 1", 504),
            ("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) "
             "SELECT max(n) FROM t", 504),
            ("SELECT list(range) FROM range(1000000000)", 507),
            ("SELECT length(repeat('x', 4000000000))", 507),
            ("SELECT * FROM range(200000)", 413)]
        for statement, status in statements:
            answer = server.sql(statement)
            assert answer[0] == status and "error" in json.loads(answer[1]), (statement, answer)
            assert server.sql("SELECT 1 AS one")[0] == 200, f"after {statement}"
        assert not os.path.exists("/tmp/nilo-stolen.csv")


@harness.case
def when_the_tables_are_full_writes_are_refused_and_reads_go_on():
    with harness.Server(stack=harness.make_folder(LIMITED_STACK)) as server:
        client = connected(server, level=5)
        codes = []
        while 0x97 not in codes:
            assert len(codes) < 100_000, "the limit was never reached"
            client.send(b"".join(raw_mqtt.packet(
                0x32, raw_mqtt.text(f"readings/{len(codes) + i}") + b"\0%c\0" % (i + 1) +
                b'{"n":1}') for i in range(100)))
            bodies = [client.read()[1] for _ in range(100)]
            codes += [body[2] if len(body) > 2 else 0 for body in bodies]
        assert set(codes) == {0, 0x97}, set(codes)
        answer = server.request("POST", "/api/v1/publish?topic=readings/1", '{"n":1}')
        assert answer[0] == 507 and "their limit is 1.0 MB" in answer[1], answer
        count = json.loads(server.sql("SELECT count(*) FROM readings")[1])["rows"]
        assert count == [[codes.count(0)]], (count, codes.count(0))
        assert server.request("POST", "/api/v1/publish?topic=other", "x")[0] == 200, \
            "what needs no row goes on"


@harness.case
def nilo_pub_of_lines_fails_when_some_were_refused():
    with harness.Server(stack=harness.make_folder(LIMITED_STACK)) as server:
        lines = "".join(f'{{"n":{n}}}\n' for n in range(60_000))  # far more than 1 MB of rows
        done = harness.nilo("pub", "--mqtt", f"127.0.0.1:{server.mqtt_port}", "-t", "readings/1",
                            "-l", stdin=lines)
        assert done.returncode == 1, (done.returncode, done.stderr)
        assert "quota exceeded" in done.stderr.lower(), done.stderr
        assert server.get("/healthz")[0] == 200


harness.main()
