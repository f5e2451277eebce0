// mqtt/subscribe.cc: what a session wants to hear.
//
// A subscription works from the moment it is read: the record that says so is in the log before
// that of any message it lets through. Only the SUBACK waits for the disk.
#include <algorithm>
#include <utility>

#include "mqtt/broker.h"

namespace nilo::mqtt {
namespace {

// Faults that end the connection, as opposed to those a SUBACK can tell.
Fault check_shared(const SubscribeEntry& entry) {
  if (!bus::is_share(entry.filter)) return {};
  if (!bus::parse_share(entry.filter)) {
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
    const bool is_beyond = reasons.size() >= connection.limits->filters_per_subscribe_max;
    if (is_beyond) {
      refuse(connection, Refusal::What::subscribe, entry.filter, Reason::quota_exceeded,
             "too many filters in one SUBSCRIBE");
    }
    const Reason reason =
        is_beyond ? Reason::quota_exceeded : subscribe(connection, entry, identifier, is_new);
    const bool has_failed = is_error(reason);
    const bool may_say =
        connection.version == Version::v5 && (limits_.reasons || reason != Reason::not_authorized);
    reasons.push_back(
        static_cast<char>(has_failed && !may_say ? Reason::unspecified_error : reason));
    if (has_failed) continue;
    const Subscription& subscription = *find_subscription(*connection.session, entry.filter);
    granted.push_back(subscription);
    const bool may_have_retained = connection.limits->has_retained_for_wildcards ||
                                   subscription.filter.find_first_of("+#") == std::string::npos;
    // Nothing retained for shared subscriptions (MQTT 5.0 section 4.8.2).
    const bool sends_retained =
        may_have_retained &&
        (entry.retain_handling == 0 || (entry.retain_handling == 1 && is_new)) &&
        !bus::is_share(entry.filter);
    if (sends_retained) wants_retained.push_back(subscription);
  }
  const Session& session = *connection.session;
  if (!granted.empty()) {
    std::vector<std::string> filters;
    for (const Subscription& subscription : granted) filters.push_back(subscription.filter);
    tell(connection, Presence::What::subscribed, filters);
  }
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
  const std::string_view heard = bus::heard_filter(entry.filter);
  if (bus::is_share(heard)) {
    return refused(Reason::topic_filter_invalid, "shared subscription without name or filter");
  }
  const auto filter = bus::TopicFilter::parse(heard);
  if (!filter) return refused(Reason::topic_filter_invalid, filter.error().message);
  const Limits& limits = *connection.limits;
  const auto levels = static_cast<std::size_t>(std::count(heard.begin(), heard.end(), '/') + 1);
  if (heard.size() > limits.topic_size_max || levels > limits.topic_levels_max) {
    return refused(Reason::topic_filter_invalid, "the filter is too long or has too many levels");
  }
  if (!rooms_.host.may_subscribe(connection.principal, heard)) {
    return refused(Reason::not_authorized,
                   rooms_.host.why_not(connection.principal, Scope::Act::subscribe, heard));
  }
  Subscription* known = find_subscription(session, entry.filter);
  is_new = known == nullptr;
  if (is_new) {
    if (session.subscriptions.size() >= limits.subscriptions_max) {
      return refused(Reason::quota_exceeded, "too many subscriptions");
    }
    known = &session.subscriptions.emplace_back(Subscription{std::string(entry.filter), {}});
  }
  const Qos qos = std::min(entry.qos, limits.qos_max);
  known->options = {qos,
                    entry.no_local,
                    entry.retain_as_published,
                    entry.retain_handling,
                    identifier,
                    !limits.has_parent_of_wildcard};
  listen(session, *filter, *known);
  return static_cast<Reason>(qos);
}

void Broker::listen(Session& session, const bus::TopicFilter& heard,
                    const Subscription& subscription) {
  if (!bus::is_share(subscription.filter)) {
    rooms_.router.subscribe(target_of(session), heard, subscription.options);
    return;
  }
  if (session.presence == nullptr) {
    session.presence = std::make_shared<std::atomic<bus::Presence>>(bus::Presence::away);
    note_presence(session);
  }
  rooms_.router.join(target_of(session), heard, subscription.filter, subscription.options,
                     session.presence);
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
  std::vector<MessagePtr> messages =
      rooms_.retained.matching(*filter, limits_.retained_per_filter_max);
  if (filter->text().front() == '$') {
    const std::vector<MessagePtr> own = rooms_.host.own_messages(*filter);
    messages.insert(messages.end(), own.begin(), own.end());
  }
  for (const MessagePtr& message : messages) {
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
  if (!removed.empty()) tell(connection, Presence::What::unsubscribed, removed);
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
  return bus::is_share(filter) ? rooms_.router.quit(target_of(session), filter)
                               : rooms_.router.unsubscribe(target_of(session), filter);
}

}  // namespace nilo::mqtt
