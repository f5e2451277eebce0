"""What tests of bad input share: clients that say exactly what they want, and looks at the server."""

import os

import raw_mqtt


def rss(server):
    """Resident bytes of the server."""
    with open(f"/proc/{server.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def assert_serves(server):
    """A client that behaves gets what it always got."""
    server.publish("water1/pub", '{"distance":47}')
    assert server.get_json("/prod/data?device_id=1")["distance"] == 47


def connected(server, client_id="", level=4, **fields):
    connection = raw_mqtt.Connection(server.mqtt_port)
    assert connection.log_in(client_id, level=level, **fields) == 0
    return connection


def reason_at_the_end(connection):
    """Reads until the server closes; the reason code of its DISCONNECT (5.0), or None."""
    reason = None
    try:
        while True:
            first, body = connection.read()
            if first == 0xe0:
                reason = body[0]
    except ConnectionError:
        return reason


def valid_packets(level):
    """(bytes, does it need a login first?) of each packet a client may send."""
    five = level == 5
    properties = b"\x08\x01\x01\x26\x00\x01a\x00\x00" if five else b""
    none = b"\0" if five else b""
    will = raw_mqtt.text("MQTT") + bytes([level, 0xce]) + b"\0\x3c" + none + \
        raw_mqtt.text("prefix") + none + raw_mqtt.text("w") + raw_mqtt.text("gone") + \
        raw_mqtt.text("user") + raw_mqtt.text("password")
    yield raw_mqtt.packet(0x10, will), False
    yield raw_mqtt.packet(0x30, raw_mqtt.text("a/b") + properties + b"{}"), True
    yield raw_mqtt.packet(0x33, raw_mqtt.text("a/b") + b"\0\x07" + properties + b"{}"), True
    yield raw_mqtt.packet(0x35, raw_mqtt.text("a/b") + b"\0\x08" + properties + b"{}"), True
    yield raw_mqtt.packet(0x62, b"\0\x08" + (b"\0\0" if five else b"")), True
    yield raw_mqtt.packet(0x40, b"\0\x09" + (b"\0\0" if five else b"")), True
    yield raw_mqtt.packet(0x82, b"\0\x0a" + none + raw_mqtt.text("a/+") + b"\1"), True
    yield raw_mqtt.packet(0xa2, b"\0\x0b" + none + raw_mqtt.text("a/+")), True
    yield raw_mqtt.packet(0xc0), True
    yield raw_mqtt.packet(0xe0, b"\0\0" if five else b""), True
