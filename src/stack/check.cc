#include <algorithm>

#include "stack/parameters.h"
#include "stack/read.h"

namespace nilo::stack {
namespace {

void check_rule(const Rule& rule, Reading& reading) {
  if (rule.put.empty() || reading.stack.find_table(rule.put) != nullptr) return;
  std::vector<std::string_view> names;
  for (const Table& table : reading.stack.tables) names.push_back(table.schema.name);
  const std::string meant = did_you_mean(rule.put, names);
  reading.tell(Code::unknown_table, rule.put_place, meant, rule.put,
               meant.empty() ? fmt::format("declare it: [table.{}]", rule.put) : "");
}

// The type of the column of this name in those tables that `sql` mentions; Type::null, and why in
// `detail`, if there is none, or if they disagree.
Type column_type(std::string_view sql, std::string_view name, const Stack& stack,
                 std::string& detail) {
  const Table* found_in = nullptr;
  Type found = Type::null;
  for (const Table& table : stack.tables) {
    const auto number = table.schema.find(name);
    if (!number || !mentions(sql, table.schema.name)) continue;
    const Type type = table.schema.columns[*number].type;
    if (found_in != nullptr && type != found) {
      detail = fmt::format("{} in `{}`, {} in `{}`", word_of(found), found_in->schema.name,
                           word_of(type), table.schema.name);
      return Type::null;
    }
    found_in = &table;
    found = type;
  }
  if (found_in == nullptr) detail = "no such column in the tables of this SQL";
  return found;
}

void check_endpoint(Endpoint& endpoint, Reading& reading) {
  for (Parameter& parameter : endpoint.parameters) {
    if (parameter.type != Type::null) continue;
    std::string detail;
    parameter.type = column_type(endpoint.sql.value, parameter.name, reading.stack, detail);
    if (parameter.type != Type::null) continue;
    for (const ParameterUse& use : find_parameters(endpoint.sql.value)) {
      if (use.name != parameter.name) continue;
      reading.tell(Code::parameter_without_type, endpoint.sql.place_at(use.at, use.name.size() + 1),
                   detail, parameter.name);
      break;
    }
  }
}

}  // namespace

void check_stack(Reading& reading) {
  for (const Rule& rule : reading.stack.rules) check_rule(rule, reading);
  for (Endpoint& endpoint : reading.stack.endpoints) check_endpoint(endpoint, reading);
  for (const SelectorUse& use : reading.selectors) check_selector(use, reading);
  check_policies(reading);
  for (const Alert& alert : reading.stack.alerts) {
    if (!alert.mail || reading.stack.mail) continue;
    reading.tell(Code::mail_missing, alert.mail->place, "", fmt::format("[alert.{}]", alert.name));
  }
}

}  // namespace nilo::stack
