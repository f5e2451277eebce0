// bus/share.h: shared subscriptions: each message goes to one member of a group.
//
//   "$share/NAME/FILTER": the members of one group wrote the same text.
//
// In/out:  a group -> whose turn it is.
// Threads: a Group's members never change (the router makes another one); its turn and the
//          Presence of its members are atomic. Share freely.
// Limits:  none here: the subscriptions of a session are bounded by its door.
// Source:  MQTT 5.0 section 4.8.2.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/subscription.h"

namespace nilo::bus {

// The two names in "$share/NAME/FILTER".
struct ShareName {
  std::string_view group;
  std::string_view filter;
};

// Does `text` begin as shared subscriptions do, well formed or not?
bool is_share(std::string_view text);
// nullopt: no shared subscription, or NAME or FILTER is empty, or NAME has a wildcard
// [MQTT-4.8.2-1, 4.8.2-2]. FILTER is not checked.
std::optional<ShareName> parse_share(std::string_view text);
// What the subscription hears: FILTER, or `text` itself when it is no shared subscription.
std::string_view heard_filter(std::string_view text);

// How ready a member is for one more message; set by its own loop, read by all. The better first.
enum class Presence : std::uint8_t {
  ready,
  busy,  // connected, but messages wait for it to acknowledge or to read others
  away,  // its session is there, its client is not
  full,  // its queue takes nothing more
};
using PresencePtr = std::shared_ptr<std::atomic<Presence>>;

class Group {
 public:
  struct Member {
    Target target;
    SubscriptionOptions options;
    PresencePtr presence;
  };
  // `members`: at least one (asserted), in order of target. `turn`: where to go on.
  Group(std::shared_ptr<const std::string> text, std::vector<Member> members, std::uint32_t turn);

  // The member for the next message: in turn, among those that are as ready as any. Members that
  // are ready get equally many.
  const Member& next() const;

  // "$share/NAME/FILTER".
  const std::shared_ptr<const std::string>& text() const { return text_; }
  const std::vector<Member>& members() const { return members_; }
  std::uint32_t turn() const { return turn_.load(std::memory_order_relaxed); }

 private:
  const std::shared_ptr<const std::string> text_;
  const std::vector<Member> members_;
  mutable std::atomic<std::uint32_t> turn_;
};
using GroupPtr = std::shared_ptr<const Group>;

}  // namespace nilo::bus
