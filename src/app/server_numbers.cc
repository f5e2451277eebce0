#include "app/server_numbers.h"

#include <fmt/format.h>

#include <algorithm>

namespace nilo::app {

std::size_t ServerNumbers::session_count() const {
  std::size_t count = 0;
  for (const auto& door : doors_) count += door->session_count();
  return count;
}

std::size_t ServerNumbers::client_count() const {
  std::size_t count = 0;
  for (const auto& door : doors_) count += door->connection_count();
  return count;
}

std::vector<std::pair<std::string, SysTopics::Read>> ServerNumbers::for_sys_topics() const {
  const Counter& received =
      metrics_.counter("nilo_mqtt_messages_received_total", "", "MQTT publishes received");
  const Counter& sent =
      metrics_.counter("nilo_mqtt_messages_sent_total", "", "MQTT publishes sent");
  return {
      {"clients/connected", [this] { return client_count(); }},
      {"clients/disconnected",
       [this] { return session_count() - std::min(session_count(), client_count()); }},
      {"clients/total", [this] { return std::max(session_count(), client_count()); }},
      {"messages/received", [&received] { return received.value(); }},
      {"messages/sent", [&sent] { return sent.value(); }},
      {"subscriptions/count", [this] { return router_.subscription_count(); }},
      {"retained messages/count", [this] { return retained_.count(); }},
  };
}

void ServerNumbers::add_gauges(const log::Log& log, const Applier& applier,
                               const Alerting& alerting) const {
  for (const alerts::State state : alerts::kStates) {
    metrics_.gauge("nilo_alerts", fmt::format("state=\"{}\"", alerts::word_of(state)),
                   "Conditions of alerts in this state.",
                   [&alerting, state] { return static_cast<double>(alerting.count(state)); });
  }
  metrics_.gauge("nilo_sessions", "MQTT sessions, of clients that are connected or away.",
                 [this] { return static_cast<double>(session_count()); });
  metrics_.gauge("nilo_subscriptions", "Subscriptions of MQTT clients and open pages.",
                 [this] { return static_cast<double>(router_.subscription_count()); });
  metrics_.gauge("nilo_retained_messages", "Retained messages.",
                 [this] { return static_cast<double>(retained_.count()); });
  metrics_.gauge("nilo_log_size_bytes", "Bytes of all log segments.",
                 [&log] { return static_cast<double>(log.size()); });
  metrics_.gauge("nilo_apply_waiting_bytes", "Bytes of durable records not in the tables yet.",
                 [&applier] { return static_cast<double>(applier.waiting_size()); });
}

}  // namespace nilo::app
