#include "app/alerting.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/invalid_reading.h"
#include "base/nearest.h"

namespace nilo::app {

namespace {

using alerts::Condition;
using alerts::Event;
using alerts::State;
using alerts::WatchId;

std::int64_t us_of(stack::Duration duration) { return duration.count() * 1000; }
std::optional<std::int64_t> us_of(const std::optional<stack::Duration>& duration) {
  return duration ? std::optional(us_of(*duration)) : std::nullopt;
}

std::vector<alerts::Definition> definitions_of(const stack::Stack& stack) {
  std::vector<alerts::Definition> out;
  for (const stack::Alert& alert : stack.alerts) {
    out.push_back({.low = alert.low,
                   .high = alert.high,
                   .clear = alert.clear,
                   .hold_us = us_of(alert.hold),
                   .remind_us = us_of(alert.remind),
                   .silent_us = us_of(alert.silent),
                   .silent_learned = alert.silent_learned,
                   .invalid_us = us_of(alert.invalid),
                   .recovery = alert.recovery,
                   .flap_changes = static_cast<std::uint32_t>(alert.flap.changes),
                   .flap_within_us = us_of(alert.flap.within)});
  }
  return out;
}

std::optional<double> number_in(const Value& cell) {
  switch (cell.type()) {
    case Type::float64:
      return std::isfinite(cell.as_float64()) ? std::optional(cell.as_float64()) : std::nullopt;
    case Type::int64:
    case Type::boolean:
      return static_cast<double>(cell.as_int64());
    default:
      return std::nullopt;
  }
}

bool is_number(Type type) {
  return type == Type::float64 || type == Type::int64 || type == Type::boolean;
}

}  // namespace

Alerting::Alerting(Rooms rooms) : rooms_(std::move(rooms)), engine_(definitions_of(rooms_.stack)) {
  for (const stack::Alert& alert : rooms_.stack.alerts) words_.emplace_back(alert);
  make_sources();
}

void Alerting::make_sources() {
  if (rooms_.stack.alerts.empty()) return;
  if (const TableLayout* layout = rooms_.tables.layout(kInvalidTable)) {
    invalid_schema_ = &layout->schema;
  }
  for (const stack::Table& table : rooms_.stack.tables) {
    if (table.schema.thing.empty()) continue;
    const TableSchema& schema = rooms_.tables.layout(table.schema.name)->schema;
    auto pattern = ThingTemplate::parse(schema.thing, schema);
    NILO_ASSERT(pattern.has_value());  // the stack's check
    Source source{&schema, std::move(*pattern), {}, {}};
    for (std::uint32_t i = 0; i < rooms_.stack.alerts.size(); ++i) {
      const Selector& of = rooms_.stack.alerts[i].of;
      if (of.field == "*") {
        source.alerts.emplace_back(i, kNoColumn);
        continue;
      }
      const auto column = schema.find(of.field);
      const bool is_watched = column && is_number(schema.columns[*column].type);
      if (is_watched) source.alerts.emplace_back(i, static_cast<int>(*column));
    }
    if (!source.alerts.empty()) sources_.push_back(std::move(source));
  }
}

std::function<const stack::Thing*(std::string_view)> named_in(const stack::Stack& stack) {
  std::unordered_map<std::string_view, const stack::Thing*> by_id;
  for (const stack::Thing& thing : stack.things) by_id.emplace(thing.id, &thing);
  return [by_id = std::move(by_id)](std::string_view id) {
    const auto at = by_id.find(id);
    return at == by_id.end() ? nullptr : at->second;
  };
}

bool Alerting::watches(const TableSchema& schema) const {
  return &schema == invalid_schema_ ||
         std::any_of(sources_.begin(), sources_.end(),
                     [&](const Source& source) { return source.schema == &schema; });
}

const stack::Thing* Alerting::thing_of(std::string_view id) const { return rooms_.named(id); }

// --- From changes to transitions ---

Alerting::ByText<Alerting::Key>::value_type& Alerting::key_of(Source& source,
                                                              const tables::Change& change) {
  const auto at = source.keys.find(change.key);
  if (at != source.keys.end()) return *at;
  return add_key(source, change.key, source.pattern.id_of(change.cells));
}

Alerting::ByText<Alerting::Key>::value_type& Alerting::add_key(Source& source, std::string_view key,
                                                               std::string thing) {
  auto& added = *source.keys.emplace(std::string(key), Key{.thing = std::move(thing)}).first;
  const std::string& id = added.second.thing;
  if (id.empty()) return added;  // longer than an id may be
  const stack::Thing* named = thing_of(id);
  const std::string_view type = named == nullptr ? std::string_view() : named->type;
  const std::int64_t now_us = is_loading_ ? loaded_us_ : rooms_.clock.steady_us();
  for (const auto& [alert, column] : source.alerts) {
    const stack::Alert& definition = rooms_.stack.alerts[alert];
    if (!definition.of.matches_thing(id, type)) continue;
    const WatchId watch = engine_.watch(alert, now_us);
    NILO_ASSERT(watch == watched_.size());
    watched_.push_back({alert, column, &source, &added});
    added.second.watches.push_back(watch);
    by_thing_[id].push_back(watch);
  }
  return added;
}

// What was due before the record is not of it: an alert's row may not say that it has had a change
// of which another row is still to come. So time stands still within a record.
void Alerting::begin_record(const tables::Change& change) {
  record_us_ = is_loading_ ? steady_of(change.received_us, 0) : rooms_.clock.steady_us();
  if (engine_.due_us() <= record_us_) {
    engine_.advance(record_us_);
    drain(nullptr);
  }
  evaluated_seq_ = change.seq;
}

void Alerting::on_change(const tables::Change& change) {
  if (change.seq != evaluated_seq_) begin_record(change);
  if (&change.schema == invalid_schema_) {
    take_refused(change);
  } else {
    const auto source = std::find_if(sources_.begin(), sources_.end(), [&](const Source& each) {
      return each.schema == &change.schema;
    });
    NILO_ASSERT(source != sources_.end());
    take_row(*source, change);
  }
}

void Alerting::take_row(Source& source, const tables::Change& change) {
  Key& key = key_of(source, change).second;
  if (key.watches.empty()) return;
  const bool is_late = is_late_row(change, key);
  const std::int64_t now_us = record_us_;
  for (const WatchId watch : key.watches) {
    const Watched& watched = watched_[watch];
    if (change.seq <= watched.seq) continue;
    if (is_late) {
      engine_.contact(watch, now_us);
      continue;
    }
    if (watched.column == kNoColumn) {
      engine_.report(watch, now_us);
      continue;
    }
    const auto column = static_cast<std::size_t>(watched.column);
    const Value& cell = change.cells[column];
    const bool is_other = cell.is_null() && !source.schema->columns[column].is_derived();
    if (const auto number = number_in(cell)) {
      engine_.reading(watch, *number, now_us);
    } else if (is_other) {
      engine_.contact(watch, now_us);  // the row is about other columns
    } else {
      engine_.refused(watch, now_us);
    }
  }
  drain(&change);
}

// What a device had kept and reports now says nothing of how things are: the latest row stays
// another one. A row ahead of its time makes none late that is not older than when it came, and
// what came while the server's clock was ahead makes none late at all.
bool Alerting::is_late_row(const tables::Change& change, Key& key) const {
  if (!change.schema.has_sort_key) return false;
  const TimeUs now_us = is_loading_ ? loaded_wall_us_ : rooms_.clock.wall_us();
  if (key.newest_us > now_us) key.newest_us = kNoRowUs;
  if (is_loading_ && key.newest_us == kNoRowUs) seed_newest(change, key);
  const TimeUs time_us = change.cells[change.schema.sort_column()].as_int64();
  if (time_us < key.newest_us) return true;
  key.newest_us = std::max(key.newest_us, std::min(time_us, change.received_us));
  return false;
}

void Alerting::take_refused(const tables::Change& change) {
  add_unheard(change.cells[0].as_text());
  const auto watches = by_thing_.find(change.cells[0].as_text());
  if (watches == by_thing_.end()) return;
  for (const WatchId watch : watches->second) {
    if (change.seq > watched_[watch].seq) engine_.refused(watch, record_us_);
  }
  drain(&change);
}

void Alerting::add_unheard(std::string_view thing) {
  if (by_thing_.contains(thing)) return;
  for (Source& source : sources_) {
    const auto key = source.pattern.key_of(thing);
    if (key && !source.keys.contains(*key)) add_key(source, *key, std::string(thing));
  }
}

// Takes over what the engine says. `change`: the row that caused it, if one did.
void Alerting::drain(const tables::Change* change) {
  const std::size_t before = pending_.size();
  for (const alerts::Transition& transition : engine_.take()) {
    Pending& added = pending_.emplace_back(Pending{transition, evaluated_seq_, change != nullptr});
    added.row = kept_row_of(transition);
    const bool is_of_row = change != nullptr && transition.event != Event::none &&
                           watched_[transition.watch].source->schema == &change->schema &&
                           watched_[transition.watch].key->first == change->key;
    if (!is_of_row) continue;
    for (std::size_t i = 0; i < change->cells.size(); ++i) {
      added.cells.push_back(shown_cell(change->schema.columns[i], change->cells[i]));
    }
  }
  if (pending_.size() == before) return;
  for (const State state : alerts::kStates) {
    counts_[static_cast<std::size_t>(state)].store(engine_.count(state), std::memory_order_relaxed);
  }
}

// --- What people do ---

std::optional<WatchId> Alerting::find_watch(const AlertId& id) const {
  const auto watches = by_thing_.find(id.thing);
  if (watches == by_thing_.end()) return std::nullopt;
  for (const WatchId watch : watches->second) {
    if (alert_of(watch).name == id.alert && engine_.definition(watch).has(id.condition)) {
      return watch;
    }
  }
  return std::nullopt;
}

void Alerting::act(std::string id, Deed deed, Done done) {
  rooms_.applier.post([this, id = std::move(id), deed = std::move(deed), done = std::move(done)] {
    do_deed(id, deed, done);
  });
}

void Alerting::do_deed(const std::string& id, const Deed& deed, const Done& done) {
  const auto parsed = parse_alert_id(id);
  const auto watch = parsed ? find_watch(*parsed) : std::nullopt;
  if (!watch) {
    return done(Error{ErrorCode::not_found, fmt::format("no alert `{}`", id),
                      "see: nilo alerts ls --state all"});
  }
  const std::int64_t now_us = rooms_.clock.steady_us();
  Result<void> outcome;
  switch (deed.kind) {
    case Deed::Kind::acknowledge:
      outcome = engine_.acknowledge(*watch, parsed->condition, now_us);
      break;
    case Deed::Kind::snooze:
      outcome = engine_.snooze(*watch, parsed->condition, deed.for_us, now_us);
      break;
    case Deed::Kind::resolve:
      outcome = engine_.resolve(*watch, parsed->condition, now_us);
      break;
  }
  drain(nullptr);
  if (!outcome) return done(outcome.error());
  Pending& last = pending_.back();
  last.by = deed.by.empty() ? "somebody" : deed.by;  // an open server knows no names
  last.done = done;
  Kept& kept = kept_.at(key_of(*watch, parsed->condition));
  last.row.owner = kept.owner = last.by;
  last.row.note = kept.note = deed.note;
}

void Alerting::test(std::string name, TestDone done) {
  rooms_.applier.post([this, name = std::move(name), done = std::move(done)] {
    const auto& alerts = rooms_.stack.alerts;
    const auto alert = std::find_if(alerts.begin(), alerts.end(),
                                    [&](const auto& each) { return each.name == name; });
    const auto watched = std::find_if(watched_.begin(), watched_.end(), [&](const auto& each) {
      return rooms_.stack.alerts[each.alert].name == name;
    });
    if (alert == alerts.end()) {
      std::vector<std::string_view> names;
      for (const stack::Alert& each : alerts) names.push_back(each.name);
      const std::string_view near = nearest(name, names);
      return done(Error{ErrorCode::not_found, fmt::format("no alert `{}` in the stack", name),
                        near.empty() ? "" : fmt::format("did you mean `{}`?", near)});
    }
    if (watched == watched_.end()) {
      return done(Error{ErrorCode::not_found,
                        fmt::format("nothing that alert `{}` is about has reported yet", name),
                        "publish a reading first"});
    }
    Pending sample{{}, evaluated_seq_};
    sample.transition.watch = static_cast<WatchId>(watched - watched_.begin());
    sample.transition.value = engine_.value(sample.transition.watch);
    sample.transition.at_us = rooms_.clock.steady_us();
    sample.transition.instance.state = State::firing;
    sample.transition.instance.since_us = sample.transition.at_us;
    for (const Condition condition : alerts::kConditions) {
      if (!engine_.definition(sample.transition.watch).has(condition)) continue;
      sample.transition.condition = condition;
      break;
    }
    sample.row = row_of(sample.transition);
    const auto ids = std::make_shared<std::vector<std::string>>();
    rooms_.applier.append(
        [&](RecordWriter& record) { *ids = write_notices(sample, "test", record); },
        [ids, done](const Result<void>& outcome) {
          if (!outcome) return done(outcome.error());
          done(*ids);
        });
  });
}

// --- Time and the disk ---

std::int64_t Alerting::due_us() const {
  if (!is_writing_ && !pending_.empty()) return retry_us_;
  std::int64_t due_us = pending_.size() < kAlertsPendingMax ? engine_.due_us() : kNeverDueUs;
  if (!is_writing_ && evaluated_seq_ > marked_seq_) {
    due_us = std::min(due_us, std::max(marked_us_ + kAlertMarkEveryUs, retry_us_));
  }
  return due_us;
}

void Alerting::after_batch(Seq applied) {
  const std::int64_t now_us = rooms_.clock.steady_us();
  // Of nothing that we follow; but a start should not have to read all that.
  const bool is_far_behind = applied >= marked_seq_ + kAlertMarkEveryChanges;
  if (is_far_behind && !sources_.empty()) evaluated_seq_ = applied;
  if (engine_.due_us() <= now_us && pending_.size() < kAlertsPendingMax) {
    engine_.advance(now_us);
    drain(nullptr);
  }
  if (is_writing_ || now_us < retry_us_) return;
  const bool is_mark_due =
      evaluated_seq_ > marked_seq_ && (now_us - marked_us_ >= kAlertMarkEveryUs ||
                                       evaluated_seq_ - marked_seq_ >= kAlertMarkEveryChanges);
  if (!pending_.empty() || is_mark_due) write();
}

void Alerting::write() {
  is_writing_ = true;
  struct Written {
    std::size_t count = 0;
    Seq mark = 0;
  };
  const auto written = std::make_shared<Written>();
  rooms_.applier.append(
      [&](RecordWriter& record) {
        written->count = write_pending(record);
        // What is not in this record is evaluated again after a crash.
        const bool is_all = written->count == pending_.size();
        const Seq next = is_all ? evaluated_seq_ + 1 : pending_[written->count].seq;
        written->mark = std::max(next, marked_seq_ + 1) - 1;
        write_alert_mark(rooms_.tables, sources_.empty() ? 0 : written->mark, record);
      },
      [this, written](const Result<void>& outcome) {
        settle(written->count, written->mark, outcome);
      });
}

void Alerting::settle(std::size_t count, Seq mark, const Result<void>& outcome) {
  is_writing_ = false;
  const std::int64_t now_us = rooms_.clock.steady_us();
  if (!outcome) {
    // The log said so already. Whoever waits is told; the rest is tried again.
    retry_us_ = now_us + kAlertRetryUs;
    for (Pending& pending : pending_) {
      if (pending.done) std::exchange(pending.done, nullptr)(outcome.error());
    }
    return;
  }
  retry_us_ = 0;
  marked_seq_ = mark;
  marked_us_ = now_us;
  if (count == 0) return;
  std::vector<AlertRow> rows;
  rows.reserve(count);
  std::vector<Done> waiting;
  waiting.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    Pending& settled = pending_.front();
    count_open(settled.row, alerts::is_open(settled.transition.was));
    rows.push_back(std::move(settled.row));
    waiting.push_back(std::move(settled.done));
    pending_.pop_front();
  }
  rooms_.on_alerts(rows, rooms_.tables.applied_seq());
  for (std::size_t i = 0; i < count; ++i) {
    if (waiting[i]) waiting[i](rows[i]);
  }
}

void Alerting::count_open(const AlertRow& row, bool was_open) {
  const bool is_open = alerts::is_open(row.state);
  if (is_open == was_open) return;
  open_of_thing_.with([&](ByText<std::size_t>& open) {
    if (is_open) {
      ++open[row.thing];
      return;
    }
    const auto at = open.find(row.thing);
    if (at != open.end() && --at->second == 0) open.erase(at);
  });
}

std::size_t Alerting::open_count() const {
  std::size_t count = 0;
  for (const State state : alerts::kStates) {
    if (alerts::is_open(state)) count += this->count(state);
  }
  return count;
}

std::size_t Alerting::open_count_of(std::string_view thing) const {
  return open_of_thing_.with([&](const ByText<std::size_t>& open) {
    const auto at = open.find(thing);
    return at == open.end() ? std::size_t{0} : at->second;
  });
}

}  // namespace nilo::app
