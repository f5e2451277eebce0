// app/own_row.h: rows of the tables that are the program's own.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "tables/tables.h"
#include "value/record.h"
#include "value/value.h"

namespace nilo::app {

// Appends a row of `table`, with `cells` in schema order. Asserted: they fit.
void write_own_row(const tables::Tables& tables, std::string_view table, TimeUs received_us,
                   std::span<const Value> cells, RecordWriter& record);

// Makes one record of what `write` appends; `done` when it is durable or refused. From any thread;
// `write` and `done` are called on others.
using Commit = std::function<void(std::function<void(RecordWriter&)> write,
                                  std::function<void(const Result<void>&)> done)>;

}  // namespace nilo::app
