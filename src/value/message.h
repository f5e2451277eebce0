// value/message.h: the one thing that travels through this house.
//
// Everything that happens is a message: a publish, a table change, a refusal. A Message is
// immutable once made; whoever keeps it longer than a call shares it (MessagePtr).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace nilo {

// Topics of basic ingest: $aws/rules/RULE and $aws/rules/RULE/TOPIC are for this rule alone,
// whatever its FROM, and nobody else hears them; the rule sees TOPIC.
inline constexpr std::string_view kBasicIngest = "$aws/rules/";

enum class Qos : std::uint8_t { at_most_once = 0, at_least_once = 1, exactly_once = 2 };

// The MQTT 5.0 properties that travel with a publish (MQTT 5.0 section 3.3.2.3). Empty and 0 mean
// absent, except where said.
struct MessageProperties {
  bool payload_is_utf8 = false;
  std::uint32_t expiry_s = 0;  // seconds left to live when received; 0 = for ever
  bool has_expiry = false;
  std::string content_type;
  std::string response_topic;
  std::string correlation_data;  // binary
  std::vector<std::pair<std::string, std::string>> user;

  bool empty() const {
    return !payload_is_utf8 && !has_expiry && content_type.empty() && response_topic.empty() &&
           correlation_data.empty() && user.empty();
  }
};

// What a rule or a subscriber may know of a message while it is looked at: views into bytes that
// live for the call.
struct MessageView {
  std::string_view topic;
  std::string_view payload;
  Qos qos = Qos::at_most_once;
  bool retain = false;
  TimeUs received_us = 0;      // the server's clock
  std::string_view client_id;  // empty when not MQTT
  std::string_view principal;  // who was logged in: a token's or user's name; empty = anonymous
  std::string_view source_ip;
  const MessageProperties* properties = nullptr;  // nullptr = none
};

struct Message {
  std::string topic;
  std::string payload;
  Qos qos = Qos::at_most_once;
  bool retain = false;
  TimeUs received_us = 0;
  std::string client_id;
  std::string principal;
  std::string source_ip;
  MessageProperties properties;

  static Message copy_of(const MessageView& view);
  MessageView view() const;
};

using MessagePtr = std::shared_ptr<const Message>;

// Limits on what a stranger may send; MQTT itself allows 65,535 and 268,435,455.
inline constexpr std::size_t kTopicSizeMax = 1024;
inline constexpr std::size_t kTopicLevelsMax = 128;
inline constexpr std::size_t kPayloadSizeMax = 1024 * 1024;

}  // namespace nilo
