// mqtt/property.h: the properties of MQTT 5.0, as a table and as the set one packet carries.
//
// Decoding checks everything the standard says of a property: where it may appear, how often, its
// type and its range. Texts are views into the packet; a Properties outlives it only by accident.
// Properties that may repeat (user property, subscription identifier) stay in the packet's bytes
// and are walked when asked for, so that ten thousand of them cost no memory.
// Threads: values; no sharing.
// Source: MQTT 5.0 section 2.2.2, table 2-4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mqtt/reason.h"

namespace nilo::mqtt {

// The numbers stand in the first byte of a packet, shifted left by four. 0, which no packet has,
// stands for the will inside a CONNECT where properties are concerned.
enum class PacketType : std::uint8_t {
  will = 0,
  connect = 1,
  connack = 2,
  publish = 3,
  puback = 4,
  pubrec = 5,
  pubrel = 6,
  pubcomp = 7,
  subscribe = 8,
  suback = 9,
  unsubscribe = 10,
  unsuback = 11,
  pingreq = 12,
  pingresp = 13,
  disconnect = 14,
  auth = 15,
};

enum class Property : std::uint8_t {
  payload_format = 1,
  message_expiry = 2,  // seconds
  content_type = 3,
  response_topic = 8,
  correlation_data = 9,
  subscription_identifier = 11,
  session_expiry = 17,  // seconds; 0xffffffff = never
  assigned_client_id = 18,
  server_keep_alive = 19,  // seconds
  authentication_method = 21,
  authentication_data = 22,
  request_problem_information = 23,
  will_delay = 24,  // seconds
  request_response_information = 25,
  response_information = 26,
  server_reference = 28,
  reason_string = 31,
  receive_maximum = 33,
  topic_alias_maximum = 34,
  topic_alias = 35,
  maximum_qos = 36,
  retain_available = 37,
  user_property = 38,
  maximum_packet_size = 39,
  wildcard_available = 40,
  subscription_identifiers_available = 41,
  shared_available = 42,
};
inline constexpr std::size_t kPropertyCount = 43;

class Properties {
 public:
  // Not one; the cells are left as they are, because a PUBLISH clears one of these per message.
  Properties() : present_(0) {}

  void clear() {
    present_ = 0;
    section_ = {};
  }
  bool empty() const { return present_ == 0 && section_.empty(); }
  bool has(Property id) const { return (present_ >> static_cast<unsigned>(id) & 1) != 0; }
  // `otherwise` when absent. For the numeric ones.
  std::uint32_t number(Property id, std::uint32_t otherwise) const {
    return has(id) ? cell(id).number : otherwise;
  }
  // Empty when absent. For texts and binary data.
  std::string_view text(Property id) const {
    return has(id) ? std::string_view(cell(id).text, cell(id).number) : std::string_view();
  }

  void set(Property id, std::uint32_t number);
  // `text` is kept as a view.
  void set(Property id, std::string_view text);
  // `section`: bytes made with append_user_property() and append_subscription_identifier().
  void set_repeated(std::string_view section) { section_ = section; }

  // The walk over what may repeat: `at` starts at 0; false at the end.
  bool next_user(std::size_t& at, std::string_view& name, std::string_view& value) const;
  bool next_subscription_identifier(std::size_t& at, std::uint32_t& identifier) const;

  // Reads the length and the properties from the front of `bytes`, which then begins behind them.
  // malformed_packet: cut short, unknown. protocol_error: not `packet`'s, given twice, or a value
  // the standard excludes. topic_alias_invalid: alias 0.
  Fault decode(std::string_view& bytes, PacketType packet);
  // Appends length and properties highest number first, the repeated ones last.
  void encode(std::string& out) const;

 private:
  struct Cell {
    const char* text;
    std::uint32_t number;  // or the text's size
  };
  const Cell& cell(Property id) const { return cells_[static_cast<std::size_t>(id)]; }

  std::uint64_t present_;  // bit n: property n
  std::string_view section_;
  Cell cells_[kPropertyCount];
};

void append_user_property(std::string& section, std::string_view name, std::string_view value);
void append_subscription_identifier(std::string& section, std::uint32_t identifier);

}  // namespace nilo::mqtt
