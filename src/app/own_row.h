// app/own_row.h: rows of the tables that are the program's own (sys_...): their columns, and their
// cells. What is not there is null in the row, and an empty text, 0 or false in the program.
//
// Threads: any; a RowWriter is its owner's.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tables/tables.h"
#include "value/record.h"
#include "value/row.h"
#include "value/schema.h"
#include "value/value.h"

namespace nilo::app {

// Times are microseconds since 1970.
Column own_column(std::string_view name, Type type);

// A table that no API and no SQL shows.
TableSchema private_table(std::string_view name, std::vector<Column> columns);

// `text` must outlive the value.
Value text_or_null(std::string_view text);
Value time_or_null(TimeUs us);

std::string text_in(const Value& cell);
std::int64_t number_in(const Value& cell);  // times and booleans, too
bool is_true(const Value& cell);

// Appends a row of `table`, or of the writer's, with `cells` in schema order. Asserted: they fit.
void write_own_row(const tables::Tables& tables, std::string_view table, TimeUs received_us,
                   std::span<const Value> cells, RecordWriter& record);
void write_own_row(RowWriter& writer, TimeUs received_us, std::span<const Value> cells,
                   RecordWriter& record);

// Makes one record of what `write` appends; `done` when it is durable or refused. From any thread;
// `write` and `done` are called on others.
using Commit = std::function<void(std::function<void(RecordWriter&)> write,
                                  std::function<void(const Result<void>&)> done)>;

}  // namespace nilo::app
