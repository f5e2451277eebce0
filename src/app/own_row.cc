#include "app/own_row.h"

#include <utility>

#include "base/assert.h"

namespace nilo::app {

Column own_column(std::string_view name, Type type) {
  Column column;
  column.name = name;
  column.type = type;
  column.time_unit = TimeUnit::us;
  return column;
}

TableSchema private_table(std::string_view name, std::vector<Column> columns) {
  TableSchema schema;
  schema.name = name;
  schema.is_private = true;
  schema.columns = std::move(columns);
  return schema;
}

Value text_or_null(std::string_view text) {
  return text.empty() ? Value::null() : Value::text(text);
}
Value time_or_null(TimeUs us) { return us == 0 ? Value::null() : Value::timestamp(us); }

std::string text_in(const Value& cell) {
  return cell.is_null() ? std::string() : std::string(cell.as_text());
}
std::int64_t number_in(const Value& cell) { return cell.is_null() ? 0 : cell.as_int64(); }
bool is_true(const Value& cell) { return !cell.is_null() && cell.as_boolean(); }

void write_own_row(const tables::Tables& tables, std::string_view table, TimeUs received_us,
                   std::span<const Value> cells, RecordWriter& record) {
  RowWriter writer(*tables.layout(table));
  write_own_row(writer, received_us, cells, record);
}

void write_own_row(RowWriter& writer, TimeUs received_us, std::span<const Value> cells,
                   RecordWriter& record) {
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
