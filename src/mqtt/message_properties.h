// mqtt/message_properties.h: a message's properties, on the wire and in the house.
#pragma once

#include <string>
#include <string_view>

#include "mqtt/property.h"
#include "value/message.h"

namespace nilo::mqtt {

// What is not a message's (topic alias, subscription identifiers, will delay) is left out.
MessageProperties message_properties(const Properties& from);

// Is the payload UTF-8, if the properties say so? [MQTT-3.3.2-4 leaves it to the receiver to ask.]
bool is_as_said(const Properties& properties, std::string_view payload);

// Adds them to `out`, without expiry where `has_expiry` is false. `repeated` keeps the bytes of
// those that repeat; it may begin with subscription identifiers and must live as long as `out`.
void set_properties(Properties& out, const MessageProperties& from, std::string& repeated);

}  // namespace nilo::mqtt
