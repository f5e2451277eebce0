// value/principal.h: who is asking, once a password or token was checked.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nilo {

// What somebody may do. Stored as these words in sys_tokens.
enum class Role : std::uint8_t {
  device,  // publish and subscribe over MQTT, publish over HTTP
  viewer,  // read everything, change nothing
  admin,   // everything
};

std::string_view word_of(Role role);
// invalid_argument: names the three roles.
Result<Role> role_of_word(std::string_view word);

// What somebody is limited to, beyond what the role says. Immutable, any thread.
class Scope {
 public:
  virtual ~Scope() = default;
  virtual bool may_publish(std::string_view topic) const = 0;
  // A message that stays there until the next one, which may_publish() allows.
  virtual bool may_retain(std::string_view /*topic*/) const { return true; }
  virtual bool may_subscribe(std::string_view filter) const = 0;
  // A message of something it subscribed to: what a filter brings may be more than it may hear.
  virtual bool may_receive(std::string_view topic) const = 0;
  // May it use topics under `$aws/` at all? They are checked as all others are.
  virtual bool reaches_reserved() const { return false; }
  // Why one of the above said no, for people.
  enum class Act : std::uint8_t { publish, retain, subscribe, receive };
  virtual std::string why_not(Act act, std::string_view topic) const = 0;
};

struct Principal {
  std::string name;
  Role role = Role::device;
  std::shared_ptr<const Scope> scope{};  // nullptr: not limited
  // What let it in, in the words of app/access.h; empty: nothing was needed. So that it can be
  // asked later whether that still holds.
  std::string credential{};
};

}  // namespace nilo
