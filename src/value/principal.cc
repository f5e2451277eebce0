#include "value/principal.h"

#include <fmt/format.h>

#include <iterator>

#include "base/utf8.h"

namespace nilo {

namespace {
constexpr std::string_view kRoleWords[] = {"device", "viewer", "admin"};  // indexed by Role
}  // namespace

std::string_view word_of(Role role) { return kRoleWords[static_cast<std::size_t>(role)]; }

Result<Role> role_of_word(std::string_view word) {
  for (std::size_t i = 0; i < std::size(kRoleWords); ++i) {
    if (kRoleWords[i] == word) return static_cast<Role>(i);
  }
  return Error{ErrorCode::invalid_argument, fmt::format("unknown role `{}`", printable(word, 40)),
               "one of device, viewer, admin"};
}

}  // namespace nilo
