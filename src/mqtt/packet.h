// mqtt/packet.h: what the packets of MQTT 3.1, 3.1.1 and 5.0 say, as plain structs.
//
// Texts and payloads are views: of the packet when decoded, of the caller's bytes when encoded.
// `properties` is empty below 5.0.
// Source: MQTT 5.0 chapter 3; MQTT 3.1.1 chapter 3.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mqtt/property.h"
#include "mqtt/reason.h"
#include "value/message.h"

namespace nilo::mqtt {

// The protocol level on the wire.
enum class Version : std::uint8_t { v3_1 = 3, v3_1_1 = 4, v5 = 5 };

struct Will {
  std::string_view topic{};
  std::string_view payload{};
  Qos qos = Qos::at_most_once;
  bool retain = false;
  Properties properties{};
};

struct Connect {
  Version version = Version::v3_1_1;
  bool clean_start = true;  // "clean session" below 5.0
  std::uint16_t keep_alive_s = 0;
  std::string_view client_id{};
  bool has_user_name = false;
  bool has_password = false;
  bool has_will = false;
  std::string_view user_name{};
  std::string_view password{};
  Will will{};
  Properties properties{};
};

struct Connack {
  bool session_present = false;
  // Below 5.0 it travels as connack_code(reason); decoded, each code becomes its nearest reason.
  Reason reason = Reason::success;
  Properties properties{};
};

struct Publish {
  bool dup = false;
  Qos qos = Qos::at_most_once;
  bool retain = false;
  std::uint16_t packet_id = 0;  // 0 at QoS 0
  std::string_view topic{};     // may be empty with a topic alias
  std::string_view payload{};
  Properties properties{};
};

// PUBACK, PUBREC, PUBREL, PUBCOMP. Below 5.0 the reason is always success.
struct Ack {
  std::uint16_t packet_id = 0;
  Reason reason = Reason::success;
  Properties properties{};
};

struct SubscribeEntry {
  std::string_view filter{};
  Qos qos = Qos::at_most_once;
  bool no_local = false;
  bool retain_as_published = false;
  std::uint8_t retain_handling = 0;
};

struct Subscribe {
  std::uint16_t packet_id = 0;
  Properties properties{};
  std::string_view entries{};  // checked; walk it with next_entry()
};

struct Unsubscribe {
  std::uint16_t packet_id = 0;
  Properties properties{};
  std::string_view filters{};  // checked; walk it with next_filter()
};

// SUBACK and UNSUBACK: one reason code a byte, none in an UNSUBACK below 5.0.
struct Suback {
  std::uint16_t packet_id = 0;
  Properties properties{};
  std::string_view reasons{};
};

struct Disconnect {
  Reason reason = Reason::success;
  Properties properties{};
};

struct Auth {
  Reason reason = Reason::success;
  Properties properties{};
};

}  // namespace nilo::mqtt
