#include "mqtt/message_properties.h"

#include "base/utf8.h"

namespace nilo::mqtt {

MessageProperties message_properties(const Properties& from) {
  MessageProperties out;
  if (from.empty()) return out;
  out.payload_is_utf8 = from.number(Property::payload_format, 0) != 0;
  out.has_expiry = from.has(Property::message_expiry);
  out.expiry_s = from.number(Property::message_expiry, 0);
  out.content_type = from.text(Property::content_type);
  out.response_topic = from.text(Property::response_topic);
  out.correlation_data = from.text(Property::correlation_data);
  std::size_t at = 0;
  std::string_view name;
  std::string_view value;
  while (from.next_user(at, name, value)) out.user.emplace_back(name, value);
  return out;
}

bool is_as_said(const Properties& properties, std::string_view payload) {
  return properties.number(Property::payload_format, 0) == 0 || is_utf8(payload);
}

void set_properties(Properties& out, const MessageProperties& from, std::string& repeated) {
  if (from.payload_is_utf8) out.set(Property::payload_format, 1);
  if (from.has_expiry) out.set(Property::message_expiry, from.expiry_s);
  if (!from.content_type.empty()) out.set(Property::content_type, from.content_type);
  if (!from.response_topic.empty()) out.set(Property::response_topic, from.response_topic);
  if (!from.correlation_data.empty()) {
    out.set(Property::correlation_data, from.correlation_data);
  }
  for (const auto& [name, value] : from.user) append_user_property(repeated, name, value);
  out.set_repeated(repeated);
}

}  // namespace nilo::mqtt
