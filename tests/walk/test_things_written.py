"""Things that people add while the server runs: one line of text each, and nothing else."""

import json
import os
import shutil

import harness

WATER_TANKS = harness.WATER_TANKS


class Tanks(harness.Server):
    """The tanks' stack as a folder of its own, and commands of its owner."""

    def __init__(self):
        self.folder = os.path.join(harness.make_folder(), "stack")
        shutil.copytree(WATER_TANKS, self.folder, ignore=shutil.ignore_patterns("data"))
        super().__init__(stack=self.folder)

    def nilo(self, *arguments, stdin=None):
        return harness.nilo(*arguments, "--http", self.url.removeprefix("http://"), stdin=stdin)

    def done(self, *arguments, stdin=None):
        ended = self.nilo(*arguments, stdin=stdin)
        assert ended.returncode == 0, (arguments, ended.stderr)
        return ended.stdout

    def text(self):
        with open(os.path.join(self.folder, "nilo.d", "things.toml"), encoding="utf-8") as file:
            return file.read()

    def write(self, text):
        os.makedirs(os.path.join(self.folder, "nilo.d"), exist_ok=True)
        with open(os.path.join(self.folder, "nilo.d", "things.toml"), "w",
                  encoding="utf-8") as file:
            file.write(text)


@harness.case
def a_thing_is_a_line_of_text_and_known_at_once():
    with Tanks() as server:
        server.done("things", "set", "tank-4", "--type", "tank", "--name", "Meadow",
                    "depth=89 cm", "lat=48.25", "lon=16.37", "tags=north, roof", "next=tank-1")
        line = ('"tank-4" = { type = "tank", name = "Meadow", depth = "89 cm", lat = 48.25, '
                'lon = 16.37, next = "tank-1", tags = "north, roof" }')
        assert line in server.text().splitlines(), server.text()
        thing = server.get_json("/api/v1/things/tank-4")
        assert (thing["name"], thing["type"], thing["state"]) == ("Meadow", "tank", "never")
        assert thing["properties"]["next"] == "tank-1", thing
        listed = server.get_json("/api/v1/things?type=tank")["things"]
        assert "tank-4" in [one["id"] for one in listed]
        server.done("things", "set", "tank-4", "lat=", "lon=", "next=", "tags=", "depth=")
        assert '"tank-4" = { type = "tank", name = "Meadow" }' in server.text().splitlines()

        # Alerts choose by type: what was added counts for them without a restart.
        server.publish("water4/pub", '{"distance": 88}')
        harness.wait_until(
            lambda: [one for one in server.get_json("/api/v1/alerts?state=firing")["alerts"]
                     if one["thing"] == "tank-4" and one["name"] == "Meadow"],
            "an alert about the new tank")
        check = harness.nilo("check", server.folder)
        assert check.returncode == 0, check.stdout + check.stderr
        server.stop()
        server.start()
        assert server.get_json("/api/v1/things/tank-4")["name"] == "Meadow"


@harness.case
def comments_and_other_lines_stay():
    server = Tanks()
    server.write('# our tanks\n[things]\n"a-1" = { name = "A" }  # the first } one\n\n# end\n')
    with server:
        server.done("things", "set", "b-1", "--name", "B")
        server.done("things", "set", "a-1", "--type", "well")
        assert server.text() == ('# our tanks\n[things]\n"a-1" = { type = "well", name = "A" }'
                                 '  # the first } one\n"b-1" = { name = "B" }\n\n# end\n')
        server.done("things", "rm", "a-1")
        assert server.text() == '# our tanks\n[things]\n"b-1" = { name = "B" }\n\n# end\n'
        assert server.nilo("things", "get", "a-1").returncode == 6
        assert server.nilo("things", "rm", "a-1").returncode == 6


@harness.case
def mistakes_change_nothing():
    with Tanks() as server:
        server.done("things", "set", "ok", "--name", "Fine")
        before = server.text()
        for code, arguments in ((7, ("tank-1", "--name", "X")), (1, ("a b",)),
                                (1, ("x", "lat=0", "lon=0")), (1, ("x", "lat=91", "lon=1")),
                                (1, ("x", "lat=48")), (1, ("x", "next=tank-11")),
                                (1, ("x", "nonsense"))):
            refused = server.nilo("things", "set", *arguments)
            assert refused.returncode == code, (arguments, refused.returncode, refused.stderr)
        assert "did you mean 'tank-1'?" in server.nilo("things", "set", "x", "next=tank-11").stderr
        # A page or an alert that names it holds it; a text with a mistake is not written over.
        server.write(before + "nonsense\n")
        refused = server.nilo("things", "set", "y")
        assert refused.returncode == 7 and "has a mistake" in refused.stderr, refused.stderr
        server.write(before)
        server.done("things", "set", "y")
        for body in ('{"properties":{"a":[1]}}', '{"properties":{"name":"x"}}', '{"nam":"x"}',
                     '{"name":"' + "x" * 2000 + '"}', "[]"):
            status, answer, _ = server.request("PUT", "/api/v1/things/z", body)
            assert status in (400, 413), (body[:40], status, answer)
        assert "z" not in server.text()


@harness.case
def things_go_through_a_spreadsheet():
    with Tanks() as server:
        server.done("things", "import", "-",
                    stdin='id,name,type,note\r\ns-1,"Say ""hi"", please",soil,\r\ns-2,,soil,x\r\n')
        exported = server.done("things", "export", "--type", "soil")
        assert exported == ('id,type,name,note\ns-1,soil,"Say ""hi"", please",\ns-2,soil,,x\n'), exported
        again = server.done("things", "import", "-", stdin=exported)
        assert again == "2 written, 0 refused\n", again
        some = server.nilo("things", "import", "-", stdin="id,lat,lon\ns-3,1,1\ns-4,0,0\n")
        assert some.returncode == 1 and "line 3: lat and lon" in some.stderr, some.stderr
        assert server.nilo("things", "get", "s-3").returncode == 0
        assert server.nilo("things", "import", "-", stdin="name\nx\n").returncode == 1
        rows = [json.loads(line) for line in
                server.done("things", "ls", "--json", "--search", "s-").splitlines()]
        assert [row["id"] for row in rows] == ["s-1", "s-2", "s-3"], rows


@harness.case
def strangers_text_stays_text():
    with Tanks() as server:
        evil = '"] \\ \' = { <script>alert(1)</script> \n[mail]\nserver = "evil"'
        body = json.dumps({"name": evil, "properties": {"note": evil, "k e=y]": "1"}})
        status, answer, _ = server.request("PUT", "/api/v1/things/odd", body)
        assert status == 200, answer
        thing = server.get_json("/api/v1/things/odd")
        assert thing["name"] == evil and thing["properties"]["note"] == evil
        assert harness.nilo("check", server.folder).returncode == 0
        server.stop()
        server.start()
        assert server.get_json("/api/v1/things/odd")["name"] == evil


@harness.case
def a_folder_that_is_read_only_says_what_to_write():
    with Tanks() as server:
        os.makedirs(os.path.join(server.folder, "nilo.d"), exist_ok=True)
        path = os.path.join(server.folder, "nilo.d", "things.toml")
        server.write("[things]\n")
        os.chmod(path, 0o444)
        refused = server.nilo("things", "set", "tank-4", "--type", "tank")
        assert refused.returncode == 5, refused.stderr
        assert '"tank-4" = { type = "tank" }' in refused.stderr, refused.stderr
        assert server.nilo("things", "get", "tank-4").returncode == 6


harness.main()
