"""What open pages are told, over a real WebSocket."""

import base64
import json
import threading

import harness
import websocket
from harness import wait_until


def told_numbers(page, count):
    """The numbers in the payloads of the next `count` messages."""
    return [int(message["payload"]) for message in page.messages(count)]


def values_until(page, seq, into):
    """Reads values into {of: [times]} until `seq` is told; returns the last sequence."""
    while True:
        text = page.next("values")
        for series in text["values"]:
            into.setdefault(series["of"], []).extend(series["t"])
        if text["seq"] >= seq:
            return text["seq"]


@harness.case
def a_page_hears_the_topics_it_subscribed_to():
    with harness.Server() as server, websocket.Client(server) as page:
        page.hello()
        page.subscribe(id="plus", topic="water1/+")
        page.subscribe(id="all", topic="#")
        server.publish("water1/pub", '{"distance": 41.2}')
        first, second = page.next("messages"), page.next("messages")
        assert {first["id"], second["id"]} == {"plus", "all"}, (first, second)
        message = first["messages"][0]
        assert message["topic"] == "water1/pub" and message["payload"] == '{"distance": 41.2}'
        assert message["qos"] == 1 and message["retain"] is False and first["dropped"] == 0
        page.ask(op="unsubscribe", id="all")
        page.ask(op="ping")
        page.next("pong")
        server.publish("water2/pub", '{"distance": 41.2}')
        server.publish("water1/other", "x")
        assert page.next("messages")["messages"][0]["topic"] == "water1/other"


@harness.case
def a_page_is_told_retained_messages_first():
    with harness.Server() as server, websocket.Client(server) as page:
        server.publish("site/name", "home", "-r")
        page.hello()
        page.subscribe(id="a", topic="site/#")
        message = page.messages(1)[0]
        assert message["payload"] == "home" and message["retain"] is True


@harness.case
def payloads_that_are_no_text_come_as_base64():
    with harness.Server() as server, websocket.Client(server) as page:
        page.hello()
        page.subscribe(id="a", topic="raw")
        server.request("POST", "/api/v1/publish?topic=raw", b"\xff\x00")
        assert base64.b64decode(page.messages(1)[0]["payload_base64"]) == b"\xff\x00"


@harness.case
def a_page_hears_changes_of_tables_and_errors():
    with harness.Server() as server, websocket.Client(server) as page:
        page.hello()
        page.subscribe(id="a", topic="$table/#")
        page.subscribe(id="b", topic="$error/#")
        server.publish("water1/pub", '{"distance": 41.2}')
        server.publish("water1/pub", '{"distance": "far"}')
        topics = {page.messages(1)[0]["topic"].split("/")[0] for _ in range(2)}
        assert topics == {"$table", "$error"}, topics


@harness.case
def a_page_is_told_the_fields_of_things():
    with harness.Server() as server, websocket.Client(server) as page:
        page.hello()
        page.subscribe(id="a", fields=["type:tank/percent"])
        page.subscribe(id="b", fields=["tank-2/distance"])
        server.publish("water2/pub", '{"distance": 75}')
        texts = {text["id"]: text for text in (page.next("values"), page.next("values"))}
        percent = texts["a"]["values"]
        assert [(v["of"], v["v"]) for v in percent] == [("tank-2/percent", [15.73])], percent
        assert texts["b"]["values"][0]["v"] == [75], texts


@harness.case
def a_page_that_returns_is_told_what_it_missed_and_nothing_twice():
    with harness.Server() as server:
        told, rounds = {}, 40
        with websocket.Client(server) as page:
            seq = page.hello()
        for number in range(rounds):
            publisher = threading.Thread(
                target=lambda: [server.publish(f"water{tank}/pub", '{"distance": 50}')
                                for tank in (1, 2)])
            publisher.start()
            if number % 8 == 7:
                publisher.join()  # some were published while nobody listened
            with websocket.Client(server) as page:
                page.hello()
                page.subscribe(id="a", fields=["type:tank/percent"], **{"from": seq})
                publisher.join()
                rows = server.get_json("/api/v1/tables/tank_levels/rows?limit=1000")
                seq = values_until(page, rows["seq"], told)
        rows = server.get_json("/api/v1/tables/tank_levels/rows?limit=1000")["rows"]
        assert len(rows) == 2 * rounds
        for tank in (1, 2):
            times = told[f"tank-{tank}/percent"]
            assert len(times) == rounds and times == sorted(times), (tank, times)


@harness.case
def a_sequence_that_is_too_old_is_answered_with_reset():
    with harness.Server() as server:
        server.publish("water1/pub", '{"distance": 41.2}')
        with websocket.Client(server) as page:
            seq = page.hello()
            page.ask(op="subscribe", id="a", fields=["tank-1"], **{"from": 0})
            assert page.next() == {"type": "reset", "id": "a"}
            assert page.subscribe(id="a", fields=["tank-1"], **{"from": seq}) >= seq


@harness.case
def a_thousand_messages_arrive_in_order():
    with harness.Server() as server, websocket.Client(server) as page:
        page.hello()
        page.subscribe(id="a", topic="count")
        done = harness.subprocess.run(
            ["mosquitto_pub", *server.client_flags(), "-q", "1", "-t", "count", "-l"],
            input="".join(f"{i}\n" for i in range(1000)), text=True, check=True, timeout=30)
        assert done.returncode == 0
        assert told_numbers(page, 1000) == list(range(1000))


@harness.case
def a_reader_that_is_slow_loses_messages_and_is_told_how_many():
    with harness.Server() as server:
        with websocket.Client(server, receive_buffer=4096) as page:
            page.hello()
            page.subscribe(id="a", topic="big")
            count = 4000  # 16 MB: more than all buffers on the way hold
            harness.subprocess.run(
                ["mosquitto_pub", *server.client_flags(), "-q", "1", "-t", "big", "-l"],
                input=("x" * 4000 + "\n") * count, text=True, check=True, timeout=30)
            seen = lost = 0
            while seen < count:
                text = page.next("messages")
                seen += len(text["messages"]) + text["dropped"]
                lost += text["dropped"]
            assert seen == count and lost > 0, (seen, lost)


@harness.case
def a_page_from_elsewhere_is_refused():
    with harness.Server() as server:
        for origin in ("http://evil.example", "null", server.url + "0"):
            try:
                websocket.Client(server, headers={"Origin": origin})
                raise AssertionError(f"{origin} was let in")
            except websocket.Refused as refusal:
                assert refusal.status == 403, refusal
        with websocket.Client(server, headers={"Origin": server.url}) as page:
            page.hello()


@harness.case
def without_a_login_that_holds_there_is_no_connection():
    with harness.Server(flags=()) as server:
        with open(f"{server.data}/admin.token", encoding="utf-8") as file:
            admin = {"Authorization": "Bearer " + file.read().strip()}
        for headers in ({}, {"Authorization": "Bearer nilo_wrong"}):
            try:
                websocket.Client(server, headers=headers)
                raise AssertionError("somebody was let in")
            except websocket.Refused as refusal:
                assert refusal.status == 401, refusal
        tokens = {}
        for role in ("device", "viewer"):
            answer = server.request("POST", "/api/v1/tokens",
                                    json.dumps({"name": f"a-{role}", "role": role}), admin)
            assert answer[0] in (200, 201), answer
            tokens[role] = {"Authorization": "Bearer " + json.loads(answer[1])["token"]}
        try:
            websocket.Client(server, headers=tokens["device"])
            raise AssertionError("a device was let in")
        except websocket.Refused as refusal:
            assert refusal.status == 403, refusal
        with websocket.Client(server, headers=tokens["viewer"]) as page:
            page.hello()
            server.request("DELETE", "/api/v1/tokens/a-viewer", headers=admin)
            try:
                page.next()
                raise AssertionError("a revoked login is still told something")
            except websocket.Closed as goodbye:
                assert goodbye.code == 1008, goodbye


@harness.case
def what_is_no_websocket_is_told_so():
    with harness.Server() as server:
        status, body = server.get("/api/v1/ws")
        assert status == 400 and "WebSocket" in body, body
        with websocket.Client(server) as page:
            page.hello()
            page.send(2, b"bytes")
            try:
                page.next()
                raise AssertionError("bytes were taken")
            except websocket.Closed as goodbye:
                assert goodbye.code == 1002, goodbye
        with websocket.Client(server) as page:
            page.hello()
            page.send(1, b"x" * (64 * 1024 + 1))
            try:
                page.next()
                raise AssertionError("64 KiB and one byte were taken")
            except websocket.Closed as goodbye:
                assert goodbye.code == 1009, goodbye


@harness.case
def who_was_refused_is_listed_once_with_a_count():
    with harness.Server(flags=()) as server:
        with open(f"{server.data}/admin.token", encoding="utf-8") as file:
            admin = {"Authorization": "Bearer " + file.read().strip()}
        for _ in range(2):
            done = harness.subprocess.run(
                ["mosquitto_pub", *server.client_flags(), "-i", "<b>tank</b>", "-u", "pump", "-P",
                 "wrong password", "-t", "x", "-m", "y"], capture_output=True, check=False,
                timeout=30)
            assert done.returncode != 0

        def refused():
            status, body, _ = server.request("GET", "/api/v1/refused", headers=admin)
            assert status == 200, body
            return json.loads(body)["refused"]

        clients = wait_until(lambda: [each for each in refused() if each["count"] == 2], "listed")
        client = clients[0]
        assert (client["what"], client["client"], client["user"], client["ip"]) == \
            ("connect", "<b>tank</b>", "pump", "127.0.0.1"), client
        assert "wrong password" not in json.dumps(client)
        status, body, _ = server.request("POST", "/api/v1/refused/12345/allow", headers=admin)
        assert status == 404, body


harness.main()
