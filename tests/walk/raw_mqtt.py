"""A few bytes of MQTT 3.1.1, for cases that need to say exactly what is on the wire."""

import socket
import struct


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(data)) + data


def packet(first_byte, body=b""):
    size, length = len(body), b""
    while True:
        size, low = divmod(size, 128)
        length += bytes([low | (0x80 if size else 0)])
        if not size:
            return bytes([first_byte]) + length + body


def connect_packet(client_id="", clean=True, user=None, password=None, keep_alive=600, level=4):
    flags = (2 if clean else 0) | (0x80 if user is not None else 0) | \
        (0x40 if password is not None else 0)
    body = text("MQTT") + bytes([level, flags]) + struct.pack(">H", keep_alive)
    if level == 5:
        body += b"\0"
    body += text(client_id)
    for field in (user, password):
        if field is not None:
            body += text(field)
    return packet(0x10, body)


def publish_packet(topic, payload, packet_id=None):
    """QoS 1 with a packet id, QoS 0 without."""
    data = payload.encode() if isinstance(payload, str) else payload
    if packet_id is None:
        return packet(0x30, text(topic) + data)
    return packet(0x32, text(topic) + struct.pack(">H", packet_id) + data)


def subscribe_packet(topic_filter, qos=1, packet_id=1):
    return packet(0x82, struct.pack(">H", packet_id) + text(topic_filter) + bytes([qos]))


class Connection:
    """A socket; read() gives whole packets as (first byte, body)."""

    def __init__(self, port, timeout_s=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._kept = b""

    def send(self, data):
        self.socket.sendall(data)

    def read(self):
        """ConnectionError at the end; socket.timeout when nothing comes."""
        while True:
            size = shift = 0
            for at in range(1, min(len(self._kept), 5)):
                size |= (self._kept[at] & 127) << shift
                shift += 7
                if not self._kept[at] & 128:
                    end = at + 1 + size
                    if len(self._kept) >= end:
                        found = self._kept[0], self._kept[at + 1:end]
                        self._kept = self._kept[end:]
                        return found
                    break
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("closed by the server")
            self._kept += data

    def is_closed_by_server(self):
        """Waits for the end, whatever else is still sent."""
        try:
            while True:
                self.read()
        except socket.timeout:
            return False
        except OSError:
            return True

    def log_in(self, *arguments, **fields):
        """CONNECT; the CONNACK's return code."""
        self.send(connect_packet(*arguments, **fields))
        first, body = self.read()
        assert first == 0x20, (first, body)
        return body[1]

    def close(self):
        self.socket.close()
