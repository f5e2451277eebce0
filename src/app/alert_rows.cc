#include "app/alert_rows.h"

#include <fmt/format.h>

#include <cmath>

#include "app/own_row.h"
#include "value/json_text.h"
#include "value/key.h"

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

std::optional<double> double_in(const Value& cell) {
  return cell.is_null() ? std::nullopt : std::optional(cell.as_float64());
}

Value double_or_null(std::optional<double> number) {
  return number && std::isfinite(*number) ? Value::float64(*number) : Value::null();
}

void append_ms(std::string& out, std::string_view member, TimeUs us) {
  append_number(out, member, us == 0 ? std::nullopt : std::optional(us / 1000));
}

}  // namespace

TableSchema alerts_schema() {
  TableSchema schema;
  schema.name = kAlertsTable;
  schema.columns = {own_column("id", Type::text),
                    own_column("alert", Type::text),
                    own_column("thing", Type::text),
                    own_column("name", Type::text),
                    own_column("condition", Type::text),
                    own_column("field", Type::text),
                    own_column("state", Type::text),
                    own_column("since", Type::timestamp),
                    own_column("value", Type::float64),
                    own_column("unit", Type::text),
                    own_column("limit", Type::float64),
                    own_column("text", Type::text),
                    own_column("severity", Type::text),
                    own_column("owner", Type::text),
                    own_column("note", Type::text),
                    own_column("flaps", Type::int64),
                    own_column("changed", Type::timestamp),
                    own_column("due", Type::timestamp),
                    own_column("is_flapping", Type::boolean),
                    own_column("changes", Type::int64),
                    own_column("window", Type::timestamp),
                    own_column("calm", Type::timestamp),
                    own_column("seq", Type::int64)};
  return schema;
}

TableSchema alert_history_schema() {
  TableSchema schema;
  schema.name = kAlertHistoryTable;
  schema.has_sort_key = true;
  schema.columns = {own_column("id", Type::text),       own_column("time", Type::timestamp),
                    own_column("state", Type::text),    own_column("event", Type::text),
                    own_column("value", Type::float64), own_column("by", Type::text),
                    own_column("note", Type::text)};
  return schema;
}

TableSchema alert_mark_schema() {
  TableSchema schema;
  schema.name = kAlertMarkTable;
  schema.is_private = true;
  schema.columns = {own_column("slot", Type::int64), own_column("seq", Type::int64)};
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

AlertGlance alert_glance_of(std::span<const Value> cells) {
  const auto known = alerts::state_of_word(cells[state].as_text());
  return {cells[id].as_text(), cells[thing].as_text(), known ? *known : alerts::State::normal,
          number_in(cells[since]), number_in(cells[changed])};
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
  write_own_row(tables, kAlertsTable, row.changed_us, cells, record);
}

void write_alert_history(const tables::Tables& tables, const AlertRow& row, std::string_view event,
                         std::string_view by, RecordWriter& record) {
  const Value cells[] = {Value::text(row.id),
                         Value::timestamp(row.changed_us),
                         Value::text(alerts::word_of(row.state)),
                         text_or_null(event),
                         double_or_null(row.value),
                         text_or_null(by),
                         text_or_null(row.note)};
  write_own_row(tables, kAlertHistoryTable, row.changed_us, cells, record);
}

void write_alert_mark(const tables::Tables& tables, Seq evaluated, RecordWriter& record) {
  const Value cells[] = {Value::int64(0), Value::int64(static_cast<std::int64_t>(evaluated))};
  write_own_row(tables, kAlertMarkTable, 0, cells, record);
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
  out += '{';
  append_text(out, "id", row.id);
  append_text(out, "alert", row.alert);
  append_text(out, "thing", row.thing);
  append_text(out, "name", row.name);
  append_text(out, "condition", alerts::word_of(row.condition));
  append_text(out, "field", row.field);
  append_text(out, "state", alerts::word_of(row.state));
  append_ms(out, "since", row.since_us);
  append_number(out, "value", row.value);
  append_text(out, "unit", row.unit);
  append_number(out, "limit", row.limit);
  append_text(out, "text", row.text);
  append_text(out, "severity", row.severity);
  append_text(out, "owner", row.owner);
  append_text(out, "note", row.note);
  append_ms(out, "snoozed_until", row.state == alerts::State::snoozed ? row.due_us : 0);
  append_number(out, "flaps", row.flaps);
  append_number(out, "flapping", row.is_flapping);
  append_ms(out, "changed", row.changed_us);
  out += '}';
}

Message alert_message(const AlertRow& row) {
  Message message;
  message.topic =
      fmt::format("$alert/{}/{}/{}", row.alert, row.thing, alerts::word_of(row.condition));
  message.qos = Qos::at_least_once;
  append_alert_json(message.payload, row);
  return message;
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
