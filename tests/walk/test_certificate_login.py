"""Devices that log in by their certificate: ours, others', revoked ones; with clients that nobody
changed for us."""

import json
import os
import re
import socket
import subprocess

import harness

CLIENTS = os.path.join(harness.ROOT, "tests", "walk", "clients")
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
REFUSED = re.compile("not authori[sz]ed|bad user ?name or password", re.IGNORECASE)


class TlsServer(harness.Server):
    """A server without --open, with a certificate of its own CA and a door for devices with TLS."""

    def __init__(self, flags=(), stack=harness.WATER_TANKS):
        super().__init__(stack=stack, flags=("--mqtts", "127.0.0.1:0", "--https", "127.0.0.1:0",
                                             *flags))
        self.folder = harness.make_folder()
        made = harness.nilo("cert", "server", "--data", self.data)
        assert made.returncode == 0, made.stderr
        self.ca = os.path.join(self.data, "certs", "ca.crt")

    @property
    def tls_port(self):
        return int(re.findall(r"MQTTS\s+\S+:(\d+)", self.log_text())[-1])

    @property
    def admin(self):
        with open(os.path.join(self.data, "admin.token"), encoding="ascii") as file:
            return file.read().strip()

    def done(self, *arguments):
        ended = harness.nilo(*arguments, "--http", self.url.removeprefix("http://"),
                             environment={"NILO_TOKEN": self.admin})
        assert ended.returncode == 0, (arguments, ended.stderr)
        return ended.stdout

    def device(self, name, *flags):
        """The files of a certificate that this server issues."""
        self.done("cert", "device", name, "--out", self.folder, *flags)
        return os.path.join(self.folder, name)

    def ask(self, method, path, body=None):
        status, answer, _ = self.request(method, path, body,
                                         {"Authorization": f"Bearer {self.admin}"})
        return status, json.loads(answer) if answer else None

    def login_flags(self, files):
        return ["-h", "127.0.0.1", "-p", str(self.tls_port), "--cafile", self.ca,
                "--cert", files + ".crt", "--key", files + ".key"]

    def try_publish(self, files, topic, *more, version="311"):
        """mosquitto_pub with a certificate: (exit code, what it says)."""
        done = subprocess.run(
            ["mosquitto_pub", *self.login_flags(files), "-q", "1", "-V", version, "-t", topic,
             "-m", '{"distance": 41}', "-i", "c-" + os.path.basename(files), *more],
            capture_output=True, text=True, timeout=harness.CLIENT_TIMEOUT_S, check=False)
        return done.returncode, done.stdout + done.stderr

    def comes_in(self, files, topic="water1/pub", *more):
        code, words = self.try_publish(files, topic, *more)
        assert code == 0, (files, words)

    def is_refused(self, files, *more):
        """By CONNACK, in words."""
        for version in ("311", "mqttv5"):
            code, words = self.try_publish(files, "water1/pub", *more, version=version)
            assert code != 0 and REFUSED.search(words), (files, code, words)

    def is_cut(self, files):
        """By the handshake."""
        code, words = self.try_publish(files, "water1/pub")
        assert code != 0 and not REFUSED.search(words), (files, code, words)

    def wait_for_refusal(self, reason):
        return harness.wait_until(
            lambda: [one for one in self.ask("GET", "/api/v1/refused")[1]["refused"]
                     if reason in one["reason"]], f"a refusal: {reason}")[0]

    def metrics(self):
        return self.request("GET", "/metrics", None, {"Authorization": f"Bearer {self.admin}"})[1]

    def has_no_clients(self):
        return "nilo_clients 0" in self.metrics()

    def is_refused_or_cut(self, files):
        code, _ = self.try_publish(files, "water1/pub")
        assert code != 0, files

    def wait_for_distance(self, distance):
        harness.wait_until(
            lambda: distance in self.ask("GET", "/api/v1/tables/tank_levels/latest")[1]["rows"][0],
            f"a row with {distance}")


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=30,
                          check=False)
    assert done.returncode == 0, (arguments, done.stderr)


def make_ca(base, name="Factory"):
    openssl("req", "-x509", *CURVE, "-days", "30", "-subj", f"/CN={name}", "-keyout",
            base + ".key", "-out", base + ".crt")
    return base


def sign(base, ca, subject, days="30"):
    """BASE.crt and BASE.key, signed by the files of `ca`."""
    openssl("req", *CURVE, "-subj", subject, "-keyout", base + ".key", "-out", base + ".csr")
    openssl("x509", "-req", "-in", base + ".csr", "-CA", ca + ".crt", "-CAkey", ca + ".key",
            "-CAcreateserial", "-days", days, "-out", base + ".crt")
    return base


def self_signed(base, subject):
    openssl("req", "-x509", *CURVE, "-days", "30", "-subj", subject, "-keyout", base + ".key",
            "-out", base + ".crt", "-addext", "basicConstraints=critical,CA:FALSE")
    return base


@harness.case
def a_device_of_ours_needs_no_password():
    with TlsServer() as server:
        tank = server.device("tank-1", "--topics", "water1/#")
        server.comes_in(tank)
        for user in ("?SDK=JavaScript&Version=2.2.16", "somebody", "nilo_wrong"):
            server.comes_in(tank, "water1/pub", "-u", user)
        server.comes_in(tank, "water1/pub", "-u", "somebody", "-P", "wrong")
        code, words = server.try_publish(tank, "water2/pub", version="mqttv5")
        assert code != 0 or "ot authorized" in words, "it is limited to its topics"
        server.wait_for_refusal("")
        # The server keeps it under its own name, whatever it called itself.
        rows = server.ask("GET", "/api/v1/tables/tank_levels/latest")[1]["rows"]
        assert len(rows) == 1, rows


@harness.case
def without_a_row_no_signature_lets_anybody_in():
    with TlsServer() as server:
        ours = os.path.join(server.data, "certs", "ca")
        factory = make_ca(os.path.join(server.folder, "factory"))
        for base, ca in (("stolen", ours), ("foreign", factory)):
            server.is_refused(sign(os.path.join(server.folder, base), ca, f"/CN={base}"))
        stranger = self_signed(os.path.join(server.folder, "self"), "/CN=tank-1")
        server.is_refused(stranger)
        server.is_refused(stranger, "-u", "tank-1", "-P", "wrong")
        server.is_cut(sign(os.path.join(server.folder, "old"), ours, "/CN=old", days="-1"))
        # A token counts all the same: the certificate then proves nothing, and hinders nothing.
        token = server.done("token", "new", "barn").strip()
        server.comes_in(stranger, "water1/pub", "-u", "barn", "-P", token)


@harness.case
def a_certificate_it_has_already_is_registered_or_allowed():
    with TlsServer() as server:
        old = self_signed(os.path.join(server.folder, "old-1"), "/CN=AWS IoT Certificate")
        server.is_refused(old)
        refusal = server.wait_for_refusal("nobody here knows the certificate")
        assert "CN=AWS IoT Certificate" in refusal["allow"], refusal
        status, _ = server.ask("POST", f"/api/v1/refused/{refusal['id']}/allow")
        assert status == 200
        server.comes_in(old)
        [row] = server.ask("GET", "/api/v1/certificates")[1]["certificates"]
        assert row["name"] == "c-old-1" and row["note"].startswith("allowed:"), row

        other = self_signed(os.path.join(server.folder, "old-2"), "/CN=AWS IoT Certificate")
        printed = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in",
                                  other + ".crt"], capture_output=True, text=True, check=True)
        server.done("cert", "register", printed.stdout.split("=")[1].strip(), "--name", "old-2",
                    "--inactive")
        server.is_cut(other)
        why = "the certificate of old-2 is inactive"
        harness.wait_until(
            lambda: [one for one in server.ask("GET", "/api/v1/refused")[1]["refused"]
                     if one["user"] == "old-2" and one["reason"] == why], "its line in Live")
        server.done("cert", "activate", "old-2")
        server.comes_in(other)


@harness.case
def revoking_cuts_who_is_connected():
    with TlsServer() as server:
        for name, verb in (("tank-1", "revoke"), ("tank-2", "deactivate")):
            files = server.device(name)
            listener = subprocess.Popen(
                ["stdbuf", "-oL", "mosquitto_sub", *server.login_flags(files), "-d", "-t", "x",
                 "-i", name],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            try:
                for line in listener.stdout:
                    if "Subscribed (" in line:
                        break
                server.done("cert", verb, name)
                # It would come again by itself, and be cut by the handshake each time.
                harness.wait_until(lambda: server.has_no_clients(), f"{name} gone", 5)
                told = [line for line in server.log_text().splitlines() if name in line]
                assert any("the certificate that it showed is not valid any more" in line
                           for line in told), told
            finally:
                listener.kill()
                listener.communicate()
            server.is_cut(files)
        server.done("cert", "activate", "tank-2")
        server.comes_in(os.path.join(server.folder, "tank-2"))


@harness.case
def a_factory_is_trusted_with_or_without_a_look():
    with TlsServer() as server:
        careful = make_ca(os.path.join(server.folder, "careful"), "Careful")
        quick = make_ca(os.path.join(server.folder, "quick"), "Quick")
        server.done("cert", "trust", careful + ".crt")
        server.done("cert", "trust", quick + ".crt", "--auto")
        waits = sign(os.path.join(server.folder, "w"), careful, "/CN=waits-1")
        server.is_refused_or_cut(waits)
        server.done("cert", "activate", "waits-1")
        server.comes_in(waits)
        server.comes_in(sign(os.path.join(server.folder, "q"), quick, "/CN=quick-1"))
        # Names that would be patterns elsewhere become names of ours, and give no rights.
        for number, name in enumerate(("\\+", "#", "a\\/b", "tank-1\\/#", "t\u00e4nk")):
            server.comes_in(sign(os.path.join(server.folder, f"p{number}"), quick, f"/CN={name}"))
        listed = server.ask("GET", "/api/v1/certificates")[1]["certificates"]
        names = [one["name"] for one in listed]
        assert sum(name.startswith("device-") for name in names) == 5, names
        assert "+" not in names and "#" not in names, names
        server.done("cert", "deactivate", "Quick")
        server.is_refused(sign(os.path.join(server.folder, "late"), quick, "/CN=late-1"))


@harness.case
def policies_hold_for_a_certificate_over_https_as_over_mqtt():
    stack = harness.make_folder("""
[listener.people]
address  = "127.0.0.1:0"
protocol = "http"
tls      = true
clients  = "optional"
[policy.tanks]
tokens  = ["tank-*"]
publish = "tanks/#"
""")
    with TlsServer(stack=stack) as server:
        files = server.device("tank-1")
        https = server.https_url.replace("127.0.0.1", "localhost")
        for topic, expected in (("tanks/1", "200"), ("barn/1", "403")):
            done = subprocess.run(
                ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", server.ca,
                 "--cert", files + ".crt", "--key", files + ".key", "--data-binary", "x",
                 f"{https}/topics/{topic}?qos=1"], capture_output=True, text=True,
                timeout=harness.CLIENT_TIMEOUT_S, check=False)
            assert done.stdout == expected, (topic, done.stdout, done.stderr)
            code, words = server.try_publish(files, topic, version="mqttv5")
            is_taken = code == 0 and not REFUSED.search(words)
            assert is_taken == (expected == "200"), (topic, code, words)


@harness.case
def handshakes_that_fail_are_counted_at_each_door():
    with TlsServer() as server:
        https_port = int(re.findall(r"HTTPS\s+\S+:(\d+)", server.log_text())[-1])
        for protocol, port, count in (("mqtt", server.tls_port, 1), ("http", https_port, 2)):
            for _ in range(count):
                with socket.create_connection(("127.0.0.1", port)) as stranger:
                    stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
                    while stranger.recv(1000):
                        pass
            counted = f'nilo_tls_handshakes_failed_total{{protocol="{protocol}"}} {count}\n'
            assert counted in server.metrics(), (counted, server.metrics())
        server.comes_in(server.device("tank-1"))
        refused = 'nilo_tls_handshakes_refused_total{protocol="%s"} 0\n'
        assert all(refused % protocol in server.metrics() for protocol in ("mqtt", "http"))


@harness.case
def clients_that_nobody_changed_come_in():
    node = ["node"]
    program = os.path.join(harness.make_folder(), "paho")
    subprocess.run(["g++", "-std=c++17", "-o", program, os.path.join(CLIENTS, "paho.cpp"),
                    "-lpaho-mqttpp3", "-lpaho-mqtt3as"], check=True, timeout=60)
    with TlsServer() as server:
        files = server.device("tank-1")
        three = [server.ca, files + ".crt", files + ".key"]
        door = ["127.0.0.1", str(server.tls_port)]
        address = f"ssl://127.0.0.1:{server.tls_port}"
        for name, command in (
                ("AWS SDK v1", [*node, f"{CLIENTS}/aws_v1.cjs", *door, *three, "water1/pub"]),
                ("AWS SDK v2", [*node, f"{CLIENTS}/aws_v2.cjs", *door, *three, "water1/pub"]),
                ("AWS SDK v2, 3.1.1",
                 [*node, f"{CLIENTS}/aws_v2.cjs", *door, *three, "water1/pub", "311"]),
                ("mqtt.js", [*node, f"{CLIENTS}/mqtt_js.cjs", *door, *three, "water1/pub", "4"]),
                ("mqtt.js, 5", [*node, f"{CLIENTS}/mqtt_js.cjs", *door, *three, "water1/pub", "5"]),
                ("Paho C++", [program, address, *three, "water1/pub", "4"]),
                ("Paho C++, 5", [program, address, *three, "water1/pub", "5"])):
            done = subprocess.run(command, capture_output=True, text=True, cwd=harness.ROOT,
                                  timeout=harness.CLIENT_TIMEOUT_S, check=False)
            assert done.returncode == 0, (name, done.stdout, done.stderr)
            assert done.stdout.startswith("water1/pub {"), (name, done.stdout)
        sent = subprocess.run(
            ["paho_c_pub", "-c", address, "--cafile", three[0], "--cert", three[1], "--key",
             three[2], "-q", "1", "-t", "water1/pub", "-m", '{"distance": 45}'],
            capture_output=True, text=True, timeout=harness.CLIENT_TIMEOUT_S, check=False)
        assert sent.returncode == 0, sent.stderr
        server.wait_for_distance(45)


harness.main()
