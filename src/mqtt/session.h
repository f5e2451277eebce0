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
#include "mqtt/received_ids.h"

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
  bool is_restored = false;  // from the log, which does not have the principal
};

struct Session {
  explicit Session(QueueTotals& totals) : queue(totals), received(totals.received_ids) {}

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
  ReceivedIds received;                // of QoS 2, not released
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
