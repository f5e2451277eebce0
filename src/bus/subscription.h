// bus/subscription.h: who subscribes, and how.
//
// Source: MQTT 5.0 section 3.8.3.1 (options).
#pragma once

#include <compare>
#include <cstdint>

#include "value/message.h"

namespace nilo::bus {

struct SubscriptionOptions {
  Qos qos = Qos::at_most_once;
  bool no_local = false;
  bool retain_as_published = false;
  std::uint8_t retain_handling = 0;
  std::uint32_t identifier = 0;  // 0 = none
  bool skips_parent = false;     // "a/#" does not hear "a", against [MQTT-4.7.1-2]
};

// A subscriber: which event loop, which session there.
struct Target {
  std::uint32_t loop = 0;
  std::uint64_t session = 0;
  auto operator<=>(const Target&) const = default;
};

}  // namespace nilo::bus
