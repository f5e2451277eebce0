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
// Source:  MQTT 5.0 and 3.1.1.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
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
#include "bus/retained.h"
#include "bus/router.h"
#include "mqtt/codec.h"
#include "mqtt/connection.h"
#include "mqtt/effects.h"
#include "mqtt/host.h"
#include "mqtt/session.h"

namespace nilo::mqtt {

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

// The same for a group of a shared subscription: to the member whose turn it is.
struct Addressed {
  bus::Target target;
  Delivery delivery;
};
Addressed delivery_of(const bus::Group& group, const MessageView& message);

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
  // `limits`: of the listener it came by, where they are not the Broker's; outlive the Broker.
  ConnectionId open(std::string_view source_ip, const Limits* limits = nullptr);
  // Takes all bytes. False: read no more until Host::read_ready(), this client has enough
  // unanswered or is not logged in yet.
  bool receive(ConnectionId connection, std::string_view bytes);
  // False: the host reads nobody's bytes until it says true. Who is not read is not silent.
  void set_reads(bool reads);
  // Moves out what is to be sent. Call it when the socket has sent all it was given before: what
  // piles up here is how a slow reader is known.
  std::string take_out(ConnectionId connection);
  // The socket is gone.
  void closed(ConnectionId connection);
  // Ends the connections of those who may not be here any more (5.0: 0x87). `why`: a literal that
  // says why this one has to go; nullptr: it stays.
  void drop_clients(const std::function<const char*(const Principal&)>& why);
  // Rights have changed: ends subscriptions of those that are here which are not allowed any more.
  // Those who come back are looked at then.
  void recheck_subscriptions();

  // --- answers of the host
  void on_authenticated(ConnectionId connection, Result<Principal> who);
  // `reason`: success, no_matching_subscribers or an error; below 5.0 an error closes the
  // connection, so that the client sends again later. `why`: for people, with an error.
  void on_published(const Ticket& ticket, Reason reason, std::string_view why = {});

  // --- messages to subscribers of this loop
  // `at`: where in the log append_queued() says that it waits; a persistent session has that at
  // QoS 1 and 2. Drops what the limits say; a session that has gone meanwhile is no error.
  void deliver(const Delivery& delivery, const MessagePtr& message, const Position& at);

  // What Host::fetch() asked for, in its order.
  struct Fetched {
    Position at;
    Letter letter;  // without a message: the log cannot be read there
  };
  void on_fetched(SessionNumber session, std::vector<Fetched> fetched);

  // Every 100 to 250 ms: time limits, expiries, delayed wills, acknowledgements to be logged.
  // Costs what has expired, not what is there.
  void tick();

  // At start, before the first open(): one effect of the record `seq`; those of other rooms and
  // loops are skipped. False: damaged bytes.
  bool apply(Seq seq, const Effect& effect);
  // After the last of them. Who was away before counts as gone since then, by the server's clock;
  // who was not, from now on: the log does not say how long the server was down.
  void on_replayed();
  // Says goodbye to every client (5.0: 0x8B) and publishes nothing more.
  void shut_down();

  std::size_t connection_count() const;
  std::size_t session_count() const;

 private:
  // --- broker.cc: connections and time
  Connection* find(ConnectionId id) const;
  void read(Connection& connection, std::string_view bytes);
  // Handles the packets of `kept` and completes the last one with the front of `bytes`.
  void read_kept(Connection& connection, std::string kept, std::string_view& bytes);
  // Handles the packet that `bytes` begins with. False: it is not complete (`needed` says more), or
  // the connection wants no more.
  bool read_one(Connection& connection, std::string_view& bytes, std::size_t& needed);
  bool may_read(const Connection& connection) const;
  void note_progress(Connection& connection);
  void resume(Connection& connection);
  // Bounds the publishes of a second, where its limits say so.
  void count_publish(Connection& connection);
  bool is_over_rate(const Connection& connection) const;
  void resume_over_rate();
  void handle(Connection& connection, const Frame& frame);
  void announce(Connection& connection);
  // 5.0: says why in a DISCONNECT. Then closes; the will is published.
  void fail(Connection& connection, Fault fault);
  void drop(Connection& connection, bool publishes_will, bool tells_host);
  void refuse(const Connection& connection, Refusal::What what, std::string_view topic,
              Reason reason, std::string_view why);
  void append_disconnect(Connection& connection, Reason reason, std::string_view why);
  void tell(const Connection& connection, Presence::What what,
            const std::vector<std::string>& filters = {});
  void set_timer(Connection& connection, std::int64_t due_us);
  void check_due(Connection& connection);

  // --- connect.cc: from the first packet to CONNACK
  void handle_connect(Connection& connection, const Frame& frame);
  Fault check_connect(const Connect& packet, const Limits& limits) const;
  // `topic`: of a will that may not be published.
  void refuse_connect(Connection& connection, Reason reason, std::string_view why,
                      std::string_view topic = {});
  struct WillRefusal {
    std::string topic;
    std::string why;
  };
  std::optional<WillRefusal> check_will(const Connection& connection) const;
  void begin_session(Connection& connection);
  // What the log has to know of it.
  struct Beginning {
    bool is_new = true;
    SessionNumber ended = 0;          // another number that ends with it
    SessionNumber restored_will = 0;  // whose will ends with it
    bool is_logged = false;           // it is new to the log, or another than there
    std::vector<std::string> forbidden;
  };
  void log_beginning(Connection& connection, const Beginning& begun);
  SessionNumber take_restored_will(std::string_view client_id);
  std::vector<std::string> drop_forbidden(Session& session, const Principal& who);
  void finish_connect(Connection& connection, bool session_present);
  bool append_connack(Connection& connection, const Connect& packet, bool session_present);
  std::string make_client_id();
  std::string response_prefix_of(const Connection& connection) const;
  void handle_disconnect(Connection& connection, const Frame& frame);

  // --- auth.cc: enhanced authentication
  void begin_exchange(Connection& connection, const Connect& packet, const Login& login);
  void step(Connection& connection, std::string_view data);
  void refuse_exchange(Connection& connection, const Error& why);
  void finish_again(Connection& connection, const Principal& who);
  void append_auth(Connection& connection, Reason reason);
  void handle_challenged(Connection& connection, const Frame& frame);
  void handle_auth(Connection& connection, const Frame& frame);

  // --- publish.cc: messages from clients
  void handle_publish(Connection& connection, const Frame& frame);
  Fault resolve_alias(Connection& connection, Publish& packet) const;
  Fault check_publish(const Connection& connection, const Publish& packet) const;
  // True: it was received before; nothing more to do.
  bool is_repeated(Connection& connection, const Publish& packet);
  void refuse_publish(Connection& connection, const Publish& packet, Reason reason,
                      std::string_view why);
  void refuse_own_topic(Connection& connection, const Publish& packet);
  void append_answers(Connection& connection);
  void settle_received(const Ticket& ticket, Reason reason);
  void publish_will(SessionNumber number, bool is_logged, StoredWill& will);

  // --- deliver.cc: messages to clients
  void pump(Session& session);
  void fetch(Session& session);
  bool append_publish(Connection& connection, const Message& message, Publish& packet,
                      const std::vector<std::uint32_t>* identifiers);
  bool append_if_taken(Connection& connection, const Publish& packet);
  void handle_ack(Connection& connection, const Frame& frame);
  void handle_release(Connection& connection, std::uint16_t packet_id);
  // Of a persistent session: PUBREL and PUBREC are answered when the log has them. `released_` and
  // `confirmed_` hold those of the bytes being read.
  void commit_acks(Connection& connection);
  struct Acks {
    SessionNumber session = 0;
    ConnectionId connection = 0;
    std::vector<std::uint16_t> released;
    std::vector<std::uint16_t> confirmed;
  };
  void finish_acks(const Acks& acks, const Result<void>& outcome);
  void number_ids(Session& session);
  void note_settled(Session& session, const Position& at);
  void commit_settled();
  // Tells the groups of the session how ready it is.
  void note_presence(const Session& session);
  void note_full(Session& session, const Message& message);

  // --- subscribe.cc
  void handle_subscribe(Connection& connection, const Frame& frame);
  Reason subscribe(Connection& connection, const SubscribeEntry& entry, std::uint32_t identifier,
                   bool& is_new);
  void finish_subscribe(ConnectionId id, std::uint16_t packet_id, const std::string& reasons,
                        const std::vector<Subscription>& wants_retained);
  void send_retained(Session& session, const Subscription& subscription);
  void handle_unsubscribe(Connection& connection, const Frame& frame);
  bool unsubscribe(Session& session, std::string_view filter);
  // Tells the router what the session hears.
  void listen(Session& session, const bus::TopicFilter& heard, const Subscription& subscription);

  // --- sessions.cc: what outlives connections
  Session* find_session(SessionNumber number) const;
  Session* find_session(std::string_view client_id) const;
  Session& make_session(std::string client_id, SessionNumber number);
  // The log's will of this session is not to be published any more.
  void forget_will(Session& session);
  void publish_restored_wills();
  // The connection of `session` is gone.
  void leave(Session& session, std::unique_ptr<StoredWill> will);
  void end_session(Session& session);  // and logs it
  // Erases it; others get what was shared with it. True: that stands in the log before what
  // follows, and its end is to be logged. False: both will, and the client waits in `endings_`.
  bool retire(Session& session);
  void log_end(SessionNumber number, std::function<void(const Result<void>&)> done);
  void erase_session(Session& session);  // publishes the will that waits; logs nothing
  void set_timer(Session& session, std::int64_t due_us);
  void check_due(Session& session);
  bool apply_session(std::string_view body);
  bool apply_subscribe(std::string_view body);
  bool apply_queued(Seq seq, std::string_view body);
  bool apply_delivered(std::string_view body);
  bool apply_settled(std::string_view body);
  bool apply_numbered(std::string_view body);
  bool apply_packet_ids(const Effect& effect);
  bool apply_will(std::string_view body);
  bool apply_gone(std::string_view body);
  bus::Target target_of(const Session& session) const { return {loop_, session.number}; }

  struct Counters {
    Counter& connects;
    Counter& refused;
    Counter& received;
    Counter& sent;
    Counter& dropped_slow;
    Counter& dropped_full;
    Counter& dropped_large;
    Counter& dropped_expired;
    Counter& dropped_lost;
    Counter& dropped_forbidden;
  };
  struct Slot {
    std::unique_ptr<Connection> connection;
    std::uint32_t generation = 0;
  };

  Rooms rooms_;
  const Limits limits_;
  const std::uint32_t loop_;
  const std::uint32_t loop_count_;
  Counters counters_;
  // Added to the counters by tick(): an atomic addition costs as much as a third of a message.
  std::uint64_t received_count_ = 0;
  std::uint64_t sent_count_ = 0;
  std::int64_t now_us_;  // steady; as of the last tick(), which is exact enough for time limits
  bool reads_ = true;
  std::int64_t reads_since_us_ = 0;
  TimeUs wall_us_;  // as of the last receive() or tick()

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::unique_ptr<Connection>> closed_;  // until the next tick(): somebody may look
  std::set<std::pair<std::int64_t, ConnectionId>> connection_timers_;
  std::vector<ConnectionId> over_rate_;  // have published enough for this second

  const QueueLimits queue_limits_;
  QueueTotals queue_totals_;  // outlives the sessions
  std::unordered_map<SessionNumber, std::unique_ptr<Session>> sessions_;
  std::unordered_map<std::string_view, Session*> sessions_by_client_;  // views of their client_id
  std::set<std::pair<std::int64_t, SessionNumber>> session_timers_;
  std::vector<SessionNumber> unlogged_;  // sessions with `settled` to be logged
  std::vector<std::uint16_t> released_;
  std::vector<std::uint16_t> confirmed_;
  // By client id: who waits to begin a session until the end of the one before is logged, for as
  // long as the log is read for others; also those that have gone meanwhile.
  std::map<std::string, std::vector<ConnectionId>, std::less<>> endings_;
  std::unordered_map<SessionNumber, StoredWill> replayed_wills_;  // while the log is replayed
  // Of clients whose sessions ended with the server, by client id, until will_grace_us has passed.
  struct RestoredWill {
    SessionNumber number = 0;
    StoredWill will{};
  };
  std::map<std::string, RestoredWill, std::less<>> restored_wills_;
  std::int64_t restored_due_us_ = 0;
  Position replayed_;  // the last `queued` that apply() saw
  std::vector<Delivery> replayed_deliveries_;
};

}  // namespace nilo::mqtt
