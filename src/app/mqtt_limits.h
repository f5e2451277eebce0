// app/mqtt_limits.h: what the stack says of MQTT clients, as the limits a Broker keeps.
#pragma once

#include "mqtt/host.h"
#include "stack/stack.h"

namespace nilo::app {

// What `settings` leaves open is as in mqtt::Limits. Durations are rounded up to seconds; what is
// more than the protocol can say becomes the most it can say.
mqtt::Limits limits_of(const stack::MqttSettings& settings);

}  // namespace nilo::app
