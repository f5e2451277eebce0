"""The water tanks as their owner uses them: mosquitto_pub in, curl and `nilo sql` out."""

import json
import subprocess

import harness

PERCENT_OF_DISTANCE = {8: 91.01, 10: 88.76, 17.8: 80, 44.5: 50, 71.2: 20, 79: 11.24, 89: 0,
                       0.5: 99.44}
REFUSED = {  # payload: its reason
    '{"distance":0}': "distance 0 cm is listed in `invalid`: a reading that is none",
    '{"distance":95}': "distance 95 cm is above max 89 cm",
    "hello": "payload is not JSON at byte 0: expected a value",
    '{"distance":-1}': "distance -1 cm is below min 0 cm",
}


def curl(server, path, *flags):
    """(status, body) as curl prints them."""
    done = subprocess.run(["curl", "-s", "-w", "\n%{http_code}", *flags, server.url + path],
                          capture_output=True, text=True, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def nilo_sql(server, statement, *flags):
    done = harness.nilo("sql", statement, "--http", server.url.removeprefix("http://"), *flags)
    assert done.returncode == 0, done.stderr
    return done.stdout


def latest(server):
    return json.loads(nilo_sql(server, "SELECT device_id, distance, percent "
                                       "FROM latest('tank_levels') ORDER BY device_id",
                               "--json"))["rows"]


@harness.case
def what_is_published_is_answered_by_curl_and_sql():
    with harness.Server() as server:
        server.publish("water2/pub", '{"distance":75}')
        status, body = curl(server, "/prod/data?device_id=2")
        assert (status, json.loads(body)) == (200, {"device_id": 2, "distance": 75}), body
        shown = nilo_sql(server, "SELECT device_id, distance, percent FROM latest('tank_levels')")
        assert [line.split() for line in shown.splitlines()] == [
            ["device_id", "distance", "percent"], ["---------", "--------", "-------"],
            ["2", "75", "15.73"]], shown


@harness.case
def a_reading_that_cannot_be_changes_no_latest_row_and_is_told_with_its_reason():
    with harness.Server() as server:
        server.publish("water2/pub", '{"distance":75}')
        listener = server.subscribe("$error/#", count=len(REFUSED))
        for payload in REFUSED:
            server.publish("water2/pub", payload)
        told = [line.split(" ", 1) for line in listener.lines()]
        assert [topic for topic, _ in told] == ["$error/rules/store"] * len(REFUSED), told
        said = [json.loads(text) for _, text in told]
        assert {one["payload"]: one["reason"] for one in said} == REFUSED, said
        assert {one["topic"] for one in said} == {"water2/pub"}, said
        assert latest(server) == [[2, 75, 15.73]]
        assert server.get_json("/prod/data?device_id=2")["distance"] == 75
        rows = json.loads(nilo_sql(server, "SELECT * FROM sys_errors ORDER BY time", "--json"))
        names = [column["name"] for column in rows["columns"]]
        found = [dict(zip(names, row)) for row in rows["rows"]]
        assert {one["payload"]: one["reason"] for one in found} == REFUSED, found
        assert {one["source"] for one in found} == {"rules/store"}, found


@harness.case
def a_new_row_is_a_message_too():
    with harness.Server() as server:
        listener = server.subscribe("$table/tank_levels/#")
        server.publish("water2/pub", '{"distance":75}')
        topic, _, payload = listener.lines()[0].partition(" ")
        change = json.loads(payload)
        assert topic == "$table/tank_levels/2", topic
        assert change["row"]["distance"] == 75 and change["row"]["percent"] == 15.73, change


@harness.case
def the_endpoint_says_what_is_wrong_with_a_question():
    with harness.Server() as server:
        for path, status, text in [
                ("/prod/data", 400, "device_id is required"),
                ("/prod/data?device_id=x", 400, "Invalid device_id format, expected a number"),
                ("/prod/data?device_id=1.5", 400, "Invalid device_id format, expected a number"),
                ("/prod/data?device_id=", 400, "Invalid device_id format, expected a number"),
                ("/prod/data?device=1", 400, "unknown parameter 'device'"),
                ("/prod/data?device_id=9", 404, "no row for device_id = 9")]:
            answer = curl(server, path)
            assert answer[0] == status, (path, answer)
            assert json.loads(answer[1])["error"]["message"] == text, (path, answer)


@harness.case
def percent_is_that_of_a_tank_of_89_cm():
    with harness.Server() as server:
        for number, distance in enumerate(PERCENT_OF_DISTANCE):
            server.publish(f"water{number}/pub", json.dumps({"distance": distance}))
        rows = latest(server)
        assert {row[1]: row[2] for row in rows} == PERCENT_OF_DISTANCE, rows


@harness.case
def a_table_is_answered_as_text_json_and_csv():
    with harness.Server() as server:
        server.publish("water1/pub", '{"distance":47}')
        statement = "SELECT device_id, distance FROM tank_levels"
        answer = json.loads(nilo_sql(server, statement, "--json"))
        assert answer == {"columns": [{"name": "device_id", "type": "int"},
                                      {"name": "distance", "type": "double"}],
                          "rows": [[1, 47]]}, answer
        assert nilo_sql(server, statement, "--csv") == "device_id,distance\n1,47\n"
        body = json.dumps({"sql": statement})
        assert curl(server, "/api/v1/sql", "-d", body, "-H", "Accept: text/csv") == \
            (200, "device_id,distance\n1,47\n")
        assert json.loads(curl(server, "/api/v1/sql", "-d", body)[1]) == answer


@harness.case
def a_restart_keeps_every_row_error_and_latest():
    server = harness.Server()
    statements = ["SELECT * FROM tank_levels ORDER BY time", "SELECT * FROM sys_errors",
                  "SELECT * FROM latest('tank_levels') ORDER BY device_id"]
    with server:
        for number in range(30):
            server.publish(f"water{number % 3 + 1}/pub", json.dumps({"distance": number}))
        server.publish("water1/pub", "hello")
        before = [server.sql(statement) for statement in statements]
        assert len(json.loads(before[0][1])["rows"]) == 29, before[0]  # 0 cm is none
    for stop in (server.kill, server.stop):
        server.start()
        assert [server.sql(statement) for statement in statements] == before
        stop()


harness.main()
