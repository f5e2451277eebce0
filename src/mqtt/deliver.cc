// mqtt/deliver.cc: messages to clients, and their acknowledgements.
//
// QoS 0 goes straight into the connection's bytes, or is dropped when too many of them wait. QoS 1
// and 2 always pass through the session's queue, which is read as far as the client's receive
// maximum and the waiting bytes allow.
#include <algorithm>
#include <utility>

#include "base/time_units.h"
#include "mqtt/broker.h"
#include "mqtt/message_properties.h"

namespace nilo::mqtt {
namespace {

bool is_expired(const Message& message, TimeUs now_us) {
  return message.properties.has_expiry &&
         now_us - message.received_us > message.properties.expiry_s * kSecondUs;
}

// What is left of the message expiry interval [MQTT-3.3.2-6].
std::uint32_t expiry_left_s(const Message& message, TimeUs now_us) {
  const std::int64_t waited_s = std::max<std::int64_t>(0, now_us - message.received_us) / kSecondUs;
  return message.properties.expiry_s - static_cast<std::uint32_t>(waited_s);
}

// The number of `topic`, or 0. A new one is entered; it counts if the packet that tells it goes
// out.
std::uint16_t alias_of(Connection& connection, const std::string& topic, bool& is_new) {
  is_new = false;
  if (connection.known_topics_max == 0) return 0;
  if (connection.known_topics == nullptr) {
    connection.known_topics = std::make_unique<KnownTopics>();
  }
  auto& aliases = connection.known_topics->aliases;
  const auto known = aliases.find(topic);
  if (known != aliases.end()) return known->second;
  if (aliases.size() >= connection.known_topics_max) return 0;
  is_new = true;
  return aliases.emplace(topic, static_cast<std::uint16_t>(aliases.size() + 1)).first->second;
}

}  // namespace

std::optional<Delivery> delivery_of(const bus::Match& match, const MessageView& message,
                                    SessionNumber publisher) {
  if (match.options.no_local && match.target.session == publisher) return std::nullopt;
  return Delivery{match.target.session, std::min(match.options.qos, message.qos),
                  match.options.retain_as_published && message.retain, match.identifiers};
}

Addressed delivery_of(const bus::Group& group, const MessageView& message) {
  const bus::Group::Member& member = group.next();
  const bus::SubscriptionOptions& options = member.options;
  Delivery delivery{member.target.session,
                    std::min(options.qos, message.qos),
                    options.retain_as_published && message.retain,
                    {},
                    group.text()};
  if (options.identifier != 0) delivery.identifiers = {options.identifier};
  return {member.target, std::move(delivery)};
}

void Broker::deliver(const Delivery& delivery, const MessagePtr& message, const Position& at) {
  Session* const session = find_session(delivery.session);
  if (session == nullptr) {
    const bool is_kept = delivery.share && delivery.qos != Qos::at_most_once;
    if (is_kept) rooms_.host.hand_on(delivery.share, message);
    return;
  }
  Connection* const connection = session->connection;
  const bool is_open = connection != nullptr && connection->state == Connection::State::open;
  if (delivery.qos == Qos::at_most_once) {
    if (!is_open) return;
    if (connection->out.size() >= limits_.out_buffer_size_max) {
      return counters_.dropped_slow.add();
    }
    Publish packet;
    packet.retain = delivery.retain;
    append_publish(*connection, *message, packet, &delivery.identifiers);
    note_presence(*session);
    announce(*connection);
    if (connection->out.size() >= kSendEarlySize) rooms_.host.send_early(connection->id);
    return;
  }
  if (!session->queue.push(at, letter_of(delivery, message), !is_open, queue_limits_)) {
    note_settled(*session, at);  // so that a restart does not bring back what was dropped
    note_full(*session, *message);
  } else if (is_open) {
    return pump(*session);
  }
  note_presence(*session);
}

void Broker::note_full(Session& session, const Message& message) {
  counters_.dropped_full.add();
  if (std::exchange(session.was_full, true)) return;
  rooms_.host.refused({Refusal::What::delivery,
                       session.client_id,
                       {},
                       {},
                       message.topic,
                       Reason::quota_exceeded,
                       "the session's queue is full"});
}

void Broker::note_presence(const Session& session) {
  if (session.presence == nullptr) return;
  const Connection* const connection = session.connection;
  const bool is_open = connection != nullptr && connection->state == Connection::State::open;
  const bool is_full = session.was_full || session.queue.count() >= queue_limits_.count_max;
  bus::Presence now = bus::Presence::ready;
  if (is_full) {
    now = bus::Presence::full;
  } else if (!is_open) {
    now = bus::Presence::away;
  } else if (!session.queue.is_all_sent() ||
             connection->out.size() >= limits_.out_buffer_size_max) {
    now = bus::Presence::busy;
  }
  session.presence->store(now, std::memory_order_relaxed);
}

void Broker::pump(Session& session) {
  Connection& connection = *session.connection;
  while (connection.out.size() < limits_.out_buffer_size_max) {
    const Outgoing* const entry = session.queue.next(connection.receive_max);
    if (entry == nullptr) break;
    const Letter& letter = entry->letter;
    const bool needs_log = session.is_persistent() && letter.qos == Qos::exactly_once;
    if (needs_log && !session.queue.is_logged()) {
      number_ids(session);
      break;  // it goes on when they are logged
    }
    if (entry->state == Outgoing::State::released) {
      encode(connection.out, connection.version, PacketType::pubrel, Ack{entry->packet_id, {}, {}});
      session.queue.sent();
      continue;
    }
    Publish packet;
    packet.qos = letter.qos;
    packet.retain = letter.retain;
    packet.packet_id = entry->packet_id;
    packet.dup = entry->state == Outgoing::State::sent;  // [MQTT-3.3.1-1]
    if (append_publish(connection, *letter.message, packet, letter.identifiers.get())) {
      session.queue.sent();
    } else {
      note_settled(session, session.queue.give_up());
    }
  }
  note_presence(session);
  announce(connection);
  fetch(session);
}

// Asks for what the client will soon read, and is only in the log.
void Broker::fetch(Session& session) {
  if (session.is_fetching) return;
  std::vector<Position> places = session.queue.missing(queue_limits_);
  if (places.empty()) return;
  session.is_fetching = true;
  rooms_.host.fetch(session.number, std::move(places));
}

void Broker::on_fetched(SessionNumber number, std::vector<Fetched> fetched) {
  Session* const session = find_session(number);
  if (session == nullptr) return;
  session->is_fetching = false;
  const Connection* const connection = session->connection;
  const bool is_open = connection != nullptr && connection->state == Connection::State::open;
  if (!is_open) return;  // nothing is held for who is away
  for (Fetched& one : fetched) {
    if (one.letter.message != nullptr) {
      session->queue.fetched(one.at, std::move(one.letter));
    } else if (session->queue.lost(one.at)) {
      counters_.dropped_lost.add();
      note_settled(*session, one.at);
      rooms_.host.refused({Refusal::What::delivery,
                           session->client_id,
                           {},
                           {},
                           {},
                           Reason::unspecified_error,
                           "a message that waited cannot be read from the log"});
    }
  }
  pump(*session);
}

// Completes `packet` with the message. False: expired, not for this client to hear, or larger than
// it takes [MQTT-3.1.2-25].
bool Broker::append_publish(Connection& connection, const Message& message, Publish& packet,
                            const std::vector<std::uint32_t>* identifiers) {
  if (!packet.dup && is_expired(message, wall_us_)) {
    counters_.dropped_expired.add();
    return false;
  }
  const Scope* const scope = connection.principal.scope.get();
  if (scope != nullptr && !scope->may_receive(message.topic)) {
    counters_.dropped_forbidden.add();
    if (std::exchange(connection.was_forbidden, true)) return false;
    refuse(connection, Refusal::What::delivery, message.topic, Reason::not_authorized,
           scope->why_not(Scope::Act::receive, message.topic));
    return false;
  }
  packet.topic = message.topic;
  packet.payload = message.payload;
  std::string repeated;
  const bool has_identifiers = identifiers != nullptr && !identifiers->empty();
  if (connection.version == Version::v5 && (has_identifiers || !message.properties.empty())) {
    if (has_identifiers) {
      for (const std::uint32_t id : *identifiers) append_subscription_identifier(repeated, id);
    }
    set_properties(packet.properties, message.properties, repeated);
    if (message.properties.has_expiry) {
      packet.properties.set(Property::message_expiry, expiry_left_s(message, wall_us_));
    }
  }
  bool is_new = false;
  const std::uint16_t alias = alias_of(connection, message.topic, is_new);
  if (alias != 0) {
    packet.properties.set(Property::topic_alias, alias);
    if (!is_new) packet.topic = {};  // [MQTT-3.3.2-8]
  }
  if (append_if_taken(connection, packet)) return true;
  if (is_new) connection.known_topics->aliases.erase(message.topic);
  return false;
}

bool Broker::append_if_taken(Connection& connection, const Publish& packet) {
  const std::size_t before = connection.out.size();
  encode(connection.out, connection.version, packet);
  if (connection.out.size() - before > connection.packet_size_max) {
    connection.out.resize(before);
    counters_.dropped_large.add();
    return false;
  }
  ++sent_count_;
  return true;
}

void Broker::handle_ack(Connection& connection, const Frame& frame) {
  Ack packet;
  if (const Fault fault = decode(frame, connection.version, packet)) {
    return fail(connection, fault);
  }
  if (frame.type == PacketType::pubrel) return handle_release(connection, packet.packet_id);
  Session& session = *connection.session;
  const bool ok = !is_error(packet.reason);
  Position at;
  switch (session.queue.acknowledge(packet.packet_id, frame.type, ok, at)) {
    case OutgoingQueue::Answer::wrong:
      return fail(connection, {Reason::protocol_error, "not the acknowledgement that was due"});
    case OutgoingQueue::Answer::unknown:
      if (frame.type != PacketType::pubrec || !ok) return;
      break;  // what we forgot, the client shall forget [MQTT-4.3.3-4]
    case OutgoingQueue::Answer::confirmed:
      if (session.is_persistent()) return confirmed_.push_back(packet.packet_id);
      session.queue.release(packet.packet_id);
      break;
    case OutgoingQueue::Answer::released:
      break;
    case OutgoingQueue::Answer::finished:
      note_settled(session, at);
      session.was_full = false;
      return pump(session);
  }
  encode(connection.out, connection.version, PacketType::pubrel, Ack{packet.packet_id, {}, {}});
  announce(connection);
}

void Broker::handle_release(Connection& connection, std::uint16_t packet_id) {
  Session& session = *connection.session;
  if (ReceivedId* const received = session.received.find(packet_id)) {
    if (session.is_persistent()) {
      received->is_releasing = true;
      return released_.push_back(packet_id);
    }
    session.received.erase(packet_id);
  }
  encode(connection.out, connection.version, PacketType::pubcomp, Ack{packet_id, {}, {}});
  announce(connection);
}

void Broker::commit_acks(Connection& connection) {
  const auto acks = std::make_shared<Acks>();
  acks->released = std::exchange(released_, {});
  acks->confirmed = std::exchange(confirmed_, {});
  if (connection.session == nullptr) return;  // closed; on its next connection it says so again
  acks->session = connection.session->number;
  acks->connection = connection.id;
  rooms_.host.commit(
      [&](RecordWriter& record) {
        if (!acks->released.empty()) append_released(record, acks->session, acks->released);
        if (!acks->confirmed.empty()) append_confirmed(record, acks->session, acks->confirmed);
      },
      [this, acks](const Result<void>& outcome) { finish_acks(*acks, outcome); });
}

void Broker::finish_acks(const Acks& acks, const Result<void>& outcome) {
  Session* const session = find_session(acks.session);
  if (session == nullptr) return;
  Connection* const connection = session->connection;
  const bool is_open = connection != nullptr && connection->state == Connection::State::open;
  for (const std::uint16_t id : acks.released) {
    ReceivedId* const received = session->received.find(id);
    if (received != nullptr && received->is_releasing) {
      received->is_releasing = false;
      if (outcome) session->received.erase(id);
    }
    // A client that has a new connection says PUBREL again there.
    if (!outcome || !is_open || connection->id != acks.connection) continue;
    encode(connection->out, connection->version, PacketType::pubcomp, Ack{id, {}, {}});
  }
  for (const std::uint16_t id : acks.confirmed) {
    if (!outcome) {
      session->queue.unconfirm(id);
    } else if (session->queue.release(id) && is_open) {
      encode(connection->out, connection->version, PacketType::pubrel, Ack{id, {}, {}});
    }
  }
  if (!is_open) return;
  if (outcome) return announce(*connection);
  if (connection->id == acks.connection) {
    fail(*connection, {reason_of(outcome.error().code), "the acknowledgement could not be stored"});
  }
}

// Each PUBLISH at QoS 2 waits for this, so it is done for all that may leave now, and while one
// group is on its way to the disk the next one gathers. What is settled is logged with it: its
// identifiers may be given again here.
void Broker::number_ids(Session& session) {
  if (std::exchange(session.is_numbering, true)) return;
  const OutgoingQueue::Numbering numbering = session.queue.number(session.connection->receive_max);
  rooms_.host.commit(
      [&](RecordWriter& record) {
        if (!session.settled.empty()) append_settled(record, session.number, session.settled);
        session.settled.clear();
        append_numbered(record, session.number, numbering.numbered);
      },
      [this, number = session.number, mark = numbering.mark](const Result<void>& outcome) {
        Session* const waiting = find_session(number);
        if (waiting == nullptr) return;
        waiting->is_numbering = false;
        if (outcome) waiting->queue.logged(mark);
        Connection* const connection = waiting->connection;
        const bool is_open = connection != nullptr && connection->state == Connection::State::open;
        if (!is_open) return;
        if (outcome) return pump(*waiting);
        fail(*connection, {reason_of(outcome.error().code), "the delivery could not be stored"});
      });
}

void Broker::note_settled(Session& session, const Position& at) {
  if (at.seq == 0 || !session.is_persistent()) return;
  if (session.settled.empty()) unlogged_.push_back(session.number);
  session.settled.push_back(at);
}

// If this record is lost, the clients get these messages a second time after a restart, which
// QoS 1 allows, or a PUBREL, which says nothing new.
void Broker::commit_settled() {
  if (unlogged_.empty()) return;
  rooms_.host.commit(
      [&](RecordWriter& record) {
        for (const SessionNumber number : unlogged_) {
          Session* const session = find_session(number);
          if (session == nullptr || session->settled.empty()) continue;
          append_settled(record, number, session->settled);
          session->settled.clear();
        }
      },
      [](const Result<void>&) {});
  unlogged_.clear();
}

}  // namespace nilo::mqtt
