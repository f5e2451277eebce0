#include "app/client_reports.h"

#include <fmt/format.h>

#include <utility>

#include "app/access.h"
#include "app/presence.h"
#include "mqtt/reason.h"

namespace nilo::app {

void ClientReports::present(const mqtt::Presence& presence) {
  const TimeUs now_us = rooms_.clock.wall_us();
  std::string topic = presence_topic(presence.what, presence.client_id);
  if (!topic.empty() && rooms_.ingest.is_heard(topic)) {
    const stack::Thing* const thing = rooms_.policies.find_thing(presence.principal.name);
    const std::string_view thing_id = thing == nullptr ? std::string_view() : thing->id;
    publish(std::move(topic), presence_payload(presence, thing_id, now_us));
  }
  topic = own_presence_topic(presence.what, presence.client_id);
  if (!topic.empty() && rooms_.ingest.is_heard(topic)) {
    publish(std::move(topic), own_presence_payload(presence, now_us));
  }
}

// After what is being done now: it may have been caused by a message that is being taken.
void ClientReports::publish(std::string topic, std::string payload) {
  Message message;
  message.topic = std::move(topic);
  message.payload = std::move(payload);
  message.qos = Qos::at_least_once;
  message.received_us = rooms_.clock.wall_us();
  rooms_.loop.run_on_loop([this, message = std::move(message)] {
    rooms_.ingest.publish(message.view(), Ingest::Done());
  });
}

// The kinds that a person may be able to allow.
void ClientReports::list(const mqtt::Refusal& refusal, TimeUs now_us) {
  using What = mqtt::Refusal::What;
  const bool is_listed = refusal.what == What::connect || refusal.what == What::publish ||
                         refusal.what == What::subscribe;
  if (!is_listed) return;
  const std::string_view user =
      refusal.principal.empty() ? shown_user(refusal.user_name) : refusal.principal;
  // A login that failed for its will gets in once its topic is allowed.
  const What what =
      refusal.what == What::connect && !refusal.topic.empty() ? What::publish : refusal.what;
  rooms_.refused.add({.what = std::string(mqtt::word_of(what)),
                      .client = std::string(refusal.client_id),
                      .user = std::string(user),
                      .ip = std::string(refusal.source_ip),
                      .topic = std::string(refusal.topic),
                      .reason = std::string(refusal.why),
                      .time_us = now_us});
}

void ClientReports::refused(const mqtt::Refusal& refusal) {
  MessageView about;
  about.topic = refusal.topic;
  about.client_id = refusal.client_id;
  about.principal = refusal.principal;
  about.source_ip = refusal.source_ip;
  about.received_us = rooms_.clock.wall_us();
  list(refusal, about.received_us);
  rooms_.metrics
      .counter("nilo_refused_total",
               fmt::format("what=\"{}\",reason=\"{}\"", mqtt::word_of(refusal.what),
                           mqtt::text_of(refusal.reason)),
               "What clients wanted and did not get, by reason.")
      .add();
  if (refusal.what == mqtt::Refusal::What::connect) {
    std::string topic = connect_failed_topic(refusal.client_id);
    if (!topic.empty() && rooms_.ingest.is_heard(topic)) {
      publish(std::move(topic), connect_failed_payload(refusal, about.received_us));
    }
  }
  const std::string source = fmt::format("mqtt/{}", mqtt::word_of(refusal.what));
  if (!rooms_.ingest.report(source, refusal.why, about)) return;
  rooms_.logger.warn("mqtt.refused", {{"what", mqtt::word_of(refusal.what)},
                                      {"client", refusal.client_id},
                                      {"ip", refusal.source_ip},
                                      {"topic", refusal.topic},
                                      {"why", refusal.why}});
}

}  // namespace nilo::app
