"""What a stop and a start leave as they were, and what they must not touch."""

import json
import os
import stat
import threading
import urllib.error

import harness
import raw_mqtt

STACK = """
[table.counts]
key = ["publisher int", "time timestamp"]
columns = { n = { type = "int" } }

[rule.store]
sql = "SELECT cast(topic(2) AS Int) AS publisher, n FROM 'count/+'"
put = "counts"
"""


def read_until(connection, first_nibble):
    while True:
        first, body = connection.read()
        if first >> 4 == first_nibble:
            return body


@harness.case
def a_sleeping_session_hears_changes_after_a_restart():
    with harness.Server(stack=harness.make_folder(STACK)) as server:
        connection = raw_mqtt.Connection(server.mqtt_port)
        assert connection.log_in("watcher", clean=False) == 0
        connection.send(raw_mqtt.subscribe_packet("$table/counts/#"))
        read_until(connection, 9)
        connection.close()
        assert server.stop() == 0
        server.start()
        server.publish("count/1", '{"n":7}')
        connection = raw_mqtt.Connection(server.mqtt_port)
        assert connection.log_in("watcher", clean=False) == 0
        assert b'"n":7' in read_until(connection, 3)


@harness.case
def requests_under_way_do_not_hinder_a_stop():
    with harness.Server(stack=harness.make_folder(STACK)) as server:
        acknowledged = []

        def publish(number):
            n = 0
            try:
                while True:
                    n += 1
                    path = f"/api/v1/publish?topic=count/{number}"
                    if server.request("POST", path, json.dumps({"n": n}))[0] != 200:
                        return
                    acknowledged.append((number, n))
            except (OSError, urllib.error.URLError):
                pass

        for _ in range(3):
            acknowledged.clear()
            server.sql("SELECT 1")
            threads = [threading.Thread(target=publish, args=(i,)) for i in range(8)]
            for thread in threads:
                thread.start()
            harness.wait_until(lambda: len(acknowledged) > 50, "fifty acknowledgements")
            assert server.stop() == 0
            for thread in threads:
                thread.join()
            server.start()
            status, body = server.sql("SELECT publisher, n FROM counts")
            assert status == 200, body
            rows = {tuple(row) for row in json.loads(body)["rows"]}
            assert set(acknowledged) <= rows, set(acknowledged) - rows


@harness.case
def a_folder_that_was_there_keeps_its_mode_and_the_token_is_private():
    data = harness.make_folder()
    os.chmod(data, 0o755)
    with harness.Server(stack=harness.make_folder(STACK), data=data):
        assert stat.S_IMODE(os.stat(data).st_mode) == 0o755
        token = os.path.join(data, "admin.token")
        assert stat.S_IMODE(os.stat(token).st_mode) == 0o600
        assert stat.S_IMODE(os.stat(os.path.join(data, "log")).st_mode) == 0o700


@harness.case
def a_token_file_that_points_elsewhere_is_not_followed():
    data = harness.make_folder()
    elsewhere = os.path.join(harness.make_folder(), "precious")
    with open(elsewhere, "w", encoding="utf-8") as file:
        file.write("")
    os.symlink(elsewhere, os.path.join(data, "admin.token"))
    done = harness.nilo("serve", harness.make_folder(STACK), "--data", data, "--open",
                        "--mqtt", "127.0.0.1:0", "--http", "127.0.0.1:0")
    assert done.returncode != 0
    assert "admin.token" in done.stderr, done.stderr
    assert os.path.getsize(elsewhere) == 0


harness.main()
