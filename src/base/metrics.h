// base/metrics.h: counters and gauges, printed as Prometheus text.
//
// Source: Prometheus text exposition format 0.0.4.
// Threads: counter() takes a mutex: call it once and keep the reference, which lives as long as
// the Metrics. Adding is a relaxed atomic.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/guarded.h"

namespace nilo {

class Counter {
 public:
  void add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Metrics {
 public:
  // `name`: e.g. "nilo_messages_total". `labels`: e.g. `dir="in"`, or empty. The same pair gives
  // the same counter. `help`: one line; the first one given for a name is printed.
  Counter& counter(std::string_view name, std::string_view labels, std::string_view help);

  // `read` is called whenever the text is printed, from that thread. Gauges of one name, with
  // different labels, are added one after the other.
  void gauge(std::string_view name, std::string_view labels, std::string_view help,
             std::function<double()> read);
  void gauge(std::string_view name, std::string_view help, std::function<double()> read) {
    gauge(name, "", help, std::move(read));
  }

  std::string prometheus_text() const;

 private:
  struct NamedCounter {
    std::string name;
    std::string labels;
    std::string help;
    Counter counter;
  };
  struct Gauge {
    std::string name;
    std::string labels;
    std::string help;
    std::function<double()> read;
  };
  struct State {
    std::deque<NamedCounter> counters;  // a deque: references stay valid
    std::deque<Gauge> gauges;
  };
  Guarded<State> state_;
};

}  // namespace nilo
