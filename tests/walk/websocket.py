"""A small WebSocket client (RFC 6455), for cases that look at what pages are told.

    with websocket.Client(server) as page:
        page.ask(op="subscribe", id="a", topic="water1/#")
        page.next("subscribed")
"""

import base64
import hashlib
import json
import os
import socket
import struct

TIMEOUT_S = 20
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Refused(Exception):
    """The server answered something else than 101."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


class Closed(Exception):
    """The server said goodbye, or is gone (code None)."""

    def __init__(self, code, reason):
        super().__init__(f"closed with {code}: {reason}")
        self.code = code
        self.reason = reason


class Client:
    """One connection to /api/v1/ws of a harness.Server. `receive_buffer`: bytes the kernel may take
    in, for a client that is slow."""

    def __init__(self, server, headers=None, receive_buffer=None, path="/api/v1/ws"):
        host, port = server.url.removeprefix("http://").rsplit(":", 1)
        self._socket = socket.socket()
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(TIMEOUT_S)
        self._socket.connect((host, int(port)))
        self._bytes = b""
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket",
                 "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = self._take_through(b"\r\n\r\n").decode()
        status = int(head.split()[1])
        if status != 101:
            raise Refused(status, self._bytes.decode("utf-8", "replace"))
        proof = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        assert f"Sec-WebSocket-Accept: {proof}\r\n" in head, head

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def ask(self, **command):
        """Sends a command as a text frame."""
        self.send(1, json.dumps(command).encode())

    def send(self, opcode, payload):
        mask = os.urandom(4)
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size) \
            if size < 65536 else b"\xff" + struct.pack(">Q", size)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        self._socket.sendall(bytes([0x80 | opcode]) + length + mask + masked)

    def next(self, kind=None):
        """The next text as JSON; of this type, if given, and no other."""
        while True:
            opcode, payload = self.frame()
            if opcode == 9:
                self.send(10, payload)
            elif opcode == 8:
                code = struct.unpack(">H", payload[:2])[0] if payload else None
                raise Closed(code, payload[2:].decode())
            elif opcode == 1:
                text = json.loads(payload)
                assert kind is None or text["type"] == kind, text
                return text

    def hello(self):
        """The greeting; returns its sequence."""
        return self.next("hello")["seq"]

    def subscribe(self, **subject):
        """Subscribes and returns the sequence it begins at."""
        self.ask(op="subscribe", **subject)
        return self.next("subscribed")["seq"]

    def messages(self, count):
        """The next messages, at least `count` of them, whatever the texts they came in."""
        out = []
        while len(out) < count:
            out += self.next("messages")["messages"]
        return out

    def frame(self):
        """(opcode, payload) of the next frame."""
        head = self._take(2)
        size = head[1] & 0x7f
        if size == 126:
            size = struct.unpack(">H", self._take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self._take(8))[0]
        return head[0] & 0x0f, self._take(size)

    def _take(self, count):
        while len(self._bytes) < count:
            self._read()
        taken, self._bytes = self._bytes[:count], self._bytes[count:]
        return taken

    def _take_through(self, end):
        while end not in self._bytes:
            self._read()
        taken, _, self._bytes = self._bytes.partition(end)
        return taken + end

    def _read(self):
        more = self._socket.recv(1 << 20)
        if not more:
            raise Closed(None, "the connection ended")
        self._bytes += more
