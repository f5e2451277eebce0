"""SCRAM-SHA-256 over MQTT 5.0: a login that shows no password, and a server that shows it knows it.

The client is written here from RFC 5802 and the standard library, not from the server's code.
"""

import base64
import hashlib
import hmac
import os
import struct

import harness
import raw_mqtt

PASSWORD = "hunter2hunter2"
METHOD = b"SCRAM-SHA-256"
CONTINUE, AGAIN = 0x18, 0x19
NOT_AUTHORIZED, BAD_LOGIN, BAD_METHOD = 0x87, 0x86, 0x8c


def make_device(server, name, password):
    with open(os.path.join(server.data, "admin.token"), encoding="ascii") as file:
        admin = file.read().strip()
    made = harness.nilo("token", "new", name, "--password-file", "-",
                        "--http", server.url.removeprefix("http://"), stdin=password + "\n",
                        environment={"NILO_TOKEN": admin})
    assert made.returncode == 0, made.stderr


def encoded(data):
    return base64.b64encode(data).decode()


def properties(method, data):
    """At most 16,383 bytes of them."""
    body = b"\x15" + raw_mqtt.text(method) + b"\x16" + raw_mqtt.text(data)
    size = len(body)
    length = bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])
    return length + body


def connect_packet(client_id, data, method=METHOD):
    body = raw_mqtt.text("MQTT") + b"\x05\x02" + struct.pack(">H", 600)
    return raw_mqtt.packet(0x10, body + properties(method, data) + raw_mqtt.text(client_id))


def auth_packet(reason, data):
    return raw_mqtt.packet(0xf0, bytes([reason]) + properties(METHOD, data))


def authentication_data(section):
    """Property 22 in the properties that `section` begins with."""
    size, at, shift = 0, 0, 0
    while True:
        byte = section[at]
        size |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if not byte & 128:
            break
    end = at + size
    sizes = {0x11: 4, 0x13: 2, 0x21: 2, 0x22: 2, 0x27: 4}
    while at < end:
        number, at = section[at], at + 1
        if number in sizes:
            at += sizes[number]
            continue
        length = struct.unpack(">H", section[at:at + 2])[0]
        value = section[at + 2:at + 2 + length]
        if number == 22:
            return value.decode()
        at += 2 + length
    return None


class Client:
    """One side of RFC 5802."""

    def __init__(self, name, password, nonce="fyko+d2lbbFgONRv9qkxdawL"):
        self.password, self.nonce = password.encode(), nonce
        self.bare = f"n={name},r={nonce}"
        self.first = f"n,,{self.bare}".encode()
        self.signature = None

    def last(self, challenge):
        fields = dict(field.split("=", 1) for field in challenge.split(","))
        assert fields["r"].startswith(self.nonce) and len(fields["r"]) > len(self.nonce) + 16
        assert int(fields["i"]) >= 4096, challenge
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(fields["s"]),
                                     int(fields["i"]))

        def keyed(key, text):
            return hmac.new(key, text.encode(), hashlib.sha256).digest()

        client_key = keyed(salted, "Client Key")
        without_proof = f"c=biws,r={fields['r']}"
        messages = f"{self.bare},{challenge},{without_proof}"
        signature = keyed(hashlib.sha256(client_key).digest(), messages)
        self.signature = encoded(keyed(keyed(salted, "Server Key"), messages))
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        return f"{without_proof},p={encoded(proof)}".encode()


def challenge_of(connection):
    first, body = connection.read()
    assert first == 0xf0 and body[0] == CONTINUE, (first, body)
    return authentication_data(body[1:])


def log_in(connection, name, password, client_id="esp32"):
    """CONNACK's reason; the server's signature is checked."""
    client = Client(name, password)
    connection.send(connect_packet(client_id, client.first))
    connection.send(auth_packet(CONTINUE, client.last(challenge_of(connection))))
    first, body = connection.read()
    assert first == 0x20, (first, body)
    if body[1] == 0:
        assert authentication_data(body[2:]) == f"v={client.signature}", body
    return body[1]


@harness.case
def a_device_logs_in_without_showing_its_password():
    with harness.Server(flags=()) as server:
        make_device(server, "esp32", PASSWORD)
        connection = raw_mqtt.Connection(server.mqtt_port)
        assert log_in(connection, "esp32", PASSWORD) == 0

        # Once more on the open connection, and everything else goes on.
        client = Client("esp32", PASSWORD, "another")
        connection.send(auth_packet(AGAIN, client.first))
        challenge = challenge_of(connection)
        connection.send(raw_mqtt.packet(0xc0))
        assert connection.read()[0] == 0xd0
        connection.send(auth_packet(CONTINUE, client.last(challenge)))
        first, body = connection.read()
        assert first == 0xf0 and body[0] == 0, (first, body)
        assert authentication_data(body[1:]) == f"v={client.signature}"

        # And wrong: the connection ends.
        wrong = Client("esp32", "not the password")
        connection.send(auth_packet(AGAIN, wrong.first))
        connection.send(auth_packet(CONTINUE, wrong.last(challenge_of(connection))))
        first, body = connection.read()
        assert (first, body[0]) == (0xe0, NOT_AUTHORIZED), (first, body)
        assert connection.is_closed_by_server()
        assert PASSWORD not in server.log_text()

        server.stop()
        server.start()
        assert log_in(raw_mqtt.Connection(server.mqtt_port), "esp32", PASSWORD) == 0


@harness.case
def an_unknown_name_looks_like_a_wrong_password():
    with harness.Server(flags=()) as server:
        make_device(server, "esp32", PASSWORD)
        salts = []
        for name in ("nobody", "nobody", "esp32"):
            connection = raw_mqtt.Connection(server.mqtt_port)
            connection.send(connect_packet("x", Client(name, PASSWORD).first))
            salts.append(challenge_of(connection).split(",")[1:])
            connection.close()
        assert salts[0] == salts[1] != salts[2], salts
        assert len(salts[0][0]) == len(salts[2][0]) and salts[0][1] == salts[2][1], salts
        for name in ("nobody", "esp32"):
            assert log_in(raw_mqtt.Connection(server.mqtt_port), name, "wrong wrong") == BAD_LOGIN
        server.stop()
        server.start()
        connection = raw_mqtt.Connection(server.mqtt_port)
        connection.send(connect_packet("x", Client("nobody", PASSWORD).first))
        assert challenge_of(connection).split(",")[1:] == salts[0], "the same after a restart"


@harness.case
def another_method_is_refused():
    with harness.Server() as server:
        connection = raw_mqtt.Connection(server.mqtt_port)
        connection.send(connect_packet("x", b"n,,n=a,r=b", b"SCRAM-SHA-1"))
        first, body = connection.read()
        assert (first, body[1]) == (0x20, BAD_METHOD), (first, body)


harness.main()
