#include "rules/expression.h"

#include "rules/checker.h"
#include "rules/context.h"
#include "rules/convert.h"
#include "rules/evaluate.h"
#include "rules/parser.h"

namespace nilo::rules {

std::variant<Expression, std::vector<Mistake>> Expression::compile(
    std::string_view sql, std::span<const std::string> column_names) {
  std::vector<Mistake> mistakes;
  auto program = std::make_shared<Program>();
  program->version = "2016-03-23";
  Item item;
  item.value = parse_expression(sql, mistakes);
  if (item.value) {
    program->select.items.push_back(std::move(item));
    check_expression(sql, program, column_names, mistakes);
  }
  if (!mistakes.empty()) return mistakes;
  return Expression(std::move(program));
}

Value Expression::evaluate(std::span<const Value> cells, Scratch& scratch) const {
  Context& context = *scratch.context_;
  context.begin(program_);
  context.cells = cells;
  const Datum value = rules::evaluate(context, *program_->select.items[0].value);
  return context.stopped() ? Value::null() : to_cell(context, value);
}

}  // namespace nilo::rules
