// app/alert_rows.h: what is kept of alerts, and how it is shown.
//
//   sys_alerts         each instance that ever left normal, as it is now, with all that must
//                      survive a restart; key: its id
//   sys_alert_history  what became of it; key: id and time
//   sys_alert_mark     up to which change the alerts were evaluated; one row, shown to nobody
//
// In/out:  rows <-> cells; rows -> JSON.
// Threads: functions of their arguments.
// Limits:  ids of kKeySizeMax bytes; a note of kNoteSizeMax.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "alerts/engine.h"
#include "base/clock.h"
#include "tables/tables.h"
#include "value/message.h"
#include "value/record.h"
#include "value/schema.h"

namespace nilo::app {

inline constexpr std::string_view kAlertsTable = "sys_alerts";
inline constexpr std::string_view kAlertHistoryTable = "sys_alert_history";
inline constexpr std::string_view kAlertMarkTable = "sys_alert_mark";
inline constexpr std::size_t kNoteSizeMax = 1000;

TableSchema alerts_schema();
TableSchema alert_history_schema();
TableSchema alert_mark_schema();

// "level~tank-1~low"; neither names of alerts nor ids of things hold a '~'.
std::string alert_id(std::string_view alert, std::string_view thing, alerts::Condition condition);
struct AlertId {
  std::string_view alert;
  std::string_view thing;
  alerts::Condition condition;
};
std::optional<AlertId> parse_alert_id(std::string_view id);

// Times are wall times; 0: none.
struct AlertRow {
  std::string id;
  std::string alert;
  std::string thing;
  std::string name{};  // the thing's
  alerts::Condition condition{};
  std::string field{};
  alerts::State state{};
  TimeUs since_us = 0;
  std::optional<double> value{};
  std::string unit{};
  std::optional<double> limit{};
  std::string text{};
  std::string severity{};
  std::string owner{};  // who acknowledged, snoozed or resolved it
  std::string note{};
  std::int64_t flaps = 0;
  TimeUs changed_us = 0;
  TimeUs due_us = 0;  // end of the hold or snooze, or the next reminder
  bool is_flapping = false;
  std::int64_t changes = 0;  // of the window that began at:
  TimeUs window_us = 0;
  TimeUs calm_us = 0;
  std::int64_t seq = 0;  // the change up to which it was evaluated
};

AlertRow alert_row_of(std::span<const Value> cells);
// What a list of all alerts is made from; views of `cells`.
struct AlertGlance {
  std::string_view id;
  std::string_view thing;
  alerts::State state;
  TimeUs since_us;
  TimeUs changed_us;
};
AlertGlance alert_glance_of(std::span<const Value> cells);
void write_alert(const tables::Tables& tables, const AlertRow& row, RecordWriter& record);
// What `row` says now, with `event` (what people were told, or empty) and `by` (who, or empty).
void write_alert_history(const tables::Tables& tables, const AlertRow& row, std::string_view event,
                         std::string_view by, RecordWriter& record);
void write_alert_mark(const tables::Tables& tables, Seq seq, RecordWriter& record);

// The instance as it is in the table; nullopt: it never left normal, or there is none.
std::optional<AlertRow> find_alert(const tables::Tables& tables, std::string_view id);

// An AlertItem: {"id":...,"alert":...,"state":"firing","since":ms,...}.
void append_alert_json(std::string& out, const AlertRow& row);
// A change of an alert as a message: `$alert/<alert>/<thing>/<condition>`, an AlertItem.
Message alert_message(const AlertRow& row);

// A cell or a number as people read it: two decimals for percent, else as many as the column has
// (-1: as many as needed).
std::string shown_cell(const Column& column, const Value& cell);
std::string shown_number(double value, std::string_view unit, int decimals);

}  // namespace nilo::app
