// mqtt/deliver.cc: messages to clients, and their acknowledgements.
//
// QoS 0 goes straight into the connection's bytes, or is dropped when too many of them wait. QoS 1
// and 2 always pass through the session's queue, which is read as far as the client's receive
// maximum and the waiting bytes allow.
#include <algorithm>
#include <utility>

#include "mqtt/broker.h"
#include "mqtt/message_properties.h"

namespace nilo::mqtt {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

bool is_expired(const Message& message, TimeUs now_us) {
  return message.properties.has_expiry &&
         now_us - message.received_us > message.properties.expiry_s * kSecondUs;
}

// What is left of the message expiry interval [MQTT-3.3.2-6].
std::uint32_t expiry_left_s(const Message& message, TimeUs now_us) {
  const std::int64_t waited_s = std::max<std::int64_t>(0, now_us - message.received_us) / kSecondUs;
  return message.properties.expiry_s - static_cast<std::uint32_t>(waited_s);
}

}  // namespace

std::optional<Delivery> delivery_of(const bus::Match& match, const MessageView& message,
                                    SessionNumber publisher) {
  if (match.options.no_local && match.target.session == publisher) return std::nullopt;
  return Delivery{match.target.session, std::min(match.options.qos, message.qos),
                  match.options.retain_as_published && message.retain, match.identifiers};
}

void Broker::deliver(const Delivery& delivery, const MessagePtr& message, Seq seq) {
  Session* const session = find_session(delivery.session);
  if (session == nullptr) return;
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
    return announce(*connection);
  }
  Outgoing entry{message, seq, nullptr, 0, delivery.qos, delivery.retain};
  if (!delivery.identifiers.empty()) {
    entry.identifiers = std::make_unique<std::vector<std::uint32_t>>(delivery.identifiers);
  }
  if (!session->queue.push(std::move(entry), limits_.session_queue_max,
                           limits_.session_queue_size_max)) {
    counters_.dropped_full.add();
    note_delivered(*session, seq);  // so that a restart does not bring back what was dropped
    if (!std::exchange(session->was_full, true)) {
      rooms_.host.refused({Refusal::What::delivery,
                           session->client_id,
                           {},
                           {},
                           message->topic,
                           Reason::quota_exceeded,
                           "the session's queue is full"});
    }
    return;
  }
  if (is_open) pump(*session);
}

void Broker::pump(Session& session) {
  Connection& connection = *session.connection;
  while (connection.out.size() < limits_.out_buffer_size_max) {
    const Outgoing* const entry = session.queue.next(connection.receive_max);
    if (entry == nullptr) break;
    if (entry->state == Outgoing::State::released) {
      encode(connection.out, connection.version, PacketType::pubrel, Ack{entry->packet_id, {}, {}});
      session.queue.sent();
      continue;
    }
    Publish packet;
    packet.qos = entry->qos;
    packet.retain = entry->retain;
    packet.packet_id = entry->packet_id;
    packet.dup = entry->state == Outgoing::State::sent;  // [MQTT-3.3.1-1]
    if (append_publish(connection, *entry->message, packet, entry->identifiers.get())) {
      session.queue.sent();
    } else {
      note_delivered(session, session.queue.give_up());
    }
  }
  announce(connection);
}

// Completes `packet` with the message. False: expired, or larger than this client takes
// [MQTT-3.1.2-25].
bool Broker::append_publish(Connection& connection, const Message& message, Publish& packet,
                            const std::vector<std::uint32_t>* identifiers) {
  if (!packet.dup && is_expired(message, wall_us_)) {
    counters_.dropped_expired.add();
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
  Seq seq = 0;
  switch (session.queue.acknowledge(packet.packet_id, frame.type, ok, seq)) {
    case OutgoingQueue::Answer::wrong:
      return fail(connection, {Reason::protocol_error, "not the acknowledgement that was due"});
    case OutgoingQueue::Answer::unknown:
      if (frame.type != PacketType::pubrec || !ok) return;
      [[fallthrough]];  // what we forgot, the client shall forget [MQTT-4.3.3-4]
    case OutgoingQueue::Answer::released:
      encode(connection.out, connection.version, PacketType::pubrel, Ack{packet.packet_id, {}, {}});
      return announce(connection);
    case OutgoingQueue::Answer::finished:
      note_delivered(session, seq);
      session.was_full = false;
      return pump(session);
  }
}

void Broker::handle_release(Connection& connection, std::uint16_t packet_id) {
  std::erase_if(connection.session->received,
                [&](const ReceivedId& received) { return received.packet_id == packet_id; });
  encode(connection.out, connection.version, PacketType::pubcomp, Ack{packet_id, {}, {}});
  announce(connection);
}

void Broker::note_delivered(Session& session, Seq seq) {
  if (seq == 0 || !session.is_persistent()) return;
  if (session.delivered.empty()) unlogged_.push_back(session.number);
  session.delivered.push_back(seq);
}

// If this record is lost, the clients get these messages a second time after a restart, which
// QoS 1 allows.
void Broker::commit_delivered() {
  if (unlogged_.empty()) return;
  rooms_.host.commit(
      [&](RecordWriter& record) {
        for (const SessionNumber number : unlogged_) {
          Session* const session = find_session(number);
          if (session == nullptr || session->delivered.empty()) continue;
          append_delivered(record, number, session->delivered);
          session->delivered.clear();
        }
      },
      [](const Result<void>&) {});
  unlogged_.clear();
}

}  // namespace nilo::mqtt
