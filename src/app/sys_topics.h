// app/sys_topics.h: what the server says of itself under `$SYS/broker/...`, as brokers do.
//
//   version  uptime  clients/connected|disconnected|total  messages/received|sent
//   subscriptions/count  retained messages/count
//
// The numbers are those of /metrics. They are made when somebody subscribes, and every kSysEvery
// while somebody listens; nothing of it is kept.
//
// Threads: matching() may be called on every loop; publish() on the loop of the Post.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "app/loop_batch.h"
#include "base/clock.h"
#include "bus/router.h"
#include "bus/topic_filter.h"
#include "value/message.h"

namespace nilo::app {

inline constexpr std::chrono::seconds kSysEvery{10};

class SysTopics {
 public:
  using Read = std::function<std::uint64_t()>;  // from any loop
  // `numbers`: what stands behind "$SYS/broker/", and its value. The clock must outlive this.
  SysTopics(const Clock& clock, const std::vector<std::pair<std::string, Read>>& numbers);

  // Those that `filter` hears, as retained messages.
  std::vector<MessagePtr> matching(const bus::TopicFilter& filter) const;
  // To whoever listens now.
  void publish(const bus::Router& router, Post& post) const;

 private:
  struct Topic {
    std::string name;
    std::function<std::string()> value;
  };
  MessagePtr message_of(const Topic& topic) const;

  const Clock& clock_;
  const std::int64_t began_us_;
  std::vector<Topic> topics_;
};

}  // namespace nilo::app
