#include "value/message_bytes.h"

namespace nilo {

namespace {

// Bits of the flags byte; the lowest two are the qos.
constexpr std::uint8_t kRetain = 0x04;
constexpr std::uint8_t kPayloadIsUtf8 = 0x08;
constexpr std::uint8_t kHasExpiry = 0x10;
constexpr std::uint8_t kHasProperties = 0x20;

void put_properties(std::string& out, const MessageProperties& properties) {
  put_varint(out, properties.expiry_s);
  put_bytes(out, properties.content_type);
  put_bytes(out, properties.response_topic);
  put_bytes(out, properties.correlation_data);
  put_varint(out, properties.user.size());
  for (const auto& [name, value] : properties.user) {
    put_bytes(out, name);
    put_bytes(out, value);
  }
}

void get_properties(ByteReader& in, MessageProperties& properties) {
  properties.expiry_s = static_cast<std::uint32_t>(in.varint());
  properties.content_type = in.bytes();
  properties.response_topic = in.bytes();
  properties.correlation_data = in.bytes();
  for (std::uint64_t count = in.varint(); count > 0 && in.ok(); --count) {
    const std::string_view name = in.bytes();
    properties.user.emplace_back(name, in.bytes());
  }
}

}  // namespace

void put_message(std::string& out, const MessageView& message) {
  const MessageProperties* properties = message.properties;
  auto flags = static_cast<std::uint8_t>(message.qos);
  if (message.retain) flags |= kRetain;
  if (properties != nullptr && !properties->empty()) {
    flags |= kHasProperties;
    if (properties->payload_is_utf8) flags |= kPayloadIsUtf8;
    if (properties->has_expiry) flags |= kHasExpiry;
  }
  put_u8(out, flags);
  put_fixed(out, message.received_us);
  put_bytes(out, message.topic);
  put_bytes(out, message.payload);
  put_bytes(out, message.client_id);
  put_bytes(out, message.principal);
  put_bytes(out, message.source_ip);
  if ((flags & kHasProperties) != 0) put_properties(out, *properties);
}

Message get_message(ByteReader& in) {
  Message message;
  const std::uint8_t flags = in.u8();
  message.qos = static_cast<Qos>(flags & 0x03);
  message.retain = (flags & kRetain) != 0;
  message.received_us = in.fixed<TimeUs>();
  message.topic = in.bytes();
  message.payload = in.bytes();
  message.client_id = in.bytes();
  message.principal = in.bytes();
  message.source_ip = in.bytes();
  if ((flags & kHasProperties) != 0) {
    message.properties.payload_is_utf8 = (flags & kPayloadIsUtf8) != 0;
    message.properties.has_expiry = (flags & kHasExpiry) != 0;
    get_properties(in, message.properties);
  }
  return message;
}

}  // namespace nilo
