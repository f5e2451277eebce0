"""Persistent sessions with messages that wait, for `make bench ARGS=restart`: a small MQTT client.

Session i is client `s<i>`, subscribed to `device/<i>` at QoS 1, and away.
"""

import selectors
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True
AT_A_TIME = 400
WINDOW = 1000
PAYLOAD = b'{"device_id":17,"ts":1763750000123,"temperature":21.4,"humidity":44.5,"battery":3.61}'


def text(data):
    return struct.pack(">H", len(data)) + data


def packet(first, body):
    size, length = len(body), b""
    while True:
        size, low = divmod(size, 128)
        length += bytes([low | (128 if size else 0)])
        if not size:
            return bytes([first]) + length + body


def connect(client_id, clean):
    return packet(0x10, text(b"MQTT") + bytes([4, 2 if clean else 0, 0, 0]) + text(client_id))


def begin_sessions(port, count):
    """All sessions, AT_A_TIME connections at once."""
    ready = selectors.DefaultSelector()
    begun = done = 0
    while done < count:
        while begun < count and begun - done < AT_A_TIME:
            peer = socket.create_connection(("127.0.0.1", port))
            number = b"%d" % begun
            peer.sendall(connect(b"s" + number, False) +
                         packet(0x82, b"\0\1" + text(b"device/" + number) + b"\1"))
            ready.register(peer, selectors.EVENT_READ, bytearray())
            begun += 1
        for key, _ in ready.select():
            key.data.extend(key.fileobj.recv(64))
            if len(key.data) < 9:  # CONNACK and SUBACK
                continue
            assert key.data[3] == 0 and key.data[8] == 1, bytes(key.data)
            ready.unregister(key.fileobj)
            key.fileobj.sendall(b"\xe0\0")
            key.fileobj.close()
            done += 1


def queue_messages(port, sessions, each):
    """`each` messages for every session, acknowledged."""
    peer = socket.create_connection(("127.0.0.1", port))
    peer.sendall(connect(b"filler", True))
    assert peer.recv(4)[3] == 0
    sent = acknowledged = 0
    while acknowledged < sessions * each:
        out = b""
        while sent < sessions * each and sent - acknowledged < WINDOW:
            body = text(b"device/%d" % (sent % sessions)) + struct.pack(">H", sent % 60_000 + 1)
            out += packet(0x32, body + PAYLOAD)
            sent += 1
        peer.sendall(out)
        acknowledged += len(peer.recv(1 << 20)) // 4  # a PUBACK is four bytes
    peer.close()


def drain(port, number, count):
    """Session `number` comes back; seconds until it has its `count` messages."""
    began = time.monotonic()
    peer = socket.create_connection(("127.0.0.1", port))
    peer.sendall(connect(b"s%d" % number, False))
    got = b""
    while got.count(PAYLOAD) < count:
        part = peer.recv(1 << 20)
        assert part, "the server closed the connection"
        got += part
    peer.close()
    return time.monotonic() - began
