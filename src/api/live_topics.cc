#include "api/live_topics.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "base/base64.h"
#include "base/utf8.h"
#include "value/json_text.h"

namespace nilo::api {

namespace {

void append_message(std::string& out, const Message& message, std::size_t payload_max) {
  out += '{';
  append_text(out, "topic", message.topic);
  if (is_utf8(message.payload)) {
    append_text(out, "payload", front_of(message.payload, payload_max));
  } else {
    const std::string_view shown = std::string_view(message.payload).substr(0, payload_max);
    append_text(out, "payload_base64", base64_encoded(shown));
  }
  if (message.payload.size() > payload_max) append_number(out, "cut", true);
  append_number(out, "qos", static_cast<int>(message.qos));
  append_number(out, "retain", message.retain);
  append_number(out, "time", message.received_us / 1000);
  append_text(out, "client", message.client_id);
  out += '}';
}

}  // namespace

void send_messages(LiveSubscription& subscription, std::string_view messages) {
  subscription.session->send(
      fmt::format(R"({{"type":"messages","id":{},"messages":[{}],"dropped":{}}})",
                  subscription.json_id, messages, std::exchange(subscription.dropped, 0)));
}

void LiveTopics::listen(LiveSubscription& subscription) {
  const bus::TopicFilter& wanted = *subscription.filter;
  const auto [at, is_new] = numbers_.try_emplace(wanted.text(), last_number_ + 2);
  if (is_new) {
    last_number_ += 2;  // the numbers of sessions that outlive their connection are odd
    filters_.emplace(last_number_, Filter{wanted});
    house_.listen(last_number_, wanted);
  }
  subscription.number = at->second;
  filters_.at(at->second).listeners.push_back(&subscription);
}

void LiveTopics::send_retained(LiveSubscription& subscription) const {
  std::string retained;
  for (const MessagePtr& each : house_.retained(*subscription.filter, limits_.retained_max)) {
    append_comma(retained);
    append_message(retained, *each, limits_.payload_shown_max);
  }
  if (!retained.empty()) send_messages(subscription, retained);
}

void LiveTopics::stop_listening(LiveSubscription& subscription) {
  const auto found = filters_.find(subscription.number);
  if (found == filters_.end()) return;
  std::erase(found->second.listeners, &subscription);
  if (!found->second.listeners.empty()) return;
  house_.stop_listening(found->first);
  numbers_.erase(found->second.filter.text());
  dirty_.erase(found->first);
  filters_.erase(found);
}

bool LiveTopics::add_message(std::uint64_t number, const Message& message) {
  const auto found = filters_.find(number);
  if (found == filters_.end()) return false;
  Filter& filter = found->second;
  append_comma(filter.pending);
  append_message(filter.pending, message, limits_.payload_shown_max);
  ++filter.pending_count;
  dirty_.insert(number);
  return true;
}

bool LiveTopics::add_dropped(std::uint64_t number, std::uint64_t count) {
  const auto found = filters_.find(number);
  if (found == filters_.end()) return false;
  found->second.dropped += count;
  dirty_.insert(number);
  return true;
}

void LiveTopics::flush() {
  for (const std::uint64_t number : std::exchange(dirty_, {})) {
    Filter& filter = filters_.at(number);
    for (LiveSubscription* each : filter.listeners) tell(*each, filter);
    filter.pending.clear();
    filter.pending_count = 0;
    filter.dropped = 0;
  }
}

void LiveTopics::tell(LiveSubscription& subscription, const Filter& filter) const {
  subscription.dropped += filter.dropped;
  const std::size_t unsent = subscription.session->unsent();
  if (unsent > limits_.unsent_max) subscription.is_dropping = true;
  if (unsent <= limits_.unsent_soft_max) {
    subscription.is_dropping = false;
    subscription.session->behind_since_us.reset();
  }
  if (subscription.is_dropping) {
    subscription.dropped += filter.pending_count;
    return;
  }
  send_messages(subscription, filter.pending);
}

}  // namespace nilo::api
