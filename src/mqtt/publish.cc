// mqtt/publish.cc: messages from clients, and the answers they wait for.
#include <algorithm>
#include <string>
#include <utility>

#include "mqtt/broker.h"
#include "mqtt/message_properties.h"

namespace nilo::mqtt {
namespace {

bool is_servers_own(std::string_view topic) {
  return topic.starts_with('$') && !topic.starts_with(kBasicIngest);
}

// PUBACK and PUBREC know fewer reasons than the house (MQTT 5.0 sections 3.4.2.1, 3.5.2.1).
// That nobody listens is told where the exchange ends, in a PUBACK.
Reason answer_reason(Reason reason, Qos qos) {
  switch (reason) {
    case Reason::no_matching_subscribers:
      return qos == Qos::at_least_once ? reason : Reason::success;
    case Reason::success:
    case Reason::unspecified_error:
    case Reason::not_authorized:
    case Reason::topic_name_invalid:
    case Reason::quota_exceeded:
    case Reason::payload_format_invalid:
      return reason;
    case Reason::packet_too_large:
      return Reason::quota_exceeded;
    default:
      return Reason::implementation_specific_error;
  }
}

}  // namespace

void Broker::handle_publish(Connection& connection, const Frame& frame) {
  Publish packet;
  if (const Fault fault = decode(frame, connection.version, packet)) {
    return fail(connection, fault);
  }
  ++received_count_;
  count_publish(connection);
  if (connection.version == Version::v5) {
    if (const Fault fault = resolve_alias(connection, packet)) return fail(connection, fault);
  }
  if (packet.qos > connection.limits->qos_max) {
    return fail(connection, {Reason::qos_not_supported, "this QoS is not offered"});
  }
  Session& session = *connection.session;
  if (packet.qos != Qos::at_most_once) {
    const std::size_t receive_max = connection.limits->receive_max;
    const auto is_over = [&](std::size_t count) { return count >= receive_max; };
    const Fault too_many{Reason::receive_maximum_exceeded, "too many unanswered publishes"};
    if (is_over(connection.unanswered.size())) return fail(connection, too_many);
    if (packet.qos == Qos::exactly_once && is_repeated(connection, packet)) return;
    // What is not released counts in 5.0. Others know no maximum, and their PUBRELs come after all
    // that they sent before: whoever is closed here gets no further until there is room again.
    const bool counts =
        connection.version == Version::v5 || queue_totals_.received_ids >= limits_.received_max;
    if (counts && is_over(session.received.size())) return fail(connection, too_many);
  }
  if (is_servers_own(packet.topic)) return refuse_own_topic(connection, packet);
  if (const Fault refusal = check_publish(connection, packet)) {
    return refuse_publish(connection, packet, refusal.reason, refusal.why);
  }
  const Principal& who = connection.principal;
  if (!rooms_.host.may_publish(who, packet.topic)) {
    return refuse_publish(connection, packet, Reason::not_authorized,
                          rooms_.host.why_not(who, Scope::Act::publish, packet.topic));
  }
  if (packet.retain && !rooms_.host.may_retain(who, packet.topic)) {
    return refuse_publish(connection, packet, Reason::not_authorized,
                          rooms_.host.why_not(who, Scope::Act::retain, packet.topic));
  }
  if (!is_as_said(packet.properties, packet.payload)) {
    return refuse_publish(connection, packet, Reason::payload_format_invalid,
                          "the payload is said to be text and is not UTF-8");
  }
  const MessageProperties properties = message_properties(packet.properties);
  Ticket ticket{connection.id, 0, packet.packet_id, packet.qos, session.number};
  if (ticket.wants_answer()) {
    ticket.number =
        connection.first_ticket + static_cast<std::uint32_t>(connection.unanswered.size());
    connection.unanswered.push_back({packet.packet_id, packet.qos});
    if (packet.qos == Qos::exactly_once) session.received.add(packet.packet_id);
  }
  rooms_.host.publish({packet.topic, packet.payload, packet.qos, packet.retain, wall_us_,
                       session.client_id, connection.principal.name, connection.source_ip,
                       packet.properties.empty() ? nullptr : &properties},
                      ticket);
}

// The codec has seen that the topic is text without wildcards; only a long one can break a limit.
Fault Broker::check_publish(const Connection& connection, const Publish& packet) const {
  const Limits& limits = *connection.limits;
  std::string_view topic = packet.topic;
  if (topic.starts_with(kBasicIngest)) {
    const std::size_t slash = topic.find('/', kBasicIngest.size());
    topic.remove_prefix(slash == std::string_view::npos ? kBasicIngest.size() : slash + 1);
  }
  if (topic.size() > limits.topic_size_max)
    return {Reason::topic_name_invalid, "topic is too long"};
  if (topic.size() >= limits.topic_levels_max) {
    const auto levels = static_cast<std::size_t>(std::count(topic.begin(), topic.end(), '/')) + 1;
    if (levels > limits.topic_levels_max) {
      return {Reason::topic_name_invalid, "topic has too many levels"};
    }
  }
  if (packet.topic.size() > kTopicSizeMax) return {Reason::topic_name_invalid, "topic is too long"};
  if (packet.payload.size() > limits.payload_size_max) {
    return {Reason::quota_exceeded, "payload is too large"};
  }
  return {};
}

Fault Broker::resolve_alias(Connection& connection, Publish& packet) const {
  if (packet.properties.has(Property::subscription_identifier)) {
    return {Reason::protocol_error, "subscription identifier from a client"};  // [MQTT-3.3.4-6]
  }
  if (!packet.properties.has(Property::topic_alias)) return {};
  const std::size_t alias = packet.properties.number(Property::topic_alias, 0);
  if (alias > connection.limits->topic_alias_max) {
    return {Reason::topic_alias_invalid, "topic alias is over the maximum"};
  }
  if (connection.aliases.size() < alias) connection.aliases.resize(alias);
  std::string& topic = connection.aliases[alias - 1];
  if (!packet.topic.empty()) topic = packet.topic;
  if (topic.empty()) return {Reason::protocol_error, "topic alias is not known"};
  packet.topic = topic;
  return {};
}

bool Broker::is_repeated(Connection& connection, const Publish& packet) {
  ReceivedId* const received = connection.session->received.find(packet.packet_id);
  if (received == nullptr) return false;
  if (!received->is_durable) {  // the first one's answer serves both
    received->repeated_on = connection.id;
    return true;
  }
  Unanswered& entry = connection.unanswered.push_back({packet.packet_id, packet.qos});
  entry.is_known = true;
  append_answers(connection);
  return true;
}

// Below 5.0 there is no way to say no but to close [MQTT-3.3.5-2].
void Broker::refuse_publish(Connection& connection, const Publish& packet, Reason reason,
                            std::string_view why) {
  refuse(connection, Refusal::What::publish, packet.topic, reason, why);
  if (connection.version != Version::v5) {
    connection.end =
        reason == Reason::not_authorized ? Presence::End::forbidden : Presence::End::client_error;
    return drop(connection, true, true);
  }
  if (packet.qos == Qos::at_most_once) return;
  Unanswered& entry = connection.unanswered.push_back({packet.packet_id, packet.qos, reason, true});
  entry.why = std::make_unique<std::string>(why);
  append_answers(connection);
}

// Nobody will ever be let in here, so a client below 5.0 is not closed: it would come back and send
// the same again, for ever, and nothing that it has besides would get through (programs made for
// other houses report to `$aws/things/...`). It is told that its part is done [MQTT-3.3.5-2], and
// whoever runs the server hears of it. In 5.0 the reason alone leaves no doubt.
void Broker::refuse_own_topic(Connection& connection, const Publish& packet) {
  refuse(connection, Refusal::What::publish, packet.topic, Reason::topic_name_invalid,
         "topics that begin with $ are the server's own");
  if (packet.qos == Qos::at_most_once) return;
  const bool may_say = connection.version == Version::v5;
  connection.unanswered.push_back(
      {packet.packet_id, packet.qos, may_say ? Reason::topic_name_invalid : Reason::success, true});
  append_answers(connection);
}

void Broker::on_published(const Ticket& ticket, Reason reason, std::string_view why) {
  if (ticket.qos == Qos::exactly_once) settle_received(ticket, reason);
  Connection* const connection = find(ticket.connection);
  if (connection == nullptr) return;
  const std::uint32_t index = ticket.number - connection->first_ticket;
  if (index >= connection->unanswered.size()) return;
  Unanswered& entry = connection->unanswered[index];
  entry.reason = answer_reason(reason, ticket.qos);
  entry.is_known = true;
  if (!why.empty()) entry.why = std::make_unique<std::string>(why);
  if (index == 0) append_answers(*connection);
}

// A QoS 2 publish is durable or refused; its session may have a new connection by now, on which
// the client asks again.
void Broker::settle_received(const Ticket& ticket, Reason reason) {
  Session* const session = find_session(ticket.publisher);
  if (session == nullptr) return;
  ReceivedId* const received = session->received.find(ticket.packet_id);
  if (received == nullptr) return;
  const ConnectionId repeated_on = received->repeated_on;
  if (is_error(reason)) {
    session->received.erase(ticket.packet_id);
  } else {
    received->is_durable = true;
  }
  Connection* const connection = session->connection;
  if (connection == nullptr || connection->id == ticket.connection) return;
  // Who has not asked there yet will: two answers would bring two PUBRELs and two PUBCOMPs, and the
  // client may take the second one for that of its next message with this identifier.
  if (repeated_on != connection->id || connection->state != Connection::State::open) return;
  if (is_error(reason) && connection->version != Version::v5) {  // as append_answers() does
    connection->end = Presence::End::server_error;
    return drop(*connection, true, true);
  }
  encode(connection->out, connection->version, PacketType::pubrec,
         Ack{ticket.packet_id, answer_reason(reason, Qos::exactly_once), {}});
  announce(*connection);
}

void Broker::append_answers(Connection& connection) {
  while (!connection.unanswered.empty() && connection.unanswered.front().is_known) {
    Unanswered& entry = connection.unanswered.front();
    const PacketType type =
        entry.qos == Qos::at_least_once ? PacketType::puback : PacketType::pubrec;
    if (is_error(entry.reason) && connection.version != Version::v5) {
      connection.end = Presence::End::server_error;
      return drop(connection, true, true);
    }
    Ack answer{entry.packet_id, entry.reason, {}};
    const bool says_why = entry.why != nullptr && limits_.reasons && connection.wants_reasons &&
                          entry.why->size() + 16 <= connection.packet_size_max;
    if (says_why) answer.properties.set(Property::reason_string, *entry.why);
    encode(connection.out, connection.version, type, answer);
    connection.unanswered.pop_front();
    ++connection.first_ticket;
  }
  announce(connection);
  resume(connection);
}

// `is_logged`: the log has it, and its end goes into the record of the message.
void Broker::publish_will(SessionNumber number, bool is_logged, StoredWill& will) {
  will.message.received_us = wall_us_;
  const Message& message = will.message;
  const std::optional<Principal> who =
      will.is_restored ? rooms_.host.remembered(message) : std::move(will.principal);
  const bool may = who && rooms_.host.may_publish(*who, message.topic) &&
                   (!message.retain || rooms_.host.may_retain(*who, message.topic));
  if (may) {
    return rooms_.host.publish(message.view(),
                               {0, 0, 0, Qos::at_most_once, number, is_logged ? number : 0});
  }
  counters_.refused.add();
  rooms_.host.refused({Refusal::What::publish, message.client_id, message.principal,
                       message.source_ip, message.topic, Reason::not_authorized,
                       "may not publish its will here"});
  if (!is_logged) return;
  rooms_.host.commit([&](RecordWriter& record) { append_will_end(record, number); },
                     [](const Result<void>&) {});
}

}  // namespace nilo::mqtt
