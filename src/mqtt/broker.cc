// mqtt/broker.cc: network connections, their bytes and their time limits.
//
// The other parts of Broker: connect.cc, auth.cc, publish.cc, deliver.cc, subscribe.cc,
// sessions.cc.
#include "mqtt/broker.h"

#include <algorithm>
#include <utility>

#include "base/time_units.h"

namespace nilo::mqtt {
namespace {

constexpr std::size_t kProgressSize = 1000;  // of a packet on its way, to be no trickle

Presence::End end_of(Reason reason) {
  switch (reason) {
    case Reason::keep_alive_timeout:
      return Presence::End::keep_alive;
    case Reason::not_authorized:
      return Presence::End::forbidden;
    case Reason::server_unavailable:
    case Reason::quota_exceeded:
    case Reason::implementation_specific_error:
    case Reason::unspecified_error:
      return Presence::End::server_error;
    default:
      return Presence::End::client_error;
  }
}

bool is_connect(std::string_view bytes) {
  return static_cast<std::uint8_t>(bytes[0]) >> 4 == static_cast<int>(PacketType::connect);
}

}  // namespace

std::string_view word_of(Refusal::What what) {
  switch (what) {
    case Refusal::What::connect:
      return "connect";
    case Refusal::What::packet:
      return "packet";
    case Refusal::What::publish:
      return "publish";
    case Refusal::What::subscribe:
      return "subscribe";
    case Refusal::What::delivery:
      return "delivery";
  }
  return "";
}

void SessionNumbers::seen(SessionNumber number) {
  std::uint64_t next = next_.load();
  while (next <= number >> 1 && !next_.compare_exchange_weak(next, (number >> 1) + 1)) {
  }
}

Broker::Broker(const Rooms& rooms, const Limits& limits, std::uint32_t loop,
               std::uint32_t loop_count)
    : rooms_(rooms),
      limits_(limits),
      loop_(loop),
      loop_count_(loop_count),
      counters_{
          rooms.metrics.counter("nilo_mqtt_connects_total", "", "MQTT connections accepted"),
          rooms.metrics.counter("nilo_mqtt_refused_total", "",
                                "MQTT connects, packets, publishes, subscriptions refused"),
          rooms.metrics.counter("nilo_mqtt_messages_received_total", "", "MQTT publishes received"),
          rooms.metrics.counter("nilo_mqtt_messages_sent_total", "", "MQTT publishes sent"),
          rooms.metrics.counter("nilo_mqtt_messages_dropped_total", "why=\"slow\"",
                                "messages a subscriber did not get"),
          rooms.metrics.counter("nilo_mqtt_messages_dropped_total", "why=\"queue_full\"", ""),
          rooms.metrics.counter("nilo_mqtt_messages_dropped_total", "why=\"too_large\"", ""),
          rooms.metrics.counter("nilo_mqtt_messages_dropped_total", "why=\"expired\"", ""),
          rooms.metrics.counter("nilo_mqtt_messages_dropped_total", "why=\"unreadable\"", ""),
          rooms.metrics.counter("nilo_mqtt_messages_dropped_total", "why=\"forbidden\"", "")},
      now_us_(rooms.clock.steady_us()),
      wall_us_(rooms.clock.wall_us()),
      queue_limits_{limits.session_queue_max, limits.session_queue_size_max, limits.queued_max,
                    limits.held_size_max} {}

Broker::~Broker() = default;

ConnectionId Broker::open(std::string_view source_ip, const Limits* limits) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  Slot& slot = slots_[index];
  slot.connection = std::make_unique<Connection>();
  Connection& connection = *slot.connection;
  connection.id = std::uint64_t{++slot.generation} << 32 | index;
  connection.source_ip = source_ip;
  connection.limits = limits == nullptr ? &limits_ : limits;
  connection.last_seen_us = now_us_;
  set_timer(connection, now_us_ + limits_.connect_timeout_us);
  return connection.id;
}

Connection* Broker::find(ConnectionId id) const {
  const auto index = static_cast<std::uint32_t>(id);
  if (index >= slots_.size()) return nullptr;
  Connection* const connection = slots_[index].connection.get();
  return connection != nullptr && connection->id == id ? connection : nullptr;
}

bool Broker::receive(ConnectionId id, std::string_view bytes) {
  Connection* const connection = find(id);
  if (connection == nullptr) return true;
  wall_us_ = rooms_.clock.wall_us();
  read(*connection, bytes);
  note_progress(*connection);
  return !connection->is_paused;
}

// A packet is a sign of life when it is complete [MQTT-3.1.2-22]; one that is large and on its way
// while it grows by more than a trickle.
void Broker::note_progress(Connection& connection) {
  const std::size_t size = connection.in.size();
  if (size < connection.in_seen) connection.in_seen = 0;
  if (size < connection.in_seen + kProgressSize) return;
  connection.in_seen = static_cast<std::uint32_t>(size);
  connection.last_seen_us = now_us_;
}

void Broker::set_reads(bool reads) {
  if (reads && !reads_) reads_since_us_ = now_us_;
  reads_ = reads;
}

void Broker::read(Connection& connection, std::string_view bytes) {
  connection.is_reading = true;
  if (!connection.in.empty()) read_kept(connection, std::exchange(connection.in, {}), bytes);
  std::size_t needed = 0;
  while (connection.in.empty() && !bytes.empty() && read_one(connection, bytes, needed)) {
  }
  connection.is_reading = false;
  if (!released_.empty() || !confirmed_.empty()) commit_acks(connection);
  if (connection.state == Connection::State::closed) return;
  connection.in.append(bytes);
  connection.is_paused = !may_read(connection);
  announce(connection);
}

void Broker::read_kept(Connection& connection, std::string kept, std::string_view& bytes) {
  std::string_view rest = kept;
  std::size_t needed = 0;
  while (!rest.empty()) {
    if (read_one(connection, rest, needed)) continue;
    const std::size_t missing = needed > rest.size() ? needed - rest.size() : 0;
    const std::size_t taken = may_read(connection) ? std::min(missing, bytes.size()) : 0;
    if (taken == 0) break;
    kept.erase(0, kept.size() - rest.size());
    kept.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    rest = kept;
  }
  if (rest.size() == kept.size()) {
    connection.in = std::move(kept);
  } else {
    connection.in = rest;
  }
}

bool Broker::read_one(Connection& connection, std::string_view& bytes, std::size_t& needed) {
  needed = 0;
  if (!may_read(connection)) return false;
  const bool is_first = connection.state == Connection::State::first_packet;
  Frame frame;
  if (is_first && !is_connect(bytes)) {
    fail(connection, {Reason::protocol_error, "the first packet is not CONNECT"});
    return false;
  }
  const bool is_known = connection.state == Connection::State::open;
  const std::size_t size_max =
      is_known ? connection.limits->packet_size_max : limits_.first_packet_size_max;
  switch (read_frame(bytes, size_max, frame, needed)) {
    case Framing::partial:
      return false;
    case Framing::malformed:
      fail(connection, {Reason::malformed_packet, "remaining length has five bytes"});
      return false;
    case Framing::too_large:
      fail(connection, {Reason::packet_too_large, "packet is larger than this server takes"});
      return false;
    case Framing::complete:
      break;
  }
  bytes.remove_prefix(frame.size);
  connection.last_seen_us = now_us_;
  handle(connection, frame);
  return true;
}

bool Broker::may_read(const Connection& connection) const {
  switch (connection.state) {
    case Connection::State::first_packet:
    case Connection::State::challenged:
      return true;
    case Connection::State::open:
      if (is_over_rate(connection)) return false;
      // A 5.0 client knows our receive maximum; the others are held back here.
      return connection.version == Version::v5 ||
             connection.unanswered.size() < connection.limits->receive_max;
    default:
      return false;
  }
}

void Broker::resume(Connection& connection) {
  const bool is_relieved = connection.version == Version::v5 ||
                           connection.unanswered.size() <= connection.limits->receive_max / 2u;
  if (!connection.is_paused || connection.is_reading || !is_relieved) return;
  if (!may_read(connection)) return;
  connection.is_paused = false;
  connection.last_seen_us = now_us_;  // what is read now may have been there all the while
  read(connection, {});
  if (connection.state != Connection::State::closed && !connection.is_paused) {
    rooms_.host.read_ready(connection.id);
  }
}

void Broker::count_publish(Connection& connection) {
  if (connection.limits->publishes_per_s_max == 0) return;
  const std::int64_t second = now_us_ / kSecondUs;
  if (std::exchange(connection.publish_second, second) != second) connection.publish_count = 0;
  if (++connection.publish_count == connection.limits->publishes_per_s_max) {
    over_rate_.push_back(connection.id);
  }
}

bool Broker::is_over_rate(const Connection& connection) const {
  const std::uint32_t most = connection.limits->publishes_per_s_max;
  return most != 0 && connection.publish_count >= most &&
         connection.publish_second == now_us_ / kSecondUs;
}

void Broker::resume_over_rate() {
  for (const ConnectionId id : std::exchange(over_rate_, {})) {
    Connection* const connection = find(id);
    if (connection == nullptr) continue;
    if (is_over_rate(*connection)) {
      over_rate_.push_back(id);
    } else {
      resume(*connection);
    }
  }
}

void Broker::handle(Connection& connection, const Frame& frame) {
  if (connection.state == Connection::State::first_packet) {
    return handle_connect(connection, frame);
  }
  if (connection.state == Connection::State::challenged) {
    return handle_challenged(connection, frame);
  }
  switch (frame.type) {
    case PacketType::publish:
      return handle_publish(connection, frame);
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp:
      return handle_ack(connection, frame);
    case PacketType::subscribe:
      return handle_subscribe(connection, frame);
    case PacketType::unsubscribe:
      return handle_unsubscribe(connection, frame);
    case PacketType::pingreq:
      if (const Fault fault = decode_empty(frame)) return fail(connection, fault);
      return encode_empty(connection.out, PacketType::pingresp);
    case PacketType::disconnect:
      return handle_disconnect(connection, frame);
    case PacketType::connect:
      return fail(connection, {Reason::protocol_error, "a second CONNECT"});
    case PacketType::auth:
      return handle_auth(connection, frame);
    case PacketType::suback:
    case PacketType::unsuback:
      if (frame.flags != 0) return fail(connection, {Reason::malformed_packet, "wrong flags"});
      [[fallthrough]];
    default:
      return fail(connection, {Reason::protocol_error, "not a packet that clients send"});
  }
}

std::string Broker::take_out(ConnectionId id) {
  Connection* const connection = find(id);
  if (connection == nullptr) return {};
  std::string out = std::exchange(connection->out, {});
  connection->is_announced = false;
  if (connection->state == Connection::State::open) pump(*connection->session);
  return out;
}

void Broker::announce(Connection& connection) {
  if (connection.is_announced || connection.is_reading || connection.out.empty()) return;
  connection.is_announced = true;
  rooms_.host.send_ready(connection.id);
}

void Broker::closed(ConnectionId id) {
  Connection* const connection = find(id);
  if (connection != nullptr) drop(*connection, true, false);
}

void Broker::fail(Connection& connection, Fault fault) {
  const bool is_known = connection.state != Connection::State::first_packet &&
                        connection.state != Connection::State::challenged;
  refuse(connection, is_known ? Refusal::What::packet : Refusal::What::connect, {}, fault.reason,
         fault.why);
  if (is_known) append_disconnect(connection, fault.reason, fault.why);
  connection.end = end_of(fault.reason);
  drop(connection, true, true);
}

void Broker::drop_clients(const std::function<const char*(const Principal&)>& why) {
  for (std::size_t index = 0; index < slots_.size(); ++index) {
    Connection* const connection = slots_[index].connection.get();
    if (connection == nullptr) continue;
    const bool is_in = connection->state == Connection::State::open ||
                       connection->state == Connection::State::committing;
    if (!is_in) continue;
    const char* const reason = why(connection->principal);
    if (reason != nullptr) fail(*connection, {Reason::not_authorized, reason});
  }
  for (const auto& [client_id, waiting] : endings_) {
    for (const ConnectionId id : waiting) {
      Connection* const connection = find(id);
      const char* const reason = connection == nullptr ? nullptr : why(connection->principal);
      if (reason != nullptr) refuse_connect(*connection, Reason::not_authorized, reason);
    }
  }
}

void Broker::append_disconnect(Connection& connection, Reason reason, std::string_view why) {
  if (connection.version != Version::v5) return;
  Disconnect packet{reason, {}};
  const std::size_t before = connection.out.size();
  if (limits_.reasons && !why.empty()) packet.properties.set(Property::reason_string, why);
  encode(connection.out, connection.version, packet);
  if (connection.out.size() - before <= connection.packet_size_max) return;
  connection.out.resize(before);
  packet.properties = Properties();
  encode(connection.out, connection.version, packet);
  if (connection.out.size() - before > connection.packet_size_max) connection.out.resize(before);
}

void Broker::drop(Connection& connection, bool publishes_will, bool tells_host) {
  if (connection.state == Connection::State::closed) return;
  if (connection.state == Connection::State::open) tell(connection, Presence::What::disconnected);
  connection.state = Connection::State::closed;
  set_timer(connection, kNoTimer);
  const auto index = static_cast<std::uint32_t>(connection.id);
  closed_.push_back(std::move(slots_[index].connection));
  free_slots_.push_back(index);
  if (tells_host) rooms_.host.close(connection.id, std::move(connection.out));
  Session* const session = std::exchange(connection.session, nullptr);
  if (session == nullptr) return;
  session->connection = nullptr;
  if (!publishes_will) connection.will.reset();
  leave(*session, std::move(connection.will));
}

void Broker::tell(const Connection& connection, Presence::What what,
                  const std::vector<std::string>& filters) {
  rooms_.host.present({what, connection.id, connection.session->client_id, connection.principal,
                       connection.source_ip, connection.since_us, connection.end, filters});
}

void Broker::refuse(const Connection& connection, Refusal::What what, std::string_view topic,
                    Reason reason, std::string_view why) {
  counters_.refused.add();
  std::string_view client_id;
  std::string_view user_name;
  Connect packet;
  if (connection.session != nullptr) {
    client_id = connection.session->client_id;
  } else if (!decode({PacketType::connect, 0, connection.connect_packet, 0}, packet)) {
    client_id = packet.client_id;
    user_name = packet.user_name;
  }
  rooms_.host.refused({what, client_id, connection.principal.name, connection.source_ip, topic,
                       reason, why, user_name});
}

void Broker::set_timer(Connection& connection, std::int64_t due_us) {
  if (connection.due_us != kNoTimer) connection_timers_.erase({connection.due_us, connection.id});
  connection.due_us = due_us;
  if (due_us != kNoTimer) connection_timers_.insert({due_us, connection.id});
}

// The timer of a connection runs from its last check, not from its last packet, so that packets
// need not touch it: whoever was seen meanwhile gets a new term.
void Broker::check_due(Connection& connection) {
  if (connection.state != Connection::State::open) {
    refuse(connection, Refusal::What::connect, {}, Reason::maximum_connect_time,
           "no complete CONNECT in time");
    return drop(connection, true, true);
  }
  const std::int64_t term_us = connection.keep_alive_s * kSecondUs * 3 / 2;  // [MQTT-3.1.2-22]
  if (term_us == 0) return set_timer(connection, kNoTimer);
  // Whoever is not read is not silent.
  if (connection.is_paused || !reads_) return set_timer(connection, now_us_ + term_us);
  const std::int64_t heard_us = std::max(connection.last_seen_us, reads_since_us_);
  if (heard_us + term_us > now_us_) {
    if (connection.unanswered.empty()) connection.unanswered.shrink();
    return set_timer(connection, heard_us + term_us);
  }
  fail(connection, {Reason::keep_alive_timeout, "silent for one and a half keep alive"});
}

void Broker::tick() {
  closed_.clear();
  now_us_ = rooms_.clock.steady_us();
  wall_us_ = rooms_.clock.wall_us();
  while (!connection_timers_.empty() && connection_timers_.begin()->first <= now_us_) {
    check_due(*find(connection_timers_.begin()->second));
  }
  while (!session_timers_.empty() && session_timers_.begin()->first <= now_us_) {
    check_due(*find_session(session_timers_.begin()->second));
  }
  if (!restored_wills_.empty() && restored_due_us_ <= now_us_) publish_restored_wills();
  resume_over_rate();
  commit_settled();
  counters_.received.add(std::exchange(received_count_, 0));
  counters_.sent.add(std::exchange(sent_count_, 0));
}

void Broker::shut_down() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].connection == nullptr) continue;
    Connection& connection = *slots_[i].connection;
    if (connection.state == Connection::State::open) {
      append_disconnect(connection, Reason::server_shutting_down, {});
      connection.end = Presence::End::shut_down;
    }
    drop(connection, false, true);
  }
  commit_settled();
}

std::size_t Broker::connection_count() const { return slots_.size() - free_slots_.size(); }
std::size_t Broker::session_count() const { return sessions_.size(); }

}  // namespace nilo::mqtt
