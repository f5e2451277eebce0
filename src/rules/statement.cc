#include "rules/statement.h"

#include <fmt/format.h>

#include "base/utf8.h"
#include "rules/checker.h"
#include "rules/context.h"
#include "rules/evaluate.h"
#include "rules/parser.h"
#include "rules/scratch.h"

namespace nilo::rules {

namespace {

constexpr std::string_view kVersion2016 = "2016-03-23";
constexpr std::string_view kVersion2015 = "2015-10-08";

}  // namespace

std::variant<Statement, std::vector<Mistake>> Statement::compile(std::string_view sql,
                                                                 const CompileOptions& options) {
  std::vector<Mistake> mistakes;
  auto program = std::make_shared<Program>();
  program->version = options.version;
  program->whole_decimals_are_ints = options.version != kVersion2015;
  if (options.version != kVersion2016 && options.version != kVersion2015) {
    mistakes.push_back(
        mistake_at(sql, {}, fmt::format("there is no version `{}`", printable(options.version, 40)),
                   "2016-03-23, or 2015-10-08 for rules that rely on its ways"));
    return mistakes;
  }
  if (parse_statement(sql, *program, mistakes)) check_statement(sql, program, mistakes);
  if (!mistakes.empty()) return mistakes;
  return Statement(std::move(program));
}

const std::string& Statement::filter() const { return program_->select.filter; }
bool Statement::selects_all() const { return program_->selects_all; }
const std::vector<std::string>& Statement::output_names() const { return program_->output_names; }

Outcome Statement::evaluate(const MessageView& message, Scratch& scratch) const {
  Context& context = *scratch.context_;
  const Select& select = program_->select;
  context.begin(program_);
  context.message = message;
  context.outcome = Outcome::no_match;
  if (holds(context, select.where)) {
    context.outcome = Outcome::matched;
    context.results.resize(select.items.size());
    // SELECT * alone passes the payload on, whatever it is.
    if (!program_->is_verbatim) {
      const Datum scope = select.has_all ? context.payload_as_json() : Datum();
      evaluate_items(context, select, scope, context.results);
      if (!program_->whole_decimals_are_ints && select.is_value && context.results[0].is_array()) {
        context.results[0] = Datum();  // version 2015-10-08 has no arrays as results
      }
    }
  }
  if (context.stopped()) context.outcome = Outcome::failed;
  return context.outcome;
}

}  // namespace nilo::rules
