"""Closed until opened: who may come in, what each role may do, and what nobody may see."""

import json
import os
import stat

import harness
import raw_mqtt

ADMIN, VIEWER, DEVICE = "admin", "viewer", "device"
LOGIN_REFUSED_3 = (4, 5)  # bad user name or password, not authorized
LOGIN_REFUSED_5 = (0x86, 0x87)


class Closed(harness.Server):
    """A server without --open; token_of() makes a token for a role."""

    def __init__(self):
        super().__init__(flags=())

    @property
    def admin(self):
        with open(os.path.join(self.data, "admin.token"), encoding="ascii") as file:
            return file.read().strip()

    def ask(self, token, method, path, body=None):
        """(status, body) with `token`, or with none."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.request(method, path, body, headers)[:2]

    def nilo(self, *arguments, token=None, stdin=None):
        return harness.nilo(*arguments, "--http", self.url.removeprefix("http://"), stdin=stdin,
                            environment={"NILO_TOKEN": self.admin if token is None else token})

    def token_of(self, role):
        done = self.nilo("token", "new", f"a-{role}", "--role", role)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def connect(self, token=None, level=4):
        """(connection, return or reason code of the CONNACK)."""
        connection = raw_mqtt.Connection(self.mqtt_port)
        login = {"user": "token", "password": token} if token else {}
        return connection, connection.log_in(level=level, **login)


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@harness.case
def without_a_token_nobody_gets_in():
    with Closed() as server:
        for token in (None, "nilo_wrong", "wrong"):
            assert server.connect(token)[1] in LOGIN_REFUSED_3, token
            assert server.connect(token, level=5)[1] in LOGIN_REFUSED_5, token
        connection = raw_mqtt.Connection(server.mqtt_port)
        connection.send(raw_mqtt.publish_packet("water1/pub", '{"distance":1}', 1))
        assert connection.is_closed_by_server(), "CONNECT comes first"
        for method, path in [
                ("GET", "/prod/data?device_id=1"), ("GET", "/metrics"), ("GET", "/api/v1/tables"),
                ("GET", "/api/openapi.json"), ("GET", "/api/v1/tables/tank_levels/rows"),
                ("POST", "/api/v1/sql"), ("POST", "/api/v1/publish?topic=a"),
                ("GET", "/api/v1/tokens"), ("POST", "/api/v1/tokens"), ("GET", "/api/v1/rules")]:
            for token in (None, "nilo_wrong"):  # 10 guesses: fewer than make it 429
                status, body = server.ask(token, method, path, "{}" if method == "POST" else None)
                assert status == 401, (method, path, status, body)
                assert "error" in json.loads(body)


@harness.case
def whether_it_lives_may_be_asked_by_anybody():
    with Closed() as server:
        for path in ("/healthz", "/readyz", "/"):
            assert server.ask(None, "GET", path)[0] == 200, path


@harness.case
def each_role_may_do_its_work_and_no_more():
    with Closed() as server:
        tokens = {DEVICE: server.token_of(DEVICE), VIEWER: server.token_of(VIEWER),
                  ADMIN: server.admin}
        sql = '{"sql":"SELECT 1"}'
        new = '{"name":"x","role":"device"}'
        asked = [  # method, path, body, who may
            ("GET", "/api/v1/tables", None, (VIEWER, ADMIN)),
            ("GET", "/api/v1/tables/tank_levels/latest", None, (VIEWER, ADMIN)),
            ("GET", "/api/v1/rules", None, (VIEWER, ADMIN)),
            ("GET", "/metrics", None, (VIEWER, ADMIN)),
            ("POST", "/api/v1/sql", sql, (VIEWER, ADMIN)),
            ("POST", "/api/v1/publish?topic=a", "x", (DEVICE, ADMIN)),
            ("GET", "/api/v1/tokens", None, (ADMIN,)),
            ("POST", "/api/v1/tokens", new, (ADMIN,)),
            ("DELETE", "/api/v1/tokens/x", None, (ADMIN,))]
        for role, token in tokens.items():
            for method, path, body, allowed in asked:
                status, text = server.ask(token, method, path, body)
                assert (status < 300) if role in allowed else (status == 403), \
                    (role, method, path, status, text)


@harness.case
def on_mqtt_a_viewer_listens_and_a_device_is_kept_from_what_is_ours():
    with Closed() as server:
        topics = ("water1/pub", "$table/x", "$alert/x")  # to publish to
        filters = ("water1/pub", "$error/#", "$alert/#")  # to subscribe to
        may = {DEVICE: (True, False, False, True, False, False),
               VIEWER: (False, False, False, True, True, True),
               ADMIN: (True, False, False, True, True, True)}
        for role, expected in may.items():
            token = server.admin if role == ADMIN else server.token_of(role)
            connection, code = server.connect(token, level=5)
            assert code == 0
            found = []
            for topic in topics:
                connection.send(raw_mqtt.packet(0x32, raw_mqtt.text(topic) + b"\0\1\0" +
                                                b'{"distance":1}'))
                first, body = connection.read()
                assert first == 0x40, hex(first)
                found.append(len(body) < 3 or body[2] < 0x80)
            for topic_filter in filters:
                connection.send(raw_mqtt.packet(0x82, b"\0\2\0" + raw_mqtt.text(topic_filter) +
                                                b"\1"))
                first, body = connection.read()
                assert first == 0x90, hex(first)
                found.append(body[-1] < 0x80)
            assert tuple(found) == expected, (role, found)


@harness.case
def a_revoked_token_opens_no_door_also_after_a_restart():
    with Closed() as server:
        token = server.token_of(ADMIN)
        assert server.connect(token)[1] == 0
        assert server.ask(token, "GET", "/api/v1/tables")[0] == 200
        listed = server.nilo("token", "ls").stdout
        assert "a-admin" in listed and "revoked" not in listed, listed
        done = server.nilo("token", "revoke", "a-admin")
        assert done.returncode == 0, done.stderr
        assert "revoked" in server.nilo("token", "ls").stdout
        for _ in range(2):
            assert server.connect(token)[1] in LOGIN_REFUSED_3
            assert server.ask(token, "GET", "/api/v1/tables")[0] == 401
            server.kill()
            server.start()
        assert server.nilo("token", "revoke", "nobody").returncode == 6
        assert server.nilo("token", "ls", token="nilo_wrong").returncode == 5


@harness.case
def a_token_outlives_a_crash_and_its_name_is_taken():
    with Closed() as server:
        token = server.token_of(DEVICE)
        server.kill()
        server.start()
        assert server.connect(token)[1] == 0
        assert server.nilo("token", "new", "a-device").returncode == 7
        assert server.nilo("token", "new", "bad/name").returncode == 1
        assert server.nilo("token", "new", "x", "--role", "root").returncode == 1


@harness.case
def what_lies_on_disk_is_its_owners_alone():
    with Closed() as server:
        assert mode_of(server.data) == 0o700, oct(mode_of(server.data))
        assert mode_of(os.path.join(server.data, "admin.token")) == 0o600
        for folder, _, files in os.walk(server.data):
            for name in files:
                path = os.path.join(folder, name)
                assert mode_of(path) & 0o077 == 0, (path, oct(mode_of(path)))


@harness.case
def no_secret_is_written_or_told():
    with Closed() as server:
        viewer = server.token_of(VIEWER)
        made = server.nilo("token", "new", "esp32", "--password-file", "-", stdin="hunter2hunter2\n")
        assert made.returncode == 0, made.stderr
        server.connect("nilo_guess-that-failed")
        server.ask("nilo_guess-that-failed", "GET", "/api/v1/tables")
        told = [made.stdout, made.stderr]
        for token in (viewer, server.admin):
            told += [server.ask(token, "GET", path)[1] for path in (
                "/metrics", "/api/v1/tables", "/api/v1/tables/sys_tokens",
                "/api/v1/tables/sys_tokens/rows", "/api/v1/tables/sys_tokens/latest",
                "/api/v1/tables/sys_errors/rows", "/api/v1/tokens", "/api/openapi.json")]
            for statement in ("SELECT * FROM sys_tokens", "SELECT * FROM latest('sys_tokens')",
                              "SELECT * FROM sys_errors"):
                told.append(server.ask(token, "POST", "/api/v1/sql",
                                       json.dumps({"sql": statement}))[1])
        listener = server.subscribe("#", "-t", "$table/#", "-t", "$error/#", "-u", "x", "-P",
                                    server.admin, count=1)
        assert server.nilo("token", "new", "another").returncode == 0
        server.publish("water1/pub", '{"distance":5}', "-u", "x", "-P", server.admin)
        told += listener.lines()
        server.stop()
        told.append(server.log_text())
        stored = b""
        for folder, _, files in os.walk(server.data):
            for name in files:
                if name != "admin.token":
                    with open(os.path.join(folder, name), "rb") as file:
                        stored += file.read()
        for secret in (viewer, server.admin, "hunter2hunter2", "guess-that-failed"):
            assert secret.encode() not in stored, "secrets are stored as hashes"
            for text in told:
                assert secret not in text, text
        for text in told:
            assert "$argon2" not in text and '"hash"' not in text, text


@harness.case
def who_guesses_too_often_has_to_wait():
    with Closed() as server:
        statuses = [server.ask(f"nilo_{number}", "GET", "/api/v1/tables")[0]
                    for number in range(30)]
        assert statuses[0] == 401 and statuses[-1] == 429, statuses
        assert server.ask(None, "GET", "/healthz")[0] == 200


@harness.case
def open_serves_this_machine_only():
    for address in ("0.0.0.0:0", ":0", "192.0.2.1:0"):
        for door in ("--mqtt", "--http"):
            other = "--http" if door == "--mqtt" else "--mqtt"
            done = harness.nilo("serve", harness.WATER_TANKS, "--open", door, address, other,
                                "127.0.0.1:0", "--data", "/nonexistent/never-made")
            assert done.returncode == 1, (door, address, done)
            assert "--open lets in whoever reaches" in done.stderr, done.stderr


@harness.case
def an_open_server_does_not_answer_pages_of_other_names():
    with harness.Server() as server:  # a web page that made its name point here (DNS rebinding)
        assert server.request("GET", "/api/v1/tables", headers={"Host": "evil.example"})[0] == 403
        assert server.request("POST", "/api/v1/publish?topic=a", "x",
                              {"Origin": "http://evil.example"})[0] == 403


harness.main()
