#include "base/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace nilo {

namespace {

std::string in_braces(const std::string& labels) {
  return labels.empty() ? "" : "{" + labels + "}";
}

}  // namespace

Counter& Metrics::counter(std::string_view name, std::string_view labels, std::string_view help) {
  return state_.with([&](State& state) -> Counter& {
    for (NamedCounter& known : state.counters) {
      if (known.name == name && known.labels == labels) return known.counter;
    }
    NamedCounter& added = state.counters.emplace_back();
    added.name = name;
    added.labels = labels;
    added.help = help;
    return added.counter;
  });
}

void Metrics::gauge(std::string_view name, std::string_view labels, std::string_view help,
                    std::function<double()> read) {
  state_.with([&](State& state) {
    state.gauges.push_back(
        {std::string(name), std::string(labels), std::string(help), std::move(read)});
  });
}

std::string Metrics::prometheus_text() const {
  return state_.with([](const State& state) {
    std::vector<const NamedCounter*> counters;
    for (const NamedCounter& counter : state.counters) counters.push_back(&counter);
    std::stable_sort(counters.begin(), counters.end(),
                     [](const auto* a, const auto* b) { return a->name < b->name; });
    std::string out;
    std::string_view name;
    for (const NamedCounter* counter : counters) {
      if (counter->name != name) {
        out += fmt::format("# HELP {0} {1}\n# TYPE {0} counter\n", counter->name, counter->help);
        name = counter->name;
      }
      out += fmt::format("{}{} {}\n", counter->name, in_braces(counter->labels),
                         counter->counter.value());
    }
    for (const Gauge& gauge : state.gauges) {
      if (gauge.name != name) {
        out += fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", gauge.name, gauge.help);
        name = gauge.name;
      }
      out += fmt::format("{}{} {}\n", gauge.name, in_braces(gauge.labels), gauge.read());
    }
    return out;
  });
}

}  // namespace nilo
