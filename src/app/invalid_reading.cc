#include "app/invalid_reading.h"

#include "base/assert.h"
#include "base/utf8.h"

namespace nilo::app {

namespace {

constexpr std::size_t kReasonSizeMax = 256;
constexpr std::size_t kValueSizeMax = 128;

enum Cell : std::size_t { thing, time, field, reason, value, kCellCount };

std::string text_in(const Value& cell) {
  return cell.is_null() ? std::string() : std::string(cell.as_text());
}

}  // namespace

TableSchema invalid_schema() {
  TableSchema schema;
  schema.name = kInvalidTable;
  schema.columns.resize(kCellCount);
  schema.columns[thing] = {.name = "thing", .type = Type::text};
  schema.columns[time] = {.name = "time", .type = Type::timestamp, .time_unit = TimeUnit::us};
  schema.columns[field] = {.name = "field", .type = Type::text};
  schema.columns[reason] = {.name = "reason", .type = Type::text};
  schema.columns[value] = {.name = "value", .type = Type::text};
  return schema;
}

void write_invalid(RowWriter& writer, RecordWriter& record, std::string_view of,
                   const InvalidReading& reading) {
  const std::string shown_reason = printable(reading.reason, kReasonSizeMax);
  const std::string shown_value = printable(reading.value, kValueSizeMax);
  writer.begin(reading.time_us);
  const auto set = [&](Cell column, const Value& cell) {
    const auto outcome = writer.set(column, cell);
    NILO_ASSERT(outcome.has_value());  // our own table, our own cells
  };
  set(thing, Value::text(of));
  set(time, Value::timestamp(reading.time_us));
  set(field, Value::text(reading.field));
  set(reason, Value::text(shown_reason));
  set(value, Value::text(shown_value));
  const auto finished = writer.finish(record);
  NILO_ASSERT(finished.has_value());
}

InvalidReading invalid_reading_of(std::span<const Value> cells) {
  return {cells[time].is_null() ? 0 : cells[time].as_int64(), text_in(cells[field]),
          text_in(cells[reason]), text_in(cells[value])};
}

}  // namespace nilo::app
