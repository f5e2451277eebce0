// value/json_text.h: JSON written member by member, without counting commas.
//
// Each function puts a comma first, unless what was appended so far ends where an object or a list
// opens. Names are our own words and need no escapes.
// Threads: pure functions.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "value/value.h"

namespace nilo {

// A member or an element begins.
inline void append_comma(std::string& out) {
  const bool is_first = out.empty() || out.back() == '{' || out.back() == '[';
  if (!is_first) out += ',';
}

// `"name":`; its value is appended by the caller.
inline std::string& append_key(std::string& out, std::string_view name) {
  append_comma(out);
  return out.append("\"").append(name).append("\":");
}

inline void append_text(std::string& out, std::string_view name, std::string_view text) {
  append_json_string(append_key(out, name), text);
}

// Numbers and booleans; what no JSON number can say is null.
template <typename T>
void append_number(std::string& out, std::string_view name, const std::optional<T>& number) {
  static_assert(std::is_arithmetic_v<T>);
  append_key(out, name);
  bool is_sayable = number.has_value();
  if constexpr (std::is_floating_point_v<T>) is_sayable = is_sayable && std::isfinite(*number);
  if (!is_sayable) {
    out += "null";
    return;
  }
  fmt::format_to(std::back_inserter(out), "{}", *number);
}
template <typename T>
void append_number(std::string& out, std::string_view name, T number) {
  append_number(out, name, std::optional<T>(number));
}

}  // namespace nilo
