// bus/router.h: who hears a topic?
//
// In/out:  subscriptions; a topic -> the subscribers that hear it.
// Threads: safe to share; match() runs in parallel on all loops, changes are exclusive.
// Limits:  none here: a door bounds the subscriptions of a session. About 150 bytes each plus the
//          filter's levels that no other filter shares.
// Source:  MQTT 5.0 sections 3.3.4 (overlapping subscriptions), 4.7, 4.8.2 (shared subscriptions).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <string_view>
#include <vector>

#include "bus/share.h"
#include "bus/subscription.h"
#include "bus/topic_filter.h"

namespace nilo::bus {

// One delivery. Where several subscriptions (shared ones aside) of the target match: the highest
// qos, no_local only if all have it, retain_as_published if any has it [MQTT-3.3.4-2, 3.3.4-3].
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
  // Likewise, as a member of the group `text` ("$share/NAME/FILTER", of which `filter` is FILTER).
  bool join(Target target, const TopicFilter& filter, std::string_view text,
            const SubscriptionOptions& options, PresencePtr presence);
  bool quit(Target target, std::string_view text);
  // Ends all subscriptions of `target`, and leaves its groups.
  void remove(Target target);

  // Appends one Match for each target that hears `topic` (which has passed check_topic()), in
  // order of target, and each group that does. Allocates only what is appended.
  void match(std::string_view topic, std::vector<Match>& out, std::vector<GroupPtr>& groups) const;
  // The group `text`, or nullptr if it has no members.
  GroupPtr group(std::string_view text) const;

  // Changes with every change: a loop may keep the matches of a topic as long as this, read before
  // match(), stays the same.
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

  std::size_t subscription_count() const;  // those in groups included
  std::size_t node_count() const;          // levels kept; 0 when nobody is subscribed

 private:
  class Trie;
  mutable std::shared_mutex mutex_;
  std::unique_ptr<Trie> trie_;
  std::atomic<std::uint64_t> version_{0};
};

}  // namespace nilo::bus
