// mqtt/session.h: what survives a network connection.
//
// Threads: one loop. Owned by its Broker.
// Source:  MQTT 5.0 section 4.1 (session state).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bus/router.h"
#include "mqtt/host.h"
#include "mqtt/outgoing_queue.h"

namespace nilo::mqtt {

struct Connection;

inline constexpr std::uint32_t kNeverExpires = 0xffffffff;
inline constexpr std::int64_t kNoTimer = 0;

struct Subscription {
  std::string filter;
  bus::SubscriptionOptions options;
};

// What to publish when the client is gone without goodbye.
struct StoredWill {
  Message message;
  Principal principal;  // whose rights count when it is published
  std::uint32_t delay_s = 0;
  bool is_restored = false;  // from the log: that it may be published was checked before
};

// A QoS 2 publish of the client that was not released yet [MQTT-4.3.3-10].
struct ReceivedId {
  std::uint16_t packet_id = 0;
  bool is_durable = false;    // a repeated PUBLISH is answered when this is true
  bool is_releasing = false;  // PUBREL came and is being logged
  // The connection that repeated the PUBLISH before that: it waits for the answer of the first one.
  ConnectionId repeated_on = 0;
};

struct Session {
  explicit Session(QueueTotals& totals) : queue(totals) {}

  SessionNumber number = 0;
  std::string client_id{};
  std::string owner{};               // the name of the login that made it; empty: nobody's
  Connection* connection = nullptr;  // nullptr: the client is away
  std::uint32_t expiry_s = 0;        // counted from when the client is gone
  std::int64_t due_us = kNoTimer;    // its entry in the Broker's session timers
  std::int64_t gone_us = 0;          // when the client went away
  std::vector<Subscription> subscriptions{};
  OutgoingQueue queue;
  bus::PresencePtr presence{};         // for its groups; nullptr: it never was in one
  bool was_full = false;               // the queue; so that one refusal is told, not thousands
  std::vector<ReceivedId> received{};  // few: at most receive_max
  bool is_fetching = false;            // messages of the queue are being read from the log
  bool is_numbering = false;           // identifiers are being logged
  std::vector<Position> settled{};     // acknowledged or dropped, not yet logged
  std::unique_ptr<StoredWill> will{};  // delayed; only while the client is away
  bool has_logged_will = false;        // the log has one, which is to end there
  bool is_gone_logged = false;         // the log says that the client is away

  bool is_persistent() const { return mqtt::is_persistent(number); }
};

// The subscription with this filter, or nullptr.
Subscription* find_subscription(Session& session, std::string_view filter);

}  // namespace nilo::mqtt
