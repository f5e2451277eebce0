#include "app/own_row.h"

#include "value/row.h"

namespace nilo::app {

void write_own_row(const tables::Tables& tables, std::string_view table, TimeUs received_us,
                   std::span<const Value> cells, RecordWriter& record) {
  RowWriter writer(*tables.layout(table));
  writer.begin(received_us);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].is_null()) continue;
    const auto set = writer.set(i, cells[i]);
    NILO_ASSERT(set.has_value());  // our own table, our own cells
  }
  const auto finished = writer.finish(record);
  NILO_ASSERT(finished.has_value());
}

}  // namespace nilo::app
