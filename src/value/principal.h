// value/principal.h: who is asking, once a password or token was checked.
#pragma once

#include <cstdint>
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

struct Principal {
  std::string name;
  Role role = Role::device;
};

}  // namespace nilo
