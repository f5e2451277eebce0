#include "app/invalid_reading.h"

#include "app/own_row.h"
#include "base/assert.h"
#include "base/utf8.h"

namespace nilo::app {

namespace {

constexpr std::size_t kReasonSizeMax = 256;
constexpr std::size_t kValueSizeMax = 128;

enum Cell : std::size_t { thing, time, field, reason, value, kCellCount };

}  // namespace

TableSchema invalid_schema() {
  TableSchema schema;
  schema.name = kInvalidTable;
  schema.columns = {own_column("thing", Type::text), own_column("time", Type::timestamp),
                    own_column("field", Type::text), own_column("reason", Type::text),
                    own_column("value", Type::text)};
  NILO_ASSERT(schema.columns.size() == kCellCount);
  return schema;
}

void write_invalid(RowWriter& writer, RecordWriter& record, std::string_view of,
                   const InvalidReading& reading) {
  const std::string shown_reason = printable(reading.reason, kReasonSizeMax);
  const std::string shown_value = printable(reading.value, kValueSizeMax);
  const Value cells[] = {Value::text(of), Value::timestamp(reading.time_us),
                         Value::text(reading.field), Value::text(shown_reason),
                         Value::text(shown_value)};
  write_own_row(writer, reading.time_us, cells, record);
}

InvalidReading invalid_reading_of(std::span<const Value> cells) {
  return {number_in(cells[time]), text_in(cells[field]), text_in(cells[reason]),
          text_in(cells[value])};
}

}  // namespace nilo::app
