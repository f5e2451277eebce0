// mqtt/subscribe.cc: what a session wants to hear.
//
// A subscription works from the moment it is read: the record that says so is in the log before
// that of any message it lets through. Only the SUBACK waits for the disk.
#include <algorithm>
#include <utility>

#include "mqtt/broker.h"

namespace nilo::mqtt {
namespace {

constexpr std::string_view kShare = "$share/";

bool is_shared(std::string_view filter) { return filter.substr(0, kShare.size()) == kShare; }

// "$share/NAME/FILTER", NAME without wildcards, neither empty [MQTT-4.8.2-1, 4.8.2-2].
bool is_shared_filter(std::string_view filter) {
  filter.remove_prefix(kShare.size());
  const std::size_t slash = filter.find('/');
  if (slash == 0 || slash == std::string_view::npos || slash + 1 == filter.size()) return false;
  return filter.substr(0, slash).find_first_of("+#") == std::string_view::npos;
}

// Faults that end the connection, as opposed to those a SUBACK can tell.
Fault check_shared(const SubscribeEntry& entry) {
  if (!is_shared(entry.filter)) return {};
  if (!is_shared_filter(entry.filter)) {
    return {Reason::protocol_error, "shared subscription without name or filter"};
  }
  if (entry.no_local) {
    return {Reason::protocol_error, "no local on a shared subscription"};  // [MQTT-3.8.3-4]
  }
  return {};
}

void append_entry(RecordWriter& record, SessionNumber number, const Subscription& subscription) {
  const bus::SubscriptionOptions& options = subscription.options;
  append_subscribe(record, {number,
                            {subscription.filter, options.qos, options.no_local,
                             options.retain_as_published, options.retain_handling},
                            options.identifier});
}

}  // namespace

void Broker::handle_subscribe(Connection& connection, const Frame& frame) {
  Subscribe packet;
  if (const Fault fault = decode(frame, connection.version, packet)) {
    return fail(connection, fault);
  }
  SubscribeEntry entry;
  for (std::string_view rest = packet.entries; next_entry(rest, entry);) {
    if (connection.version != Version::v5) break;
    if (const Fault fault = check_shared(entry)) return fail(connection, fault);
  }
  const std::uint32_t identifier = packet.properties.number(Property::subscription_identifier, 0);
  std::string reasons;
  std::vector<Subscription> granted;
  std::vector<Subscription> wants_retained;
  for (std::string_view rest = packet.entries; next_entry(rest, entry);) {
    bool is_new = false;
    const Reason reason = subscribe(connection, entry, identifier, is_new);
    const bool has_failed = is_error(reason);
    reasons.push_back(static_cast<char>(
        has_failed && connection.version != Version::v5 ? Reason::unspecified_error : reason));
    if (has_failed) continue;
    const Subscription& subscription = *find_subscription(*connection.session, entry.filter);
    granted.push_back(subscription);
    const bool sends_retained =
        entry.retain_handling == 0 || (entry.retain_handling == 1 && is_new);
    if (sends_retained) wants_retained.push_back(subscription);
  }
  const Session& session = *connection.session;
  if (!session.is_persistent() || granted.empty()) {
    return finish_subscribe(connection.id, packet.packet_id, reasons, wants_retained);
  }
  rooms_.host.commit(
      [&](RecordWriter& record) {
        for (const Subscription& subscription : granted) {
          append_entry(record, session.number, subscription);
        }
      },
      [this, id = connection.id, packet_id = packet.packet_id, reasons,
       wants_retained](const Result<void>& outcome) {
        if (outcome) return finish_subscribe(id, packet_id, reasons, wants_retained);
        Connection* const waiting = find(id);
        if (waiting == nullptr) return;
        fail(*waiting, {reason_of(outcome.error().code), "the subscription could not be stored"});
      });
}

Reason Broker::subscribe(Connection& connection, const SubscribeEntry& entry,
                         std::uint32_t identifier, bool& is_new) {
  Session& session = *connection.session;
  const auto refused = [&](Reason reason, std::string_view why) {
    refuse(connection, Refusal::What::subscribe, entry.filter, reason, why);
    return reason;
  };
  if (is_shared(entry.filter)) {
    return refused(Reason::shared_subscriptions_not_supported, "no shared subscriptions");
  }
  const auto filter = bus::TopicFilter::parse(entry.filter);
  if (!filter) return refused(Reason::topic_filter_invalid, filter.error().message);
  if (!rooms_.host.may_subscribe(connection.principal, entry.filter)) {
    return refused(Reason::not_authorized, "may not subscribe to this");
  }
  Subscription* known = find_subscription(session, entry.filter);
  is_new = known == nullptr;
  if (is_new) {
    if (session.subscriptions.size() >= limits_.subscriptions_max) {
      return refused(Reason::quota_exceeded, "too many subscriptions");
    }
    known = &session.subscriptions.emplace_back(Subscription{filter->text(), {}});
  }
  known->options = {entry.qos, entry.no_local, entry.retain_as_published, entry.retain_handling,
                    identifier};
  rooms_.router.subscribe(target_of(session), *filter, known->options);
  return static_cast<Reason>(entry.qos);
}

void Broker::finish_subscribe(ConnectionId id, std::uint16_t packet_id, const std::string& reasons,
                              const std::vector<Subscription>& wants_retained) {
  Connection* const connection = find(id);
  if (connection == nullptr) return;
  encode(connection->out, connection->version, PacketType::suback, {packet_id, {}, reasons});
  announce(*connection);
  for (const Subscription& subscription : wants_retained) {
    send_retained(*connection->session, subscription);
  }
}

void Broker::send_retained(Session& session, const Subscription& subscription) {
  const auto filter = bus::TopicFilter::parse(subscription.filter);
  if (!filter) return;
  const bus::SubscriptionOptions& options = subscription.options;
  Delivery delivery{session.number, options.qos, true, {}};
  if (options.identifier != 0) delivery.identifiers = {options.identifier};
  for (const MessagePtr& message :
       rooms_.retained.matching(*filter, limits_.retained_per_filter_max)) {
    delivery.qos = std::min(options.qos, message->qos);
    const bool waits = session.is_persistent() && delivery.qos != Qos::at_most_once;
    if (waits) {
      rooms_.host.queue({loop_, session.number}, delivery, message);
    } else {
      deliver(delivery, message, {});
    }
  }
}

void Broker::handle_unsubscribe(Connection& connection, const Frame& frame) {
  Unsubscribe packet;
  if (const Fault fault = decode(frame, connection.version, packet)) {
    return fail(connection, fault);
  }
  Session& session = *connection.session;
  std::string reasons;
  std::vector<std::string> removed;
  std::string_view filter;
  for (std::string_view rest = packet.filters; next_filter(rest, filter);) {
    const bool existed = unsubscribe(session, filter);
    reasons.push_back(
        static_cast<char>(existed ? Reason::success : Reason::no_subscription_existed));
    if (existed) removed.emplace_back(filter);
  }
  if (connection.version != Version::v5) reasons.clear();
  const auto finish = [this, id = connection.id, packet_id = packet.packet_id, reasons] {
    Connection* const waiting = find(id);
    if (waiting == nullptr) return;
    encode(waiting->out, waiting->version, PacketType::unsuback, {packet_id, {}, reasons});
    announce(*waiting);
  };
  if (!session.is_persistent() || removed.empty()) return finish();
  rooms_.host.commit(
      [&](RecordWriter& record) {
        for (const std::string& text : removed) append_unsubscribe(record, session.number, text);
      },
      [this, id = connection.id, finish](const Result<void>& outcome) {
        Connection* const waiting = find(id);
        if (outcome || waiting == nullptr) return finish();
        fail(*waiting, {reason_of(outcome.error().code), "the change could not be stored"});
      });
}

bool Broker::unsubscribe(Session& session, std::string_view filter) {
  Subscription* const known = find_subscription(session, filter);
  if (known == nullptr) return false;
  session.subscriptions.erase(session.subscriptions.begin() +
                              (known - session.subscriptions.data()));
  return rooms_.router.unsubscribe(target_of(session), filter);
}

}  // namespace nilo::mqtt
