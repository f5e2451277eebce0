"""The part `tls` of tools/bench.py: handshakes and memory, beside what OpenSSL alone could do.

The clients are OpenSSL's own (s_time) on the generator's core. They work as hard as the server, so
handshakes are counted for each second of CPU time that the server took, not of the clock. What
OpenSSL itself takes in a server says its own one (s_server), in turns with ours, with the same
certificate and as many tickets.
"""

import collections
import os
import re
import resource
import socket
import ssl
import statistics
import subprocess
import sys
import time

import bench_kit

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CONNECTIONS = 2000
CONNECT = b"\x10\x0c\x00\x04MQTT\x04\x02\x02\x58\x00\x00"  # 3.1.1, clean, 600 s, no client id


def run(*command, folder=None):
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


class OpensslServer(bench_kit.Server):
    """OpenSSL's own server, with the certificate in `certificates`."""

    def __init__(self, certificates):
        super().__init__()
        self.certificates = certificates

    def start(self):
        self.port = bench_kit.free_port()
        self.process = subprocess.Popen(
            ["taskset", "-c", self.cores, "openssl", "s_server", "-accept",
             f"127.0.0.1:{self.port}", "-cert", "server.crt", "-key", "server.key", "-num_tickets",
             "1", "-quiet"],
            cwd=self.certificates, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        bench_kit.wait_for_port(self.port)


def cpu_s(pid):
    """User and system time that the process has taken."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])


def openssl_alone(core):
    """Full handshakes a second, if nothing but a signature and two steps of X25519 took time."""
    text = run("taskset", "-c", core, "openssl", "speed", "-seconds", "1", "ecdsap256",
               "ecdhx25519")
    sign = float(re.search(r"nistp256\)\s+\S+\s+\S+\s+(\S+)", text)[1])
    agree = float(re.search(r"X25519\)\s+\S+\s+(\S+)", text)[1])
    return 1 / (1 / sign + 2 / agree)


def handshakes_per_cpu_s(port, pid, core, seconds, *flags):
    before = cpu_s(pid)
    text = run("taskset", "-c", core, "openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-time",
               str(int(seconds)), *flags)
    count = int(re.findall(r"(\d+) connections in \d+ real seconds", text)[0])
    return count / (cpu_s(pid) - before)


def log_in(context, port, session=None):
    raw = socket.create_connection(("127.0.0.1", port))
    device = context.wrap_socket(raw, server_hostname="localhost", session=session)
    device.sendall(CONNECT)
    assert device.recv(4) == b"\x20\x02\x00\x00"
    return device


def logins_per_cpu_s(port, pid, core, seconds, certificate, resumes):
    """Devices that come over TLS 1.3 and log in; `resumes`: each with the ticket of the one before.

    OpenSSL's s_time does not wait for tickets of 1.3.
    """
    context = ssl.create_default_context(cafile=certificate)
    session, count, before = None, 0, cpu_s(pid)
    with bench_kit.pinned(core):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with log_in(context, port, session) as device:
                assert device.version() == "TLSv1.3"
                assert device.session_reused == (session is not None)
                session = device.session if resumes else None
            count += 1
    return count / (cpu_s(pid) - before)


def kib_each(port, pid, certificate):
    """What an idle device costs that has logged in over TLS 1.3."""
    context = ssl.create_default_context(cafile=certificate)
    before = resident_kib(pid)
    held = [log_in(context, port) for _ in range(CONNECTIONS)]
    each = (resident_kib(pid) - before) / CONNECTIONS
    for device in held:
        device.close()
    return each


def measure_all(server, seconds, core, found):
    """One round of all figures into `found`, lists by name."""
    pid, port, certificate = server.process.pid, server.tls_port, server.certificate
    with OpensslServer(os.path.dirname(certificate)) as peer:
        for name, flags in [("full", ["-new"]), ("resumed 1.2", ["-reuse", "-tls1_2"])]:
            found[name].append(handshakes_per_cpu_s(port, pid, core, seconds, *flags))
            found["peer " + name].append(
                handshakes_per_cpu_s(peer.port, peer.process.pid, core, seconds, *flags))
    for name, resumes in [("login", False), ("resumed login", True)]:
        found[name].append(logins_per_cpu_s(port, pid, core, seconds, certificate, resumes))


def bench(start_server, say, rounds, seconds, server_core, load_core):
    """`start_server()`: a running server with TLS, its port and the certificate of its CA."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    found = collections.defaultdict(list)
    for _ in range(rounds):
        found["alone"].append(openssl_alone(server_core))
        with start_server() as server:
            found["memory"].append(
                kib_each(server.tls_port, server.process.pid, server.certificate))
            measure_all(server, seconds, load_core, found)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    figure = {name: statistics.median(figures) for name, figures in found.items()}
    ratio = {name: statistics.median(ours / peers for ours, peers in
                                     zip(found[name], found["peer " + name]))
             for name in ("full", "resumed 1.2")}
    say("TLS 1.3 handshakes, ECDSA P-256, each core-second", f"{figure['full']:,.0f}", "goal 5,000",
        "openssl s_time -connect 127.0.0.1:8883 -new")
    say("  of what openssl s_server does, in turns", f"{ratio['full']:.2f}",
        f"{figure['peer full']:,.0f}/s, the same certificate")
    say("  of what a signature and X25519 alone would allow",
        f"{figure['full'] / figure['alone']:.2f}",
        f"{figure['alone']:,.0f}/s, openssl speed ecdsap256 ecdhx25519")
    say("  resumed (1.2)", f"{figure['resumed 1.2']:,.0f}", "",
        "openssl s_time -connect 127.0.0.1:8883 -reuse -tls1_2")
    say("  of what openssl s_server does, in turns", f"{ratio['resumed 1.2']:.2f}",
        f"{figure['peer resumed 1.2']:,.0f}/s")
    say("  logins over 1.3, each core-second", f"{figure['login']:,.0f}")
    say("  with resumed sessions", f"{figure['resumed login']:,.0f}")
    say(f"{CONNECTIONS:,} idle TLS connections, each", f"{figure['memory']:.1f} KiB",
        "goal 40 KiB")


if __name__ == "__main__":
    sys.exit("run tools/bench.py tls")
