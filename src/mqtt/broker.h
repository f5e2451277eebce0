// mqtt/broker.h: the MQTT server of one event loop, as a state machine without sockets.
//
// The host opens a connection, feeds it bytes, and sends what take_out() gives. In between stand
// the packets (codec.h), the network connections (connection.h) and the sessions that may outlive
// them (session.h). A client id has one home loop (codec.h, home_loop()), so a session is never
// seen by two Brokers; Router and Retained are shared by all.
//
// In/out:  bytes -> Host::publish() and effects; messages -> bytes.
// Threads: one Broker belongs to one loop. Host calls may call back in at once.
// Limits:  host.h, Limits.
// Source:  MQTT 5.0 and 3.1.1. What this room does not do (shared subscriptions, enhanced
//          authentication) is refused with the reason code the standard has for it.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "mqtt/effects.h"
#include "mqtt/host.h"

namespace nilo::bus {
class Retained;
class Router;
struct Match;
}  // namespace nilo::bus

namespace nilo::mqtt {

struct Connection;
struct Session;

// Gives sessions their numbers. One for all loops.
class SessionNumbers {
 public:
  SessionNumber take(bool persistent) { return next_.fetch_add(1) << 1 | (persistent ? 1 : 0); }
  // `number` was found in the log.
  void seen(SessionNumber number);

 private:
  std::atomic<std::uint64_t> next_{1};
};

// What `match` makes of a message: nullopt if this subscriber does not get it (no local).
// `publisher`: Ticket::publisher, or 0.
std::optional<Delivery> delivery_of(const bus::Match& match, const MessageView& message,
                                    SessionNumber publisher);

class Broker {
 public:
  struct Rooms {  // all must outlive the Broker
    Host& host;
    bus::Router& router;
    bus::Retained& retained;
    SessionNumbers& numbers;
    const Clock& clock;
    Metrics& metrics;
  };
  // `loop` of `loop_count`.
  Broker(const Rooms& rooms, const Limits& limits, std::uint32_t loop, std::uint32_t loop_count);
  ~Broker();

  // --- network connections
  ConnectionId open(std::string_view source_ip);
  // Takes all bytes. False: read no more until Host::read_ready(), this client has enough
  // unanswered or is not logged in yet.
  bool receive(ConnectionId connection, std::string_view bytes);
  // Moves out what is to be sent. Call it when the socket has sent all it was given before: what
  // piles up here is how a slow reader is known.
  std::string take_out(ConnectionId connection);
  // The socket is gone.
  void closed(ConnectionId connection);

  // --- answers of the host
  void on_authenticated(ConnectionId connection, Result<Principal> who);
  void on_published(const Ticket& ticket, const Result<void>& outcome);

  // --- messages to subscribers of this loop
  // `seq`: the record that holds append_queued() for it; 0 if there is none. Drops what the
  // limits say; a session that has gone meanwhile is no error.
  void deliver(const Delivery& delivery, const MessagePtr& message, Seq seq);

  // Every 100 to 250 ms: time limits, expiries, delayed wills, acknowledgements to be logged.
  // Costs what has expired, not what is there.
  void tick();

  // At start, before the first open(): one effect of the record `seq`; those of other rooms and
  // loops are skipped. False: damaged bytes.
  bool apply(Seq seq, const Effect& effect);
  // Says goodbye to every client (5.0: 0x8B) and publishes nothing more.
  void shut_down();

  std::size_t connection_count() const;
  std::size_t session_count() const;

 private:
};

}  // namespace nilo::mqtt
