#include "app/presence.h"

#include <fmt/format.h>

#include "bus/topic_filter.h"
#include "value/json_text.h"

namespace nilo::app {

namespace {

using What = mqtt::Presence::What;
using End = mqtt::Presence::End;

std::string_view word_of(What what) {
  switch (what) {
    case What::connected:
      return "connected";
    case What::disconnected:
      return "disconnected";
    case What::subscribed:
      return "subscribed";
    case What::unsubscribed:
      return "unsubscribed";
  }
  return {};
}

// In the words of AWS IoT.
std::string_view word_of(End end) {
  switch (end) {
    case End::lost:
      return "CONNECTION_LOST";
    case End::said_goodbye:
      return "CLIENT_INITIATED_DISCONNECT";
    case End::taken_over:
      return "DUPLICATE_CLIENTID";
    case End::keep_alive:
      return "MQTT_KEEP_ALIVE_TIMEOUT";
    case End::forbidden:
      return "FORBIDDEN_ACCESS";
    case End::client_error:
      return "CLIENT_ERROR";
    case End::server_error:
      return "SERVER_ERROR";
    case End::shut_down:
      return "SERVER_INITIATED_DISCONNECT";
  }
  return {};
}

std::string unless_bad(std::string topic) {
  return bus::check_topic(topic) ? std::move(topic) : std::string();
}

bool is_about_connection(What what) {
  return what == What::connected || what == What::disconnected;
}

}  // namespace

std::string presence_topic(What what, std::string_view client_id) {
  return unless_bad(fmt::format("$aws/events/{}/{}/{}",
                                is_about_connection(what) ? "presence" : "subscriptions",
                                word_of(what), client_id));
}

std::string own_presence_topic(What what, std::string_view client_id) {
  if (!is_about_connection(what)) return {};
  return unless_bad(fmt::format("{}{}", kPresence, client_id));
}

std::string connect_failed_topic(std::string_view client_id) {
  if (client_id.empty()) return {};
  return unless_bad(fmt::format("$aws/events/presence/connect_failed/{}", client_id));
}

std::string presence_payload(const mqtt::Presence& presence, std::string_view thing,
                             TimeUs now_us) {
  std::string out = "{";
  append_text(out, "clientId", presence.client_id);
  if (!thing.empty() && is_about_connection(presence.what)) append_text(out, "thingName", thing);
  append_number(out, "timestamp", now_us / 1000);
  append_text(out, "eventType", word_of(presence.what));
  append_text(out, "sessionIdentifier",
              fmt::format("{:x}-{:x}", presence.since_us, presence.connection));
  append_text(out, "principalIdentifier", presence.principal.name);
  if (!is_about_connection(presence.what)) {
    out += ",\"topics\":[";
    for (const std::string& filter : presence.filters) {
      append_comma(out);
      append_json_string(out, filter);
    }
    return out + "]}";
  }
  append_text(out, "ipAddress", presence.source_ip);
  append_number(out, "versionNumber", presence.since_us / 1000);
  if (presence.what == What::connected) return out + "}";
  out += fmt::format(",\"clientInitiatedDisconnect\":{}", presence.end == End::said_goodbye);
  append_text(out, "disconnectReason", word_of(presence.end));
  return out + "}";
}

std::string own_presence_payload(const mqtt::Presence& presence, TimeUs now_us) {
  const bool is_here = presence.what == What::connected;
  std::string out = "{";
  append_text(out, "client", presence.client_id);
  append_text(out, "state", word_of(presence.what));
  append_text(out, "since", iso_time(is_here ? presence.since_us : now_us));
  append_text(out, "login", presence.principal.name);
  append_text(out, "address", presence.source_ip);
  if (!is_here) append_text(out, "why", word_of(presence.end));
  return out + "}";
}

std::string connect_failed_payload(const mqtt::Refusal& refusal, TimeUs now_us) {
  std::string out = "{";
  append_text(out, "clientId", refusal.client_id);
  append_number(out, "timestamp", now_us / 1000);
  append_text(out, "eventType", "connect_failed");
  append_text(out, "connectFailureReason", "AUTHORIZATION_FAILED");
  append_text(out, "principalIdentifier", refusal.principal);
  append_text(out, "ipAddress", refusal.source_ip);
  return out + "}";
}

}  // namespace nilo::app
