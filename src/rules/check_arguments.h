// rules/check_arguments.h: can this call ever work?
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/functions.h"
#include "rules/statement.h"
#include "rules/syntax.h"

namespace nilo::rules {

// What of the call `node` is known and not available yet, as it is written; "" if it is available.
std::string unavailable_call(const Node& node, const FunctionInfo& function);

// Checks the number of arguments of `node` (a call with its `function` set), and the literal ones:
// what would be Undefined for every message is a mistake. Compiles a literal regular expression.
// False: the number is wrong.
bool check_arguments(std::string_view sql, Node& node, std::vector<Mistake>& mistakes);

}  // namespace nilo::rules
