// rules/checker.h: completes a parsed tree, or says everything that is wrong with it.
//
// Resolves names, checks functions, versions and literal arguments, computes constants, and marks
// what depends on the topic alone (topic_cache.h).
// Threads: pure functions.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/statement.h"
#include "rules/syntax.h"

namespace nilo::rules {

// `program` as parsed from `sql`; its `version` is set. Appends to `mistakes`.
void check_statement(std::string_view sql, const std::shared_ptr<Program>& program,
                     std::vector<Mistake>& mistakes);

// `program.select.items[0].value` is an expression over `columns`.
void check_expression(std::string_view sql, const std::shared_ptr<Program>& program,
                      std::span<const std::string> columns, std::vector<Mistake>& mistakes);

}  // namespace nilo::rules
