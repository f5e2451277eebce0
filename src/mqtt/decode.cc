#include <algorithm>

#include "base/utf8.h"
#include "mqtt/codec.h"
#include "mqtt/wire.h"

namespace nilo::mqtt {
namespace {

constexpr Fault kCutShort = {Reason::malformed_packet, "packet is cut short"};
constexpr Fault kTooLong = {Reason::malformed_packet, "bytes are left over"};
constexpr Fault kFlags = {Reason::malformed_packet, "flags of the fixed header are wrong"};
constexpr Fault kNoPacketId = {Reason::protocol_error, "packet identifier is 0"};

// Text without control characters, as topics, filters, client ids and user names are here: the
// standard lets us refuse them (1.5.4), and they only ever hide something.
bool is_name(std::string_view text) {
  const bool is_plain = std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c - 0x20) < 0x7f - 0x20;
  });
  if (is_plain) return true;
  if (!is_mqtt_text(text)) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return false;
    // U+0080 to U+009F; well-formed text has a byte behind 0xc2.
    if (byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) return false;
  }
  return true;
}

Fault decode_properties(ByteReader& in, Version version, PacketType type, Properties& out) {
  out.clear();
  if (version != Version::v5) return {};
  std::string_view rest = read_rest(in);
  const Fault fault = out.decode(rest, type);
  in = ByteReader(rest);
  return fault;
}

// Reads what every packet with an identifier begins with.
Fault decode_packet_id(ByteReader& in, std::uint16_t& packet_id) {
  packet_id = read_u16(in);
  if (!in.ok()) return kCutShort;
  return packet_id == 0 ? kNoPacketId : Fault{};
}

Fault check_end(const ByteReader& in) {
  if (!in.ok()) return kCutShort;
  return in.at_end() ? Fault{} : kTooLong;
}

Fault decode_protocol(ByteReader& in, std::uint8_t flags, Version& version) {
  const std::string_view name = read_text(in);
  const std::uint8_t level = in.u8();
  if (!in.ok()) return kCutShort;
  if (name != "MQTT" && name != "MQIsdp") {
    return {Reason::malformed_packet, "protocol name is not MQTT"};
  }
  if (name == "MQIsdp" && level == 3) {
    version = Version::v3_1;  // its header flags mean nothing
  } else if (name == "MQTT" && (level == 4 || level == 5)) {
    version = static_cast<Version>(level);
    if (flags != 0) return kFlags;
  } else {
    return {Reason::unsupported_protocol_version, "protocol level is not 3, 4 or 5"};
  }
  return {};
}

Fault decode_connect_flags(std::uint8_t flags, Connect& out) {
  out.clean_start = (flags & 0x02) != 0;
  out.has_will = (flags & 0x04) != 0;
  out.will.qos = static_cast<Qos>(flags >> 3 & 3);
  out.will.retain = (flags & 0x20) != 0;
  out.has_password = (flags & 0x40) != 0;
  out.has_user_name = (flags & 0x80) != 0;
  if ((flags & 0x01) != 0 && out.version != Version::v3_1) {
    return {Reason::malformed_packet, "reserved connect flag is set"};  // [MQTT-3.1.2-3]
  }
  if ((flags & 0x18) == 0x18) return {Reason::malformed_packet, "will QoS is 3"};
  if (!out.has_will && (flags & 0x38) != 0) {
    return {Reason::malformed_packet, "will QoS or retain without a will"};
  }
  if (out.has_password && !out.has_user_name && out.version != Version::v5) {
    return {Reason::malformed_packet, "password without user name"};  // [MQTT-3.1.2-22], 3.1.1
  }
  return {};
}

Fault decode_will(ByteReader& in, Version version, Will& out) {
  if (const Fault fault = decode_properties(in, version, PacketType::will, out.properties)) {
    return fault;
  }
  out.topic = read_text(in);
  out.payload = read_text(in);
  if (!in.ok()) return kCutShort;
  if (!is_name(out.topic)) return {Reason::malformed_packet, "will topic is not plain text"};
  return {};
}

bool is_ack_reason(PacketType type, Reason reason) {
  if (reason == Reason::success) return true;
  if (type == PacketType::pubrel || type == PacketType::pubcomp) {
    return reason == Reason::packet_identifier_not_found;
  }
  switch (reason) {
    case Reason::no_matching_subscribers:
    case Reason::unspecified_error:
    case Reason::implementation_specific_error:
    case Reason::not_authorized:
    case Reason::topic_name_invalid:
    case Reason::packet_identifier_in_use:
    case Reason::quota_exceeded:
    case Reason::payload_format_invalid:
      return true;
    default:
      return false;
  }
}

// What DISCONNECT and AUTH share: nothing at all, a reason, or a reason and properties.
Fault decode_reason_and_properties(const Frame& frame, Reason& reason, Properties& properties) {
  reason = Reason::success;
  properties.clear();
  if (frame.body.empty()) return {};
  ByteReader in(frame.body);
  reason = static_cast<Reason>(in.u8());
  if (in.at_end()) return {};
  if (const Fault fault = decode_properties(in, Version::v5, frame.type, properties)) {
    return fault;
  }
  return check_end(in);
}

Fault check_entry(Version version, std::string_view filter, std::uint8_t options) {
  if (filter.empty()) return {Reason::malformed_packet, "topic filter is empty"};
  if (!is_name(filter)) return {Reason::malformed_packet, "topic filter is not plain text"};
  const std::uint8_t reserved = version == Version::v5 ? 0xc0 : 0xfc;
  if ((options & reserved) != 0 || (options & 0x03) == 3 || (options & 0x30) == 0x30) {
    return {Reason::malformed_packet, "subscription options are wrong"};  // [MQTT-3.8.3-5]
  }
  return {};
}

}  // namespace

Fault decode(const Frame& frame, Connect& out) {
  ByteReader in(frame.body);
  out = Connect();
  if (const Fault fault = decode_protocol(in, frame.flags, out.version)) return fault;
  if (const Fault fault = decode_connect_flags(in.u8(), out)) return fault;
  out.keep_alive_s = read_u16(in);
  if (!in.ok()) return kCutShort;
  if (const Fault fault = decode_properties(in, out.version, PacketType::connect, out.properties)) {
    return fault;
  }
  if (out.properties.has(Property::authentication_data) &&
      !out.properties.has(Property::authentication_method)) {
    return {Reason::protocol_error, "authentication data without a method"};
  }
  out.client_id = read_text(in);
  if (!in.ok()) return kCutShort;
  if (!is_name(out.client_id)) return {Reason::malformed_packet, "client id is not plain text"};
  if (out.has_will) {
    if (const Fault fault = decode_will(in, out.version, out.will)) return fault;
  }
  if (out.has_user_name) out.user_name = read_text(in);
  if (out.has_password) out.password = read_text(in);
  if (!is_name(out.user_name)) return {Reason::malformed_packet, "user name is not plain text"};
  return check_end(in);
}

Fault decode(const Frame& frame, Version version, Connack& out) {
  if (frame.flags != 0) return kFlags;
  ByteReader in(frame.body);
  const std::uint8_t flags = in.u8();
  const std::uint8_t code = in.u8();
  if (!in.ok()) return kCutShort;
  if (flags > 1) return {Reason::malformed_packet, "reserved connect acknowledge flag is set"};
  out.session_present = flags == 1;
  if (version == Version::v5) {
    out.reason = static_cast<Reason>(code);
  } else {
    constexpr Reason kReasons[] = {Reason::success,
                                   Reason::unsupported_protocol_version,
                                   Reason::client_identifier_not_valid,
                                   Reason::server_unavailable,
                                   Reason::bad_user_name_or_password,
                                   Reason::not_authorized};
    if (code >= std::size(kReasons)) return {Reason::malformed_packet, "unknown return code"};
    out.reason = kReasons[code];
  }
  if (const Fault fault = decode_properties(in, version, frame.type, out.properties)) {
    return fault;
  }
  return check_end(in);
}

Fault decode(const Frame& frame, Version version, Publish& out) {
  out.dup = (frame.flags & 0x08) != 0;
  out.qos = static_cast<Qos>(frame.flags >> 1 & 3);
  out.retain = (frame.flags & 0x01) != 0;
  if ((frame.flags & 0x06) == 0x06) return {Reason::malformed_packet, "QoS is 3"};
  const bool has_id = out.qos != Qos::at_most_once;
  if (out.dup && !has_id) return {Reason::malformed_packet, "DUP at QoS 0"};  // [MQTT-3.3.1-2]
  ByteReader in(frame.body);
  out.topic = read_text(in);
  out.packet_id = has_id ? read_u16(in) : std::uint16_t{0};
  if (!in.ok()) return kCutShort;
  if (has_id && out.packet_id == 0) return kNoPacketId;
  if (const Fault fault = decode_properties(in, version, PacketType::publish, out.properties)) {
    return fault;
  }
  out.payload = read_rest(in);
  if (out.topic.empty() && !out.properties.has(Property::topic_alias)) {
    return {Reason::malformed_packet, "topic is empty"};
  }
  if (!is_name(out.topic)) return {Reason::malformed_packet, "topic is not plain text"};
  if (std::any_of(out.topic.begin(), out.topic.end(),
                  [](char c) { return c == '+' || c == '#'; })) {
    return {Reason::malformed_packet, "topic has a wildcard"};  // [MQTT-3.3.2-2]
  }
  return {};
}

Fault decode(const Frame& frame, Version version, Ack& out) {
  if (frame.flags != (frame.type == PacketType::pubrel ? 2 : 0)) return kFlags;
  ByteReader in(frame.body);
  out.reason = Reason::success;
  out.properties.clear();
  if (const Fault fault = decode_packet_id(in, out.packet_id)) return fault;
  if (in.at_end()) return {};
  if (version != Version::v5) return kTooLong;
  out.reason = static_cast<Reason>(in.u8());
  if (!in.at_end()) {
    if (const Fault fault = decode_properties(in, version, frame.type, out.properties)) {
      return fault;
    }
  }
  if (const Fault fault = check_end(in)) return fault;
  if (!is_ack_reason(frame.type, out.reason)) {
    return {Reason::protocol_error, "reason code that this packet may not have"};
  }
  return {};
}

Fault decode(const Frame& frame, Version version, Subscribe& out) {
  if (frame.flags != 2) return kFlags;
  ByteReader in(frame.body);
  if (const Fault fault = decode_packet_id(in, out.packet_id)) return fault;
  if (const Fault fault = decode_properties(in, version, frame.type, out.properties)) {
    return fault;
  }
  out.entries = read_rest(in);
  if (out.entries.empty()) return {Reason::malformed_packet, "no topic filter"};  // [MQTT-3.8.3-2]
  ByteReader entries(out.entries);
  while (!entries.at_end()) {
    const std::string_view filter = read_text(entries);
    const std::uint8_t options = entries.u8();
    if (!entries.ok()) return kCutShort;
    if (const Fault fault = check_entry(version, filter, options)) return fault;
  }
  return {};
}

Fault decode(const Frame& frame, Version version, Suback& out) {
  if (frame.flags != 0) return kFlags;
  ByteReader in(frame.body);
  if (const Fault fault = decode_packet_id(in, out.packet_id)) return fault;
  if (const Fault fault = decode_properties(in, version, frame.type, out.properties)) {
    return fault;
  }
  out.reasons = read_rest(in);
  return {};
}

Fault decode(const Frame& frame, Version version, Unsubscribe& out) {
  if (frame.flags != 2) return kFlags;
  ByteReader in(frame.body);
  if (const Fault fault = decode_packet_id(in, out.packet_id)) return fault;
  if (const Fault fault = decode_properties(in, version, frame.type, out.properties)) {
    return fault;
  }
  out.filters = read_rest(in);
  if (out.filters.empty()) return {Reason::malformed_packet, "no topic filter"};
  ByteReader filters(out.filters);
  while (!filters.at_end()) {
    const std::string_view filter = read_text(filters);
    if (!filters.ok()) return kCutShort;
    if (const Fault fault = check_entry(version, filter, 0)) return fault;
  }
  return {};
}

Fault decode(const Frame& frame, Version version, Disconnect& out) {
  if (frame.flags != 0) return kFlags;
  if (version != Version::v5 && !frame.body.empty()) return kTooLong;
  return decode_reason_and_properties(frame, out.reason, out.properties);
}

Fault decode(const Frame& frame, Version version, Auth& out) {
  if (version != Version::v5) return {Reason::protocol_error, "AUTH below 5.0"};
  if (frame.flags != 0) return kFlags;
  if (const Fault fault = decode_reason_and_properties(frame, out.reason, out.properties)) {
    return fault;
  }
  if (out.reason != Reason::success && out.reason != Reason::continue_authentication &&
      out.reason != Reason::reauthenticate) {
    return {Reason::protocol_error, "reason code that this packet may not have"};
  }
  return {};
}

Fault decode_empty(const Frame& frame) {
  if (frame.flags != 0) return kFlags;
  return frame.body.empty() ? Fault{} : kTooLong;
}

bool next_entry(std::string_view& rest, SubscribeEntry& entry) {
  if (rest.empty()) return false;
  ByteReader in(rest);
  entry.filter = read_text(in);
  const std::uint8_t options = in.u8();
  entry.qos = static_cast<Qos>(options & 3);
  entry.no_local = (options & 0x04) != 0;
  entry.retain_as_published = (options & 0x08) != 0;
  entry.retain_handling = options >> 4 & 3;
  rest = read_rest(in);
  return true;
}

bool next_filter(std::string_view& rest, std::string_view& filter) {
  if (rest.empty()) return false;
  ByteReader in(rest);
  filter = read_text(in);
  rest = read_rest(in);
  return true;
}

}  // namespace nilo::mqtt
