#include "app/mqtt_limits.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

#include "mqtt/codec.h"

namespace nilo::app {
namespace {

// At most what `limit` can hold.
template <typename To, typename From>
void set(To& limit, const std::optional<From>& value) {
  if (!value) return;
  const auto most = static_cast<std::uint64_t>(std::numeric_limits<To>::max());
  limit = static_cast<To>(std::min(static_cast<std::uint64_t>(*value), most));
}

std::optional<std::int64_t> seconds_of(const std::optional<stack::Duration>& duration) {
  if (!duration) return std::nullopt;
  return std::chrono::ceil<std::chrono::seconds>(*duration).count();
}

}  // namespace

mqtt::Limits limits_of(const stack::MqttSettings& settings) {
  mqtt::Limits limits;
  set(limits.keep_alive_max_s, seconds_of(settings.keep_alive_max));
  set(limits.session_expiry_max_s, seconds_of(settings.session_expiry_max));
  set(limits.receive_max, settings.receive_max);
  set(limits.topic_alias_max, settings.topic_alias_max);
  set(limits.subscriptions_max, settings.subscriptions_max);
  set(limits.sessions_max, settings.sessions_max);
  set(limits.session_queue_max, settings.session_queue_max);
  set(limits.session_queue_size_max, settings.session_queue_size_max_bytes);
  set(limits.packet_size_max, settings.packet_size_max_bytes);
  limits.packet_size_max = std::min(limits.packet_size_max, mqtt::kPacketSizeMax);
  limits.reasons = settings.reasons.value_or(limits.reasons);
  return limits;
}

}  // namespace nilo::app
