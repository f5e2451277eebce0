// app/csv.h: comma-separated values, as spreadsheets read and write them.
//
// Threads: pure functions.
// Source:  RFC 4180; a line may also end in LF alone, and the text may begin with a BOM.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nilo::app {

struct CsvRow {
  std::size_t line = 0;  // where it begins, from 1
  std::vector<std::string> cells;
};

// Rows that are not empty.
// invalid_argument: a quote that does not end, or text behind one that does; says in which line.
Result<std::vector<CsvRow>> read_csv(std::string_view text);

// Quoted where needed; with the line's end.
std::string csv_line(const std::vector<std::string>& cells);

}  // namespace nilo::app
