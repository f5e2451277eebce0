// How alerts begin: where they were when the last record was on disk, and what happened since.
#include <algorithm>
#include <cmath>

#include "app/alerting.h"

namespace nilo::app {

using alerts::Condition;
using alerts::State;
using alerts::WatchId;

namespace {

// Rows of the past from which a learned silence is learned again.
constexpr std::size_t kLearnedRows = 10;
// Of a key's newest rows: among them is the newest of those before the mark.
constexpr std::size_t kRowsBeforeMax = 100;

}  // namespace

Result<void> Alerting::load() {
  is_loading_ = true;
  loaded_us_ = rooms_.clock.steady_us();
  loaded_wall_us_ = rooms_.clock.wall_us();
  marked_us_ = loaded_us_;
  // None, or 0: alerts are new here, and what was before them is no news.
  Seq mark = 0;
  rooms_.tables.each_latest(kAlertMarkTable, [&](const tables::Change& change) {
    mark = static_cast<Seq>(change.cells[1].as_int64());
  });
  marked_seq_ = evaluated_seq_ = mark != 0 ? mark : rooms_.tables.applied_seq();
  needs_mark_ = (mark != 0) == sources_.empty();
  load_watches(marked_seq_);
  load_rhythms();
  load_silences();
  load_rows();
  if (mark != 0 && !sources_.empty()) TRY(replay_from(mark + 1));
  is_loading_ = false;
  return {};
}

bool Alerting::write_first_mark(RecordWriter& record) {
  if (!needs_mark_) return false;
  // Nobody follows: when alerts come back, they begin with what comes then.
  write_alert_mark(rooms_.tables, sources_.empty() ? 0 : marked_seq_, record);
  return true;
}

void Alerting::load_watches(Seq mark) {
  const auto heard = [this](WatchId watch, TimeUs received_us) {
    received_us = std::min(received_us, loaded_wall_us_);  // the clock may have been ahead
    heard_.resize(watched_.size());
    heard_[watch] = std::max(heard_[watch], received_us);
    last_alive_us_ = std::max(last_alive_us_, received_us);
  };
  for (Source& source : sources_) {
    rooms_.tables.each_latest(source.schema->name, [&](const tables::Change& change) {
      Key& key = key_of(source, change).second;
      // One that came after the mark is evaluated once more, with those before it.
      if (change.seq <= mark && source.schema->has_sort_key) {
        const TimeUs time_us = change.cells[source.schema->sort_column()].as_int64();
        key.newest_us = std::min(time_us, change.received_us);
      }
      for (const WatchId watch : key.watches) {
        heard(watch, change.received_us);
        const int column = watched_[watch].column;
        if (column == kNoColumn) continue;
        const Value& cell = change.cells[static_cast<std::size_t>(column)];
        if (cell.type() == Type::float64) engine_.restore_value(watch, cell.as_float64());
        if (cell.type() == Type::int64) {
          engine_.restore_value(watch, static_cast<double>(cell.as_int64()));
        }
      }
    });
  }
  if (invalid_schema_ == nullptr) return;
  rooms_.tables.each_latest(invalid_schema_->name, [&](const tables::Change& change) {
    add_unheard(change.cells[0].as_text());
    const auto watches = by_thing_.find(change.cells[0].as_text());
    if (watches == by_thing_.end()) return;
    for (const WatchId watch : watches->second) heard(watch, change.received_us);
  });
}

// As if the server had run on since its newest row: the time that it was off just now is nobody's
// silence.
void Alerting::load_silences() {
  heard_.resize(watched_.size());
  for (WatchId watch = 0; watch < watched_.size(); ++watch) {
    if (heard_[watch] == 0) continue;
    engine_.restore_heard(watch, loaded_us_ - (last_alive_us_ - heard_[watch]), loaded_us_);
  }
  heard_ = {};
}

void Alerting::seed_newest(const tables::Change& change, Key& key) const {
  const auto page = rooms_.tables.rows({.table = change.schema.name,
                                        .key = std::string(change.key),
                                        .limit = kRowsBeforeMax,
                                        .newest_first = true});
  if (!page) return;
  const std::size_t received = page->rows.columns().size() - 1;
  for (std::size_t row = 0; row < page->rows.row_count(); ++row) {
    const TimeUs received_us = page->rows.cell(row, received).as_int64();
    if (received_us >= change.received_us) continue;
    const TimeUs time_us = page->rows.cell(row, change.schema.sort_column()).as_int64();
    key.newest_us = std::min({time_us, received_us, loaded_wall_us_});
    return;
  }
}

void Alerting::load_rhythms() {
  for (WatchId watch = 0; watch < watched_.size(); ++watch) {
    const Watched& watched = watched_[watch];
    if (!alert_of(watch).silent_learned || !watched.source->schema->has_sort_key) continue;
    const auto page = rooms_.tables.rows({.table = watched.source->schema->name,
                                          .key = watched.key->first,
                                          .limit = kLearnedRows,
                                          .newest_first = true});
    if (!page) continue;
    for (std::size_t row = page->rows.row_count(); row > 0; --row) {
      const Value& received = page->rows.cell(row - 1, page->rows.columns().size() - 1);
      engine_.learn(watch, steady_of(received.as_int64(), 0));
    }
  }
}

void Alerting::load_rows() {
  rooms_.tables.each_latest(
      kAlertsTable, [&](const tables::Change& change) { restore(alert_row_of(change.cells)); });
  for (const State state : alerts::kStates) {
    counts_[static_cast<std::size_t>(state)] = engine_.count(state);
  }
}

void Alerting::restore(const AlertRow& row) {
  const auto watch = find_watch({row.alert, row.thing, row.condition});
  if (!watch) {
    if (row.state == State::normal) return;
    Pending& closed = pending_.emplace_back();
    closed.is_closed = true;
    closed.seq = evaluated_seq_;
    closed.transition.was = State::normal;  // it was not counted as open here
    closed.row = row;
    closed.row.state = State::normal;
    closed.row.since_us = loaded_wall_us_;
    closed.row.changed_us = std::max(loaded_wall_us_, row.changed_us + 1);
    closed.row.due_us = closed.row.calm_us = 0;
    closed.row.note = "closed: the stack has no such alert or thing any more";
    return;
  }
  Watched& watched = watched_[*watch];
  watched.seq = std::max(watched.seq, static_cast<Seq>(row.seq));
  const alerts::Definition& definition = engine_.definition(*watch);
  alerts::Instance instance;
  instance.state = row.state;
  instance.is_flapping = row.is_flapping;
  instance.flaps = static_cast<std::uint32_t>(row.flaps);
  instance.changes = static_cast<std::uint32_t>(row.changes);
  instance.window_us = steady_of(row.window_us, 0);
  instance.since_us = steady_of(row.since_us, 0);
  if (row.calm_us != 0) instance.calm_us = steady_of(row.calm_us, definition.flap_within_us);
  // A clock that was ahead when this was written must not put it off for ever.
  std::int64_t ahead_max_us = definition.remind_us.value_or(0);
  if (row.state == State::pending) {
    const bool is_invalid = row.condition == Condition::invalid;
    ahead_max_us = is_invalid ? definition.invalid_us.value_or(0) : definition.hold_us;
  }
  if (row.state == State::snoozed) ahead_max_us = kSnoozeMaxUs;
  if (row.due_us != 0) instance.due_us = steady_of(row.due_us, ahead_max_us);
  engine_.restore(*watch, row.condition, instance);
  kept_[key_of(*watch, row.condition)] = {instance.since_us, row.since_us, row.changed_us,
                                          row.owner, row.note};
  count_open(row, false);
}

// Wall time as the engine's, at most so far ahead of now.
std::int64_t Alerting::steady_of(TimeUs wall_us, std::int64_t ahead_max_us) const {
  return loaded_us_ + std::min(wall_us - loaded_wall_us_, ahead_max_us);
}

Result<void> Alerting::replay_from(Seq from) {
  const auto report = TRY(rooms_.log.replay(from, [&](Seq seq, std::string_view record) {
    rooms_.tables.read(seq, record, [&](const tables::Change& change) {
      if (watches(change.schema)) on_change(change);
    });
  }));
  rooms_.logger.info("alerts.loaded", {{"watches", watched_.size()},
                                       {"from", from},
                                       {"records", report.record_count},
                                       {"open", open_count()}});
  return {};
}

}  // namespace nilo::app
