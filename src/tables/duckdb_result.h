// tables/duckdb_result.h: DuckDB's result vectors -> cells of an Answer.
//
// Whole numbers beyond int64 and decimals keep their digits (Type::json); dates, times of day and
// intervals are text; lists, structs and maps are JSON; time stamps of every unit are ours.
#pragma once

#include "base/result.h"
#include "tables/answer.h"
#include "tables/duckdb_library.h"

namespace nilo::tables {

// Names and types of the columns.
// unsupported: a type that has no place in an answer; names the column and the way out.
Result<std::vector<AnswerColumn>> columns_of(const DuckDb& duck, duckdb_result& result);

// Appends the chunk's rows.
void add_chunk(const DuckDb& duck, duckdb_result& result, duckdb_data_chunk chunk, Answer& answer);

}  // namespace nilo::tables
