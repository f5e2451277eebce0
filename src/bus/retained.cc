#include "bus/retained.h"

#include <fmt/format.h>

#include <mutex>
#include <utility>

#include "base/time_units.h"
#include "value/message_bytes.h"

namespace nilo::bus {

namespace {

// What the map's node, the shared block and the strings cost beside their bytes.
constexpr std::size_t kOverheadSize = 300;

}  // namespace

Retained::Retained(const Clock& clock, RetainedLimits limits) : clock_(clock), limits_(limits) {}

std::size_t Retained::size_of(const MessageView& message) {
  std::size_t size = kOverheadSize + 2 * message.topic.size() + message.payload.size() +
                     message.client_id.size() + message.principal.size() + message.source_ip.size();
  if (message.properties == nullptr) return size;
  const MessageProperties& properties = *message.properties;
  size += properties.content_type.size() + properties.response_topic.size() +
          properties.correlation_data.size();
  for (const auto& [name, value] : properties.user) {
    size += sizeof(name) + sizeof(value) + name.size() + value.size();
  }
  return size;
}

bool Retained::is_expired(const Message& message) const {
  const MessageProperties& properties = message.properties;
  const TimeUs life_us = properties.expiry_s * kSecondUs;
  return properties.has_expiry && clock_.wall_us() >= message.received_us + life_us;
}

Result<void> Retained::check(const MessageView& message) const {
  if (message.payload.empty()) return {};
  const std::shared_lock lock(mutex_);
  const auto old = topics_.find(message.topic);
  const std::size_t old_size = old == topics_.end() ? 0 : size_of(old->second->view());
  const char* hint = "clear topics that are not needed: publish an empty retained message there";
  if (old == topics_.end() && topics_.size() >= limits_.count_max) {
    return Error{ErrorCode::resource_exhausted,
                 fmt::format("{} topics have a retained message: the limit", limits_.count_max),
                 hint};
  }
  if (size_ - old_size + size_of(message) > limits_.size_max) {
    return Error{
        ErrorCode::resource_exhausted,
        fmt::format("retained messages would take more than {} bytes: the limit", limits_.size_max),
        hint};
  }
  return {};
}

void Retained::set(MessagePtr message) {
  if (message->payload.empty()) return clear(message->topic);
  const std::unique_lock lock(mutex_);
  MessagePtr& kept = topics_[message->topic];
  if (kept != nullptr) size_ -= size_of(kept->view());
  size_ += size_of(message->view());
  kept = std::move(message);
}

void Retained::clear(std::string_view topic) {
  const std::unique_lock lock(mutex_);
  const auto at = topics_.find(topic);
  if (at == topics_.end()) return;
  size_ -= size_of(at->second->view());
  topics_.erase(at);
}

void Retained::drop_expired() {
  const std::unique_lock lock(mutex_);
  std::erase_if(topics_, [&](const auto& each) {
    if (!is_expired(*each.second)) return false;
    size_ -= size_of(each.second->view());
    return true;
  });
}

void Retained::write_effect(RecordWriter& record, const MessageView& message) {
  record.begin(EffectKind::retained);
  put_message(record.out(), message);
  record.end();
}

Result<void> Retained::apply(std::string_view body) {
  ByteReader in(body);
  auto message = std::make_shared<Message>(get_message(in));
  if (!in.ok() || !in.at_end()) {
    return Error{ErrorCode::corrupt, "a `retained` effect that is not a message"};
  }
  set(std::move(message));
  return {};
}

std::vector<MessagePtr> Retained::matching(const TopicFilter& filter, std::size_t count_max) const {
  std::vector<MessagePtr> out;
  // "a/#" also hears "a", which does not begin with "a/".
  std::string_view prefix = filter.literal_prefix();
  if (filter.has_wildcard() && prefix.ends_with('/')) prefix.remove_suffix(1);
  const std::shared_lock lock(mutex_);
  for (auto at = topics_.lower_bound(prefix); at != topics_.end() && out.size() < count_max; ++at) {
    const auto& [topic, message] = *at;
    if (!topic.starts_with(prefix)) break;
    if (filter.matches(topic) && !is_expired(*message)) out.push_back(message);
    if (!filter.has_wildcard()) break;
  }
  return out;
}

void Retained::for_each(const std::function<void(const Message&)>& f) const {
  const std::shared_lock lock(mutex_);
  for (const auto& [topic, message] : topics_) {
    if (!is_expired(*message)) f(*message);
  }
}

std::size_t Retained::count() const {
  const std::shared_lock lock(mutex_);
  return topics_.size();
}

std::size_t Retained::size() const {
  const std::shared_lock lock(mutex_);
  return size_;
}

}  // namespace nilo::bus
