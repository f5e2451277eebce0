"""The doors besides plain MQTT and HTTP: TLS, client certificates, MQTT over WebSocket, publishing
by a path, and certificates that change while the server runs."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import harness
import raw_mqtt
import websocket

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
LOOPBACK = "subjectAltName=DNS:localhost,IP:127.0.0.1"
TLS_DOORS = ("--open", "--mqtts", "127.0.0.1:0", "--https", "127.0.0.1:0")
LOGIN_TIME_S = 10
MQTT_JS_SCRIPT = """
const mqtt = require(process.env.MQTT_JS);
const client = mqtt.connect(process.env.URL, { protocolVersion: Number(process.argv[1]),
                                               reconnectPeriod: 0 });
client.on('error', (error) => { console.error(error); process.exit(1); });
const big = 'x'.repeat(300000);
const received = [];
client.on('message', (topic, payload) => {
  received.push(payload.length);
  if (received.length < 3) return;
  console.log(received.join(' '));
  client.end(false, {}, () => process.exit(0));
});
client.on('connect', () => client.subscribe('js/+', { qos: 1 }, () => {
  for (const text of ['one', big, 'three']) client.publish('js/1', text, { qos: 1 });
}));
"""


def openssl(*arguments, folder):
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr


class Certificates:
    """A CA, and what it signs, in a folder of the case."""

    def __init__(self):
        self.folder = harness.make_folder()
        openssl("req", "-x509", *CURVE, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2",
                "-subj", "/CN=Test CA", folder=self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, name, subject, *, signed=True, extra=LOOPBACK):
        """NAME.crt and NAME.key."""
        if not signed:
            openssl("req", "-x509", *CURVE, "-keyout", f"{name}.key", "-out", f"{name}.crt",
                    "-days", "2", "-subj", subject, folder=self.folder)
            return
        openssl("req", *CURVE, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject,
                folder=self.folder)
        with open(self.path(f"{name}.ext"), "w", encoding="utf-8") as file:
            file.write(extra)
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", f"{name}.crt", "-days", "2", "-extfile", f"{name}.ext",
                folder=self.folder)

    def install(self, server, name="server"):
        """As the server's own."""
        folder = os.path.join(server.data, "certs")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for ending in ("crt", "key"):
            target = os.path.join(folder, f"server.{ending}")
            shutil.copy(self.path(f"{name}.{ending}"), target + ".new")
            os.replace(target + ".new", target)
        shutil.copy(self.path("ca.crt"), os.path.join(folder, "ca.crt"))


def tls_server(certificates, flags=TLS_DOORS, **options):
    certificates.issue("server", "/CN=localhost")
    server = harness.Server(flags=flags, **options)
    certificates.install(server)
    return server


def mosquitto(server, certificates, *flags, ca="ca.crt"):
    return subprocess.run(["mosquitto_pub", "-h", "localhost", "-p", str(server.mqtts_port),
                           "--cafile", certificates.path(ca), "-q", "1", "-t", "a/b", "-m", "hello",
                           *flags], capture_output=True, text=True, check=False,
                          timeout=harness.CLIENT_TIMEOUT_S)


def client_flags(certificates, name):
    return ["--cert", certificates.path(f"{name}.crt"), "--key", certificates.path(f"{name}.key")]


def curl(*arguments):
    """(status, body)."""
    done = subprocess.run(["curl", "-sS", "-w", "\n%{http_code}", *arguments], capture_output=True,
                          text=True, check=False, timeout=harness.CLIENT_TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    body, status = done.stdout.rsplit("\n", 1)
    return int(status), body


def shown_name(server):
    """The common name of the certificate that a new connection gets."""
    text = ssl.get_server_certificate(("127.0.0.1", server.mqtts_port))
    done = subprocess.run(["openssl", "x509", "-noout", "-subject", "-nameopt", "RFC2253"],
                          input=text, capture_output=True, text=True, check=True)
    return done.stdout.strip().split("CN=")[1]


# 3.1.1 [MQTT-7.1.1-1]
# 5.0 [MQTT-4.2.0-1]
@harness.case
def mosquitto_speaks_tls_in_both_versions_and_with_awss_protocol_name():
    certificates = Certificates()
    with tls_server(certificates) as server:
        heard = server.subscribe("a/b", count=4)
        for flags in (["-V", "mqttv311"], ["-V", "mqttv5"], ["--tls-alpn", "x-amzn-mqtt-ca"],
                      ["--tls-version", "tlsv1.2"]):
            done = mosquitto(server, certificates, *flags)
            assert done.returncode == 0, (flags, done.stderr)
        assert heard.lines() == ["a/b hello"] * 4
        certificates.issue("other", "/CN=Other CA", signed=False)
        assert mosquitto(server, certificates, ca="other.crt").returncode != 0
        assert mosquitto(server, certificates, "--tls-alpn", "h2").returncode != 0


@harness.case
def versions_before_tls_1_2_and_what_is_no_tls_are_refused():
    certificates = Certificates()
    with tls_server(certificates) as server:
        for version, is_taken in (("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)):
            done = subprocess.run(["openssl", "s_client", "-connect",
                                   f"127.0.0.1:{server.mqtts_port}", version, "-cipher",
                                   "ALL:@SECLEVEL=0", "-brief"], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, check=False)
            assert (done.returncode == 0) == is_taken, (version, done.stderr)
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", raw_mqtt.connect_packet("me"),
                        b"\x16\x03\x01\x7f\xff" + os.urandom(4000)):
            with socket.create_connection(("127.0.0.1", server.mqtts_port), 10) as raw:
                raw.sendall(garbage)
                raw.shutdown(socket.SHUT_WR)
                while raw.recv(4096):
                    pass
        assert mosquitto(server, certificates).returncode == 0


@harness.case
def a_listener_of_the_stack_asks_for_certificates():
    certificates = Certificates()
    certificates.issue("server", "/CN=localhost")
    certificates.issue("device", "/CN=tank-1", extra="")
    stack = harness.make_folder(f"""
[listener.devices]
address = "127.0.0.1:0"
protocol = "mqtt"
tls = true
certificate = "{certificates.path('server.crt')}"
key = "{certificates.path('server.key')}"
ca = "{certificates.path('ca.crt')}"
clients = "required"
""")
    with harness.Server(stack=stack, flags=("--open",)) as server:
        assert mosquitto(server, certificates).returncode != 0
        done = mosquitto(server, certificates, *client_flags(certificates, "device"))
        assert done.returncode == 0, done.stderr


# 3.1.1 [MQTT-7.1.1-1]
# 5.0 [MQTT-4.2.0-1] [MQTT-6.0.0-4]
@harness.case
def mqtt_js_comes_by_websocket_and_tls():
    certificates = Certificates()
    with tls_server(certificates) as server:
        for url in (server.url.replace("http:", "ws:") + "/mqtt",
                    server.https_url.replace("https:", "wss:").replace("127.0.0.1", "localhost")
                    + "/mqtt",
                    f"mqtts://localhost:{server.mqtts_port}"):
            for version in ("4", "5"):
                done = subprocess.run(
                    ["node", "-e", MQTT_JS_SCRIPT, "--", version],
                    capture_output=True, text=True, check=False, timeout=harness.CLIENT_TIMEOUT_S,
                    env={**os.environ, "URL": url, "NODE_EXTRA_CA_CERTS": certificates.path("ca.crt"),
                         "MQTT_JS": os.path.join(harness.ROOT, "node_modules", "mqtt")})
                assert done.returncode == 0, (url, done.stderr)
                assert done.stdout.split() == ["3", "300000", "5"], (url, done.stdout)


def handshake_status(server, headers, path="/mqtt"):
    try:
        websocket.Client(server, {"Sec-WebSocket-Protocol": "mqtt", **headers}, path=path)
        return 101
    except websocket.Refused as refused:
        return refused.status


@harness.case
def mqtt_over_websocket_is_for_devices_our_own_pages_and_invited_ones():
    stack = harness.make_folder('[server]\norigins = ["https://app.example.org"]\n')
    with harness.Server(stack=stack) as server:
        assert handshake_status(server, {}) == 101
        assert handshake_status(server, {"Origin": server.url}) == 101
        assert handshake_status(server, {"Origin": "https://app.example.org"}) == 101
        assert handshake_status(server, {"Origin": "https://evil.example"}) == 403
        assert handshake_status(server, {"Origin": "null"}) == 403
        invited = {"Origin": "https://app.example.org"}
        assert handshake_status(server, invited, "/api/v1/ws") == 403
        assert handshake_status(server, {"Sec-WebSocket-Protocol": "chat"}) == 400
        assert server.get("/mqtt")[0] == 400


@harness.case
def a_login_over_websocket_is_asked_for_like_any_other():
    with harness.Server(flags=()) as server:
        page = websocket.Client(server, {"Sec-WebSocket-Protocol": "mqtt"}, path="/mqtt")
        page.send(2, raw_mqtt.connect_packet("stranger"))
        opcode, answer = page.frame()
        assert (opcode, answer) == (2, b"\x20\x02\x00\x04"), answer  # bad user name or password
        page = websocket.Client(server, {"Sec-WebSocket-Protocol": "mqtt"}, path="/mqtt")
        page.send(2, b"\x10\xff\xff\xff\x7f")  # 256 MiB, says a stranger
        opcode, _ = page.frame()
        assert opcode == 8


@harness.case
def a_path_publishes_its_body():
    certificates = Certificates()
    with tls_server(certificates) as server:
        ca = ("--cacert", certificates.path("ca.crt"))
        https = server.https_url.replace("127.0.0.1", "localhost")
        heard = server.subscribe("water1/pub", count=3)
        for url in (f"{server.url}/topics/water1/pub?qos=1", f"{https}/topics/water1/pub",
                    f"{https}/topics/water1%2Fpub?qos=1"):
            status, body = curl(*ca, "--data-binary", '{"distance": 41.2}', url)
            answer = json.loads(body)
            assert (status, answer["message"]) == (200, "OK"), body
            assert len(answer["traceId"]) == 36, body
        assert heard.lines() == ['water1/pub {"distance": 41.2}'] * 3
        assert server.get_json("/prod/data?device_id=1")["distance"] == 41.2
        for path, status in (("%24SYS/x", 403), ("a/%2B/b", 400), ("a?qos=2", 400),
                             ("a?qos=x", 400)):
            got, body = curl(*ca, "--data-binary", "x", f"{https}/topics/{path}")
            assert got == status and json.loads(body), (path, got, body)
    with harness.Server(flags=()) as server:
        assert curl("--data-binary", "x", f"{server.url}/topics/a")[0] == 401


@harness.case
def certificates_change_under_load_and_nobody_is_dropped():
    certificates = Certificates()
    with tls_server(certificates) as server:
        stop = threading.Event()
        failures = []

        def publish_on_and_on():
            context = ssl.create_default_context(cafile=certificates.path("ca.crt"))
            raw = socket.create_connection(("127.0.0.1", server.mqtts_port), 10)
            with context.wrap_socket(raw, server_hostname="localhost") as device:
                device.sendall(raw_mqtt.connect_packet("load"))
                device.recv(4)
                while not stop.is_set():
                    device.sendall(raw_mqtt.publish_packet("a/b", "x", 1))
                    if device.recv(4) != b"\x40\x02\x00\x01":
                        failures.append("not acknowledged")
                        return

        load = threading.Thread(target=publish_on_and_on)
        load.start()
        for round_number in range(3):
            name = f"renewed-{round_number}"
            certificates.issue(name, f"/CN={name}")
            certificates.install(server, name)
            harness.wait_until(lambda name=name: shown_name(server) == name, name)
        # A key that does not fit: the certificate from before stays.
        certificates.issue("broken", "/CN=broken")
        shutil.copy(certificates.path("broken.crt"),
                    os.path.join(server.data, "certs", "server.crt"))
        os.kill(server.pid, signal.SIGHUP)
        harness.wait_until(lambda: "tls.reload_failed" in server.log_text(), "told")
        assert shown_name(server) == "renewed-2"
        certificates.install(server, "broken")
        harness.wait_until(lambda: shown_name(server) == "broken", "the pair fits again")
        stop.set()
        load.join()
        assert not failures


@harness.case
def who_says_nothing_is_closed_within_the_time_to_log_in():
    certificates = Certificates()
    with tls_server(certificates) as server:
        began = time.monotonic()
        silent = {}
        for name, port in (("mqtt", server.mqtt_port), ("mqtts", server.mqtts_port),
                           ("half", server.mqtts_port)):
            silent[name] = socket.create_connection(("127.0.0.1", port), 20)
        silent["half"].sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        context = ssl.create_default_context(cafile=certificates.path("ca.crt"))
        silent["after"] = context.wrap_socket(
            socket.create_connection(("127.0.0.1", server.mqtts_port), 20),
            server_hostname="localhost")
        page = websocket.Client(server, {"Sec-WebSocket-Protocol": "mqtt"}, path="/mqtt")
        for name, each in silent.items():
            each.settimeout(LOGIN_TIME_S + 5)
            while each.recv(4096):
                pass
            assert time.monotonic() - began < LOGIN_TIME_S + 5, name
        try:
            assert page.frame()[0] == 8
        except websocket.Closed:
            pass
        assert time.monotonic() - began < LOGIN_TIME_S + 5


harness.main()
