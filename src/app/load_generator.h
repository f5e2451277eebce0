// app/load_generator.h: as many acknowledged publishes as one core can ask of a broker.
//
// One thread, epoll, packets encoded before the clock starts, so that the broker is what is
// measured. Speaks MQTT 3.1.1 with its own few bytes on purpose: it must load any broker alike, and
// must not share a mistake with ours. Workload W1: 90-byte JSON, topics site/<n>/data, every
// reading with a time of its own. Only for loopback.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace nilo::app {

struct LoadOptions {
  std::uint16_t port = 1883;
  int connections = 50;
  int window = 100;  // publishes in flight per connection (QoS 1)
  int qos = 1;       // 0 or 1
  double warm_up_s = 1;
  double seconds = 5;
  int devices = 1000;
  std::string user{};  // empty: anonymous
  std::string password{};
};

struct LoadReport {
  std::uint64_t acknowledged = 0;  // within `seconds`; QoS 0: handed to the kernel
  double seconds = 0;
  std::uint64_t unacknowledged = 0;  // still in flight when the time was up, then waited for
};

// Publishes for warm_up_s + seconds, then waits for the last acknowledgements.
// unavailable: cannot connect, refused, or the broker closed a connection.
Result<LoadReport> run_load(const LoadOptions& options);

struct LatencyOptions {
  std::uint16_t port = 1883;
  int publishers = 50;
  double rate_per_s = 10'000;  // in all
  double warm_up_s = 1;
  double seconds = 5;
  int qos = 1;
};

struct LatencyReport {
  std::vector<double> milliseconds;  // sorted; one for each message received
  std::uint64_t sent = 0;
  double percentile(double p) const;  // 0 <= p <= 100
};

// From just before a publish is written to just after a subscriber to everything has read it.
Result<LatencyReport> run_latency(const LatencyOptions& options);

// Opens `count` connections (CONNECT answered) and returns their sockets, for the caller to close.
Result<std::vector<int>> open_idle_connections(std::uint16_t port, int count);

}  // namespace nilo::app
