// base/version.h: which Nilometer this is.
#pragma once

#include <string_view>

namespace nilo {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace nilo
