// tables/answer.h: rows as somebody asked for them, owning all they show.
//
// In/out:  the common result of SQL, of paging and of latest rows; printed as JSON or CSV.
// Threads: a value; no sharing.
// Limits:  who fills it says how many rows; kAnswerSizeMax bytes of cells and text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tables/text_arena.h"
#include "value/value.h"

namespace nilo::tables {

inline constexpr std::size_t kAnswerSizeMax = std::size_t{64} * 1024 * 1024;

struct AnswerColumn {
  std::string name;
  std::string type;  // a word of value/value.h, or DuckDB's for what has none: "decimal(18,3)"
  std::string unit{};
};

class Answer {
 public:
  Answer() = default;
  explicit Answer(std::vector<AnswerColumn> columns) : columns_(std::move(columns)) {}

  const std::vector<AnswerColumn>& columns() const { return columns_; }
  std::size_t row_count() const { return columns_.empty() ? 0 : cells_.size() / columns_.size(); }
  // Lives as long as the answer. Whole numbers wider than int64 and decimals are Type::json: their
  // digits as they are.
  const Value& cell(std::size_t row, std::size_t column) const {
    return cells_[row * columns_.size() + column];
  }
  std::size_t size() const { return cells_.size() * sizeof(Value) + texts_.size(); }

  // Appends the next cell, row by row; text is copied.
  void add(const Value& cell);

 private:
  std::vector<AnswerColumn> columns_;
  std::vector<Value> cells_;
  TextArena texts_;
};

// [{"name":"distance","type":"double","unit":"cm"},...]
void append_columns_json(std::string& out, const Answer& answer);
// [[1,75],[2,41.5]]
void append_rows_json(std::string& out, const Answer& answer);
// {"device_id":1,"distance":75}
void append_row_object(std::string& out, const Answer& answer, std::size_t row);
// {"columns":[...],"rows":[[...],...]}
std::string to_json(const Answer& answer);
// RFC 4180 with a header line and CRLF; null is an empty field, empty text is "".
std::string to_csv(const Answer& answer);

}  // namespace nilo::tables
