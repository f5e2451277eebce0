"""A load whose acknowledgements are noted, and the rows it must leave: for kills and power cuts."""

import json
import struct
import threading

import raw_mqtt

PUBLISHERS = 6
WINDOW = 40
STACK = """
[table.counts]
key = ["publisher int", "time timestamp"]
columns = { n = { type = "int" } }

[rule.store]
sql = "SELECT cast(topic(2) AS Int) AS publisher, n FROM 'crash/+'"
put = "counts"
"""


class Publisher(threading.Thread):
    """Publishes 1, 2, 3, ... and notes what is acknowledged, until the server is gone."""

    def __init__(self, port, number, first):
        super().__init__(daemon=True)
        self.port = port
        self.number = number
        self.next = first
        self.acknowledged = []

    def run(self):
        try:
            connection = raw_mqtt.Connection(self.port)
            assert connection.log_in(f"publisher-{self.number}") == 0
            in_flight = {}
            free = list(range(1, WINDOW + 1))
            while True:
                out = b""
                while free:
                    packet_id = free.pop()
                    in_flight[packet_id] = self.next
                    out += raw_mqtt.publish_packet(f"crash/{self.number}",
                                                   json.dumps({"n": self.next}), packet_id)
                    self.next += 1
                connection.send(out)
                first, body = connection.read()
                assert first == 0x40, first
                packet_id = struct.unpack(">H", body[:2])[0]
                self.acknowledged.append(in_flight.pop(packet_id))
                free.append(packet_id)
        except OSError:
            pass


def start_publishers(port, firsts):
    """One running Publisher for each number of `firsts`."""
    publishers = [Publisher(port, number, first) for number, first in enumerate(firsts)]
    for publisher in publishers:
        publisher.start()
    return publishers


def acknowledged_by(publishers):
    """{(publisher, n)}, once all have ended."""
    for publisher in publishers:
        publisher.join()
    return {(publisher.number, n) for publisher in publishers for n in publisher.acknowledged}


def ask(server, statement):
    status, body = server.sql(statement)
    assert status == 200, body
    return json.loads(body)["rows"]


def rows_since(server, firsts):
    """[(publisher, n)] of the rows with n from `firsts`[publisher] on."""
    return [(publisher, row[0]) for publisher, first in enumerate(firsts)
            for row in ask(server, f"SELECT n FROM counts WHERE publisher = {publisher} "
                                   f"AND n >= {first}")]
