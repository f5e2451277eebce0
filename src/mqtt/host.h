// mqtt/host.h: what a Broker needs from whoever runs it, and the limits it keeps.
//
// Threads: everything here is called on, and answered on, the Broker's own event loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bus/router.h"
#include "bus/topic_filter.h"
#include "mqtt/authenticator.h"
#include "mqtt/packet.h"
#include "value/message.h"
#include "value/principal.h"
#include "value/record.h"

namespace nilo::mqtt {

// A network connection of one Broker; never reused. 0 = none.
using ConnectionId = std::uint64_t;

// A session, unique over all loops and over restarts. Odd = persistent: it outlives its connection
// and its changes are logged. 0 = none.
using SessionNumber = std::uint64_t;
constexpr bool is_persistent(SessionNumber number) { return (number & 1) != 0; }

// Bytes for a client that leave before the end of the loop's turn.
inline constexpr std::size_t kSendEarlySize = 64 * 1024;
// "$share/NAME/FILTER" of the shared subscription that let a message through; nullptr: none did.
using SharePtr = std::shared_ptr<const std::string>;

// What happens at each of them stands behind it.
struct Limits {
  std::size_t first_packet_size_max = 64 * 1024;     // closed; nobody has logged in yet
  std::size_t packet_size_max = (1024 + 64) * 1024;  // 5.0: told at CONNECT, then 0x95; closed
  std::size_t client_id_size_max = 256;              // CONNACK 0x85 / 2
  std::uint16_t keep_alive_max_s = 0;                // 5.0: server keep alive; 0 = any
  std::uint16_t receive_max = 1024;                  // unanswered QoS 1 and 2 publishes of one
                                                     // client: 5.0: 0x93, counting those not
                                                     // released; below: reading pauses
  std::size_t received_max = 1'000'000;              // QoS 2 publishes not released, of a loop:
                                                     // then one client has no more than
                                                     // receive_max; below 5.0: closed
  std::uint16_t topic_alias_max = 16;                // each way; 5.0: 0x94; ours: no more of them
  std::size_t subscriptions_max = 1000;              // per session: SUBACK 0x97 / 0x80
  std::size_t retained_per_filter_max = 10'000;      // retained messages sent for one filter
  std::size_t session_queue_max = 500'000;           // waiting messages: the newest is dropped
  std::size_t session_queue_size_max = 64u << 20;    // bytes of those not in the log; likewise
  std::size_t queued_max = 20'000'000;               // waiting messages of all sessions; likewise
  std::size_t held_size_max = 64u << 20;             // bytes of them in memory: less is read ahead
  std::size_t out_buffer_size_max = 1u << 20;        // unsent bytes: QoS 0 is dropped, QoS 1 waits
  std::size_t sessions_max = 200'000;                // CONNACK 0x97 / 3
  std::uint32_t session_expiry_max_s = 0xffffffff;   // 5.0: told at CONNECT; 0xffffffff = never
  std::int64_t connect_timeout_us = 10'000'000;      // closed
  // After a restart clients have this long to come back before their wills are published.
  std::int64_t will_grace_us = 10'000'000;
  bool reasons = true;  // 5.0: say in words what was wrong; false: nor that rights are missing
                        // for a subscription (0x80)

  // Those of one connection; the rest is the Broker's alone (aws_limits()).
  std::size_t payload_size_max = kPayloadSizeMax;    // 5.0: 0x97; below: closed
  std::size_t topic_size_max = kTopicSizeMax;        // 0x90, 0x8f / 0x80; below 5.0 closed
  std::size_t topic_levels_max = kTopicLevelsMax;    // likewise
  std::size_t filters_per_subscribe_max = SIZE_MAX;  // those beyond: 0x97 / 0x80
  std::uint16_t in_flight_max = 65'535;              // sent and not acknowledged; then they wait
  std::uint32_t publishes_per_s_max = 0;   // reading pauses until the next second; 0 = any
  std::uint16_t keep_alive_min_s = 0;      // a shorter one counts as this
  bool keep_alive_of_all = false;          // caps it below 5.0, too, untold
  Qos qos_max = Qos::exactly_once;         // 5.0: told at CONNECT, then 0x9b; closed
  bool has_retained_for_wildcards = true;  // retained messages for filters with + or #
  bool has_parent_of_wildcard = true;      // "a/#" hears "a"
};

// The profile `aws` of a listener: limits and deviations of AWS IoT Core, for programs that were
// made by them.
Limits aws_limits();

// Who says they are connecting. Views: valid during authenticate() only.
struct Login {
  std::string_view client_id;
  bool has_user_name = false;  // may be given without a password, and the other way round
  bool has_password = false;
  std::string_view user_name;
  std::string_view password;
  std::string_view source_ip;
  Version version{};
  bool is_persistent = false;  // wants a session that outlives the connection
  bool has_will = false;
};

// What to acknowledge when a publish is durable.
struct Ticket {
  ConnectionId connection = 0;
  std::uint32_t number = 0;
  std::uint16_t packet_id = 0;
  Qos qos = Qos::at_most_once;  // on the publisher's side
  SessionNumber publisher = 0;
  SessionNumber will = 0;  // not 0: the message is the will that the log has for this session
  bool was_heard = true;   // by a subscriber or a rule; the host may say so with the answer
  // False at QoS 0 and for wills: on_published() need not be called.
  bool wants_answer() const { return qos != Qos::at_most_once; }
  // Must its packet identifier be remembered?
  bool is_received() const { return qos == Qos::exactly_once && is_persistent(publisher); }
};

// Something a client wanted and did not get: for `$error/mqtt/...`, a counter and a log line.
// Views: valid during refused() only.
struct Refusal {
  enum class What : std::uint8_t { connect, packet, publish, subscribe, delivery };
  What what{};
  std::string_view client_id;
  std::string_view principal;
  std::string_view source_ip;
  std::string_view topic;  // topic or filter; of a CONNECT: of its will, if that is why; or empty
  Reason reason{};
  std::string_view why;          // in words
  std::string_view user_name{};  // what a CONNECT showed; proves nothing
};
std::string_view word_of(Refusal::What what);

struct Delivery;  // mqtt/effects.h
// Somebody came, went, or listens to something else than before: for messages about it.
// Views: valid during present() only.
struct Presence {
  enum class What : std::uint8_t { connected, disconnected, subscribed, unsubscribed };
  // Why a connection ended.
  enum class End : std::uint8_t {
    lost,  // without a goodbye
    said_goodbye,
    taken_over,
    keep_alive,
    forbidden,
    client_error,
    server_error,
    shut_down,
  };
  What what{};
  ConnectionId connection = 0;
  std::string_view client_id;
  const Principal& principal;
  std::string_view source_ip;
  TimeUs since_us = 0;  // when it connected
  End end{};            // of disconnected
  const std::vector<std::string>& filters;
};

class Host {
 public:
  virtual ~Host() = default;

  // Answer once with Broker::on_authenticated(), at once or later.
  virtual void authenticate(ConnectionId connection, const Login& login) = 0;
  // Begins an enhanced authentication; nullptr: `method` is not offered. `login` says who is
  // connecting, as far as it is known; it shows no password when this is done again.
  virtual std::unique_ptr<Authenticator> authenticator(std::string_view method,
                                                       const Login& login) = 0;
  virtual bool may_publish(const Principal& principal, std::string_view topic) = 0;
  virtual bool may_subscribe(const Principal& principal, std::string_view filter) = 0;
  // A retained message, to a topic where it may publish.
  virtual bool may_retain(const Principal& principal, std::string_view topic) = 0;
  // Why one of the three said no, for people.
  virtual std::string why_not(const Principal& principal, Scope::Act act,
                              std::string_view topic) = 0;
  // Is there still somebody who logs in under this name? Else what he left is anybody's.
  virtual bool is_known(std::string_view principal) = 0;
  // Who that is today who left `message` before the server was started; nullopt: nobody.
  virtual std::optional<Principal> remembered(const Message& message) = 0;

  // What the server itself has to say to whoever subscribes to `filter`: as if it were retained.
  virtual std::vector<MessagePtr> own_messages(const bus::TopicFilter& filter) = 0;

  // A PUBLISH or a will came in: store it, keep it if it is retained, route it. With
  // `ticket.wants_answer()`, answer once with Broker::on_published(), in any order. With
  // `ticket.is_received()`, append_received() goes into the same record; with `ticket.will`,
  // append_will_end().
  virtual void publish(const MessageView& message, const Ticket& ticket) = 0;

  // `message` waits for a persistent session: makes that durable (append_queued()), then calls
  // Broker::deliver().
  virtual void queue(bus::Target target, const Delivery& delivery, const MessagePtr& message) = 0;

  // Reads messages that wait for a session from the log; answer once with Broker::on_fetched().
  virtual void fetch(SessionNumber session, std::vector<Position> places) = 0;

  // A member of the shared subscription `share` is gone without having acknowledged `message`, or
  // the messages at `places`, as far as they were QoS 1: they are for other members, if there are
  // any (MQTT 5.0 section 4.8.2). `done`: the records that this takes stand before those that
  // follow.
  virtual void hand_on(const SharePtr& share, const MessagePtr& message) = 0;
  virtual void hand_on(SessionNumber session, std::vector<Position> places,
                       std::function<void()> done) = 0;

  // Makes effects durable: calls `write` at once, and `done` when the record is on disk or refused.
  virtual void commit(const std::function<void(RecordWriter&)>& write,
                      std::function<void(const Result<void>&)> done) = 0;

  // take_out() has bytes, where it had none since it was last called.
  virtual void send_ready(ConnectionId connection) = 0;
  // take_out() has more than kSendEarlySize: what a turn brings may be more than it may keep, so
  // the socket should get it now.
  virtual void send_early(ConnectionId connection) = 0;
  // receive() had answered false; now it wants more.
  virtual void read_ready(ConnectionId connection) = 0;
  // Send what take_out() still gives, then close. The connection no longer exists for the Broker;
  // no closed() is needed, and one that crosses this call is ignored.
  virtual void close(ConnectionId connection, std::string last_bytes) = 0;

  virtual void refused(const Refusal& refusal) = 0;
  virtual void present(const Presence& presence) = 0;
};

}  // namespace nilo::mqtt
