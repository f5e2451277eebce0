"""The API over real sockets: every path it promises, its pages, its limits, its refusals."""

import json
import re
import socket

import harness

KIB = 1024
STACK_OF_TWO = """
[table.readings]
key = ["device text", "time timestamp"]
columns = { n = { type = "int" } }

[rule.store]
sql = "SELECT topic(2) AS device, n FROM 'readings/+'"
put = "readings"

[endpoint.newest]
path = "/newest"
sql = "SELECT device, n FROM latest('readings') ORDER BY device"
many = true
"""


def post(server, path, body, content_type="application/json"):
    return server.request("POST", path, body, {"Content-Type": content_type})[:2]


def error_of(answer):
    return json.loads(answer[1])["error"]


def raw(server, data):
    """The bytes answered to `data` until the server closes or has said 64 KiB."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 15) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while len(answer) < 64 * KIB:
            try:
                read = connection.recv(4096)
            except ConnectionResetError:
                break
            if not read:
                break
            answer += read
        return answer


@harness.case
def openapi_lists_every_path_and_every_path_answers():
    with harness.Server() as server:
        server.publish("water1/pub", '{"distance":47}')
        document = server.get_json("/api/openapi.json")
        assert document["openapi"].startswith("3.1."), document["openapi"]
        assert "/prod/data" in document["paths"] and "/api/v1/sql" in document["paths"]
        printed = harness.nilo("openapi", harness.WATER_TANKS)
        assert json.loads(printed.stdout) == document, "the command says the same"
        values = {"{table}": "tank_levels", "{name}": "nobody", "{thing}": "tank-1"}
        bodies = {"/api/v1/sql": '{"sql":"SELECT 1"}', "/api/v1/tokens":
                  '{"name":"x","role":"device"}', "/api/v1/publish": "hello"}
        asked = {"of": "tank-1/percent", "every": "1d"}
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                query = "&".join(f"{one['name']}={asked.get(one['name'], 1)}"
                                 for one in operation.get("parameters", ())
                                 if one["in"] == "query" and one.get("required"))
                target = path + ("?" + query if query else "")
                for name, value in values.items():
                    target = target.replace(name, value)
                status, body, _ = server.request(method.upper(), target,
                                                 bodies.get(path) if method == "post" else None)
                # Sockets of pages and devices, and a CA that nobody has made yet.
                needs_more = path in ("/api/v1/ws", "/mqtt", "/api/v1/ca")
                is_plain = method == "get" and "{" not in target and not needs_more
                if is_plain or path in bodies:
                    made = (method, path) == ("post", "/api/v1/tokens")
                    assert status == (201 if made else 200), (method, target, status, body)
                else:  # about something that is not there, or without what it takes
                    assert status < 500 and status != 405, (method, target, status, body)
                assert "default" in operation["responses"], "errors have one shape"


@harness.case
def references_of_the_openapi_document_lead_somewhere():
    document = json.loads(harness.nilo("openapi", harness.WATER_TANKS).stdout)
    found = re.findall(r'"\$ref": ?"#/([^"]+)"', json.dumps(document))
    assert found
    for reference in found:
        node = document
        for step in reference.split("/"):
            assert step in node, reference
            node = node[step]


@harness.case
def pages_of_rows_follow_each_other_to_the_end():
    with harness.Server(stack=harness.make_folder(STACK_OF_TWO)) as server:
        for number in range(57):
            answer = post(server, f"/api/v1/publish?topic=readings/{'ab'[number % 2]}",
                          '{"n":%d}' % number)
            assert answer[0] == 200, answer
        for query, expected in (("", list(range(57))), ("&key=a", list(range(0, 57, 2))),
                                ("&key=b&order=newest", list(range(55, 0, -2))),
                                ("&key=nobody", [])):
            found, cursor, pages = [], "", 0
            while cursor is not None:
                page = server.get_json(f"/api/v1/tables/readings/rows?limit=10{query}" +
                                       (f"&cursor={cursor}" if cursor else ""))
                names = [column["name"] for column in page["columns"]]
                assert names == ["device", "time", "n", "received"], names
                assert len(page["rows"]) <= 10
                found += [row[2] for row in page["rows"]]
                cursor, pages = page["next"], pages + 1
            assert found == expected, (query, found)
            assert pages >= len(expected) / 10
        times = [row[1] for row in server.get_json(
            "/api/v1/tables/readings/rows?key=a")["rows"]]
        part = server.get_json(f"/api/v1/tables/readings/rows?key=a&from={times[3]}&to={times[5]}")
        assert [row[1] for row in part["rows"]] == times[3:5], part
        latest = server.get_json("/api/v1/tables/readings/latest")["rows"]
        assert [(row[0], row[2]) for row in latest] == [("a", 56), ("b", 55)], latest
        assert server.get_json("/newest") == [{"device": "a", "n": 56}, {"device": "b", "n": 55}]


@harness.case
def what_is_published_over_http_is_durable_and_reaches_subscribers():
    with harness.Server() as server:
        listener = server.subscribe("water1/pub")
        answer = post(server, "/api/v1/publish?topic=water1/pub", '{"distance":47}')
        assert (answer[0], json.loads(answer[1])["topic"]) == (200, "water1/pub"), answer
        assert listener.lines() == ['water1/pub {"distance":47}']
        assert post(server, "/api/v1/publish?topic=state&retain=true", "on")[0] == 200
        server.kill()
        server.start()
        assert server.get_json("/prod/data?device_id=1")["distance"] == 47
        assert server.subscribe("state").lines() == ["state on"]


@harness.case
def a_mistake_in_a_request_is_named():
    with harness.Server() as server:
        rows = "/api/v1/tables/tank_levels/rows"
        for method, path, body, status, said in [
                ("GET", "/nope", None, 404, "no such path: /nope"),
                ("GET", "/api/v1/tabels", None, 404, "/api/v1/tabels"),
                ("GET", "/api/v1/tables/nope", None, 404, "nope"),
                ("GET", "/api/v1/tables/nope/rows", None, 404, "nope"),
                ("PUT", "/prod/data", "x", 405, ""), ("POST", "/healthz", "x", 405, ""),
                ("GET", rows + "?limit=0", None, 400, "limit"),
                ("GET", rows + "?limit=10001", None, 400, "limit"),
                ("GET", rows + "?limit=x", None, 400, "Invalid limit format, expected a number"),
                ("GET", rows + "?cursor=garbage", None, 400, "cursor"),
                ("GET", rows + "?order=up", None, 400, "order"),
                ("GET", rows + "?from=yesterday", None, 400, "from"),
                ("GET", rows + "?limt=1", None, 400, "limt"),
                ("POST", "/api/v1/publish", "x", 400, "topic is required"),
                ("POST", "/api/v1/publish?topic=a/%23", "x", 400, "wildcard"),
                ("POST", "/api/v1/publish?topic=%24table/x", "x", 403, ""),
                ("POST", "/api/v1/publish?topic=a&qos=3", "x", 400, "qos"),
                ("POST", "/api/v1/sql", "", 400, "JSON"), ("POST", "/api/v1/sql", "{", 400, "JSON"),
                ("POST", "/api/v1/sql", "[]", 400, "object"),
                ("POST", "/api/v1/sql", "{}", 400, "'sql' is required"),
                ("POST", "/api/v1/sql", '{"sql":1}', 400, "sql"),
                ("POST", "/api/v1/sql", '{"sqll":"SELECT 1"}', 400, "sqll"),
                ("POST", "/api/v1/sql", b'{"sql":"\xff"}', 400, "UTF-8"),
                ("POST", "/api/v1/sql", '{"sql":"SELECT $a"}', 400, "a")]:
            answer = server.request(method, path, body)[:2]
            assert answer[0] == status, (method, path, body, answer)
            assert said in error_of(answer)["message"], (path, answer)
        assert "did you mean" in server.get("/api/v1/tabels")[1]
        allowed = server.request("POST", "/healthz", "x")[2]["Allow"]
        assert "GET" in allowed, allowed
        answer = post(server, "/api/v1/sql", '{"sql":"SELECT $a + $b AS c","params":{"a":1,"b":2}}')
        assert json.loads(answer[1])["rows"] == [[3]], answer


@harness.case
def bodies_and_headers_have_their_limits():
    with harness.Server() as server:
        most = b"x" * (KIB * KIB)
        assert post(server, "/api/v1/publish?topic=big", most)[0] == 200
        assert raw(server, b"POST /api/v1/publish?topic=big HTTP/1.1\r\nHost: localhost\r\n"
                           b"Content-Length: %d\r\n\r\n" % (len(most) + 1)).startswith(
                               b"HTTP/1.1 413 ")
        head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-A: %s\r\n\r\n"
        assert raw(server, head % (b"x" * 15 * KIB)).startswith(b"HTTP/1.1 200 ")
        assert raw(server, head % (b"x" * 17 * KIB)).startswith(b"HTTP/1.1 431 ")
        for nonsense in (b"hello\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\0\1\0\1",
                         b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
                         b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
            answer = raw(server, nonsense)
            assert re.match(rb"HTTP/1.1 (400|403|505) ", answer), (nonsense, answer[:100])
        two = raw(server, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
        assert two.count(b"HTTP/1.1 200 ") == 2, "requests sent ahead are answered in order"
        head_only = raw(server, b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert head_only.startswith(b"HTTP/1.1 200 ") and head_only.endswith(b"\r\n\r\n")


@harness.case
def metrics_are_what_prometheus_reads():
    with harness.Server() as server:
        server.publish("water1/pub", '{"distance":47}')
        server.publish("water1/pub", "hello")
        families, values = {}, {}
        for line in server.get("/metrics")[1].splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ", 3)
                assert name not in families, f"{name} is there twice"
                families[name] = kind
            elif not line.startswith("#"):
                found = re.fullmatch(
                    r'([a-z_]+)(\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})? (\S+)', line)
                assert found, line
                assert found[1] in families, f"{line}: of no family"
                assert found[1] + (found[2] or "") not in values, f"{line}: twice"
                values[found[1] + (found[2] or "")] = float(found[3])
        assert set(families.values()) <= {"counter", "gauge"}, families
        assert values["nilo_rows_written_total"] == 1, values
        assert values["nilo_message_errors_total"] == 1, values
        assert values["nilo_log_syncs_total"] >= 2, values


harness.main()
