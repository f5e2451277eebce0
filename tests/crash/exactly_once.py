"""Clients that live through kills of the server with their session state: QoS 2, both ways.

A client of the standard remembers which packet identifiers are under way. These do, over all
connections, so what reaches them twice, or never, is the server's mistake.
"""

import struct
import threading
import time

import raw_mqtt

WINDOW = 20
PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 3, 4, 5, 6, 7
DUP = 8


def ack(kind, packet_id):
    return raw_mqtt.packet(kind << 4 | (2 if kind == PUBREL else 0), struct.pack(">H", packet_id))


class Client(threading.Thread):
    """Connects to `house.mqtt_port`, again and again, until it is told to finish and is done."""

    def __init__(self, house, client_id):
        super().__init__(daemon=True)
        self.house = house
        self.client_id = client_id
        self.connection = None
        self.failure = None
        self.has_session = False
        self.finishing = threading.Event()

    def run(self):
        try:
            while not self._serve():
                time.sleep(0.01)  # the server is being started
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    def finish(self):
        """Waits until all is done that was begun."""
        self.finishing.set()
        self.join(60)
        assert self.failure is None, f"{self.client_id}: {self.failure!r}"
        assert not self.is_alive(), f"{self.client_id} does not come to an end"

    def _serve(self):
        """True: finished. False: the connection broke."""
        try:
            self.connection = raw_mqtt.Connection(self.house.mqtt_port, timeout_s=0.2)
            self.connection.send(raw_mqtt.connect_packet(self.client_id, clean=False))
            first, body = self._read()
            if first == 0:
                return False
            assert first == 0x20 and body[1] == 0, (first, body)
            assert body[0] == 1 or not self.has_session, "the server forgot the session"
            self.has_session = True
            self.begin()
            while not (self.finishing.is_set() and self.is_done()):
                first, body = self._read()
                if first:
                    self.handle(first, body)
                self.go_on()
            self.connection.send(raw_mqtt.packet(0xe0))
            return True
        except OSError:
            return False
        finally:
            if self.connection:
                self.connection.close()

    def _read(self):
        """(0, b"") when nothing comes for a while."""
        try:
            return self.connection.read()
        except TimeoutError:
            return 0, b""


class Writer(Client):
    """Publishes {"n": 1}, 2, 3, ... at QoS 2 to `topic`."""

    def __init__(self, house, client_id, topic):
        super().__init__(house, client_id)
        self.topic = topic
        self.published = 0
        self.under_way = {}  # packet id: n, or 0 once released; in order

    def begin(self):
        out = b""
        for packet_id, n in self.under_way.items():
            out += self._publish(packet_id, n, DUP) if n else ack(PUBREL, packet_id)
        self.connection.send(out)
        self.go_on()

    def _publish(self, packet_id, n, flags=0):
        body = raw_mqtt.text(self.topic) + struct.pack(">H", packet_id) + b'{"n": %d}' % n
        return raw_mqtt.packet(PUBLISH << 4 | 2 << 1 | 1 | flags, body)  # retained

    def go_on(self):
        out = b""
        while len(self.under_way) < WINDOW and not self.finishing.is_set():
            self.published += 1
            packet_id = (self.published - 1) % 60_000 + 1
            self.under_way[packet_id] = self.published
            out += self._publish(packet_id, self.published)
        if out:
            self.connection.send(out)

    def handle(self, first, body):
        packet_id = struct.unpack(">H", body[:2])[0]
        if first >> 4 == PUBREC:
            if packet_id in self.under_way:
                self.under_way[packet_id] = 0
            self.connection.send(ack(PUBREL, packet_id))
        elif first >> 4 == PUBCOMP:
            self.under_way.pop(packet_id, None)

    def is_done(self):
        return not self.under_way


class Reader(Client):
    """Notes which n come, and how often, at `qos`."""

    def __init__(self, house, client_id, topic, qos):
        super().__init__(house, client_id)
        self.topic = topic
        self.qos = qos
        self.got = []
        self.unreleased = set()
        self.wanted = None  # once known: the last n
        self.subscribed = threading.Event()

    def begin(self):
        if not self.subscribed.is_set():
            self.connection.send(raw_mqtt.subscribe_packet(self.topic, self.qos))

    def go_on(self):
        pass

    def handle(self, first, body):
        kind = first >> 4
        if kind == 9:
            self.subscribed.set()
        elif kind == PUBREL:
            self.unreleased.discard(body[:2])
            self.connection.send(ack(PUBCOMP, struct.unpack(">H", body[:2])[0]))
        elif kind == PUBLISH:
            size = struct.unpack(">H", body[:2])[0]
            packet_id, payload = body[2 + size:4 + size], body[4 + size:]
            qos = first >> 1 & 3
            if qos == 1 or packet_id not in self.unreleased:
                self.got.append(int(payload[6:-1]))
            if qos == 2:
                self.unreleased.add(packet_id)
            self.connection.send(ack(PUBACK if qos == 1 else PUBREC,
                                     struct.unpack(">H", packet_id)[0]))

    def is_done(self):
        is_last = self.wanted == 0 or bool(self.got) and max(self.got) == self.wanted
        return self.wanted is not None and is_last and not self.unreleased
