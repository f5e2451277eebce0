"""Certificates: this house's CA, the server's own, those of devices; made, registered, revoked."""

import glob
import json
import os
import stat
import subprocess

import harness


class Closed(harness.Server):
    """A server without --open, and commands of its owner."""

    def __init__(self):
        super().__init__(flags=())

    def nilo(self, *arguments):
        with open(os.path.join(self.data, "admin.token"), encoding="ascii") as file:
            token = file.read().strip()
        return harness.nilo(*arguments, "--http", self.url.removeprefix("http://"),
                            environment={"NILO_TOKEN": token})

    def done(self, *arguments):
        """What it prints; it must succeed."""
        ended = self.nilo(*arguments)
        assert ended.returncode == 0, (arguments, ended.stderr)
        return ended.stdout

    def certificates(self):
        return json.loads(self.done("cert", "ls", "--json"))["certificates"]


def openssl(*arguments, stdin=None):
    done = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, text=True,
                          timeout=30, check=False)
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done.stdout


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def fingerprint_of(path):
    return openssl("x509", "-noout", "-fingerprint", "-sha256", "-in", path).split("=")[1].strip()


def foreign_ca(folder, name="Factory"):
    """(certificate, key) files of a CA that is not ours."""
    certificate, key = os.path.join(folder, "f-ca.crt"), os.path.join(folder, "f-ca.key")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "30", "-subj", f"/CN={name}", "-keyout", key, "-out", certificate)
    return certificate, key


@harness.case
def ca_and_server_certificate_need_no_running_server():
    data = os.path.join(harness.make_folder(), "data")
    first = harness.nilo("cert", "ca", "--data", data)
    assert first.returncode == 0, first.stderr
    ca = first.stdout.strip()
    assert ca == f"{data}/certs/ca.crt"
    assert mode_of(f"{data}/certs/ca.key") == 0o600 and mode_of(f"{data}/certs") == 0o700
    text = openssl("x509", "-noout", "-text", "-in", ca)
    assert "CA:TRUE, pathlen:0" in text and "prime256v1" in text, text
    again = json.loads(harness.nilo("cert", "ca", "--data", data, "--json").stdout)
    assert again["fingerprint"].upper() == fingerprint_of(ca).replace(":", ""), "it is the same CA"

    def server(*flags):
        made = harness.nilo("cert", "server", "--data", data, "--json", *flags)
        assert made.returncode == 0, made.stderr
        return json.loads(made.stdout)

    one = server("--san", "iot.example.org", "--san", "203.0.113.7")
    assert {"iot.example.org", "203.0.113.7", "localhost", "127.0.0.1"} <= set(one["names"])
    openssl("verify", "-purpose", "sslserver", "-verify_hostname", "iot.example.org", "-CAfile",
            ca, one["file"])
    key = read(f"{data}/certs/server.key")
    assert mode_of(f"{data}/certs/server.key") == 0o600
    two = server()
    assert two["fingerprint"] != one["fingerprint"], "it was renewed"
    assert "iot.example.org" in two["names"], "and keeps its names"
    assert read(f"{data}/certs/server.key") == key, "for the same key"
    assert not glob.glob(f"{data}/certs/*.new")
    refused = harness.nilo("cert", "server", "--data", data, "--san", "a,IP:1.2.3.4")
    assert refused.returncode == 1 and "neither a host name" in refused.stderr, refused.stderr
    os.rename(f"{data}/certs/ca.key", f"{data}/elsewhere")
    refused = harness.nilo("cert", "server", "--data", data)
    assert refused.returncode != 0 and "ca.key" in refused.stderr, refused.stderr
    assert read(ca), "and the CA is as it was"


@harness.case
def a_device_gets_its_key_once_and_the_server_keeps_none():
    with Closed() as server:
        out = harness.make_folder()
        printed = server.done("cert", "device", "tank-1", "--out", out, "--topics", "water1/#")
        assert printed.splitlines() == [f"{out}/tank-1.crt", f"{out}/tank-1.key", f"{out}/ca.crt"]
        assert mode_of(f"{out}/tank-1.key") == 0o600
        openssl("verify", "-purpose", "sslclient", "-CAfile", f"{out}/ca.crt", f"{out}/tank-1.crt")
        [row] = server.certificates()
        assert row["name"] == "tank-1" and row["state"] == "active", row
        assert row["topics"] == ["water1/#"] and row["note"] == "issued here"
        assert row["fingerprint"].upper() == fingerprint_of(f"{out}/tank-1.crt").replace(":", "")
        assert server.get("/api/v1/ca")[1] == read(f"{out}/ca.crt"), "the CA is no secret"
        lost = server.nilo("cert", "device", "tank-9", "--out", out + "/not-there")
        assert lost.returncode == 6 and "there is no folder" in lost.stderr, lost
        assert "tank-9" not in server.done("cert", "ls"), "none is issued that nobody could keep"
        again = server.nilo("cert", "device", "tank-1", "--out", out)
        assert again.returncode == 7 and len(server.certificates()) == 1, again.stderr
        secret = read(f"{out}/tank-1.key").splitlines()[1].encode()
        for folder, _, names in os.walk(server.data):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    assert secret not in file.read(), name
        assert secret.decode() not in server.log_text()


@harness.case
def a_device_with_a_key_of_its_own_shows_a_request():
    with Closed() as server:
        out = harness.make_folder()
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=somebody else/O=x", "-keyout", f"{out}/own.key", "-out",
                f"{out}/own.csr")
        server.done("cert", "device", "well", "--request", f"{out}/own.csr", "--out", out)
        assert not os.path.exists(f"{out}/well.key")
        subject = openssl("x509", "-noout", "-subject", "-in", f"{out}/well.crt")
        assert subject.strip() == "subject=CN = well", "the name is ours to give"
        assert openssl("x509", "-noout", "-pubkey", "-in", f"{out}/well.crt") == openssl(
            "pkey", "-pubout", "-in", f"{out}/own.key")


@harness.case
def certificates_of_others_are_registered_and_taken_back():
    with Closed() as server:
        folder = harness.make_folder()
        ca, _ = foreign_ca(folder)
        for wrong in (("cert", "register", ca), ("cert", "register", f"{folder}/none.crt"),
                      ("cert", "register", "12:34"),
                      ("cert", "register", f"{folder}/f-ca.key", "--name", "x")):
            refused = server.nilo(*wrong)
            assert refused.returncode in (1, 6), (wrong, refused.returncode, refused.stderr)
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "30", "-subj", "/CN=AWS IoT Certificate", "-keyout", f"{folder}/d.key",
                "-out", f"{folder}/d.crt", "-addext", "basicConstraints=critical,CA:FALSE")
        refused = server.nilo("cert", "register", f"{folder}/d.crt")
        assert "is not a name for a device" in refused.stderr, "that common name is none"
        server.done("cert", "register", f"{folder}/d.crt", "--name", "old-1", "--inactive")
        twice = server.nilo("cert", "register", fingerprint_of(f"{folder}/d.crt"), "--name", "b")
        assert twice.returncode == 7 and "known already: old-1, inactive" in twice.stderr
        fingerprint = "AB:" * 31 + "AB"
        server.done("cert", "register", fingerprint, "--name", "old-2")
        server.done("cert", "trust", ca, "--auto")
        states = {one["name"]: (one["kind"], one["state"]) for one in server.certificates()}
        assert states == {"old-1": ("device", "inactive"), "old-2": ("device", "active"),
                          "Factory": ("ca", "active")}, states

        server.done("cert", "activate", "old-1")
        server.done("cert", "deactivate", "abababab")
        active = server.nilo("cert", "rm", "old-1")
        assert active.returncode == 7, "first it is deactivated"
        server.done("cert", "revoke", "old-1")
        back = server.nilo("cert", "activate", fingerprint_of(f"{folder}/d.crt").replace(
            ":", "").lower())
        assert back.returncode == 7 and "revoked" in back.stderr, back.stderr
        server.done("cert", "rm", "abababab")
        assert server.nilo("cert", "revoke", "nobody").returncode == 6
        listed = server.done("cert", "ls")
        assert "old-1" in listed and "revoked" in listed and "old-2" not in listed, listed
        server.stop()
        server.start()
        assert {one["name"] for one in server.certificates()} == {"old-1", "Factory"}


@harness.case
def certificates_are_for_admins():
    with Closed() as server:
        server.done("cert", "device", "tank-1", "--out", harness.make_folder())
        for role in ("viewer", "device"):
            token = server.done("token", "new", f"a-{role}", "--role", role).strip()
            headers = {"Authorization": f"Bearer {token}"}
            for method, path in (("GET", ""), ("POST", ""), ("POST", "/register"),
                                 ("POST", "/tank-1"), ("DELETE", "/tank-1")):
                body = "{}" if method == "POST" else None
                status, _, _ = server.request(method, "/api/v1/certificates" + path, body, headers)
                assert status == 403, (role, method, path, status)
        assert server.get("/api/v1/certificates")[0] == 401
        for mistake in ('{"name":"a/b"}', '{"name":"+"}', '{"name":""}', '{"name":"x","key":"y"}',
                        '{"name":"x","topics":["a/#/b"]}', '{"name":"x","request":"y"}',
                        '{"name":"x","valid_days":0}', '{"name":"local-admin"}'):
            token = read(f"{server.data}/admin.token").strip()
            status, body, _ = server.request("POST", "/api/v1/certificates", mistake,
                                             {"Authorization": f"Bearer {token}"})
            assert status in (400, 409), (mistake, status, body)
        assert len(server.certificates()) == 1, "nothing was changed"


harness.main()
