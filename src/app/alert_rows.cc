#include "app/alert_rows.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "value/key.h"
#include "value/row.h"

namespace nilo::app {

namespace {

// In the order of the schema.
enum Cell : std::size_t {
  id,
  alert,
  thing,
  name,
  condition,
  field,
  state,
  since,
  value,
  unit,
  limit,
  text,
  severity,
  owner,
  note,
  flaps,
  changed,
  due,
  is_flapping,
  changes,
  window,
  calm,
  seq,
  kCellCount
};

Column column(const char* column_name, Type type) {
  Column made;
  made.name = column_name;
  made.type = type;
  made.time_unit = TimeUnit::us;
  return made;
}

void write_cells(const tables::Tables& tables, std::string_view table, TimeUs received_us,
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

std::string text_in(const Value& cell) {
  return cell.is_null() ? std::string() : std::string(cell.as_text());
}
std::int64_t number_in(const Value& cell) { return cell.is_null() ? 0 : cell.as_int64(); }
std::optional<double> double_in(const Value& cell) {
  return cell.is_null() ? std::nullopt : std::optional(cell.as_float64());
}

Value text_or_null(const std::string& bytes) {
  return bytes.empty() ? Value::null() : Value::text(bytes);
}
Value time_or_null(TimeUs us) { return us == 0 ? Value::null() : Value::timestamp(us); }
Value double_or_null(std::optional<double> number) {
  return number && std::isfinite(*number) ? Value::float64(*number) : Value::null();
}

void append_ms(std::string& out, TimeUs us) {
  out += us == 0 ? "null" : fmt::format("{}", us / 1000);
}
void append_text(std::string& out, std::string_view key, std::string_view value_text) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":", key);
  append_json_string(out, value_text);
}

}  // namespace

TableSchema alerts_schema() {
  TableSchema schema;
  schema.name = kAlertsTable;
  schema.columns = {column("id", Type::text),
                    column("alert", Type::text),
                    column("thing", Type::text),
                    column("name", Type::text),
                    column("condition", Type::text),
                    column("field", Type::text),
                    column("state", Type::text),
                    column("since", Type::timestamp),
                    column("value", Type::float64),
                    column("unit", Type::text),
                    column("limit", Type::float64),
                    column("text", Type::text),
                    column("severity", Type::text),
                    column("owner", Type::text),
                    column("note", Type::text),
                    column("flaps", Type::int64),
                    column("changed", Type::timestamp),
                    column("due", Type::timestamp),
                    column("is_flapping", Type::boolean),
                    column("changes", Type::int64),
                    column("window", Type::timestamp),
                    column("calm", Type::timestamp),
                    column("seq", Type::int64)};
  return schema;
}

TableSchema alert_history_schema() {
  TableSchema schema;
  schema.name = kAlertHistoryTable;
  schema.has_sort_key = true;
  schema.columns = {column("id", Type::text),       column("time", Type::timestamp),
                    column("state", Type::text),    column("event", Type::text),
                    column("value", Type::float64), column("by", Type::text),
                    column("note", Type::text)};
  return schema;
}

TableSchema alert_mark_schema() {
  TableSchema schema;
  schema.name = kAlertMarkTable;
  schema.is_private = true;
  schema.columns = {column("slot", Type::int64), column("seq", Type::int64)};
  return schema;
}

std::string alert_id(std::string_view alert_name, std::string_view thing_id,
                     alerts::Condition which) {
  return fmt::format("{}~{}~{}", alert_name, thing_id, alerts::word_of(which));
}

std::optional<AlertId> parse_alert_id(std::string_view text_of_id) {
  const std::size_t first = text_of_id.find('~');
  const std::size_t last = text_of_id.rfind('~');
  if (first == last) return std::nullopt;  // none, or only one
  const auto which = alerts::condition_of_word(text_of_id.substr(last + 1));
  if (!which) return std::nullopt;
  return AlertId{text_of_id.substr(0, first), text_of_id.substr(first + 1, last - first - 1),
                 *which};
}

AlertRow alert_row_of(std::span<const Value> cells) {
  AlertRow row;
  row.id = text_in(cells[id]);
  row.alert = text_in(cells[alert]);
  row.thing = text_in(cells[thing]);
  row.name = text_in(cells[name]);
  if (const auto known = alerts::condition_of_word(text_in(cells[condition]))) {
    row.condition = *known;
  }
  row.field = text_in(cells[field]);
  if (const auto known = alerts::state_of_word(text_in(cells[state]))) row.state = *known;
  row.since_us = number_in(cells[since]);
  row.value = double_in(cells[value]);
  row.unit = text_in(cells[unit]);
  row.limit = double_in(cells[limit]);
  row.text = text_in(cells[text]);
  row.severity = text_in(cells[severity]);
  row.owner = text_in(cells[owner]);
  row.note = text_in(cells[note]);
  row.flaps = number_in(cells[flaps]);
  row.changed_us = number_in(cells[changed]);
  row.due_us = number_in(cells[due]);
  row.is_flapping = number_in(cells[is_flapping]) != 0;
  row.changes = number_in(cells[changes]);
  row.window_us = number_in(cells[window]);
  row.calm_us = number_in(cells[calm]);
  row.seq = number_in(cells[seq]);
  return row;
}

void write_alert(const tables::Tables& tables, const AlertRow& row, RecordWriter& record) {
  const Value cells[kCellCount] = {Value::text(row.id),
                                   Value::text(row.alert),
                                   Value::text(row.thing),
                                   text_or_null(row.name),
                                   Value::text(alerts::word_of(row.condition)),
                                   text_or_null(row.field),
                                   Value::text(alerts::word_of(row.state)),
                                   time_or_null(row.since_us),
                                   double_or_null(row.value),
                                   text_or_null(row.unit),
                                   double_or_null(row.limit),
                                   text_or_null(row.text),
                                   text_or_null(row.severity),
                                   text_or_null(row.owner),
                                   text_or_null(row.note),
                                   Value::int64(row.flaps),
                                   time_or_null(row.changed_us),
                                   time_or_null(row.due_us),
                                   Value::boolean(row.is_flapping),
                                   Value::int64(row.changes),
                                   time_or_null(row.window_us),
                                   time_or_null(row.calm_us),
                                   Value::int64(row.seq)};
  write_cells(tables, kAlertsTable, row.changed_us, cells, record);
}

void write_alert_history(const tables::Tables& tables, const AlertRow& row, std::string_view event,
                         std::string_view by, RecordWriter& record) {
  const Value cells[] = {Value::text(row.id),
                         Value::timestamp(row.changed_us),
                         Value::text(alerts::word_of(row.state)),
                         event.empty() ? Value::null() : Value::text(event),
                         double_or_null(row.value),
                         by.empty() ? Value::null() : Value::text(by),
                         text_or_null(row.note)};
  write_cells(tables, kAlertHistoryTable, row.changed_us, cells, record);
}

void write_alert_mark(const tables::Tables& tables, Seq evaluated, RecordWriter& record) {
  const Value cells[] = {Value::int64(0), Value::int64(static_cast<std::int64_t>(evaluated))};
  write_cells(tables, kAlertMarkTable, 0, cells, record);
}

std::optional<AlertRow> find_alert(const tables::Tables& tables, std::string_view wanted) {
  std::string key;
  const Value cell = Value::text(wanted);
  append_key_text(key, std::span(&cell, 1));
  std::optional<AlertRow> row;
  tables.read_latest(kAlertsTable, key,
                     [&](const tables::Change& change) { row = alert_row_of(change.cells); });
  return row;
}

void append_alert_json(std::string& out, const AlertRow& row) {
  out += "{\"id\":";
  append_json_string(out, row.id);
  append_text(out, "alert", row.alert);
  append_text(out, "thing", row.thing);
  append_text(out, "name", row.name);
  append_text(out, "condition", alerts::word_of(row.condition));
  append_text(out, "field", row.field);
  append_text(out, "state", alerts::word_of(row.state));
  append_ms(out += ",\"since\":", row.since_us);
  append_json(out += ",\"value\":", double_or_null(row.value));
  append_text(out, "unit", row.unit);
  append_json(out += ",\"limit\":", double_or_null(row.limit));
  append_text(out, "text", row.text);
  append_text(out, "severity", row.severity);
  append_text(out, "owner", row.owner);
  append_text(out, "note", row.note);
  const bool is_snoozed = row.state == alerts::State::snoozed;
  append_ms(out += ",\"snoozed_until\":", is_snoozed ? row.due_us : 0);
  out += fmt::format(",\"flaps\":{},\"flapping\":{}", row.flaps, row.is_flapping);
  append_ms(out += ",\"changed\":", row.changed_us);
  out += '}';
}

std::string shown_cell(const Column& column, const Value& cell) {
  if (cell.is_null()) return "";
  if (cell.type() == Type::text || cell.type() == Type::json) return std::string(cell.as_text());
  if (cell.type() == Type::timestamp) return iso_time(cell.as_int64());
  if (cell.type() == Type::boolean) return cell.as_boolean() ? "true" : "false";
  if (cell.type() == Type::int64) return fmt::format("{}", cell.as_int64());
  return shown_number(cell.as_float64(), column.unit, column.decimals);
}

std::string shown_number(double number, std::string_view number_unit, int decimals) {
  if (number_unit == "%") return fmt::format("{:.2f}", number);
  return decimals < 0 ? fmt::format("{}", number) : fmt::format("{:.{}f}", number, decimals);
}

}  // namespace nilo::app
