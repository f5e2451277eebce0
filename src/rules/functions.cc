#include "rules/functions.h"

#include <array>

#include "rules/lexer.h"

namespace nilo::rules {

namespace {

// Known names that cannot run yet: refused when a rule is loaded.
constexpr FunctionInfo kUnavailable[] = {
    {.name = "accountid"},
    {.name = "aws_lambda"},
    {.name = "get_dynamodb"},
    {.name = "get_registry_data"},
    {.name = "get_secret"},
    {.name = "get_thing_shadow"},
    {.name = "machinelearning_predict"},
};

std::array<std::span<const FunctionInfo>, 6> sections() {
  return {numeric_functions(), text_functions(),    container_functions(),
          time_functions(),    message_functions(), kUnavailable};
}

}  // namespace

const FunctionInfo* find_function(std::string_view name) {
  for (const std::span<const FunctionInfo> section : sections()) {
    for (const FunctionInfo& function : section) {
      if (equals_word(function.name, name)) return &function;
    }
  }
  return nullptr;
}

std::vector<std::string_view> function_names() {
  std::vector<std::string_view> names = {"cast"};
  for (const std::span<const FunctionInfo> section : sections()) {
    for (const FunctionInfo& function : section) names.push_back(function.name);
  }
  return names;
}

}  // namespace nilo::rules
