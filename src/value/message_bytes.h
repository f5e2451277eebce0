// value/message_bytes.h: a message as bytes inside an effect.
//
// Format: docs/formats/record.md, "A message".
#pragma once

#include <string>

#include "base/bytes.h"
#include "value/message.h"

namespace nilo {

// Appends the message: topic, payload, qos, retain, receive time, who sent it, properties.
void put_message(std::string& out, const MessageView& message);

// Reads what put_message() wrote; check `in.ok()` afterwards.
Message get_message(ByteReader& in);

}  // namespace nilo
