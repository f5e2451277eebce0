"""From the printed code to the last session: setup, logins, users, sessions, tokens with a scope."""

import http.cookies
import json
import os
import re

import harness
import raw_mqtt

PASSWORD = "correct horse battery"
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY", "Cross-Origin-Resource-Policy": "same-origin"}


class House(harness.Server):
    """A server nobody has set up yet; ask() as a browser or a script would."""

    def __init__(self):
        super().__init__(flags=())

    @property
    def admin(self):
        with open(os.path.join(self.data, "admin.token"), encoding="ascii") as file:
            return file.read().strip()

    def ask(self, method, path, body=None, cookie=None, token=None, **headers):
        """(status, document, headers). A cookie comes with our Origin, unless said otherwise."""
        sent = {"Content-Type": "application/json", **headers}
        if cookie:
            sent = {"Cookie": f"nilo_session={cookie}", "Origin": self.url, **sent}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        sent = {name: value for name, value in sent.items() if value is not None}
        status, text, answer = self.request(
            method, "/api/v1" + path, None if body is None else json.dumps(body), sent)
        return status, json.loads(text) if text else None, answer

    def set_up(self):
        """The first user; the session's secret."""
        status, document, headers = self.ask(
            "POST", "/setup", {"code": self.setup_code, "name": "ana", "password": PASSWORD})
        assert status == 200, (status, document)
        return secret_in(headers)

    def log_in(self, name, password=PASSWORD):
        status, document, headers = self.ask("POST", "/login",
                                             {"name": name, "password": password})
        assert status == 200, (status, document)
        return secret_in(headers)

    def nilo(self, *arguments, stdin=None):
        return harness.nilo(*arguments, "--http", self.url.removeprefix("http://"), stdin=stdin,
                            environment={"NILO_TOKEN": self.admin})

    def connect(self, token, client="c1", user="x"):
        connection = raw_mqtt.Connection(self.mqtt_port)
        return connection, connection.log_in(client_id=client, level=5, user=user, password=token)


def secret_in(headers):
    cookies = http.cookies.SimpleCookie(headers["Set-Cookie"])
    return cookies["nilo_session"].value


@harness.case
def the_first_minute_needs_the_code_that_was_printed():
    with House() as server:
        assert re.fullmatch(r"[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}", server.setup_code)
        assert "0.0.0.0" not in server.log_text()
        status, session, _ = server.ask("GET", "/session")
        assert status == 200 and not session["claimed"] and session["user"] is None, session
        status, document, headers = server.ask(
            "POST", "/setup", {"code": server.setup_code.lower(), "name": "ana",
                               "password": PASSWORD})
        assert status == 200 and document["claimed"], document
        assert document["user"] == {"name": "ana", "role": "admin"}, document
        cookie = headers["Set-Cookie"]
        for part in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"):
            assert part in cookie, cookie
        assert "Secure" not in cookie, "plain http"
        secret = secret_in(headers)
        assert len(secret) == 43 and secret not in json.dumps(document)
        again = server.ask("POST", "/setup", {"code": server.setup_code, "name": "eve",
                                              "password": PASSWORD})
        assert again[0] == 409, again
        server.kill()  # what was answered is on disk
        server.start()
        assert server.setup_code == "" or "Setup code" not in server.log_text().split("ready")[-2]
        assert server.ask("GET", "/session", cookie=secret)[1]["user"]["name"] == "ana"
        assert server.ask("GET", "/users", cookie=secret)[0] == 200


@harness.case
def a_hundred_wrong_codes_let_nobody_in():
    with House() as server:
        statuses = []
        for number in range(100):
            status, document, headers = server.ask(
                "POST", "/setup", {"code": f"2222-{2222 + number}", "name": "eve",
                                   "password": PASSWORD})
            statuses.append(status)
            if status == 429:
                assert int(headers["Retry-After"]) > 500, document
        assert statuses == [403] * 10 + [429] * 90, statuses
        assert server.ask("POST", "/setup", {"code": server.setup_code, "name": "ana",
                                             "password": PASSWORD})[0] == 429
        assert not server.ask("GET", "/session")[1]["claimed"]
        server.stop()
        server.start()  # who runs it is not kept out
        server.set_up()


@harness.case
def before_setup_nobody_is_in_and_a_device_only_with_a_token_of_the_owner():
    with House() as server:
        assert server.connect("wrong password")[1] in (0x86, 0x87)
        assert server.connect("nilo_wrong")[1] in (0x86, 0x87)
        for path in ("/tables", "/things", "/tokens", "/users", "/sessions"):
            assert server.ask("GET", path)[0] == 401, path
        token = server.nilo("token", "new", "barn").stdout.strip()
        assert server.connect(token)[1] == 0


@harness.case
def a_session_that_was_left_or_stolen_late_opens_nothing():
    with House() as server:
        server.set_up()
        first, second = server.log_in("ana"), server.log_in("ana")
        assert first != second
        assert len(server.ask("GET", "/sessions", cookie=first)[1]["sessions"]) == 3
        status, _, headers = server.ask("POST", "/logout", cookie=first)
        assert status == 204 and "Max-Age=0" in headers["Set-Cookie"]
        assert server.ask("GET", "/users", cookie=first)[0] == 401
        assert server.ask("GET", "/users", cookie=second)[0] == 200
        assert server.ask("GET", "/users", cookie="x" * 43)[0] == 401
        status, _, headers = server.ask("POST", "/session/password",
                                        {"old": PASSWORD, "new": "another password"}, second)
        assert status == 200
        third = secret_in(headers)
        assert server.ask("GET", "/users", cookie=second)[0] == 401
        listed = server.ask("GET", "/sessions", cookie=third)[1]["sessions"]
        assert len(listed) == 1, listed
        assert server.ask("DELETE", f"/sessions/{listed[0]['id']}", cookie=third)[0] == 204
        server.kill()
        server.start()
        for gone in (first, second, third):
            assert server.ask("GET", "/users", cookie=gone)[0] == 401


@harness.case
def pages_of_others_cannot_use_the_cookie():
    with House() as server:
        secret = server.set_up()
        new = {"name": "eve", "role": "admin", "password": PASSWORD}
        for origin in ("http://evil.example", "null", None, server.url + ".evil.example"):
            status, document, _ = server.ask("POST", "/users", new, secret, Origin=origin)
            assert status == 403, (origin, status, document)
        assert server.ask("POST", "/login", {"name": "ana", "password": PASSWORD},
                          Origin="http://evil.example")[0] == 403
        assert server.ask("POST", "/users", new, secret)[0] == 201


@harness.case
def a_viewer_reads_and_the_last_admin_stays():
    with House() as server:
        ana = server.set_up()
        assert server.ask("POST", "/users", {"name": "vera", "role": "viewer",
                                             "password": PASSWORD}, ana)[0] == 201
        vera = server.log_in("vera")
        assert server.ask("GET", "/tables", cookie=vera)[0] == 200
        for method, path, body in [
                ("POST", "/users", {"name": "x", "role": "admin", "password": PASSWORD}),
                ("GET", "/users", None), ("DELETE", "/users/ana", None), ("GET", "/tokens", None),
                ("POST", "/tokens", {"name": "x", "role": "admin"}),
                ("POST", "/publish?topic=a", {})]:
            assert server.ask(method, path, body, vera)[0] == 403, path
        assert server.ask("DELETE", "/users/ana", cookie=ana)[0] == 409
        assert server.ask("POST", "/users/ana", {"role": "viewer"}, ana)[0] == 409
        assert server.ask("DELETE", "/users/vera", cookie=ana)[0] == 204
        assert server.ask("GET", "/tables", cookie=vera)[0] == 401, "at once"
        assert server.ask("POST", "/login", {"name": "vera", "password": PASSWORD})[0] == 401


@harness.case
def users_are_kept_with_commands_too():
    with House() as server:
        server.set_up()
        done = server.nilo("user", "add", "ben", "--role", "admin", stdin="a long password\n")
        assert done.returncode == 0, done.stderr
        assert "ben" in server.nilo("user", "ls").stdout
        ben = server.log_in("ben", "a long password")
        assert server.nilo("user", "passwd", "ben", stdin="forgotten and set\n").returncode == 0
        assert server.ask("GET", "/tables", cookie=ben)[0] == 401
        server.log_in("ben", "forgotten and set")
        assert server.nilo("user", "rm", "ben").returncode == 0
        assert server.nilo("user", "rm", "ana").returncode == 7, "the last admin"
        assert server.nilo("user", "rm", "nobody").returncode == 6
        assert server.nilo("user", "add", "x", stdin="short\n").returncode == 1
        stored = b""
        for folder, _, files in os.walk(server.data):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    stored += file.read()
        for secret in (PASSWORD, "forgotten and set", ben):
            assert secret.encode() not in stored
            assert secret not in server.log_text()


@harness.case
def who_guesses_passwords_waits():
    with House() as server:
        server.set_up()
        answers = [server.ask("POST", "/login", {"name": "ana", "password": f"guess {number}"})
                   for number in range(8)]
        statuses = [status for status, _, _ in answers]
        assert statuses[:5] == [401] * 5 and 429 in statuses[5:], statuses
        unknown = server.ask("POST", "/login", {"name": "nobody", "password": "x"})
        assert unknown[0] == 429, "the address waits, whatever the name"
        blocked = next(headers for status, _, headers in answers if status == 429)
        assert 1 <= int(blocked["Retry-After"]) <= 60


@harness.case
def every_answer_tells_browsers_to_be_strict():
    with House() as server:
        secret = server.set_up()
        html = {"Accept": "text/html,*/*;q=0.8"}
        for method, path, headers in [
                ("GET", "/", html), ("GET", "/things", html), ("GET", "/", {}),
                ("GET", "/api/v1/session", {}), ("GET", "/api/v1/nothing", html),
                ("GET", "/assets/old-1234.js", html), ("GET", "/healthz", {}),
                ("POST", "/api/v1/publish?topic=a", {}), ("PUT", "/api/v1/tokens", {}),
                ("GET", "/api/v1/users", {"Cookie": f"nilo_session={secret}"}),
                ("GET", "/%zz", {}), ("GET", "/" + "x" * 20000, {})]:
            status, _, answer = server.request(method, path, headers=headers)
            for name, value in SECURITY_HEADERS.items():
                assert answer[name] == value, (path[:40], status, name, answer[name])
            policy = answer["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'"), (path, policy)
            assert "frame-ancestors 'none'" in policy and "unsafe" not in policy, policy
            assert answer["Strict-Transport-Security"] is None, "plain http"
        _, _, answer = server.request("GET", "/healthz", headers={"X-Forwarded-Proto": "https"})
        assert "max-age" in answer["Strict-Transport-Security"]


@harness.case
def a_token_is_held_to_its_topics():
    with House() as server:
        status, made, _ = server.ask("POST", "/tokens", {
            "name": "barn", "role": "device", "topics": ["water1/#"], "valid_for": "30d"},
            token=server.admin)
        assert status == 201, made
        token = made["token"]
        assert server.ask("POST", "/publish?topic=water1/pub", {}, token=token)[0] == 200
        assert server.ask("POST", "/publish?topic=water2/pub", {}, token=token)[0] == 403
        connection, code = server.connect(token)
        assert code == 0
        for topic, allowed in (("water1/pub", True), ("water2/pub", False)):
            connection.send(raw_mqtt.packet(0x32, raw_mqtt.text(topic) + b"\0\1\0" + b"{}"))
            first, body = connection.read()
            assert first == 0x40 and (len(body) < 3 or body[2] < 0x80) == allowed, (topic, body)
        for topic_filter, allowed in (("water1/#", True), ("#", False), ("+/pub", False)):
            connection.send(raw_mqtt.packet(0x82, b"\0\2\0" + raw_mqtt.text(topic_filter) + b"\1"))
            first, body = connection.read()
            assert first == 0x90 and (body[-1] < 0x80) == allowed, (topic_filter, body)
        listed = server.ask("GET", "/tokens", token=server.admin)[1]["tokens"]
        barn = next(one for one in listed if one["name"] == "barn")
        assert barn["topics"] == ["water1/#"] and barn["kind"] == "token", barn
        assert server.nilo("token", "new", "well", "--topics", "a/#", "b").returncode == 0
        listed = server.ask("GET", "/tokens", token=server.admin)[1]["tokens"]
        assert [one["topics"] for one in listed if one["name"] == "well"] == [["a/#", "b"]], listed
        for topics in (["a/#/b"], "water1/#", ["x"] * 33):
            assert server.ask("POST", "/tokens", {"name": "y", "role": "device", "topics": topics},
                              token=server.admin)[0] in (400, 413), topics


@harness.case
def a_client_id_belongs_to_the_login_that_used_it_first():
    with House() as server:
        barn, shed = (server.nilo("token", "new", name).stdout.strip() for name in ("barn", "shed"))
        held, code = server.connect(barn, "client-1")
        assert code == 0
        assert server.connect(shed, "client-1")[1] == 0x85
        assert server.nilo("token", "revoke", "barn").returncode == 0
        harness.wait_until(lambda: server.connect(shed, "client-1")[1] == 0, "let in")
        held.close()


@harness.case
def a_device_refused_over_http_is_shown_and_can_be_allowed():
    with House() as server:
        token = "nilo_of-another-server"
        assert server.ask("POST", "/publish?topic=a", {}, token=token)[0] == 401
        refused = server.ask("GET", "/refused", token=server.admin)[1]["refused"]
        assert len(refused) == 1 and token not in str(refused), refused
        assert "this token" in refused[0]["allow"], refused
        status, done, _ = server.ask("POST", f"/refused/{refused[0]['id']}/allow",
                                     token=server.admin)
        assert status == 200, done
        assert server.ask("POST", "/publish?topic=a", {}, token=token)[0] == 200


@harness.case
def a_wrong_password_over_mqtt_is_not_looked_at_for_ever():
    with House() as server:
        assert server.ask("POST", "/tokens", {"name": "esp32", "role": "device",
                                              "password": "its own password"},
                          token=server.admin)[0] == 201
        answers = [server.connect("wrong", user="esp32")[1] for _ in range(21)]
        assert answers == [0x86] * 20 + [0x97], answers
        assert server.connect("its own password", user="esp32")[1] == 0x97
        assert server.connect("wrong", user="other")[1] == 0x86, "others are not kept out"


@harness.case
def a_revoked_token_cuts_what_is_connected():
    with House() as server:
        tokens = {name: server.nilo("token", "new", name).stdout.strip()
                  for name in ("barn", "house")}
        barn, code = server.connect(tokens["barn"], "client-1")
        house, other = server.connect(tokens["house"], "client-2")
        assert code == 0 and other == 0
        assert server.nilo("token", "revoke", "barn").returncode == 0
        first, body = barn.read()
        assert first == 0xe0 and body[0] == 0x87, "DISCONNECT: not authorized"
        assert barn.is_closed_by_server()
        house.send(b"\xc0\0")
        assert house.read()[0] == 0xd0, "the other stays"


@harness.case
def a_refused_device_is_allowed_as_it_is():
    with House() as server:
        secret = server.set_up()

        def knock(client, **shown):
            connection = raw_mqtt.Connection(server.mqtt_port)
            return connection.log_in(client_id=client, level=5, **shown)

        for client, shown, wrong, kind in [
                ("esp-a", {"user": "esp32", "password": "1234"},
                 ("esp-a", {"user": "esp32", "password": "12345"}), "password"),
                ("tank 9", {}, ("tank 8", {}), "address")]:
            assert knock(client, **shown) in (0x86, 0x87)
            refused = server.ask("GET", "/refused", cookie=secret)[1]["refused"]
            entry = next(one for one in refused if one["client"] == client)
            assert entry["allow"], entry
            status, done, _ = server.ask("POST", f"/refused/{entry['id']}/allow", {}, secret)
            assert status == 200, done
            assert knock(client, **shown) == 0
            assert knock(wrong[0], **wrong[1]) in (0x86, 0x87)
            listed = server.ask("GET", "/tokens", cookie=secret)[1]["tokens"]
            token = next(one for one in listed if client in one["note"])
            assert token["kind"] == kind and token["role"] == "device", token
            assert server.ask("DELETE", f"/tokens/{token['name']}", cookie=secret)[0] == 204
            assert knock(client, **shown) in (0x86, 0x87)


harness.main()
