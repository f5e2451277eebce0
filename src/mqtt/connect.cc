// mqtt/connect.cc: from the first packet to CONNACK, and the goodbye.
//
// What a CONNECT wants cannot be granted at once: the host checks the password, and a persistent
// session has to be durable before the client hears of it. So the packet is kept, and taken apart
// a second time when the answer is there.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/time_units.h"
#include "mqtt/broker.h"
#include "mqtt/message_properties.h"

namespace nilo::mqtt {
namespace {

// 0 = the session ends with the connection.
std::uint32_t session_expiry_of(const Connect& packet, const Limits& limits) {
  if (packet.version != Version::v5) return packet.clean_start ? 0 : limits.session_expiry_max_s;
  return std::min(packet.properties.number(Property::session_expiry, 0),
                  limits.session_expiry_max_s);
}

std::uint16_t keep_alive_of(const Connect& packet, const Limits& limits) {
  const std::uint16_t wanted_s =
      packet.keep_alive_s == 0 ? 0 : std::max(packet.keep_alive_s, limits.keep_alive_min_s);
  const bool may_lower =
      limits.keep_alive_max_s != 0 && (packet.version == Version::v5 || limits.keep_alive_of_all);
  if (!may_lower) return wanted_s;  // below 5.0 the client could not be told
  if (wanted_s == 0) return limits.keep_alive_max_s;
  return std::min(wanted_s, limits.keep_alive_max_s);
}

std::unique_ptr<StoredWill> will_of(const Connect& packet, const Connection& connection,
                                    std::string_view client_id) {
  if (!packet.has_will) return nullptr;
  auto will = std::make_unique<StoredWill>();
  Message& message = will->message;
  message.topic = packet.will.topic;
  message.payload = packet.will.payload;
  message.qos = packet.will.qos;
  message.retain = packet.will.retain;
  message.client_id = client_id;
  message.principal = connection.principal.name;
  message.source_ip = connection.source_ip;
  message.properties = message_properties(packet.will.properties);
  will->principal = connection.principal;
  will->delay_s = packet.will.properties.number(Property::will_delay, 0);
  return will;
}

// With a client id come subscriptions and waiting messages that another login may have no right to.
bool is_own(const Session& session, const Principal& who) {
  return session.owner.empty() || session.owner == who.name || who.role == Role::admin;
}

}  // namespace

void Broker::handle_connect(Connection& connection, const Frame& frame) {
  Connect packet;
  const Fault fault = decode(frame, packet);
  connection.version = packet.version;
  if (fault.reason == Reason::unsupported_protocol_version) {
    return refuse_connect(connection, fault.reason, fault.why);  // [MQTT-3.1.2-2]
  }
  if (fault) return fail(connection, fault);
  connection.packet_size_max = packet.properties.number(
      Property::maximum_packet_size, static_cast<std::uint32_t>(connection.packet_size_max));
  connection.receive_max = std::min(
      static_cast<std::uint16_t>(packet.properties.number(Property::receive_maximum, 65'535)),
      connection.limits->in_flight_max);
  connection.known_topics_max = static_cast<std::uint16_t>(
      std::min<std::uint32_t>(packet.properties.number(Property::topic_alias_maximum, 0),
                              connection.limits->topic_alias_max));
  connection.wants_reasons =
      packet.properties.number(Property::request_problem_information, 1) != 0;
  connection.connect_packet = frame.body;
  if (const Fault refusal = check_connect(packet, *connection.limits)) {
    return refuse_connect(connection, refusal.reason, refusal.why);
  }
  connection.state = Connection::State::authenticating;
  const Login login{packet.client_id,    packet.has_user_name,
                    packet.has_password, packet.user_name,
                    packet.password,     connection.source_ip,
                    packet.version,      session_expiry_of(packet, *connection.limits) > 0,
                    packet.has_will};
  if (packet.properties.has(Property::authentication_method)) {
    return begin_exchange(connection, packet, login);
  }
  rooms_.host.authenticate(connection.id, login);
}

Fault Broker::check_connect(const Connect& packet, const Limits& limits) const {
  if (packet.client_id.size() > limits.client_id_size_max) {
    return {Reason::client_identifier_not_valid, "client id is too long"};
  }
  // [MQTT-3.1.3-8] of 3.1.1; 3.1 knows no empty client id.
  const bool may_be_empty =
      packet.version == Version::v5 || (packet.version == Version::v3_1_1 && packet.clean_start);
  if (packet.client_id.empty() && !may_be_empty) {
    return {Reason::client_identifier_not_valid, "client id is empty and the session is to stay"};
  }
  if (packet.has_will) {
    if (!bus::check_topic(packet.will.topic)) {
      return {Reason::topic_name_invalid, "will topic is not a topic"};
    }
    if (packet.will.qos > limits.qos_max) {
      return {Reason::qos_not_supported, "the will has a QoS that is not offered"};
    }
    if (packet.will.topic.front() == '$') {
      return {Reason::not_authorized, "will topic begins with $"};
    }
    if (!is_as_said(packet.will.properties, packet.will.payload)) {
      return {Reason::payload_format_invalid, "the will is said to be text and is not UTF-8"};
    }
  }
  return {};
}

void Broker::refuse_connect(Connection& connection, Reason reason, std::string_view why,
                            std::string_view topic) {
  refuse(connection, Refusal::What::connect, topic, reason, why);
  const std::size_t before = connection.out.size();
  Connack packet{false, reason, {}};
  if (limits_.reasons && !why.empty()) packet.properties.set(Property::reason_string, why);
  if (connection.version != Version::v5) packet.properties = Properties();
  encode(connection.out, connection.version, packet);
  if (connection.out.size() - before > connection.packet_size_max) {
    connection.out.resize(before);
    packet.properties = Properties();  // [MQTT-3.2.2-19]
    encode(connection.out, connection.version, packet);
  }
  if (connection.out.size() - before > connection.packet_size_max) connection.out.resize(before);
  drop(connection, false, true);
}

void Broker::on_authenticated(ConnectionId id, Result<Principal> who) {
  Connection* const connection = find(id);
  if (connection == nullptr || connection->state != Connection::State::authenticating) return;
  if (!who) {
    return refuse_connect(*connection, reason_of(who.error().code), who.error().message);
  }
  connection->principal = std::move(who).value();
  if (const auto refusal = check_will(*connection)) {
    return refuse_connect(*connection, Reason::not_authorized, refusal->why, refusal->topic);
  }
  begin_session(*connection);
}

// Why its will could not be published; nullopt: it could, or there is none. Better told now than
// when nobody is there to hear it.
std::optional<Broker::WillRefusal> Broker::check_will(const Connection& connection) const {
  Connect packet;
  const Fault fault = decode({PacketType::connect, 0, connection.connect_packet, 0}, packet);
  NILO_ASSERT(!fault);
  if (!packet.has_will) return std::nullopt;
  const Principal& who = connection.principal;
  const Will& will = packet.will;
  for (const Scope::Act act : {Scope::Act::publish, Scope::Act::retain}) {
    const bool may = act == Scope::Act::publish
                         ? rooms_.host.may_publish(who, will.topic)
                         : !will.retain || rooms_.host.may_retain(who, will.topic);
    if (!may) {
      return WillRefusal{std::string(will.topic),
                         "its will: " + rooms_.host.why_not(who, act, will.topic)};
    }
  }
  return std::nullopt;
}

// What a session may hear has changed: takes the subscriptions away that are not allowed any more.
void Broker::recheck_subscriptions() {
  for (const Slot& slot : slots_) {
    Connection* const connection = slot.connection.get();
    if (connection == nullptr || connection->state != Connection::State::open) continue;
    if (connection->principal.scope == nullptr) continue;
    Session& session = *connection->session;
    const std::vector<std::string> dropped = drop_forbidden(session, connection->principal);
    for (const std::string& filter : dropped) {
      refuse(*connection, Refusal::What::subscribe, filter, Reason::not_authorized,
             "the subscription was ended: it is not allowed any more");
    }
    if (!session.is_persistent() || dropped.empty()) continue;
    rooms_.host.commit(
        [&](RecordWriter& record) {
          for (const std::string& filter : dropped) {
            append_unsubscribe(record, session.number, filter);
          }
        },
        [](const Result<void>&) {});
  }
}

std::string Broker::make_client_id() {
  for (;;) {
    std::string client_id = fmt::format("nilo-{:x}-{:x}", wall_us_, rooms_.numbers.take(false));
    if (home_loop(client_id, loop_count_) == loop_) return client_id;
  }
}

// A token of the same name may be made anew with fewer rights. The filters it may have no longer.
std::vector<std::string> Broker::drop_forbidden(Session& session, const Principal& who) {
  std::vector<std::string> dropped;
  for (const Subscription& subscription : session.subscriptions) {
    if (!rooms_.host.may_subscribe(who, bus::heard_filter(subscription.filter))) {
      dropped.push_back(subscription.filter);
    }
  }
  for (const std::string& filter : dropped) unsubscribe(session, filter);
  return dropped;
}

// The client is back in time after a restart: its will is not to be published. 0: it has none.
SessionNumber Broker::take_restored_will(std::string_view client_id) {
  const auto at = restored_wills_.find(client_id);
  if (at == restored_wills_.end()) return 0;
  const SessionNumber number = at->second.number;
  restored_wills_.erase(at);
  return number;
}

void Broker::begin_session(Connection& connection) {
  Connect packet;
  const Fault fault = decode({PacketType::connect, 0, connection.connect_packet, 0}, packet);
  NILO_ASSERT(!fault);
  std::string client_id(packet.client_id);
  if (client_id.empty()) client_id = make_client_id();

  Session* session = find_session(client_id);
  const bool is_left_over =
      session != nullptr && session->connection == nullptr && session->expiry_s == 0;
  if (is_left_over) {  // it was to end with a connection that the server did not survive
    end_session(*session);
    session = nullptr;
  }
  const Principal& who = connection.principal;
  const bool is_foreign = session != nullptr && !is_own(*session, who);
  if (is_foreign && rooms_.host.is_known(session->owner)) {
    return refuse_connect(connection, Reason::client_identifier_not_valid,
                          "this client id is another login's");
  }
  if (session != nullptr && session->connection != nullptr) {
    append_disconnect(*session->connection, Reason::session_taken_over, {});  // [MQTT-3.1.4-3]
    session->connection->end = Presence::End::taken_over;
    drop(*session->connection, true, true);
    session = find_session(client_id);  // it may have ended with its connection
  }
  const std::uint32_t expiry_s = session_expiry_of(packet, *connection.limits);
  SessionNumber ended = 0;
  if (session != nullptr && (packet.clean_start || is_foreign)) {
    const SessionNumber number = session->number;
    if (retire(*session)) ended = number;
    session = nullptr;
  }
  if (const auto ending = endings_.find(client_id); ending != endings_.end()) {
    ending->second.push_back(connection.id);
    return;
  }
  const bool is_new = session == nullptr;
  if (is_new && sessions_.size() >= limits_.sessions_max) {
    return refuse_connect(connection, Reason::quota_exceeded, "too many sessions");
  }
  // A persistent one that is to end with this connection stays in the log until then.
  if (is_new) session = &make_session(client_id, rooms_.numbers.take(expiry_s > 0));
  set_timer(*session, kNoTimer);
  session->will.reset();  // the client is back before its delay [MQTT-3.1.3-9]
  const bool is_claimed = session->owner.empty() && !who.name.empty();
  const bool is_back = std::exchange(session->is_gone_logged, false);
  Beginning begun{is_new, ended, 0, false, {}};
  begun.is_logged = session->is_persistent() &&
                    (is_new || session->expiry_s != expiry_s || is_claimed || is_back);
  if (is_claimed) session->owner = who.name;
  begun.forbidden = drop_forbidden(*session, who);
  begun.restored_will = take_restored_will(client_id);
  session->expiry_s = expiry_s;
  session->connection = &connection;
  connection.session = session;
  connection.will = will_of(packet, connection, client_id);
  log_beginning(connection, begun);
}

void Broker::log_beginning(Connection& connection, const Beginning& begun) {
  Session& session = *connection.session;
  const bool persistent = session.is_persistent();
  // Who may not publish it now is told when it is due, if the server lives until then.
  const StoredWill* const will = connection.will.get();
  const bool logs_will =
      will != nullptr && rooms_.host.may_publish(connection.principal, will->message.topic);
  const bool ends_will = std::exchange(session.has_logged_will, logs_will) && !logs_will;
  const bool changes_log = begun.is_logged || is_persistent(begun.ended) || logs_will ||
                           ends_will || begun.restored_will != 0 ||
                           (persistent && !begun.forbidden.empty());
  if (!changes_log) return finish_connect(connection, !begun.is_new);
  connection.state = Connection::State::committing;
  const auto write = [&](RecordWriter& record) {
    if (is_persistent(begun.ended)) append_session_end(record, begun.ended);
    if (begun.is_logged) {
      append_session(record, {session.number, session.expiry_s, session.client_id, session.owner});
    }
    if (begun.restored_will != 0) append_will_end(record, begun.restored_will);
    if (ends_will) append_will_end(record, session.number);
    if (logs_will) append_will(record, session.number, will->delay_s, will->message.view());
    if (!persistent) return;
    for (const std::string& filter : begun.forbidden) {
      append_unsubscribe(record, session.number, filter);
    }
  };
  rooms_.host.commit(
      write, [this, id = connection.id, is_new = begun.is_new](const Result<void>& outcome) {
        Connection* const waiting = find(id);
        if (waiting == nullptr) return;
        if (outcome) return finish_connect(*waiting, !is_new);
        refuse_connect(*waiting, reason_of(outcome.error().code), outcome.error().message);
      });
}

void Broker::finish_connect(Connection& connection, bool session_present) {
  Connect packet;
  const Fault fault = decode({PacketType::connect, 0, connection.connect_packet, 0}, packet);
  NILO_ASSERT(!fault);
  connection.state = Connection::State::open;
  if (!append_connack(connection, packet, session_present)) return drop(connection, true, true);
  counters_.connects.add();
  connection.since_us = wall_us_;
  tell(connection, Presence::What::connected);
  connection.connect_packet = std::string();
  connection.keep_alive_s = keep_alive_of(packet, *connection.limits);
  connection.last_seen_us = now_us_;
  set_timer(connection, connection.keep_alive_s == 0
                            ? kNoTimer
                            : now_us_ + connection.keep_alive_s * kSecondUs * 3 / 2);
  pump(*connection.session);
  resume(connection);
}

// Where others answer this client, as far as it may listen there; empty: nowhere of its own.
std::string Broker::response_prefix_of(const Connection& connection) const {
  const std::string& client_id = connection.session->client_id;
  if (client_id.find_first_of("+#/") != std::string::npos) return {};
  std::string prefix = fmt::format("response/{}/", client_id);
  const bool may = rooms_.host.may_subscribe(connection.principal, prefix + "#");
  return may ? prefix : std::string();
}

// False: the client does not take a packet of this size.
bool Broker::append_connack(Connection& connection, const Connect& packet, bool session_present) {
  std::string response_prefix;
  // 3.1 has no such flag.
  Connack answer{session_present && packet.version != Version::v3_1, Reason::success, {}};
  const Session& session = *connection.session;
  if (packet.version == Version::v5) {
    Properties& properties = answer.properties;
    if (session.expiry_s != packet.properties.number(Property::session_expiry, 0)) {
      properties.set(Property::session_expiry, session.expiry_s);
    }
    if (packet.client_id.empty()) {
      properties.set(Property::assigned_client_id, session.client_id);
    }
    if (keep_alive_of(packet, *connection.limits) != packet.keep_alive_s) {
      properties.set(Property::server_keep_alive, keep_alive_of(packet, *connection.limits));
    }
    if (connection.limits->receive_max != 65'535) {
      properties.set(Property::receive_maximum, connection.limits->receive_max);
    }
    if (connection.limits->topic_alias_max != 0) {
      properties.set(Property::topic_alias_maximum, connection.limits->topic_alias_max);
    }
    if (connection.limits->packet_size_max < kPacketSizeMax) {
      properties.set(Property::maximum_packet_size,
                     static_cast<std::uint32_t>(connection.limits->packet_size_max));
    }
    if (connection.limits->qos_max < Qos::exactly_once) {
      properties.set(Property::maximum_qos, static_cast<std::uint8_t>(connection.limits->qos_max));
    }
    if (packet.properties.number(Property::request_response_information, 0) != 0) {
      response_prefix = response_prefix_of(connection);
    }
    if (connection.exchange != nullptr) {  // [MQTT-4.12.0-5]
      properties.set(Property::authentication_method, connection.exchange->method);
    }
    if (connection.exchange != nullptr && !connection.exchange->last_data.empty()) {
      properties.set(Property::authentication_data, connection.exchange->last_data);
    }
    if (!response_prefix.empty()) {
      properties.set(Property::response_information, response_prefix);
    }
  }
  const std::size_t before = connection.out.size();
  encode(connection.out, packet.version, answer);
  if (connection.out.size() - before <= connection.packet_size_max) {
    announce(connection);
    return true;
  }
  connection.out.resize(before);
  return false;
}

void Broker::handle_disconnect(Connection& connection, const Frame& frame) {
  Disconnect packet;
  if (const Fault fault = decode(frame, connection.version, packet)) {
    return fail(connection, fault);
  }
  Session& session = *connection.session;
  const std::uint32_t expiry_s =
      std::min(packet.properties.number(Property::session_expiry, session.expiry_s),
               connection.limits->session_expiry_max_s);
  if (session.expiry_s == 0 && expiry_s != 0) {
    return fail(connection, {Reason::protocol_error, "session expiry was 0 and cannot be raised"});
  }
  const bool is_changed = expiry_s != session.expiry_s;
  session.expiry_s = expiry_s;
  if (is_changed && expiry_s != 0) {
    rooms_.host.commit(
        [&](RecordWriter& record) {
          append_session(record, {session.number, expiry_s, session.client_id, session.owner});
        },
        [](const Result<void>&) {});
  }
  connection.end = Presence::End::said_goodbye;
  const bool publishes_will = packet.reason != Reason::success;
  if (!publishes_will) forget_will(session);  // [MQTT-3.14.4-3]
  drop(connection, publishes_will, true);
}

}  // namespace nilo::mqtt
