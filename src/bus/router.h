// bus/router.h: who hears a topic?
//
// In/out:  subscriptions; a topic -> the subscribers that hear it.
// Threads: safe to share; match() runs in parallel on all loops, changes are exclusive.
// Limits:  none here: a door bounds the subscriptions of a session. About 150 bytes each plus the
//          filter's levels that no other filter shares.
// Source:  MQTT 5.0 sections 3.8.3.1 (options), 3.3.4 (overlapping subscriptions), 4.7.
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <string_view>
#include <vector>

#include "bus/topic_filter.h"
#include "value/message.h"

namespace nilo::bus {

struct SubscriptionOptions {
  Qos qos = Qos::at_most_once;
  bool no_local = false;
  bool retain_as_published = false;
  std::uint8_t retain_handling = 0;
  std::uint32_t identifier = 0;  // 0 = none
};

// A subscriber: which event loop, which session there.
struct Target {
  std::uint32_t loop = 0;
  std::uint64_t session = 0;
  auto operator<=>(const Target&) const = default;
};

// One delivery. Where several subscriptions of the target match: the highest qos, no_local only if
// all have it, retain_as_published if any has it [MQTT-3.3.4-2, 3.3.4-3].
struct Match {
  Target target;
  SubscriptionOptions options;
  std::vector<std::uint32_t> identifiers;  // all of them; options.identifier is the first
};

class Router {
 public:
  Router();
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // True: it is new. Otherwise the options of the old one are replaced.
  bool subscribe(Target target, const TopicFilter& filter, const SubscriptionOptions& options);
  // False: there was none.
  bool unsubscribe(Target target, std::string_view filter);
  // Ends all subscriptions of `target`.
  void remove(Target target);

  // Appends one Match for each target that hears `topic` (which has passed check_topic()), in
  // order of target. Allocates only what `out` needs.
  void match(std::string_view topic, std::vector<Match>& out) const;

  // Changes with every change: a loop may keep the matches of a topic as long as this, read before
  // match(), stays the same.
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

  std::size_t subscription_count() const;
  std::size_t node_count() const;  // levels kept; 0 when nobody is subscribed

 private:
  class Trie;
  mutable std::shared_mutex mutex_;
  std::unique_ptr<Trie> trie_;
  std::atomic<std::uint64_t> version_{0};
};

}  // namespace nilo::bus
