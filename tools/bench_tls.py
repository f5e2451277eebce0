"""The part `tls` of tools/bench.py: handshakes and memory, beside what OpenSSL alone could do.

The clients are OpenSSL's own (s_time) on the generator's core. They work as hard as the server, so
handshakes are counted for each second of CPU time that the server took, not of the clock.
"""

import os
import re
import resource
import socket
import ssl
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CONNECTIONS = 2000
CONNECT = b"\x10\x0c\x00\x04MQTT\x04\x02\x02\x58\x00\x00"  # 3.1.1, clean, 600 s, no client id


def run(*command, folder=None):
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def make_certificate(folder):
    os.makedirs(folder, exist_ok=True)
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", "server.key", "-out", "server.crt", "-days", "2", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", folder=folder)


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


def kib_each(port, pid, certificate):
    """What an idle device costs that has logged in over TLS 1.3."""
    context = ssl.create_default_context(cafile=certificate)
    before = resident_kib(pid)
    held = []
    for _ in range(CONNECTIONS):
        raw = socket.create_connection(("127.0.0.1", port))
        device = context.wrap_socket(raw, server_hostname="localhost")
        device.sendall(CONNECT)
        assert device.recv(4) == b"\x20\x02\x00\x00"
        held.append(device)
    each = (resident_kib(pid) - before) / CONNECTIONS
    for device in held:
        device.close()
    return each


def bench(start_server, say, rounds, seconds, server_core, load_core):
    """`start_server(flags)`: a running server with TLS on the port it names."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    full, resumed, alone, memory = [], [], [], []
    for _ in range(rounds):
        alone.append(openssl_alone(server_core))
        with start_server() as server:
            pid = server.process.pid
            memory.append(kib_each(server.tls_port, pid, server.certificate))
            full.append(handshakes_per_cpu_s(server.tls_port, pid, load_core, seconds, "-new"))
            resumed.append(handshakes_per_cpu_s(server.tls_port, pid, load_core, seconds, "-reuse",
                                                "-tls1_2"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    figure, limit = statistics.median(full), statistics.median(alone)
    say("TLS 1.3 handshakes, ECDSA P-256, each core-second", f"{figure:,.0f}", "goal 5,000",
        "openssl s_time -connect 127.0.0.1:8883 -new")
    say("  of what a signature and X25519 alone would allow", f"{figure / limit:.2f}",
        f"{limit:,.0f}/s, openssl speed ecdsap256 ecdhx25519")
    say("  resumed (1.2)", f"{statistics.median(resumed):,.0f}", "",
        "openssl s_time -connect 127.0.0.1:8883 -reuse -tls1_2")
    say(f"{CONNECTIONS:,} idle TLS connections, each", f"{statistics.median(memory):.1f} KiB",
        "goal 40 KiB")


if __name__ == "__main__":
    sys.exit("run tools/bench.py tls")
