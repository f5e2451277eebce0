"""The bytes that have brought other brokers down: one case for each class of what was reported.

Each sends real bytes on a real socket, and in the end a client that behaves is served as ever.
test_bad_input.py has the same for payloads, HTTP and SQL, and every prefix of every packet.

TIMES (2,000), how often each packet is sent that may leak, comes from the environment.
"""

import glob
import os
import re
import socket

import harness
import raw_mqtt
import websocket
from rude import assert_serves, connected, reason_at_the_end, rss, valid_packets

MIB = 1024 * 1024
TIMES = int(os.environ.get("TIMES", "2000"))
CPU_MS_MIN = 300  # what is less may be fresh memory; comparing each with each takes seconds


def none(level):
    """The properties of a packet without any."""
    return b"\0" if level == 5 else b""


def is_refused(server, data, login=True, level=4, **fields):
    """Sends `data`; does the server close, and in 5.0 after a login say why?"""
    connection = connected(server, level=level, **fields) if login else \
        raw_mqtt.Connection(server.mqtt_port)
    try:
        connection.send(data)
    except OSError:
        pass  # the server was quicker to close
    try:
        reason = reason_at_the_end(connection)
    except OSError:
        return True  # a reset: bytes of ours were still under way
    finally:
        connection.close()
    return not login or level != 5 or reason is not None and reason >= 0x80


def cpu_ms(server):
    """What all its threads have used."""
    total = 0
    for path in glob.glob(f"/proc/{server.pid}/task/*/schedstat"):
        with open(path, encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e6


@harness.case
def memory_before_login__a_length_alone_takes_none():
    with harness.Server() as server:
        before = rss(server)
        for first in range(0x10, 0x100, 0x10):
            for length in (b"\xff\xff\xff\x7f", b"\x80\x80\x80\x80\x01", b"\xff\xff\xff\xff\xff\x7f"):
                assert is_refused(server, bytes([first]) + length, login=False), hex(first)
        assert rss(server) - before < 4 * MIB
        assert_serves(server)


@harness.case
def memory_after_login__a_length_alone_takes_none():
    with harness.Server() as server:
        before = rss(server)
        for level in (4, 5):
            for first in (0x30, 0x32, 0x40, 0x62, 0x82, 0xa2, 0xc0, 0xe0):
                assert is_refused(server, bytes([first]) + b"\xff\xff\xff\x7f" + b"\0" * 100,
                                  level=level), hex(first)
        assert rss(server) - before < 4 * MIB
        assert_serves(server)


# 3.1.1 [MQTT-3.1.0-1]
# 5.0 [MQTT-3.1.0-1]
@harness.case
def any_packet_before_connect_is_closed():
    with harness.Server() as server:
        for level in (4, 5):
            for packet, needs_login in valid_packets(level):
                if needs_login:
                    assert is_refused(server, packet, login=False), packet.hex()
        for first in (0x00, 0x0f, 0x20, 0x50, 0x70, 0x90, 0xb0, 0xd0, 0xf0, 0xff):
            for body in (b"", b"\0\0", b"\0\1\0\0"):
                assert is_refused(server, raw_mqtt.packet(first, body), login=False), hex(first)
        assert_serves(server)


@harness.case
def a_packet_that_only_servers_send_is_closed():
    with harness.Server() as server:
        for level in (4, 5):
            for first in (0x00, 0x20, 0x90, 0xb0, 0xd0):
                for body in (b"", b"\0\0", b"\0\1\0\0"):
                    assert is_refused(server, raw_mqtt.packet(first, body), level=level), hex(first)
            assert is_refused(server, raw_mqtt.connect_packet("again", level=level), level=level)
        assert_serves(server)


@harness.case
def truncation__a_byte_more_and_a_byte_less_in_every_packet():
    with harness.Server() as server:
        for level in (4, 5):
            for packet, needs_login in valid_packets(level):
                first, body = packet[:1], packet[2:]
                changed = [raw_mqtt.packet(first[0], body + b"\0"),
                           first + bytes([len(body) + 1]) + body]
                if body:
                    changed.append(raw_mqtt.packet(first[0], body[:-1]))
                for data in changed:
                    connection = raw_mqtt.Connection(server.mqtt_port)
                    if needs_login:
                        assert connection.log_in(level=level) == 0
                    try:
                        connection.send(data)
                        connection.socket.shutdown(socket.SHUT_WR)
                    except OSError:
                        pass
                    assert connection.is_closed_by_server(), data.hex()
                    connection.close()
        assert_serves(server)


@harness.case
def truncation__properties_longer_or_shorter_than_they_say():
    with harness.Server() as server:
        will = raw_mqtt.text("MQTT") + b"\5\x06\0\0"
        packets = [  # what is before the length of the properties, the properties, the rest
            (0x30, raw_mqtt.text("t"), b"\x01\x01\x02\0\0\0\x09", b""),
            (0x32, raw_mqtt.text("t") + b"\0\1", b"\x03\0\1a\x26\0\1a\0\1b", b""),
            (0x82, b"\0\1", b"\x0b\x05", raw_mqtt.text("t") + b"\0"),
            (0xa2, b"\0\1", b"\x26\0\1a\0\1b", raw_mqtt.text("t")),
            (0x40, b"\0\1\0", b"\x1f\0\2no", b""),
            (0xe0, b"\0", b"\x11\0\0\0\0", b"")]
        for first, before, properties, rest in packets:
            for wrong in (len(properties) + 1, len(properties) - 1, 0x7f):
                if first in (0x30, 0x32) and wrong == len(properties) + 1:
                    wrong += 1  # nothing follows that could be read
                body = before + bytes([wrong]) + properties + rest
                assert is_refused(server, raw_mqtt.packet(first, body), level=5), body.hex()
            assert is_refused(server, raw_mqtt.packet(first, before + b"\xff\xff\xff\x7f" + rest),
                              level=5)
        for size in (1, 4, 6, 0x7f):  # of a CONNECT, and of its will
            body = will + bytes([size]) + b"\x11\0\0\0\1" + raw_mqtt.text("a") + b"\0" + \
                raw_mqtt.text("t") + raw_mqtt.text("x")
            assert is_refused(server, raw_mqtt.packet(0x10, body), login=False), size
            body = will + b"\0" + raw_mqtt.text("a") + bytes([size]) + b"\x18\0\0\0\1" + \
                raw_mqtt.text("t") + raw_mqtt.text("x")
            assert is_refused(server, raw_mqtt.packet(0x10, body), login=False), size
        assert_serves(server)


@harness.case
def nothing_where_something_is_due():
    with harness.Server() as server:
        for level in (4, 5):
            empty = [raw_mqtt.publish_packet("", "x") if level == 4 else
                     raw_mqtt.packet(0x30, raw_mqtt.text("") + b"\0x"),
                     raw_mqtt.packet(0x32, raw_mqtt.text("t")),
                     raw_mqtt.packet(0x82, b"\0\1" + none(level)),
                     raw_mqtt.packet(0x82, b"\0\1" + none(level) + raw_mqtt.text("t")),
                     raw_mqtt.packet(0x82, b"\0\1" + none(level) + raw_mqtt.text("") + b"\0"),
                     raw_mqtt.packet(0xa2, b"\0\1" + none(level)),
                     raw_mqtt.packet(0xa2, b"\0\1" + none(level) + raw_mqtt.text("")),
                     raw_mqtt.packet(0x82), raw_mqtt.packet(0xa2), raw_mqtt.packet(0x40),
                     raw_mqtt.packet(0x62), raw_mqtt.packet(0x30), raw_mqtt.packet(0x32)]
            for data in empty:
                assert is_refused(server, data, level=level), data.hex()
            # An empty will topic, an empty client id, an empty CONNECT.
            body = raw_mqtt.text("MQTT") + bytes([level, 0x06]) + b"\0\0" + none(level) + \
                raw_mqtt.text("a") + none(level) + raw_mqtt.text("") + raw_mqtt.text("")
            assert is_refused(server, raw_mqtt.packet(0x10, body), login=False)
            assert connected(server, "", level=level)
        assert is_refused(server, raw_mqtt.packet(0x10), login=False)
        assert_serves(server)


@harness.case
def shared_filters_that_are_none_are_refused():
    with harness.Server() as server:
        for text in ("$share", "$share/", "$share//", "$share//x", "$share/g", "$share/g/",
                     "$share/+/x", "$share/#/x", "$share/g+/x", "$share/g/#/x", "$share/g/x+"):
            for level in (4, 5):
                client = connected(server, level=level)
                client.send(raw_mqtt.packet(
                    0x82, b"\0\1" + none(level) + raw_mqtt.text(text) + b"\1"))
                try:
                    first, body = client.read()
                    assert first == 0xe0 or (first == 0x90 and body[-1] >= 0x80) or \
                        text in ("$share",), (text, level, hex(first), body.hex())
                except ConnectionError:
                    assert level == 4, text
                client.close()
        assert_serves(server)


@harness.case
def topics_with_dollar_are_nobodys_to_publish():
    with harness.Server() as server:
        watcher = connected(server)
        for topic in ("$x", "$x/#", "$CONTROL/#", "$share/g/t"):
            watcher.send(raw_mqtt.subscribe_packet(topic, qos=0))
            watcher.read()
        for topic in ("$", "$x", "$x/y", "$SYS/broker/uptime", "$CONTROL/dynamic-security/v1",
                      "$share/g/t", "$table/tank_levels/1", "$alert/x", "$error/x"):
            for level, answer in ((5, b"\0\1\x90"), (4, b"\0\1")):
                client = connected(server, level=level)
                client.send(raw_mqtt.packet(0x32, raw_mqtt.text(topic) + b"\0\1" + none(level) +
                                            b"x"))
                assert client.read() == (0x40, answer), (topic, level)
                client.close()
            will = raw_mqtt.text("MQTT") + b"\5\x06\0\0\0" + raw_mqtt.text("a") + b"\0" + \
                raw_mqtt.text(topic) + raw_mqtt.text("x")
            assert is_refused(server, raw_mqtt.packet(0x10, will), login=False), topic
        refused = server.get_json("/api/v1/refused")["refused"]
        assert any(one["topic"] == "$x/y" for one in refused), refused
        watcher.send(raw_mqtt.packet(0xc0))
        assert watcher.read() == (0xd0, b""), "nothing came before the answer to the ping"
        assert_serves(server)


# 3.1.1 [MQTT-4.7.3-3]
# 5.0 [MQTT-4.7.3-3]
@harness.case
def deep_and_wide__65535_slashes_in_every_place():
    with harness.Server() as server:
        before = rss(server)
        slashes = b"/" * 65_535
        for level in (4, 5):
            wanted = [raw_mqtt.packet(0x32, raw_mqtt.text(slashes) + b"\0\1" + none(level)),
                      raw_mqtt.packet(0x82, b"\0\1" + none(level) + raw_mqtt.text(slashes) + b"\1"),
                      raw_mqtt.packet(0xa2, b"\0\1" + none(level) + raw_mqtt.text(slashes)),
                      raw_mqtt.packet(0x82, b"\0\1" + none(level) +
                                      raw_mqtt.text(b"+/" * 32_767) + b"\1")]
            for data in wanted:
                client = connected(server, level=level)
                client.send(data)
                try:
                    first, body = client.read()
                    assert first == 0xb0 or body[-1] >= 0x80 or body[2] >= 0x80, (hex(first), body)
                except ConnectionError:
                    assert level == 4
                client.close()
            will = raw_mqtt.text("MQTT") + bytes([level, 0x06]) + b"\0\0" + none(level) + \
                raw_mqtt.text("a") + none(level) + raw_mqtt.text(slashes) + raw_mqtt.text("x")
            assert is_refused(server, raw_mqtt.packet(0x10, will), login=False)
            assert is_refused(server, raw_mqtt.connect_packet("/" * 60_000, level=level),
                              login=False)
        assert rss(server) - before < 8 * MIB
        assert_serves(server)


@harness.case
def wildcards_in_every_level_of_a_thousand_filters():
    with harness.Server() as server:
        client = connected(server)
        filters = ["/".join("+" if number >> level & 1 else "x" for level in range(10))
                   for number in range(1000)]
        client.send(b"".join(raw_mqtt.subscribe_packet(text, qos=0) for text in filters))
        assert [client.read()[1][-1] for _ in filters] == [0] * 1000
        client.send(raw_mqtt.publish_packet("/".join("x" * 10), "1") * 100)
        client.send(raw_mqtt.packet(0xc0))
        heard = 0
        while client.read()[0] != 0xd0:
            heard += 1
        assert heard == 100, "one for each message, whatever matches"
        assert_serves(server)


@harness.case
def thousands_of_user_properties_cost_what_they_weigh():
    with harness.Server() as server:
        client = connected(server, level=5)

        def cost_ms(count, packets):
            section = (b"\x26" + raw_mqtt.text("a") + raw_mqtt.text("b")) * count
            length = raw_mqtt.packet(0, b"x" * len(section))[1:-len(section)]
            data = raw_mqtt.packet(0x30, raw_mqtt.text("wide") + length + section)
            before = cpu_ms(server)
            for _ in range(packets):
                client.send(data)
            client.send(raw_mqtt.packet(0xc0))
            assert client.read()[0] == 0xd0
            return cpu_ms(server) - before

        cost_ms(40_000, 10)  # the memory that it takes is there now
        narrow = cost_ms(5_000, 80)
        wide = cost_ms(40_000, 10)
        print(f"# 80 x 5,000: {narrow:.0f} ms, 10 x 40,000: {wide:.0f} ms")
        assert wide <= 4 * max(narrow, CPU_MS_MIN), "eight times as many cost eight times as much"
        reader = connected(server, level=5)
        reader.send(raw_mqtt.packet(0x82, b"\0\1\0" + raw_mqtt.text("wide") + b"\0"))
        assert reader.read()[0] == 0x90
        cost_ms(10_000, 1)
        assert reader.read()[1].count(b"\x26\0\1a\0\1b") == 10_000, "all of them arrive"
        assert_serves(server)


@harness.case
def leaks__bad_packets_again_and_again():
    with harness.Server() as server:
        will = raw_mqtt.text("MQTT") + b"\5\x06\0\0\0" + raw_mqtt.text("leak") + b"\7\x18\0\0\0\1" \
            b"\x24\1" + raw_mqtt.text("t") + raw_mqtt.text("x")
        bad = [raw_mqtt.packet(0x10, will),  # a will with a property that is not its own
               raw_mqtt.connect_packet("leak")[:-2] + b"\xff\xff",
               raw_mqtt.connect_packet("leak") + b"\x82\x03\0\1\0",
               raw_mqtt.connect_packet("leak", level=5) + raw_mqtt.packet(
                   0x82, b"\0\1\2\x0b\5" + raw_mqtt.text("a/#/b") + b"\1" + raw_mqtt.text("x")),
               raw_mqtt.connect_packet("leak") + raw_mqtt.publish_packet("t\0", "x" * 1000, 1)]

        def send(rounds):
            for _ in range(rounds):
                for data in bad:
                    connection = socket.create_connection(("127.0.0.1", server.mqtt_port), 20)
                    connection.sendall(data)
                    connection.shutdown(socket.SHUT_WR)
                    try:
                        while connection.recv(4096):
                            pass
                    except ConnectionError:
                        pass
                    connection.close()

        def kept():  # but for the rows that tell of it, of which there are as many as there may be
            found = re.search(r"^nilo_tables_memory_bytes (\d+)", server.request("GET", "/metrics")[1],
                              re.MULTILINE)
            return rss(server) - int(found[1])

        send(200)  # whatever is kept for good is there now
        before = kept()
        send(TIMES)
        grown = kept() - before
        print(f"# {TIMES * len(bad)} bad packets: {grown // 1024} KiB more")
        assert grown < 2 * MIB, grown
        assert_serves(server)


@harness.case
def leaks__qos_2_that_is_never_released_takes_bounded_memory():
    with harness.Server() as server:
        before = rss(server)
        for level in (4, 5):
            for _ in range(3):
                client = connected(server, "hoarder", level=level, clean=False)
                try:
                    for packet_id in range(1, 65_536):
                        client.send(raw_mqtt.packet(0x34, raw_mqtt.text("t") + packet_id.to_bytes(
                            2, "big") + none(level) + b"x" * 100))
                except OSError:
                    pass  # closed, or a reset
                try:
                    reason = reason_at_the_end(client)
                    assert level == 4 or reason == 0x93, reason
                except OSError:
                    pass
                client.close()
        assert rss(server) - before < 8 * MIB
        assert_serves(server)


# 3.1.1 [MQTT-1.5.3-1] [MQTT-1.5.3-2]
# 5.0 [MQTT-1.5.4-1] [MQTT-1.5.4-2]
@harness.case
def text_that_is_none_reaches_nobody():
    with harness.Server() as server:
        watcher = connected(server, level=5)
        watcher.send(raw_mqtt.packet(0x82, b"\0\1\0" + raw_mqtt.text("#") + b"\0"))
        assert watcher.read()[0] == 0x90
        texts = (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3", b"a\0b")
        for text in texts:
            for level in (4, 5):
                assert is_refused(server, raw_mqtt.packet(
                    0x30, raw_mqtt.text(b"t" + text) + none(level) + b"x"), level=level), text
                named = raw_mqtt.text("MQTT") + bytes([level, 2]) + b"\0\0" + none(level) + \
                    raw_mqtt.text(text)
                assert is_refused(server, raw_mqtt.packet(0x10, named), login=False), text
            for number in (b"\x03", b"\x08"):  # content type, response topic
                section = number + raw_mqtt.text(text)
                assert is_refused(server, raw_mqtt.packet(
                    0x30, raw_mqtt.text("t") + bytes([len(section)]) + section), level=5), text
            pair = b"\x26" + raw_mqtt.text("a") + raw_mqtt.text(text)
            assert is_refused(server, raw_mqtt.packet(
                0x30, raw_mqtt.text("t") + bytes([len(pair)]) + pair), level=5), text
        watcher.send(raw_mqtt.packet(0xc0))
        assert watcher.read() == (0xd0, b"")
        assert_serves(server)


def mqtt_over_websocket(server):
    return websocket.Client(server, {"Sec-WebSocket-Protocol": "mqtt"}, path="/mqtt")


def ends(page):
    """Reads until the server is gone or has said goodbye."""
    try:
        while page.frame()[0] != 8:
            pass
    except (websocket.Closed, ConnectionError):
        pass


# 3.1.1 [MQTT-6.0.0-1] [MQTT-6.0.0-2]
# 5.0 [MQTT-6.0.0-1] [MQTT-6.0.0-2]
@harness.case
def websocket__packets_that_do_not_fit_their_frames():
    with harness.Server() as server:
        before = rss(server)
        for level in (4, 5):
            # A byte in each frame, and everything in one.
            connect = raw_mqtt.connect_packet("ws", level=level)
            page = mqtt_over_websocket(server)
            for byte in connect:
                page.send(2, bytes([byte]))
            assert page.frame()[1][:1] == b"\x20"
            page.send(2, b"\xc0")
            page.send(2, b"")
            page.send(2, b"\0\xc0\0\xc0")
            page.send(2, b"\0")
            answers = b""
            while len(answers) < 6:
                answers += page.frame()[1]
            assert answers == b"\xd0\0" * 3, answers
            # A packet that says it is longer than its frame, and one that never ends.
            page.send(2, b"\x30\xff\xff\xff\x7f" + b"x" * 100)
            ends(page)
            # Texts, and opcodes that do not exist.
            for opcode, payload in ((1, connect), (3, connect), (0, connect), (11, b"")):
                page = mqtt_over_websocket(server)
                page.send(opcode, payload)
                ends(page)
            # Malformed packets end it as they end any connection.
            for data in (b"\x30\x02\0\x09", b"\0\0", b"\x82\x02\0\1", b"\xff" * 10):
                page = mqtt_over_websocket(server)
                page.send(2, connect + data)
                ends(page)
        assert rss(server) - before < 8 * MIB
        assert_serves(server)


@harness.case
def identity__a_client_id_that_is_a_wildcard_is_only_a_name():
    with harness.Server() as server:
        watcher = connected(server, "#")
        watcher.send(raw_mqtt.subscribe_packet("of/#", qos=0))
        assert watcher.read()[0] == 0x90
        for client_id in ("+", "+/+", "$share/g/#", "a/../b", "%c", "${thing}"):
            client = connected(server, client_id, level=5)
            client.send(raw_mqtt.packet(0x30, raw_mqtt.text("of/one") + b"\0x"))
            assert watcher.read()[0] == 0x30
            again = connected(server, client_id, level=5)
            assert reason_at_the_end(client) == 0x8e, "it is this client's name, and no other's"
            again.close()
        watcher.send(raw_mqtt.packet(0xc0))
        assert watcher.read()[0] == 0xd0, "nobody took its session over"
        assert_serves(server)


@harness.case
def races__takeovers_of_one_session():
    with harness.Server() as server:
        last = connected(server, "twin", clean=False)
        last.send(raw_mqtt.subscribe_packet("twin/+"))
        assert last.read()[0] == 0x90
        for _ in range(500):
            newer = raw_mqtt.Connection(server.mqtt_port)
            newer.send(raw_mqtt.connect_packet("twin", clean=False) +
                       raw_mqtt.subscribe_packet("twin/+"))
            other = raw_mqtt.Connection(server.mqtt_port)
            other.send(raw_mqtt.connect_packet("twin", clean=False))
            last.close()
            newer.close()
            last = other
        final = connected(server, "twin", clean=False)
        publisher = connected(server)
        publisher.send(raw_mqtt.publish_packet("twin/1", "once", 1))
        assert publisher.read()[0] == 0x40
        first, body = final.read()
        assert first == 0x32 and body.endswith(b"once"), (hex(first), body)
        assert_serves(server)


@harness.case
def fast_numbers__every_first_byte_with_every_short_length():
    with harness.Server() as server:
        for level in (4, 5):
            for first in range(256):
                connection = connected(server, level=level)
                connection.send(bytes([first, 4, 0, 1, 0, 1]) + raw_mqtt.packet(0xe0))
                connection.socket.shutdown(socket.SHUT_WR)
                assert connection.is_closed_by_server(), hex(first)
                connection.close()
        assert_serves(server)


harness.main()
