// What a transition becomes: rows and notices.
#include <cmath>

#include "app/alerting.h"
#include "value/key.h"

namespace nilo::app {

using alerts::Condition;
using alerts::Event;

// How many of the first ones the record took. All that one change caused stay together, because
// each row says which changes it has had.
std::size_t Alerting::write_pending(RecordWriter& record) {
  const std::size_t begin = record.out().size();
  std::size_t count = 0;
  for (Pending& pending : pending_) {
    const bool is_full = record.out().size() - begin > kAlertRecordSizeMax;
    if (is_full && count > 0) {
      const bool belongs_together = pending.is_of_change && pending_[count - 1].seq == pending.seq;
      if (!belongs_together) break;
    }
    const Event event = pending.transition.event;
    const AlertRow& row = pending.row;
    write_alert(rooms_.tables, row, record);
    const bool is_story = event != Event::none || !pending.by.empty() || pending.is_closed ||
                          alerts::lasts(row.state) != alerts::lasts(pending.transition.was);
    if (is_story) {
      write_alert_history(rooms_.tables, row, alerts::word_of(event), pending.by, record);
    }
    if (event != Event::none) write_notices(pending, alerts::word_of(event), record);
    ++count;
  }
  return count;
}

TimeUs Alerting::wall_of(std::int64_t steady_us) const {
  if (steady_us == alerts::kNeverUs) return 0;
  return rooms_.clock.wall_us() - (rooms_.clock.steady_us() - steady_us);
}

AlertRow Alerting::row_of(const alerts::Transition& transition) const {
  const stack::Alert& alert = alert_of(transition.watch);
  const Watched& watched = watched_[transition.watch];
  const alerts::Instance& instance = transition.instance;
  AlertRow row;
  row.alert = alert.name;
  row.thing = watched.key->second.thing;
  row.id = alert_id(row.alert, row.thing, transition.condition);
  const stack::Thing* named = thing_of(row.thing);
  row.name = named == nullptr ? row.thing : named->name;
  row.condition = transition.condition;
  int decimals = -1;
  if (watched.column != kNoColumn) {
    const Column& column =
        watched.source->schema->columns[static_cast<std::size_t>(watched.column)];
    row.field = column.name;
    row.unit = column.unit;
    decimals = column.decimals;
  }
  row.state = instance.state;
  row.since_us = wall_of(instance.since_us);
  if (std::isfinite(transition.value)) row.value = transition.value;
  if (transition.condition == Condition::low) row.limit = alert.low;
  if (transition.condition == Condition::high) row.limit = alert.high;
  row.severity = alert.severity;
  row.flaps = instance.flaps;
  row.changed_us = wall_of(transition.at_us);
  row.due_us = wall_of(instance.due_us);
  row.is_flapping = instance.is_flapping;
  row.changes = instance.changes;
  row.window_us = instance.changes == 0 ? 0 : wall_of(instance.window_us);
  row.calm_us = wall_of(instance.calm_us);
  row.text = words_[watched.alert].sentence(row, decimals);
  return row;
}

AlertRow Alerting::kept_row_of(const alerts::Transition& transition) {
  AlertRow row = row_of(transition);
  row.seq = static_cast<std::int64_t>(evaluated_seq_);
  Kept& kept = kept_[key_of(transition.watch, transition.condition)];
  const std::int64_t since_us = transition.instance.since_us;
  // What was said of an alert that is over is history.
  const bool is_other = kept.since == 0 || kept.since_us != since_us;
  if (is_other) kept = {since_us, row.since_us, kept.changed};
  // Its history has one row for each time: none may replace another.
  row.changed_us = kept.changed = std::max(row.changed_us, kept.changed + 1);
  row.since_us = kept.since;
  row.owner = kept.owner;
  row.note = kept.note;
  return row;
}

std::string Alerting::field_of(const Pending& pending, std::string_view name) const {
  const Watched& watched = watched_[pending.transition.watch];
  const TableSchema& schema = *watched.source->schema;
  const auto column = schema.find(name);
  if (!column) return "";
  if (!pending.cells.empty()) return pending.cells[*column];
  std::string shown;
  rooms_.tables.read_latest(schema.name, watched.key->first, [&](const tables::Change& change) {
    shown = shown_cell(schema.columns[*column], change.cells[*column]);
  });
  return shown;
}

AlertFacts Alerting::facts_of(const Pending& pending) const {
  const Watched& watched = watched_[pending.transition.watch];
  AlertFacts facts;
  facts.site = &rooms_.stack.site;
  facts.thing = thing_of(watched.key->second.thing);
  if (watched.column != kNoColumn) {
    const auto column = static_cast<std::size_t>(watched.column);
    facts.decimals = watched.source->schema->columns[column].decimals;
  }
  facts.field = [this, &pending](std::string_view column) { return field_of(pending, column); };
  const std::string& url = rooms_.stack.site.url;
  if (!url.empty()) facts.link = url + "/alerts/" + pending.row.id;
  const bool is_open = alerts::is_open(pending.row.state);
  if (is_open && !url.empty()) facts.acknowledge_link = rooms_.acknowledge_link(pending.row);
  return facts;
}

std::vector<std::string> Alerting::write_notices(const Pending& pending, std::string_view event,
                                                 RecordWriter& record) {
  const AlertWords& words = words_[watched_[pending.transition.watch].alert];
  std::vector<std::string> ids;
  const bool has_mail = rooms_.stack.mail.has_value();
  for (Notice& notice : words.notices(pending.row, event, facts_of(pending), has_mail)) {
    notice.id = rooms_.notice_numbers.next_id(notice.created_us);
    write_notice(rooms_.tables, notice, record);
    ids.push_back(std::move(notice.id));
  }
  return ids;
}

}  // namespace nilo::app
