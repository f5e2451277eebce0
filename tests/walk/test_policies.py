"""What policies let devices do: with real clients, and what a person may allow by hand."""

import base64
import json
import os
import struct
import subprocess

import harness
import raw_mqtt

NOT_AUTHORIZED = 0x87
STACK = """
[things]
"tank-1" = { type = "tank", number = 1 }
"tank-2" = { type = "tank", number = 2 }
[policy.tanks]
types     = ["tank"]
publish   = ["water${thing.number}/pub", "${thing}/#"]
subscribe = ["${thing}/#"]
[policy.fleet]
tokens = ["pump-*"]
aws    = "policies/fleet.json"
"""
FLEET = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iot:Connect",
     "Resource": "arn:aws:iot:eu-central-1:123456789012:client/${iot:ClientId}"},
    {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"],
     "Resource": "arn:aws:iot:eu-central-1:123456789012:topic/fleet/*"},
    {"Effect": "Allow", "Action": "iot:Subscribe",
     "Resource": "arn:aws:iot:eu-central-1:123456789012:topicfilter/*"},
    {"Effect": "Deny", "Action": ["iot:Publish", "iot:Receive"],
     "Resource": "arn:aws:iot:eu-central-1:123456789012:topic/fleet/secret"}]}


class House(harness.Server):
    """Closed, with policies; token_of() makes a token for a device."""

    def __init__(self, stack=STACK):
        self.folder = harness.make_folder(stack)
        os.mkdir(os.path.join(self.folder, "policies"))
        with open(os.path.join(self.folder, "policies", "fleet.json"), "w",
                  encoding="utf-8") as file:
            json.dump(FLEET, file)
        super().__init__(stack=self.folder, flags=())

    def serve(self, stack):
        with open(os.path.join(self.folder, "nilo.toml"), "w", encoding="utf-8") as file:
            file.write(stack)

    @property
    def admin(self):
        with open(os.path.join(self.data, "admin.token"), encoding="ascii") as file:
            return file.read().strip()

    def token_of(self, name):
        done = self.nilo("token", "new", name)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def ask(self, method, path):
        status, body, _ = self.request(method, "/api/v1" + path,
                                       headers={"Authorization": f"Bearer {self.admin}"})
        return status, json.loads(body) if body else None

    def allow(self, topic):
        """As a person does on the Live page."""
        status, done = self.ask("POST", f"/refused/{self.refusal(topic)['id']}/allow")
        assert status == 200, done

    def nilo(self, *arguments):
        return harness.nilo(*arguments, "--http", self.url.removeprefix("http://"),
                            environment={"NILO_TOKEN": self.admin})

    def as_device(self, token):
        """Flags of mosquitto's clients."""
        return "-u", "device", "-P", token

    def as_admin(self):
        return "-u", "admin", "-P", self.admin

    def try_to_publish(self, topic, token, *flags):
        """(exit code, stderr) of mosquitto_pub, 5.0."""
        done = subprocess.run(
            ["mosquitto_pub", *self.client_flags(), "-V", "5", "-q", "1", "-t", topic, "-m", "x",
             *self.as_device(token), *flags], capture_output=True, text=True, check=False,
            timeout=harness.CLIENT_TIMEOUT_S)
        return done.returncode, done.stderr + done.stdout

    def refusal(self, topic):
        refused = self.ask("GET", "/refused")[1]["refused"]
        return next((one for one in refused if one["topic"] == topic), None)


class Device:
    """MQTT 5.0 in bytes; the reason codes of what comes back."""

    def __init__(self, server, token, client_id, clean=True):
        self.connection = raw_mqtt.Connection(server.mqtt_port)
        self.code = self.connection.log_in(client_id=client_id, clean=clean, user="x",
                                           password=token, level=5)

    def publish(self, topic, retain=False):
        self.connection.send(raw_mqtt.packet(
            0x33 if retain else 0x32, raw_mqtt.text(topic) + struct.pack(">H", 7) + b"\0x"))
        first, body = self.connection.read()
        assert first == 0x40, (first, body)
        return body[2] if len(body) > 2 else 0

    def subscribe(self, topic_filter):
        self.connection.send(raw_mqtt.packet(
            0x82, struct.pack(">H", 9) + b"\0" + raw_mqtt.text(topic_filter) + b"\1"))
        first, body = self.connection.read()
        while first & 0xf0 == 0x30:  # what was retained, of what was asked for before
            first, body = self.connection.read()
        assert first == 0x90, (first, body)
        return body[-1]


@harness.case
def a_thing_uses_its_own_topics_and_no_others():
    with House() as server:
        token = server.token_of("tank-1")
        listener = server.subscribe("#", *server.as_admin(), count=2)
        server.publish("water1/pub", "40", *server.as_device(token))
        server.publish("tank-1/state", "on", *server.as_device(token), "-V", "mqttv5")
        assert listener.lines() == ["water1/pub 40", "tank-1/state on"]
        tank = Device(server, token, "any")
        assert tank.publish("water2/pub") == NOT_AUTHORIZED
        assert tank.publish("tank-2/state") == NOT_AUTHORIZED
        assert tank.publish("tank-1/kept", retain=True) in (0, 0x10)
        assert tank.subscribe("tank-1/+") == 1
        for topic_filter in ("#", "+/state", "tank-2/#", "$aws/events/#", "$error/#"):
            assert tank.subscribe(topic_filter) == NOT_AUTHORIZED, topic_filter
        assert server.try_to_publish("water2/pub", token)[1].count("ot authorized") == 1
        metrics = server.request("GET", "/metrics",
                                 headers={"Authorization": f"Bearer {server.admin}"})[1]
        assert 'nilo_refused_total{what="publish",reason="not authorized"} 3' in metrics, metrics


@harness.case
def every_id_of_a_thing_can_be_a_login_so_no_thing_escapes_its_policies():
    longest = "a:" + 126 * "b"
    stack = STACK + f'[things."well:1"]\ntype = "tank"\n[things."{longest}"]\ntype = "tank"\n'
    with House(stack) as server:
        for thing in ("well:1", longest):
            well = Device(server, server.token_of(thing), thing)
            assert well.publish(f"{thing}/state") in (0, 0x10)
            assert well.publish("anything/else") == NOT_AUTHORIZED


@harness.case
def a_will_needs_after_a_restart_what_its_login_may_then():
    with House() as server:
        token = server.token_of("tank-1")
        for topic in ("tank-1/gone", "tank-1/cmd/gone"):
            server.subscribe("tank-1/#", "-i", topic, *server.as_device(token),
                             "--will-topic", topic, "--will-payload", "x")
        server.kill()
        server.serve(STACK.replace('"${thing}/#"]\nsub', '"${thing}/cmd/#"]\nsub'))
        server.start()
        listener = server.subscribe("tank-1/#", *server.as_admin())
        assert listener.lines() == ["tank-1/cmd/gone x"]
        harness.wait_until(lambda: server.refusal("tank-1/gone"), "the other to be refused")


@harness.case
def a_policy_of_aws_is_read_as_it_is():
    with House() as server:
        pump = Device(server, server.token_of("pump-1"), "pump-1")
        assert pump.code == 0
        assert pump.publish("fleet/a/b") in (0, 0x10)
        assert pump.publish("elsewhere") == NOT_AUTHORIZED
        assert pump.publish("fleet/secret") == NOT_AUTHORIZED
        assert pump.publish("fleet/a", retain=True) == NOT_AUTHORIZED, "iot:RetainPublish"
        assert pump.subscribe("#") == 1, "topicfilter/* allows every filter"
        server.publish("fleet/secret", "x", *server.as_admin())
        server.publish("elsewhere", "x", *server.as_admin())
        server.publish("fleet/heard", "x", *server.as_admin())
        first, body = pump.connection.read()
        assert first >> 4 == 3 and b"fleet/heard" in body, "iot:Receive lets only these through"


@harness.case
def a_client_id_is_no_pattern():
    stack = '[policy.own]\npublish = ["${client_id}/#"]\nsubscribe = ["${client_id}/#"]\n' + \
        '[policy.fleet]\ntokens = ["nobody"]\naws = "policies/fleet.json"\n'
    with House(stack) as server:
        token = server.token_of("barn")
        for client_id, topic in (("+", "+/a"), ("#", "#"), ("a/b", "a/b/c"), ("$aws", "$aws/#")):
            device = Device(server, token, client_id)
            assert device.subscribe(topic) in (NOT_AUTHORIZED, 0x8f), client_id
            assert device.subscribe("#") == NOT_AUTHORIZED, client_id
            assert device.publish("a/b/c") == NOT_AUTHORIZED, client_id
            device.connection.close()
        plain = Device(server, token, "a")
        assert plain.publish("a/b/c") in (0, 0x10) and plain.subscribe("a/#") == 1


@harness.case
def a_will_that_is_not_allowed_is_refused_when_it_is_made():
    with House() as server:
        token = server.token_of("tank-1")
        for topic, codes in (("tank-1/gone", (0,)), ("tank-2/gone", (1, NOT_AUTHORIZED, 5))):
            code, said = server.try_to_publish("tank-1/a", token, "--will-topic", topic,
                                               "--will-payload", "x")
            assert code in codes, (topic, code, said)
        assert server.refusal("tank-2/gone")["reason"].startswith("its will: no policy allows"), "told"


@harness.case
def what_was_refused_can_be_allowed_but_not_what_is_denied():
    with House() as server:
        token = server.token_of("pump-1")
        pump = Device(server, token, "pump-1")
        assert pump.publish("barn/level") == NOT_AUTHORIZED
        assert pump.publish("fleet/secret") == NOT_AUTHORIZED
        assert "statement 4 of policy fleet denies" in server.refusal("fleet/secret")["reason"]
        assert not server.refusal("fleet/secret").get("allow"), "a Deny is stronger"
        refused = server.refusal("barn/level")
        assert "publish to barn/level" in refused["allow"], refused
        server.allow("barn/level")
        assert pump.publish("barn/level") in (0, 0x10), "at once, on the same connection"
        assert pump.publish("barn/other") == NOT_AUTHORIZED, "and nothing else"
        server.stop()
        server.start()
        pump = Device(server, token, "pump-1")
        assert pump.publish("barn/level") in (0, 0x10)
        assert server.ask("DELETE", "/tokens/pump-1")[0] == 204
        first, body = pump.connection.read()
        assert first == 0xe0 and b"the token or password that it logged in with" in body, body
        pump = Device(server, server.token_of("pump-1"), "pump-1")
        assert pump.publish("barn/level") == NOT_AUTHORIZED, "another token of the same name"


@harness.case
def what_was_refused_over_http_can_be_allowed_too():
    with House() as server:
        token = server.token_of("tank-1")

        def post(topic):
            return server.request("POST", f"/topics/{topic}?qos=1", "x",
                                  {"Authorization": f"Bearer {token}"})[0]
        assert post("tank-1/state") == 200
        assert post("barn/level") == 403
        harness.wait_until(lambda: server.refusal("barn/level"), "its line in Live")
        assert "no policy allows tank-1" in server.refusal("barn/level")["reason"]
        server.allow("barn/level")
        assert post("barn/level") == 200


@harness.case
def whom_no_policy_is_for_gets_in_and_may_nothing_until_a_person_allows_it():
    with House() as server:
        token = server.token_of("well:1")
        basic = base64.b64encode(f"well:1:{token}".encode()).decode()

        def post(topic):
            return server.request("POST", f"/topics/{topic}", "x",
                                  {"Authorization": f"Basic {basic}"})[0]
        well = Device(server, token, "well:1")
        assert well.publish("well/level") == NOT_AUTHORIZED
        assert post("well/level") == 403
        harness.wait_until(lambda: server.refusal("well/level"), "its line in Live")
        assert "none is for well:1" in server.refusal("well/level")["reason"]
        server.allow("well/level")
        assert well.publish("well/level") in (0, 0x10)
        assert post("well/level") == 200
        assert post("well/other") == 403
        server.stop()
        server.start()
        assert "event=policies.left_out devices=1 names=well:1" in server.log_text()


@harness.case
def a_will_that_no_policy_allows_can_be_allowed():
    with House() as server:
        token = server.token_of("well:1")

        def publish():
            return server.try_to_publish("well/state", token, "--will-topic", "well/state",
                                         "--will-payload", "gone")[0]
        assert publish() != 0
        harness.wait_until(lambda: server.refusal("well/state"), "its line in Live")
        assert server.refusal("well/state")["reason"].startswith("its will: ")
        server.allow("well/state")
        assert publish() == 0


@harness.case
def what_was_allowed_by_hand_is_listed_and_taken_back():
    with House() as server:
        token = server.token_of("tank-1")
        tank = Device(server, token, "tank-1")
        assert tank.publish("barn/level") == NOT_AUTHORIZED
        assert tank.subscribe("barn/#") == NOT_AUTHORIZED
        server.allow("barn/level")
        server.allow("barn/#")
        assert tank.publish("barn/level") in (0, 0x10)
        assert tank.subscribe("barn/#") == 1
        assert tank.subscribe("tank-1/#") == 1
        listed = server.nilo("access", "ls").stdout.splitlines()
        assert [line.split()[:3] for line in listed] == \
            [["tank-1", "publish", "barn/level"], ["tank-1", "subscribe", "barn/#"]], listed
        asked = server.nilo("sql", "SELECT * FROM sys_grants")
        assert asked.returncode != 0 and "sys_grants" in asked.stderr, "nobody, as of tokens"
        taken = server.nilo("access", "revoke", "tank-1", "subscribe", "barn/#")
        assert taken.returncode == 0, taken.stderr
        harness.wait_until(lambda: "ended" in (server.refusal("barn/#") or {}).get("reason", ""),
                           "the subscription to end")
        server.publish("barn/level", "x", *server.as_admin())
        server.publish("tank-1/cmd", "x", *server.as_admin())
        first, body = tank.connection.read()
        assert first >> 4 == 3 and b"tank-1/cmd" in body, "not what is not allowed any more"
        assert server.nilo("access", "revoke", "tank-1", "publish", "barn/level").returncode == 0
        again = server.nilo("access", "revoke", "tank-1", "publish", "barn/level")
        assert again.returncode == 6 and "was not allowed by hand" in again.stderr, again
        tank = Device(server, token, "tank-1")
        assert tank.publish("barn/level") == NOT_AUTHORIZED
        server.stop()
        server.start()
        assert server.nilo("access", "ls").stdout == ""
        tank = Device(server, token, "tank-1")
        assert tank.publish("barn/level") == NOT_AUTHORIZED
        assert tank.subscribe("barn/#") == NOT_AUTHORIZED


@harness.case
def a_subscription_that_is_not_allowed_any_more_brings_nothing():
    with House() as server:
        token = server.token_of("tank-1")
        flags = ("-i", "kept", "-c", *server.as_device(token))
        server.subscribe("tank-1/#", *flags).kill()
        server.publish("tank-1/old", "x", *server.as_admin())
        server.stop()
        server.serve(STACK.replace('subscribe = ["${thing}/#"]', 'subscribe = ["${thing}/cmd"]'))
        server.start()
        server.publish("tank-1/new", "x", *server.as_admin())
        listener = server.subscribe("tank-1/cmd", *flags)
        server.publish("tank-1/cmd", "x", *server.as_admin())
        assert listener.lines() == ["tank-1/cmd x"], "neither what waited nor what is new"


# What a certificate says: who it is for, and who issued it.
BY_CERTIFICATE = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"},
    {"Effect": "Allow", "Action": "iot:Publish", "Resource": [
        "arn:aws:iot:eu-central-1:123456789012:topic/" + topic for topic in (
            "${iot:Certificate.Subject.Country}/${iot:Certificate.Subject.Organization}/a",
            "${iot:Certificate.Subject.OrganizationalUnit.1}/b",
            "${iot:Certificate.Subject.AlternativeName.DNSName}/c",
            "${iot:Certificate.Subject.AlternativeName.IPAddress}/d",
            "${iot:Certificate.SerialNumber}/e",
            "${iot:Certificate.Subject.Title}/f")]},
    {"Effect": "Allow", "Action": "iot:Publish",
     "Resource": "arn:aws:iot:eu-central-1:123456789012:topic/*/issued",
     "Condition": {"StringEquals": {"iot:Certificate.Issuer.CommonName": "pump, old"}}}]}


@harness.case
def a_policy_sees_what_the_certificate_of_a_device_says():
    stack = '[policy.fleet]\ntokens = ["pump-*"]\naws = "policies/fleet.json"\n'
    server = House(stack)
    server.flags += ["--mqtts", "127.0.0.1:0"]
    with open(os.path.join(server.folder, "policies", "fleet.json"), "w",
              encoding="utf-8") as file:
        json.dump(BY_CERTIFICATE, file)
    made = harness.nilo("cert", "server", "--data", server.data)
    assert made.returncode == 0, made.stderr
    device = os.path.join(server.folder, "pump")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-set_serial", "0x1a2b",
                    "-subj", "/C=IT/O=Water/OU=a/OU=b/CN=pump, old", "-keyout", device + ".key",
                    "-out", device + ".crt", "-addext", "basicConstraints=critical,CA:FALSE",
                    "-addext", "subjectAltName=DNS:pump.example.org,IP:192.0.2.7"],
                   capture_output=True, check=True, timeout=harness.CLIENT_TIMEOUT_S)
    with server:
        done = harness.nilo("cert", "register", device + ".crt", "--name", "pump-9", "--http",
                            server.url.removeprefix("http://"),
                            environment={"NILO_TOKEN": server.admin})
        assert done.returncode == 0, done.stderr
        ca = os.path.join(server.data, "certs", "ca.crt")

        def said(topic):
            done = subprocess.run(
                ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(server.mqtts_port), "--cafile", ca,
                 "--cert", device + ".crt", "--key", device + ".key", "-i", "pump", "-V", "5",
                 "-q", "1", "-t", topic, "-m", "x"], capture_output=True, text=True, check=False,
                timeout=harness.CLIENT_TIMEOUT_S)
            assert done.returncode == 0, done.stderr
            return done.stderr

        for topic in ("IT/Water/a", "b/b", "pump.example.org/c", "192.0.2.7/d", "1a2b/e",
                      "x/issued"):
            assert "ot authorized" not in said(topic), topic
        for topic in ("IT/Other/a", "a/b", "/f", "192.0.2.8/d", "1a2c/e"):
            assert "ot authorized" in said(topic), topic

        # What it was allowed by hand stays with its name, but not for the next one who has it.
        server.allow("IT/Other/a")
        assert "ot authorized" not in said("IT/Other/a")
        assert server.nilo("cert", "revoke", "pump-9").returncode == 0
        allowed = server.nilo("access", "ls").stdout.split()
        assert allowed[:3] == ["pump-9", "publish", "IT/Other/a"], allowed
        pump = Device(server, server.token_of("pump-9"), "pump")
        assert server.nilo("access", "ls").stdout == ""
        assert pump.publish("IT/Other/a") == NOT_AUTHORIZED


harness.main()
