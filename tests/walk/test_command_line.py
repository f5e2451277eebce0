"""The commands of nilo: what they print, what they refuse, and their exit codes."""

import json
import os
import shutil
import subprocess

import harness

USAGE, CONFIG, UNREACHABLE, NOT_ALLOWED, CONFLICT = 2, 3, 4, 5, 7
NOBODY = "127.0.0.1:1"  # no server listens here
STACK_WITH_MISTAKES = """\
[table.counts]
key = ["publisher int", "time timestamp"]
columns = { n = { type = "int" } }
kep = "5y"

[rule.store]
sql = "SELECT cast(topic(2) AS Int) AS publisher, uper(n) AS n FROM 'counts/+'"
put = "count"
"""


def refused(code, *arguments, says, stdin=None):
    """Runs nilo; it must end with `code` and say each of `says` on stderr, nothing on stdout."""
    done = harness.nilo(*arguments, stdin=stdin)
    assert done.returncode == code, (arguments, done)
    for text in [says] if isinstance(says, str) else says:
        assert text in done.stderr, (arguments, text, done.stderr)
    assert done.stdout == "", done.stdout


def serve(data, mqtt_port=0, http_port=0):
    """The arguments that serve the tanks."""
    return ("serve", harness.WATER_TANKS, "--open", "--data", data,
            "--mqtt", f"127.0.0.1:{mqtt_port}", "--http", f"127.0.0.1:{http_port}")


@harness.case
def wrong_usage_is_told_with_the_nearest_name():
    refused(USAGE, "srve", says="unknown command `srve`; did you mean `serve`?")
    refused(USAGE, says="nilo --help")
    refused(USAGE, "pub", says=["--topic is required", "nilo pub --help"])
    refused(USAGE, "sql", "--cvs", "SELECT 1", says="--cvs")
    refused(USAGE, "token", says="nilo token --help")


@harness.case
def help_shows_examples_first_and_exit_codes():
    commands = ["serve", "check", "pub", "sub", "sql", "rules test", "simulate", "token new",
                "token ls", "token revoke", "access ls", "access revoke", "openapi"]
    for command in commands:
        done = harness.nilo(*command.split(), "--help")
        assert done.returncode == 0, (command, done)
        assert done.stdout.index("  $ nilo ") < done.stdout.index("Options:"), done.stdout
    shown = harness.nilo("help", "exit-codes").stdout
    assert [line.split()[0] for line in shown.splitlines()[1:]] == list("01234567"), shown


@harness.case
def check_finds_every_mistake_with_place_and_nearest_name():
    folder = harness.make_folder(STACK_WITH_MISTAKES)
    refused(CONFIG, "check", folder, says=[
        "error[C204]: unknown key `kep` in [table.counts]\n  --> nilo.toml:4:1", "mean `key`?",
        "there is no function `uper`\n  --> nilo.toml:7:51", "did you mean `upper`?",
        "there is no table `count`\n  --> nilo.toml:8:7", "did you mean `counts`?",
        "3 errors. Nothing was changed."])
    lines = harness.nilo("check", folder, "--json").stdout.splitlines()
    found = [(one["code"], one["range"]["start"]["line"]) for one in map(json.loads, lines)]
    assert [line for _, line in found] == [4, 7, 8], found
    explained = harness.nilo("help", found[0][0]).stdout
    assert explained.startswith("C204: "), explained
    done = harness.nilo("check", harness.WATER_TANKS)
    assert (done.returncode, done.stdout) == (
        0, "ok: 3 things, 1 table, 1 rule, 1 endpoint, 1 alert, 1 page\n")


@harness.case
def serve_refuses_a_stack_with_mistakes_and_makes_nothing():
    data = os.path.join(harness.make_folder(), "data")
    refused(CONFIG, "serve", harness.make_folder(STACK_WITH_MISTAKES), "--data", data,
            says="3 errors. Nothing was changed.")
    refused(CONFIG, "serve", "/nonexistent", "--data", data, says="there is no folder")
    folder = harness.make_folder("")
    os.remove(os.path.join(folder, "nilo.toml"))
    os.mkdir(os.path.join(folder, "nilo.toml"))
    refused(CONFIG, "serve", folder, "--data", data, says="cannot be read: Is a directory")
    assert not os.path.exists(data)


@harness.case
def without_a_server_the_others_say_so():
    refused(UNREACHABLE, "sql", "SELECT 1", "--http", NOBODY,
            says=["cannot connect to 127.0.0.1:1", "nilo serve"])
    refused(UNREACHABLE, "token", "ls", "--http", NOBODY, says="cannot connect")
    refused(UNREACHABLE, "access", "ls", "--http", NOBODY, says="cannot connect")
    refused(UNREACHABLE, "access", "revoke", "a", "publish", "b", "--http", NOBODY,
            says="cannot connect")
    refused(UNREACHABLE, "pub", "-t", "a", "-m", "b", "--mqtt", NOBODY, says="cannot connect")
    refused(UNREACHABLE, "sub", "-t", "a", "--mqtt", NOBODY, says="cannot connect")


@harness.case
def a_server_that_refuses_is_told_by_the_exit_code():
    with harness.Server(flags=()) as server:
        http, mqtt = server.url.removeprefix("http://"), f"127.0.0.1:{server.mqtt_port}"
        refused(NOT_ALLOWED, "sql", "SELECT 1", "--http", http, says="this needs a token")
        refused(NOT_ALLOWED, "sql", "SELECT 1", "--http", http, "--token", "nilo_no", says="error")
        refused(NOT_ALLOWED, "pub", "-t", "a", "-m", "b", "--mqtt", mqtt, says="error")
        refused(NOT_ALLOWED, "sub", "-t", "a", "--mqtt", mqtt, says="error")
    with harness.Server() as server:
        http, mqtt = server.url.removeprefix("http://"), f"127.0.0.1:{server.mqtt_port}"
        refused(1, "sql", "SELEC 1", "--http", http, says="syntax error")
        refused(1, "pub", "-t", "a/#", "-m", "b", "--mqtt", mqtt, says="topic has a wildcard")
        refused(1, "pub", "-t", "a", "-m", "b", "-q", "7", "--mqtt", mqtt, says="-q 7")


@harness.case
def rules_are_tried_without_a_server():
    sql = "SELECT distance FROM '+/pub' WHERE distance > 10"
    for message, result in (('{"distance": 47}', {"matched": True, "result": {"distance": 47}}),
                            ('{"distance": 7}', {"matched": False, "result": None})):
        done = harness.nilo("rules", "test", "--sql", sql, "-t", "water1/pub", "-m", message,
                            "--json")
        assert (done.returncode, json.loads(done.stdout)) == (0, result), done
    done = harness.nilo("rules", "test", "--sql", sql, "-t", "elsewhere", "-m", "{}")
    assert (done.returncode, done.stdout) == (0, "no match\n"), done
    refused(CONFIG, "rules", "test", "--sql", "SELECT uper(a) FROM 'x'", "-t", "x", "-m", "{}",
            says=["there is no function `uper`", "--sql:1:8", "did you mean `upper`?"])
    refused(1, "rules", "test", "--sql", sql, "-t", "water1/pub", "-m", "hello",
            says="payload is not JSON")


@harness.case
def simulated_tanks_are_the_same_for_the_same_seed():
    def rows_of(seed):
        with harness.Server() as server:
            done = harness.nilo("simulate", "tanks", "--seed", seed, "--speed", "0", "--rounds",
                                "200", "--mqtt", f"127.0.0.1:{server.mqtt_port}")
            assert (done.returncode, done.stdout) == (0, "600 readings acknowledged\n"), done
            tanks = [json.loads(server.sql("SELECT distance FROM tank_levels WHERE device_id = "
                                           f"{tank} ORDER BY time")[1])["rows"]
                     for tank in (1, 2, 3)]
            count = sum(len(rows) for rows in tanks)
            refused_count = server.sql("SELECT count(*) FROM sys_errors", "text/csv")[1]
            assert count + int(refused_count.split()[1]) == 600, (count, refused_count)
            assert 500 < count < 600, "some echoes time out"
            return tanks
    first = rows_of("7")
    assert rows_of("7") == first
    assert rows_of("8") != first


@harness.case
def a_port_in_use_is_told_with_its_owner():
    with harness.Server() as server:
        data = os.path.join(harness.make_folder(), "data")
        http_port = int(server.url.rsplit(":", 1)[1])
        for port, arguments in ((server.mqtt_port, serve(data, mqtt_port=server.mqtt_port)),
                                (http_port, serve(data, http_port=http_port))):
            done = harness.nilo(*arguments)
            assert done.returncode == CONFLICT, done
            assert f"cannot listen on 127.0.0.1:{port}: the port is in use" in done.stderr
            assert f"nilo (pid {server.pid}) uses it" in done.stderr, done.stderr
        assert server.get("/healthz")[0] == 200


@harness.case
def a_data_folder_has_one_server_and_must_be_writable():
    with harness.Server() as server:
        refused(CONFLICT, *serve(server.data), says=[
            "another process uses the folder", "--data"])
        server.publish("water1/pub", '{"distance":47}')
        assert server.get_json("/prod/data?device_id=1")["distance"] == 47
    if os.geteuid() != 0:
        harness.skip("only root may mount a folder read-only")
    with harness.Server() as server:
        server.publish("water1/pub", '{"distance":47}')
        server.stop()
        folder = harness.make_folder()
        subprocess.run(["mount", "--bind", server.data, folder], check=True)
        try:
            subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
            for data in (folder, os.path.join(folder, "new")):
                refused(NOT_ALLOWED, *serve(data), says=["Read-only file system", data])
        finally:
            subprocess.run(["umount", folder], check=True)


@harness.case
def without_duckdb_all_but_sql_works():
    folder = harness.make_folder()
    alone = shutil.copy(harness.NILO, folder)
    with harness.Server(program=alone) as server:
        server.publish("water1/pub", '{"distance":47}')
        status, body = server.sql("SELECT 1")
        assert status == 503 and "libduckdb.so" in body, body
        latest = server.get_json("/api/v1/tables/tank_levels/latest")
        assert latest["rows"][0][2] == 47, latest


harness.main()
