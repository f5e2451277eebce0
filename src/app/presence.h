// app/presence.h: what is told of clients that come, go and listen.
//
//   $presence/<client>                                              ours
//   $aws/events/presence/connected|disconnected|connect_failed/<client>
//   $aws/events/subscriptions/subscribed|unsubscribed/<client>      as AWS IoT has them
//
// A client id with + or # gets none, for no topic can hold it.
// Threads: pure functions.
// Source:  AWS IoT Core developer guide, "Lifecycle events".
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "mqtt/host.h"

namespace nilo::app {

inline constexpr std::string_view kPresence = "$presence/";

// Empty: there is no such message.
std::string presence_topic(mqtt::Presence::What what, std::string_view client_id);
std::string own_presence_topic(mqtt::Presence::What what, std::string_view client_id);
std::string connect_failed_topic(std::string_view client_id);

// {"clientId":...,"thingName":...,"timestamp":...,"eventType":"connected",...}
// `thing`: whose login it is; empty: no thing's.
std::string presence_payload(const mqtt::Presence& presence, std::string_view thing, TimeUs now_us);
// {"client":...,"state":"connected","since":...,"login":...,"address":...}
std::string own_presence_payload(const mqtt::Presence& presence, TimeUs now_us);
std::string connect_failed_payload(const mqtt::Refusal& refusal, TimeUs now_us);

}  // namespace nilo::app
