// api/live_topics.h: messages for open pages, by topic filter.
//
// In/out:  messages that the house heard for a filter -> one JSON text for each filter and flush,
//          sent to all that listen to it.
// Threads: the hub's loop.
// Limits:  LiveLimits: a connection with more than unsent_max bytes unsent loses messages, which
//          are counted, until it is down at unsent_soft_max again; payloads are cut.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/live.h"
#include "api/live_session.h"

namespace nilo::api {

// `messages`: JSON objects; may be empty, to tell what was dropped.
void send_messages(LiveSubscription& subscription, std::string_view messages);

class LiveTopics {
 public:
  // Both must outlive this.
  LiveTopics(LiveHouse& house, const LiveLimits& limits) : house_(house), limits_(limits) {}

  // Messages come to `subscription`, from the next flush on.
  void listen(LiveSubscription& subscription);
  void send_retained(LiveSubscription& subscription) const;
  void stop_listening(LiveSubscription& subscription);

  // Of the filter with this number. False: nobody listens to it any more.
  bool add_message(std::uint64_t number, const Message& message);
  bool add_dropped(std::uint64_t number, std::uint64_t count);
  void flush();

 private:
  struct Filter {
    bus::TopicFilter filter;
    std::vector<LiveSubscription*> listeners{};
    std::string pending{};  // JSON objects, with commas
    std::uint64_t pending_count = 0;
    std::uint64_t dropped = 0;
  };
  void tell(LiveSubscription& subscription, const Filter& filter) const;

  LiveHouse& house_;
  const LiveLimits& limits_;
  std::map<std::string, std::uint64_t, std::less<>> numbers_;  // by text
  std::map<std::uint64_t, Filter> filters_;                    // by number
  std::uint64_t last_number_ = 0;
  std::set<std::uint64_t> dirty_;
};

}  // namespace nilo::api
