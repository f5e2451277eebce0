"""Disks that are full, fail or lie: reads go on, nothing acknowledged is lost, and it is told."""

import glob
import json
import os
import struct
import subprocess

import harness
import raw_mqtt

DISK_SIZE = 1024 * 1024
PAYLOAD = b'{"n":%d,"pad":"' + b"x" * 500 + b'"}'
WINDOW = 20
SYNC_SHIM = r"""
/* Syncs fail while the file named by FAIL_SYNC is there. While the one named by FAIL_READ is there,
   they succeed and do nothing, and reads fail: a file system that shut itself down. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
int fdatasync(int fd) {
  if (access(getenv("FAIL_SYNC"), F_OK) == 0) {
    errno = EIO;
    return -1;
  }
  if (access(getenv("FAIL_READ"), F_OK) == 0) return 0;
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  return real(fd);
}
ssize_t pread(int fd, void* to, size_t size, off_t at) {
  if (access(getenv("FAIL_READ"), F_OK) == 0) {
    errno = EIO;
    return -1;
  }
  ssize_t (*real)(int, void*, size_t, off_t) =
      (ssize_t (*)(int, void*, size_t, off_t))dlsym(RTLD_NEXT, "pread");
  return real(fd, to, size, at);
}
ssize_t pread64(int fd, void* to, size_t size, off_t at) { return pread(fd, to, size, at); }
"""
STACK = """
[table.counts]
key = ["publisher int", "time timestamp"]
columns = { n = { type = "int" }, pad = { type = "text" } }

[rule.store]
sql = "SELECT cast(topic(2) AS Int) AS publisher, n, pad FROM 'counts/+'"
put = "counts"
"""


class SmallDisk:
    """A tmpfs of DISK_SIZE; needs root."""

    def __enter__(self):
        if os.geteuid() != 0:
            harness.skip("only root may mount")
        self.path = harness.make_folder()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_SIZE}", "none",
                               self.path], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            harness.skip(f"cannot mount a tmpfs: {done.stderr.strip()}")
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.path], check=True)

    def fill(self):
        """Takes all space that is left; free() gives it back."""
        with open(os.path.join(self.path, "ballast"), "ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass

    def free(self):
        os.remove(os.path.join(self.path, "ballast"))


class Publisher:
    """Publishes 1, 2, 3, ... with MQTT 5 and knows what was acknowledged."""

    def __init__(self, server):
        self.connection = raw_mqtt.Connection(server.mqtt_port)
        assert self.connection.log_in("publisher", level=5) == 0
        self.next = 1
        self.acknowledged = []

    def publish(self):
        """WINDOW messages at once; their reason codes."""
        sent = {}
        out = b""
        for packet_id in range(1, WINDOW + 1):
            sent[packet_id] = self.next
            out += raw_mqtt.packet(0x32, raw_mqtt.text("counts/1") +
                                   struct.pack(">H", packet_id) + b"\0" + PAYLOAD % self.next)
            self.next += 1
        self.connection.send(out)
        codes = []
        for _ in sent:
            first, body = self.connection.read()
            assert first == 0x40, hex(first)
            codes.append(body[2] if len(body) > 2 else 0)
            if codes[-1] < 0x80:
                self.acknowledged.append(sent[struct.unpack(">H", body[:2])[0]])
        return codes


def numbers_in(server):
    status, body = server.sql("SELECT n FROM counts ORDER BY n")
    assert status == 200, body
    return [row[0] for row in json.loads(body)["rows"]]


@harness.case
def a_full_disk_refuses_writes_answers_questions_and_recovers_by_itself():
    with SmallDisk() as disk:
        server = harness.Server(stack=harness.make_folder(STACK), data=os.path.join(disk.path, "data"))
        server.start()
        publisher = Publisher(server)
        assert set(publisher.publish()) == {0}
        disk.fill()
        codes = []
        while 0x97 not in codes:  # the last page of the segment may still have room
            codes = publisher.publish()
        assert set(publisher.publish()) == {0x97}, "quota exceeded"
        status, body, _ = server.request("POST", "/api/v1/publish?topic=counts/2",
                                         PAYLOAD.replace(b"x", b"x" * 20) % 1)
        assert status == 507 and "No space left" in body, body
        assert server.get("/readyz")[0] == 200, "it may pass"
        assert numbers_in(server) == sorted(publisher.acknowledged), "reads go on"
        disk.free()
        harness.wait_until(lambda: set(publisher.publish()) == {0}, "writing again", 5)
        assert numbers_in(server) == sorted(publisher.acknowledged)
        server.kill()
        server.start()
        assert numbers_in(server) == sorted(publisher.acknowledged)
        server.stop()


@harness.case
def a_server_stops_starts_and_answers_while_the_disk_is_full():
    with SmallDisk() as disk:
        server = harness.Server(stack=harness.make_folder(STACK),
                                data=os.path.join(disk.path, "data"))
        server.start()
        publisher = Publisher(server)
        while 0x97 not in publisher.publish():
            disk.fill()
        assert server.stop() == 0
        assert "tables.checkpoint_failed" in server.log_text()
        server.start()
        assert numbers_in(server) == sorted(publisher.acknowledged)
        disk.free()
        again = Publisher(server)
        assert set(again.publish()) == {0}
        server.stop()


@harness.case
def a_first_start_without_space_is_refused_with_the_reason():
    with SmallDisk() as disk:
        disk.fill()
        data = os.path.join(disk.path, "data")
        done = harness.nilo("serve", harness.WATER_TANKS, "--open", "--data", data,
                            "--mqtt", "127.0.0.1:0", "--http", "127.0.0.1:0")
        assert done.returncode == 1 and "No space left on device" in done.stderr, done
        assert data in done.stderr, done.stderr


def stops_and_has_lost_nothing(switch_name):
    """The server, when its disk fails as SYNC_SHIM does while the file of that name is there."""
    folder = harness.make_folder()
    shim = os.path.join(folder, "shim.so")
    switches = {name: os.path.join(folder, name) for name in ("FAIL_SYNC", "FAIL_READ")}
    with open(shim + ".c", "w", encoding="utf-8") as file:
        file.write(SYNC_SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, shim + ".c", "-ldl"], check=True)
    server = harness.Server(stack=harness.make_folder(STACK),
                            environment={"LD_PRELOAD": shim, **switches})
    server.start()
    publisher = Publisher(server)
    for _ in range(5):
        assert set(publisher.publish()) == {0}
    with open(switches[switch_name], "w", encoding="ascii"):
        pass
    try:
        assert min(publisher.publish()) >= 0x80, "nothing is acknowledged after a failed sync"
    except OSError:
        pass  # closed without an answer: not acknowledged either
    assert server.wait() == 1
    assert "error: " in server.log_text() and "sync" in server.log_text(), "the reason is told"
    os.remove(switches[switch_name])
    server.start()
    numbers = numbers_in(server)
    assert set(publisher.acknowledged) <= set(numbers), "acknowledged rows are lost"
    assert len(numbers) == len(set(numbers)), "rows are there twice"
    server.stop()


@harness.case
def after_a_failed_sync_the_server_stops_with_the_reason_and_has_lost_nothing():
    stops_and_has_lost_nothing("FAIL_SYNC")


@harness.case
def a_sync_that_only_says_so_is_not_believed():
    stops_and_has_lost_nothing("FAIL_READ")


def filled_server(count=400):
    """A stopped server with `count` rows and its one segment."""
    server = harness.Server(stack=harness.make_folder(STACK))
    server.start()
    publisher = Publisher(server)
    while publisher.next <= count:
        assert set(publisher.publish()) == {0}
    server.stop()
    segments = glob.glob(os.path.join(server.data, "log", "*.log"))
    assert len(segments) == 1, segments
    return server, segments[0]


@harness.case
def a_record_damaged_in_the_middle_is_reported_and_all_others_are_served():
    server, segment = filled_server()
    with open(segment, "r+b") as file:
        file.seek(os.path.getsize(segment) // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 0x10]))
    server.start()
    numbers = numbers_in(server)
    missing = set(range(1, 401)) - set(numbers)
    assert len(missing) == 1 and len(numbers) == 399, missing
    assert "event=log.damaged" in server.log_text()
    assert "damaged=1" in server.log_text()
    publisher = Publisher(server)
    assert set(publisher.publish()) == {0}, "and it takes new ones"
    server.stop()


@harness.case
def a_torn_tail_is_cut_and_told():
    server, segment = filled_server()
    size = os.path.getsize(segment)
    os.truncate(segment, size - 100)
    server.start()
    assert numbers_in(server) == list(range(1, 400))
    assert "event=log.tail_cut" in server.log_text()
    server.stop()
    with open(segment, "ab") as file:
        file.write(b"\0" * 5000)  # what a crashed file system may leave
    server.start()
    assert numbers_in(server) == list(range(1, 400))
    assert set(Publisher(server).publish()) == {0}
    server.stop()


harness.main()
