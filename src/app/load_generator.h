// app/load_generator.h: as many acknowledged publishes as one core can ask of a broker.
//
// One thread, epoll, packets encoded before the clock starts (app/load_publisher.h), so that the
// broker is what is measured. Only for loopback.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace nilo::app {

struct LoadOptions {
  std::uint16_t port = 1883;
  int connections = 50;
  int window = 100;  // publishes in flight for each connection (QoS 1 and 2)
  int qos = 1;       // 0, 1 or 2
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

struct DeliveryOptions {
  std::uint16_t port = 1883;
  int publishers = 50;
  int subscribers = 1;  // each to all topics
  int window = 100;     // as above; QoS 0: messages of one write
  int qos = 0;          // 0 or 1, of both sides
  // Messages under way in all, so that nobody need drop any; 0: as many as the kernel takes.
  std::int64_t credit = 10'000;
  double warm_up_s = 1;
  double seconds = 5;
};

struct DeliveryReport {
  std::uint64_t sent = 0;       // within `seconds`
  std::uint64_t delivered = 0;  // to all subscribers, likewise
  double seconds = 0;
  std::uint64_t lost = 0;  // deliveries that never came, of the whole run
};

// From publishers through the broker to subscribers, as much as it takes.
Result<DeliveryReport> run_delivery(const DeliveryOptions& options);

struct LatencyOptions {
  std::uint16_t port = 1883;
  int publishers = 50;
  double rate_per_s = 10'000;  // in all
  double warm_up_s = 1;
  double seconds = 5;
  int qos = 1;
  // 0: each message when it is due, which takes a core of its own. Else what is due is sent, and
  // what came is read, once a tick.
  int tick_ms = 0;
};

struct LatencyReport {
  std::vector<double> milliseconds;  // sorted; one for each message received
  std::uint64_t sent = 0;
  double percentile(double p) const;  // 0 <= p <= 100
};

// From just before a publish is written to just after a subscriber to everything has read it.
Result<LatencyReport> run_latency(const LatencyOptions& options);

struct ConnectReport {
  std::vector<int> fds;  // for the caller to close
  double seconds = 0;
  double slowest_ms = 0;  // from connect() to CONNACK
};

// Opens `count` connections, `at_once` of them under way at any moment, until all are answered.
// unavailable: one was refused, or nobody answers.
Result<ConnectReport> open_connections(std::uint16_t port, int count, int at_once);

}  // namespace nilo::app
