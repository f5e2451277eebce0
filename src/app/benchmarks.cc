// nilo bench: the figures of tools/bench.py, one at a time; each prints one JSON line.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>

#include "app/alert_timing.h"
#include "app/commands.h"
#include "app/load_generator.h"
#include "app/replay_timing.h"
#include "base/clock.h"
#include "rules/scratch.h"
#include "rules/statement.h"

namespace nilo::app {

namespace {

struct BenchOptions {
  std::int64_t port = 1883;
  std::int64_t connections = 50;
  std::int64_t window = 100;
  std::int64_t subscribers = 1;
  std::int64_t credit = 10'000;
  std::int64_t at_once = 1;
  std::int64_t tick_ms = 0;
  std::int64_t qos = 1;
  double seconds = 5;
  double rate = 10'000;
  std::int64_t pid = 0;
  std::int64_t rows = 3'000'000;
  std::int64_t things = 100'000;
  std::int64_t changes = 500'000;
  double crossings = 0;
  bool is_without = false;
  std::string dir{};
  std::string sql =
      "SELECT cast(regexp_substr(topic(1), '[0-9]+') AS Int) AS device_id, distance "
      "FROM '+/pub' WHERE startswith(topic(1), 'water')";
  std::string payload = R"({"distance":75})";
};

Result<void> bench_publish(const BenchOptions& given) {
  LoadOptions options;
  options.port = static_cast<std::uint16_t>(given.port);
  options.connections = static_cast<int>(given.connections);
  options.window = static_cast<int>(given.window);
  options.qos = static_cast<int>(given.qos);
  options.seconds = given.seconds;
  const LoadReport load = TRY(run_load(options));
  fmt::print("{{\"per_second\":{:.0f},\"acknowledged\":{},\"seconds\":{:.3f}}}\n",
             static_cast<double>(load.acknowledged) / load.seconds, load.acknowledged,
             load.seconds);
  return {};
}

Result<void> bench_deliver(const BenchOptions& given) {
  DeliveryOptions options;
  options.port = static_cast<std::uint16_t>(given.port);
  options.publishers = static_cast<int>(given.connections);
  options.subscribers = static_cast<int>(given.subscribers);
  options.window = static_cast<int>(given.window);
  options.qos = static_cast<int>(given.qos);
  options.credit = given.credit;
  options.seconds = given.seconds;
  if (options.qos > 1 || options.publishers < 1 || options.subscribers < 1) {
    return Error{ErrorCode::invalid_argument, "somebody must publish and subscribe, at QoS 0 or 1"};
  }
  const DeliveryReport load = TRY(run_delivery(options));
  fmt::print("{{\"delivered_per_second\":{:.0f},\"sent_per_second\":{:.0f},\"lost\":{}}}\n",
             static_cast<double>(load.delivered) / load.seconds,
             static_cast<double>(load.sent) / load.seconds, load.lost);
  return {};
}

Result<void> bench_latency(const BenchOptions& given) {
  LatencyOptions options;
  options.port = static_cast<std::uint16_t>(given.port);
  options.publishers = static_cast<int>(given.connections);
  options.rate_per_s = given.rate;
  options.qos = static_cast<int>(given.qos);
  options.seconds = given.seconds;
  options.tick_ms = static_cast<int>(given.tick_ms);
  const LatencyReport latency = TRY(run_latency(options));
  fmt::print("{{\"sent\":{},\"measured\":{},\"p50_ms\":{:.3f},\"p99_ms\":{:.3f}}}\n", latency.sent,
             latency.milliseconds.size(), latency.percentile(50), latency.percentile(99));
  return {};
}

// VmRSS of a process in KiB.
std::int64_t resident_kib(std::int64_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("VmRSS:")) return std::stoll(line.substr(6));
  }
  return -1;
}

Result<void> bench_idle(const BenchOptions& given) {
  const std::int64_t before = resident_kib(given.pid);
  const auto port = static_cast<std::uint16_t>(given.port);
  const ConnectReport crowd = TRY(
      open_connections(port, static_cast<int>(given.connections), static_cast<int>(given.at_once)));
  const std::int64_t after = resident_kib(given.pid);
  for (const int fd : crowd.fds) ::close(fd);
  fmt::print("{{\"connections\":{},\"seconds\":{:.3f},\"slowest_ms\":{:.1f},", crowd.fds.size(),
             crowd.seconds, crowd.slowest_ms);
  fmt::print("\"before_kib\":{},\"after_kib\":{},\"kib_each\":{:.2f}}}\n", before, after,
             static_cast<double>(after - before) / static_cast<double>(crowd.fds.size()));
  return {};
}

// One core, no sockets: from a payload to a row's cells.
Result<void> bench_rules(const BenchOptions& given) {
  const auto compiled = rules::Statement::compile(given.sql);
  const auto* statement = std::get_if<rules::Statement>(&compiled);
  if (statement == nullptr) {
    return Error{ErrorCode::invalid_argument, "the statement has mistakes",
                 "see: nilo rules test --sql ..."};
  }
  rules::Scratch scratch;
  const SystemClock clock;
  const std::string topics[] = {"water1/pub", "water2/pub", "water3/pub"};
  MessageView message;
  message.payload = given.payload;
  message.received_us = clock.wall_us();
  std::uint64_t count = 0;
  std::uint64_t matched = 0;
  const std::int64_t began_us = clock.steady_us();
  const auto end_us = began_us + static_cast<std::int64_t>(given.seconds * 1e6);
  while (clock.steady_us() < end_us) {
    for (int i = 0; i < 1000; ++i) {
      message.topic = topics[count++ % std::size(topics)];
      const bool hit = statement->evaluate(message, scratch) == rules::Outcome::matched;
      if (hit && scratch.outputs()) ++matched;
    }
  }
  const double seconds = static_cast<double>(clock.steady_us() - began_us) / 1e6;
  fmt::print("{{\"per_second\":{:.0f},\"matched\":{},\"messages\":{}}}\n",
             static_cast<double>(count) / seconds, matched, count);
  return {};
}

Result<void> bench_replay(const BenchOptions& given) {
  const ReplayReport replay = TRY(run_replay(given.dir, static_cast<std::uint64_t>(given.rows)));
  fmt::print("{{\"rows\":{},\"seconds\":{:.3f},\"rows_per_second\":{:.0f},\"log_mib\":{:.0f}}}\n",
             replay.rows, replay.seconds, static_cast<double>(replay.rows) / replay.seconds,
             static_cast<double>(replay.log_bytes) / 1048576.0);
  return {};
}

Result<void> bench_alerts(const BenchOptions& given) {
  const AlertReport report = TRY(run_alerts({.dir = given.dir,
                                             .things = static_cast<std::uint64_t>(given.things),
                                             .changes = static_cast<std::uint64_t>(given.changes),
                                             .crossings = given.crossings,
                                             .has_alert = !given.is_without}));
  fmt::print("{{\"per_second\":{:.0f},\"transitions\":{},\"resident_kib\":{}}}\n",
             static_cast<double>(given.changes) / report.seconds, report.transitions,
             report.resident_kib);
  return {};
}

}  // namespace

std::vector<Command> bench_commands() {
  const auto options = std::make_shared<BenchOptions>();
  const Option port{"--port", "of a broker on 127.0.0.1", &options->port};
  const Option connections{"--connections", "how many", &options->connections};
  const Option seconds{"--seconds", "to measure, after a second of warming up", &options->seconds};
  const Option window{"--window", "publishes in flight for each connection", &options->window};
  return {
      {"bench publish",
       "Acknowledged publishes a second, any broker, workload W1 (90-byte JSON).",
       {"nilo bench publish --port 1883 --connections 50 --window 100"},
       {port, connections, seconds, window, {"--qos", "0, 1 or 2", &options->qos}},
       [options] { return exit_code_of(bench_publish(*options)); }},
      {"bench deliver",
       "Deliveries a second from publishers to subscribers, any broker.",
       {"nilo bench deliver --connections 1 --subscribers 100 --qos 0"},
       {port,
        connections,
        seconds,
        window,
        {"--subscribers", "each to everything", &options->subscribers},
        {"--qos", "0 or 1, of both sides", &options->qos},
        {"--credit", "messages under way in all; 0: whatever the kernel takes", &options->credit}},
       [options] { return exit_code_of(bench_deliver(*options)); }},
      {"bench latency",
       "From publish to a subscriber, at a steady rate.",
       {"nilo bench latency --port 1883 --rate 10000"},
       {port,
        connections,
        seconds,
        {"--qos", "0 or 1", &options->qos},
        {"--rate", "messages a second in all", &options->rate},
        {"--tick-ms", "send what is due once a tick; 0: when it is due", &options->tick_ms}},
       [options] { return exit_code_of(bench_latency(*options)); }},
      {"bench idle",
       "Connects clients that do nothing; memory of a server for each.",
       {"nilo bench idle --port 1883 --connections 10000 --pid $(pidof nilo)"},
       {port,
        connections,
        {"--pid", "of the server", &options->pid, true},
        {"--at-once", "connections under way at any moment", &options->at_once}},
       [options] { return exit_code_of(bench_idle(*options)); }},
      {"bench rules",
       "Rules alone, on one core.",
       {"nilo bench rules"},
       {seconds, {"--sql", "the rule", &options->sql}, {"--message", "payload", &options->payload}},
       [options] { return exit_code_of(bench_rules(*options)); }},
      {"bench replay",
       "From the log on disk to tables in memory, as at start. Writes a log of its own first.",
       {"nilo bench replay --dir /tmp/replay --rows 3000000"},
       {{"--dir", "an empty folder", &options->dir, true},
        {"--rows", "rows in the log", &options->rows}},
       [options] { return exit_code_of(bench_replay(*options)); }},
      {"bench alerts",
       "Readings of things with alerts: through the log, the tables and the alerts.",
       {"nilo bench alerts --dir /tmp/alerts --crossings 0.01"},
       {{"--dir", "an empty folder", &options->dir, true},
        {"--things", "each with low, high and silent", &options->things},
        {"--changes", "readings in all", &options->changes},
        {"--crossings", "of these that cross a limit, 0 to 1", &options->crossings},
        {"--without", "no alert, to compare", &options->is_without}},
       [options] { return exit_code_of(bench_alerts(*options)); }},
  };
}

}  // namespace nilo::app
