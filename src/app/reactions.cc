#include "app/reactions.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "app/access.h"
#include "app/account_rows.h"
#include "app/alert_rows.h"
#include "app/alert_texts.h"
#include "app/grants.h"
#include "app/invalid_reading.h"
#include "app/message_error.h"
#include "app/notices.h"
#include "base/nearest.h"
#include "rules/expression.h"
#include "stack/error_table.h"

namespace nilo::app {

namespace {

using Diagnostics = std::vector<stack::Diagnostic>;

void add_mistakes(Diagnostics& to, stack::Code code, const stack::Text& sql,
                  const std::vector<rules::Mistake>& mistakes) {
  for (const rules::Mistake& mistake : mistakes) {
    stack::Diagnostic found;
    found.code = stack::to_string(code);
    found.summary = mistake.message;
    found.place =
        sql.place_of(mistake.line, mistake.column, std::max<std::size_t>(mistake.size, 1));
    found.help = mistake.hint;
    to.push_back(std::move(found));
  }
}

void add_mismatch(Diagnostics& to, const stack::Place& place, std::string summary,
                  std::string help) {
  to.push_back({stack::to_string(stack::Code::rule_table_mismatch), std::move(summary), place, "",
                std::move(help)});
}

// Which stored column each output goes to. Every output must have one: a rule that computes
// something and loses it is a mistake.
std::vector<int> columns_of(Diagnostics& diagnostics, const stack::Rule& rule,
                            const rules::Statement& statement, const TableSchema& schema) {
  std::vector<std::string> stored;
  for (std::size_t i = 0; i < schema.stored_count(); ++i) stored.push_back(schema.columns[i].name);
  std::vector<int> columns;
  for (const std::string& name : statement.output_names()) {
    const auto at = std::find(stored.begin(), stored.end(), name);
    columns.push_back(at == stored.end() ? -1 : static_cast<int>(at - stored.begin()));
    if (at != stored.end()) continue;
    const std::string_view near = nearest(name, stored);
    add_mismatch(diagnostics, rule.put_place,
                 fmt::format("rule `{}` selects `{}`, which table `{}` does not have", rule.name,
                             name, schema.name),
                 near.empty()
                     ? fmt::format("add a column `{}` to the table, or select it AS one of "
                                   "its columns",
                                   name)
                     : fmt::format("did you mean `{}`? write ... AS {}", near, near));
  }
  for (std::size_t i = 0; i < schema.partition_count; ++i) {
    const auto selected = std::find(columns.begin(), columns.end(), static_cast<int>(i));
    if (selected != columns.end()) continue;
    add_mismatch(diagnostics, rule.put_place,
                 fmt::format("rule `{}` does not select `{}`, the key of table `{}`", rule.name,
                             stored[i], schema.name),
                 fmt::format("add: ... AS {}", stored[i]));
  }
  return columns;
}

void compile_rule(stack::Loaded& loaded, const stack::Rule& rule, std::vector<Rule>& out) {
  Diagnostics& diagnostics = loaded.diagnostics;
  auto compiled = rules::Statement::compile(rule.sql.value, {.version = rule.version});
  if (const auto* mistakes = std::get_if<std::vector<rules::Mistake>>(&compiled)) {
    add_mistakes(diagnostics, stack::Code::rule_sql, rule.sql, *mistakes);
    return;
  }
  const auto& statement = std::get<rules::Statement>(compiled);
  const auto refuse = [&](std::string summary, std::string help) {
    diagnostics.push_back({stack::to_string(stack::Code::rule_sql), std::move(summary),
                           rule.sql.place, "", std::move(help)});
  };
  if (statement.filter().empty()) {
    return refuse("the rule has no FROM, so it would never hear a message", "add: FROM 'topic'");
  }
  auto filter = bus::TopicFilter::parse(statement.filter());
  if (!filter) {
    return refuse(fmt::format("FROM '{}': {}", statement.filter(), filter.error().message),
                  filter.error().hint);
  }
  if (statement.filter().starts_with("$") && !statement.filter().starts_with("$aws/events/")) {
    return refuse(
        fmt::format("rules on '{}' are not available yet in this version", statement.filter()),
        "listen to the messages that cause it");
  }
  Rule made{rule.name, std::move(*filter), statement, rule.put, {}, rule.republish};
  if (const stack::Table* table = loaded.stack.find_table(rule.put);
      table != nullptr && !statement.selects_all()) {
    made.columns = columns_of(diagnostics, rule, statement, table->schema);
  }
  if (!rule.disabled) out.push_back(std::move(made));
}

// One derived column as a function of the stored cells. The tables thread is the only caller, so
// one Scratch for each is enough.
void compile_derived(Diagnostics& diagnostics, const stack::Table& table,
                     tables::TableDeclaration& out) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < table.schema.stored_count(); ++i) {
    names.push_back(table.schema.columns[i].name);
  }
  for (const stack::Text& sql : table.derived) {
    auto compiled = rules::Expression::compile(sql.value, names);
    if (const auto* mistakes = std::get_if<std::vector<rules::Mistake>>(&compiled)) {
      add_mistakes(diagnostics, stack::Code::derived_sql, sql, *mistakes);
      continue;
    }
    const auto scratch = std::make_shared<rules::Scratch>();
    const auto& expression = std::get<rules::Expression>(compiled);
    out.derive.push_back([expression, scratch](std::span<const Value> cells) {
      return expression.evaluate(cells, *scratch);
    });
  }
}

}  // namespace

Reactions compile(stack::Loaded& loaded) {
  Reactions reactions;
  for (const stack::Table& table : loaded.stack.tables) {
    tables::TableDeclaration& declaration = reactions.tables.emplace_back();
    declaration.schema = table.schema;
    compile_derived(loaded.diagnostics, table, declaration);
  }
  for (const stack::Rule& rule : loaded.stack.rules) {
    compile_rule(loaded, rule, reactions.rules);
  }
  check_alert_texts(loaded);
  reactions.tables.push_back({errors_schema(), {}});
  reactions.tables.push_back({alerts_schema(), {}});
  reactions.tables.push_back({alert_history_schema(), {}});
  reactions.tables.push_back({alert_mark_schema(), {}});
  reactions.tables.push_back({invalid_schema(), {}});
  reactions.tables.push_back({tokens_schema(), {}});
  reactions.tables.push_back({certificates_schema(), {}});
  reactions.tables.push_back({grants_schema(), {}});
  reactions.tables.push_back({users_schema(), {}});
  reactions.tables.push_back({sessions_schema(), {}});
  reactions.tables.push_back({notices_schema(), {}});
  return reactions;
}

}  // namespace nilo::app
