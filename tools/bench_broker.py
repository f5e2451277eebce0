"""The figures of the broker, beside mosquitto and, where FLASHMQ names its program, FlashMQ.

Neither of the two stores anything here; ours acknowledges what is on disk and in a table, but for
"rules loaded" and the deliveries at QoS 0 of one publisher, where it routes like them.
"""

import resource
import statistics

from bench_kit import (BROKERS, ROUNDS, SECONDS, W1_STACK, Nilo, measure, measure_brokers, median_of,
                       say, spread_of)

FIFTY = ["--connections", "50", "--window", "100", "--seconds", str(SECONDS)]


def compare(what, key, reports, goal, ratios, command):
    """One line for each broker, and the ratios that have a goal."""
    ours = median_of(reports["nilo"], key)
    say(what, f"{ours:,.0f}/s", f"{goal}; {spread_of(reports['nilo'], key)}", command)
    for name, found in reports.items():
        if name == "nilo":
            continue
        theirs = median_of(found, key)
        ratio_goal = f"goal {ratios[name]}" if name in ratios else ""
        say(f"  {name} {theirs:,.0f}/s ({spread_of(found, key)}); ours to it", f"{ours / theirs:.2f}",
            ratio_goal)


def check_rows(server, report):
    report["rows"] = server.row_count()
    assert report["rows"] >= report["acknowledged"], report


def bench_publish():
    reports = measure_brokers("publish", *FIFTY, check=check_rows)
    compare("W1, QoS 1, 50 x 100 in flight: rows acknowledged after sync", "per_second", reports,
            "goal 700,000/s", {"mosquitto": "5", "flashmq": "0.6"},
            "nilo bench publish " + " ".join(FIFTY))


def bench_qos2():
    flags = [*FIFTY, "--qos", "2"]
    reports = measure_brokers("publish", *flags, check=check_rows)
    compare("W1, QoS 2: whole handshakes, stored", "per_second", reports, "goal 250,000/s", {},
            "nilo bench publish " + " ".join(flags))


def bench_lockstep():
    flags = ["--connections", "1000", "--window", "1", "--seconds", str(SECONDS)]
    reports = measure_brokers("publish", *flags, check=check_rows)
    compare("W1, QoS 1, 1,000 connections x 1 in flight", "per_second", reports, "",
            {"mosquitto": "0.9"}, "nilo bench publish " + " ".join(flags))


class OtherRules(Nilo):
    """Its rules listen to other topics: like its peers it only routes."""

    stack_text = W1_STACK.replace("site/+/data", "place/+/data")


def bench_fanin():
    flags = [*FIFTY, "--subscribers", "1", "--qos", "0"]
    command = "nilo bench deliver " + " ".join(flags)
    reports = measure_brokers("deliver", *flags, brokers=(OtherRules, *BROKERS[1:]))
    compare("QoS 0, 50 to 1, rules loaded", "delivered_per_second", reports, "", {"flashmq": "1"},
            command)
    # The peers store nothing, here as above.
    stored = {**reports, "nilo": measure_brokers("deliver", *flags, brokers=(Nilo,))["nilo"]}
    compare("  and each of them stored as a row", "delivered_per_second", stored, "", {}, command)


def bench_fanout():
    # More under way, and FlashMQ drops: 100 copies of each.
    flags = ["--connections", "1", "--subscribers", "100", "--qos", "0", "--credit", "1000",
             "--seconds", str(SECONDS)]
    reports = measure_brokers("deliver", *flags)
    compare("QoS 0, 1 to 100, deliveries", "delivered_per_second", reports, "", {"flashmq": "1.2"},
            "nilo bench deliver " + " ".join(flags))


def bench_flood():
    """Publishers that never wait, against the same with no more under way than can be delivered."""
    flags = [*FIFTY, "--subscribers", "1", "--qos", "0"]
    flood = [*flags, "--credit", "0"]
    peak, found = {}, {}
    for _ in range(ROUNDS):
        for kind in BROKERS:
            for reports, given in ((peak, flags), (found, flood)):
                with kind() as server:
                    reports.setdefault(kind.name, []).append(
                        measure("deliver", "--port", str(server.port), *given))
    for name, reports in found.items():
        delivered = median_of(reports, "delivered_per_second")
        share = delivered / median_of(peak[name], "delivered_per_second")
        say(f"{name}: QoS 0 flood, delivered against its peak", f"{share:.2f}",
            f"{'goal 0.80; ' if name == 'nilo' else ''}{delivered:,.0f}/s, "
            f"lost {median_of(reports, 'lost'):,.0f}",
            "nilo bench deliver " + " ".join(flood) if name == "nilo" else "")
    safe = [*FIFTY, "--subscribers", "1", "--qos", "1", "--credit", "0"]
    reports = measure_brokers("deliver", *safe, brokers=(Nilo,))["nilo"]
    say("  nilo: QoS 1 flood, lost", f"{sum(report['lost'] for report in reports)}",
        f"goal 0; {median_of(reports, 'delivered_per_second'):,.0f}/s",
        "nilo bench deliver " + " ".join(safe))


def bench_latency():
    flags = ["--rate", "10000", "--seconds", str(SECONDS)]
    reports = measure_brokers("latency", *flags)
    for name, found in reports.items():
        ours = name == "nilo"
        say(f"publish to subscriber at 10,000/s, {name}, p50",
            f"{median_of(found, 'p50_ms') * 1000:.0f} us",
            f"{'goal 150 us; ' if ours else ''}{spread_of(found, 'p50_ms')} ms",
            "nilo bench latency " + " ".join(flags) if ours else "")
        say("  p99", f"{median_of(found, 'p99_ms'):.2f} ms",
            f"{'goal 4 ms; ' if ours else ''}{spread_of(found, 'p99_ms')} ms")


def bench_idle():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # Half of a server's descriptors are for its clients.
    count = str(min(10_000, hard // 2 - 100))
    flags = ["--connections", count, "--at-once", "500"]
    reports = {kind.name: [] for kind in BROKERS}
    for _ in range(ROUNDS):
        for kind in BROKERS:
            with kind() as server:
                # taskset replaces itself by the server.
                reports[kind.name].append(measure("idle", "--port", str(server.port), *flags, "--pid",
                                                  str(server.process.pid)))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for name, found in reports.items():
        ours = name == "nilo"
        say(f"{name}: {count} idle connections, each", f"{median_of(found, 'kib_each'):.2f} KiB",
            f"{'goal 1.5 KB; ' if ours else ''}{spread_of(found, 'kib_each')}",
            "nilo bench idle " + " ".join(flags) if ours else "")
        say("  all of them answered", f"{median_of(found, 'seconds'):.2f} s",
            f"{'goal 5 s; ' if ours else ''}the slowest after "
            f"{max(report['slowest_ms'] for report in found):,.0f} ms")
        say("  resident before", f"{median_of(found, 'before_kib') / 1024:.1f} MiB",
            "goal 60 MB" if ours else "")


class TwoLoops(Nilo):
    cores = "0,1"
    flags = ("--loops", "2")


class OneLoop(Nilo):
    cores = "0,1"
    flags = ("--loops", "1")


def bench_loops():
    """The generator has core 1, and so has half of this server: what is left of it counts."""
    rates = {OneLoop: [], TwoLoops: []}
    for _ in range(ROUNDS):
        for kind, found in rates.items():
            with kind() as server:
                found.append(measure("publish", "--port", str(server.port), *FIFTY)["per_second"])
    one, two = (statistics.median(found) for found in rates.values())
    say("two loops to one, on both cores beside the generator", f"{two / one:.2f}",
        f"goal 1.5 where there are cores; {one:,.0f}/s, {two:,.0f}/s",
        "nilo serve --loops 2; nilo bench publish " + " ".join(FIFTY))


PARTS = {"publish": bench_publish, "qos2": bench_qos2, "lockstep": bench_lockstep,
         "fanin": bench_fanin, "fanout": bench_fanout, "flood": bench_flood,
         "latency": bench_latency, "idle": bench_idle, "loops": bench_loops}
