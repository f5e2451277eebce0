// bus/retained.h: the last retained message of each topic.
//
// Threads: safe to share; readers run in parallel.
// Limits:  RetainedLimits. A wildcard reads all topics that begin as the filter does.
// Source:  MQTT 5.0 sections 3.3.1.3 (retain) and 3.3.2.3.3 (expiry); docs/formats/record.md,
//          effect `retained`.
//
// The log decides which message is the last: write the effect into the message's record
// (write_effect) and apply it when the record is durable, in the order of the log. The same
// apply() serves replay.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "bus/topic_filter.h"
#include "value/message.h"
#include "value/record.h"

namespace nilo::bus {

struct RetainedLimits {
  std::size_t count_max = 100'000;
  std::size_t size_max = 64 * 1024 * 1024;  // bytes, as size_of() counts
};

class Retained {
 public:
  explicit Retained(const Clock& clock, RetainedLimits limits = {});

  // Is there room for this message, beside what it replaces? Ask before it is logged.
  // resource_exhausted: names the limit.
  Result<void> check(const MessageView& message) const;

  // Keeps `message`; an empty payload clears the topic [MQTT-3.3.1-6]. Never refuses: what the log
  // holds counts, so the limits may be passed by what was under way when they were reached.
  void set(MessagePtr message);
  void clear(std::string_view topic);

  // Appends the effect that sets (or, with an empty payload, clears) the topic of `message`.
  static void write_effect(RecordWriter& record, const MessageView& message);
  // Takes over the body of such an effect. corrupt: not one; nothing changes.
  Result<void> apply(std::string_view body);

  // Forgets what has expired; readers never see it, but it counts until then. Now and then.
  void drop_expired();

  // The messages that `filter` hears and that have not expired, in order of topic, at most
  // `count_max`.
  std::vector<MessagePtr> matching(const TopicFilter& filter, std::size_t count_max) const;

  // Calls f for every message that has not expired, in order of topic; for checkpoints. Do not
  // call this object from `f`.
  void for_each(const std::function<void(const Message&)>& f) const;

  std::size_t count() const;
  std::size_t size() const;  // bytes

 private:
  using Topics = std::map<std::string, MessagePtr, std::less<>>;

  static std::size_t size_of(const MessageView& message);
  bool is_expired(const Message& message) const;

  const Clock& clock_;
  const RetainedLimits limits_;
  mutable std::shared_mutex mutex_;
  Topics topics_;
  std::size_t size_ = 0;
};

}  // namespace nilo::bus
