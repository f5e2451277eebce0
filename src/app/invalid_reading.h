// app/invalid_reading.h: a reading that was none: what is kept of it.
//
// A message whose row is refused is told on $error/... like every mistake, at most so many a
// second. That somebody's newest report was refused is a fact about a thing, and kept apart: one
// row for each thing, replaced by the next. It has no limit of its own: a refused reading costs the
// log a row, as the same reading would if it had been taken, and the same limits hold it back.
// So no flood of mistakes of others hides that a thing is invalid.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "value/record.h"
#include "value/row.h"
#include "value/schema.h"

namespace nilo::app {

// Key: thing; then time, field, reason, value.
inline constexpr std::string_view kInvalidTable = "sys_invalid";
TableSchema invalid_schema();

struct InvalidReading {
  TimeUs time_us = 0;  // when it came
  std::string field;   // the column it was refused for; empty: the message as a whole
  std::string reason;  // "distance 95 cm is above max 89 cm"
  std::string value;   // as JSON, cut; empty: there was none
};

// `writer`: of kInvalidTable.
void write_invalid(RowWriter& writer, RecordWriter& record, std::string_view thing,
                   const InvalidReading& reading);
// All cells of a row of kInvalidTable.
InvalidReading invalid_reading_of(std::span<const Value> cells);

}  // namespace nilo::app
