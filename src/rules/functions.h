// rules/functions.h: every function of the language, once, in one table.
//
// A function gets its arguments evaluated and answers Undefined for what it cannot use; it never
// fails otherwise. Sections: functions_*.cc.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "rules/syntax.h"

namespace nilo::rules {

struct Context;

struct Call {
  Context& context;
  const Node& node;
  std::span<const Datum> args;

  std::size_t count() const { return args.size(); }
  const Datum& operator[](std::size_t i) const { return args[i]; }
};

struct FunctionInfo {
  static constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();

  std::string_view name;
  Datum (*run)(const Call&) = nullptr;  // nullptr: known, and not available yet
  std::size_t count_min = 0;
  std::size_t count_max = 0;
  bool since_2016 = false;
  std::uint8_t depends = Depends::kNothing;  // besides its arguments
  int pattern_argument = -1;                 // which one is a regular expression
};

// nullptr: no such function. Case does not count.
const FunctionInfo* find_function(std::string_view name);
// Of all functions, for hints.
std::vector<std::string_view> function_names();

// The tables find_function() joins, one per section.
std::span<const FunctionInfo> numeric_functions();
std::span<const FunctionInfo> text_functions();
std::span<const FunctionInfo> container_functions();
std::span<const FunctionInfo> time_functions();
std::span<const FunctionInfo> message_functions();

}  // namespace nilo::rules
