// rules/expression.h: one expression of the rule language over the cells of a row.
//
// For derived columns such as `100 * (89 - distance) / 89`.
// Threads: immutable, copyable; one Scratch per thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rules/scratch.h"
#include "rules/statement.h"
#include "value/value.h"

namespace nilo::rules {

class Expression {
 public:
  // Names in `sql` are columns; functions that read a message (topic(), clientid(), ...) are
  // mistakes here, as is a name that is no column.
  static std::variant<Expression, std::vector<Mistake>> compile(
      std::string_view sql, std::span<const std::string> column_names);

  // `cells`: one per column name of compile(), in that order. A double counts as a Decimal (so `/`
  // is not integer division) and is computed with as a double; a timestamp is an Int of
  // milliseconds, json is text. Null when the result is Undefined, Null, or took too many steps.
  // Text lives until the next evaluation in `scratch`.
  Value evaluate(std::span<const Value> cells, Scratch& scratch) const;

 private:
  explicit Expression(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

}  // namespace nilo::rules
