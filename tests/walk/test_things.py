"""Things and their readings: MQTT in, /api/v1/things, values, series and intervals out."""

import json
import urllib.parse

import harness

STACK_OF_TIMES = """
[site]
zone = "Europe/Rome"

[things]
"tank-1" = { type = "tank", name = "Barn" }

[table.levels]
key   = ["device_id int", "time timestamp"]
thing = "tank-{device_id}"
columns = { distance = { type = "double", unit = "cm", min = 0, max = 89 } }

[rule.store]
sql = "SELECT cast(topic(2) AS Int) AS device_id, distance, time FROM 'tank/+'"
put = "levels"
"""


def ask(server, path, **query):
    return server.get_json(f"/api/v1/{path}?{urllib.parse.urlencode(query)}")


def error_of(server, path, **query):
    answer = server.request("GET", f"/api/v1/{path}?{urllib.parse.urlencode(query)}")
    return answer[0], json.loads(answer[1])["error"]


def post(server, topic, payload):
    """Many messages: quicker than a process for each."""
    status, body, _ = server.request("POST", f"/api/v1/publish?topic={topic}", payload)
    assert status == 200, body


def thing(server, name):
    return server.get_json(f"/api/v1/things/{name}")


@harness.case
def a_tank_shows_its_level_until_a_reading_is_refused():
    with harness.Server() as server:
        assert thing(server, "tank-2")["state"] == "never"
        server.publish("water2/pub", '{"distance": 75}')
        orchard = thing(server, "tank-2")
        assert (orchard["name"], orchard["state"]) == ("Orchard", "ok"), orchard
        assert {field["field"]: field["value"] for field in orchard["fields"]} == {
            "distance": 75, "percent": 15.73}
        for bad, reason in (('{"distance": 0}', "invalid"), ('{"distance": 95}', "above max"),
                            ('{"distance": null}', "no value"), ("{}", "no value"),
                            ('{"distance": "far"}', "not a number"), ("hello", "not JSON")):
            server.publish("water2/pub", bad)
            orchard = thing(server, "tank-2")
            assert orchard["state"] == "invalid", (bad, orchard)
            assert reason in orchard["invalid"]["reason"], (bad, orchard)
            assert orchard["fields"][0]["value"] == 75, "no refused reading makes a level"
        server.publish("water2/pub", '{"distance": 44.5}')
        orchard = thing(server, "tank-2")
        assert (orchard["state"], orchard["invalid"]) == ("ok", None), orchard


@harness.case
def the_status_counts_things_and_messages():
    with harness.Server() as server:
        server.publish("water2/pub", '{"distance": 75}')
        status = server.get_json("/api/v1/status")
        assert status["things"] == {"total": 3, "reporting": 1}, status
        assert status["messages"] >= 1 and status["disk"]["free_bytes"] > 0, status


@harness.case
def what_is_known_of_things_outlives_a_restart():
    with harness.Server() as server:
        server.publish("water1/pub", '{"distance": 10}')
        server.publish("water2/pub", '{"distance": 95}')
        server.publish("water7/pub", '{"distance": 44.5}')
        before = ask(server, "things")
        assert [one["state"] for one in before["things"]] == ["ok", "invalid", "never", "ok"]
        server.stop()
        server.start()
        assert ask(server, "things") == before


@harness.case
def devices_nobody_named_come_page_by_page():
    with harness.Server() as server:
        for first in range(0, 300):
            post(server, f"water{first}/pub", '{"distance": 40}')
        seen, cursor = [], ""
        while True:
            page = ask(server, "things", limit=70, cursor=cursor)
            seen += [one["id"] for one in page["things"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert seen == [f"tank-{n}" for n in range(300)], "by their number, each once"
        assert [one["id"] for one in ask(server, "things", search="k-29")["things"]] == (
            ["tank-29"] + [f"tank-{n}" for n in range(290, 300)])


@harness.case
def a_line_of_many_readings_is_thinned_and_keeps_its_peaks():
    folder = harness.make_folder(STACK_OF_TIMES)
    with harness.Server(folder) as server:
        begin = 1_790_000_000_000
        for n in range(600):
            distance = 80 if n == 311 else 2 if n == 412 else 40 + n % 3
            post(server, "tank/1", json.dumps({"distance": distance, "time": begin + n * 20_000}))
        end = begin + 600 * 20_000
        line = ask(server, "series", of="tank-1/distance", **{"from": begin, "to": end, "px": 20})
        series = line["series"][0]
        assert len(series["t"]) <= 20 * 4, len(series["t"])
        assert series["t"] == sorted(series["t"])
        assert {max(series["v"]), min(series["v"])} == {80, 2}
        assert series["t"][0] == begin and series["t"][-1] == end - 20_000
        assert "2 to 80 cm, highest" in series["sentence"], series["sentence"]
        figures = ask(server, "values", of="tank-1/distance", stats=1,
                      **{"from": begin, "to": end})["values"][0]["stats"]
        assert (figures["count"], figures["max"], figures["min"]) == (600, 80, 2), figures
        assert figures["max_time"] == begin + 311 * 20_000


@harness.case
def days_are_those_of_the_place():
    folder = harness.make_folder(STACK_OF_TIMES)
    with harness.Server(folder) as server:
        server.publish("tank/1", '{"distance": 40, "time": "2026-03-28T23:30:00Z"}')
        server.publish("tank/1", '{"distance": 60, "time": "2026-03-29T21:30:00Z"}')
        of = {"of": "tank-1/distance", "every": "1d", "from": "2026-03-29T10:00:00Z",
              "to": "2026-03-29T11:00:00Z"}
        rome = ask(server, "intervals", **of)["rows"][0]
        assert (rome["hours"], rome["count"], rome["mean"]) == (23, 2, 50), rome
        utc = ask(server, "intervals", zone="UTC", **of)["rows"][0]
        assert (utc["hours"], utc["count"], utc["mean"]) == (24, 1, 60), utc


@harness.case
def whoever_asks_for_what_is_not_there_is_told_the_nearest():
    with harness.Server() as server:
        server.publish("water2/pub", '{"distance": 75}')
        for path, query, status, hint in (
                ("values", {"of": "tonk-2/percent"}, 404, "tank-2"),
                ("values", {"of": "tank-2/persent"}, 404, "percent"),
                ("series", {"of": "type:tonk/percent"}, 404, "tank"),
                ("intervals", {"of": "tank-2/percent", "every": "1d", "zone": "Mars"}, 400,
                 "Europe/Rome"),
                ("series", {"of": "tank-2/percent", "from": 2, "to": 1}, 400, "1970")):
            found, error = error_of(server, path, **query)
            assert found == status and hint in error["hint"], (path, query, found, error)


harness.main()
