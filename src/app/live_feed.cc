#include "app/live_feed.h"

#include <algorithm>

#include "app/invalid_reading.h"
#include "app/mqtt_door.h"

namespace nilo::app {
namespace {

constexpr std::uint32_t kNoSeries = 0xffffffff;

api::LivePoint point_of(const Value& cell) {
  using Kind = api::LivePoint::Kind;
  api::LivePoint point;
  switch (cell.type()) {
    case Type::null:
      break;
    case Type::int64:
      point.kind = Kind::number;
      point.number = static_cast<double>(cell.as_int64());
      break;
    case Type::float64:
      point.kind = Kind::number;
      point.number = cell.as_float64();
      break;
    case Type::boolean:
      point.kind = Kind::boolean;
      point.number = cell.as_boolean() ? 1 : 0;
      break;
    case Type::timestamp: {
      const std::int64_t ms = cell.as_int64() / 1000;
      point.kind = Kind::number;
      point.number = static_cast<double>(ms);
      break;
    }
    case Type::text:
    case Type::json:
      point.kind = Kind::text;
      point.text = cell.as_text();
      break;
  }
  return point;
}

std::int64_t time_ms_of(const tables::Change& change) {
  const TableSchema& schema = change.schema;
  const bool has_time = schema.has_sort_key && !change.cells[schema.sort_column()].is_null();
  return (has_time ? change.cells[schema.sort_column()].as_int64() : change.received_us) / 1000;
}

}  // namespace

LiveFeed::LiveFeed(const Rooms& rooms)
    : rooms_(rooms),
      hub_(*this, rooms.clock),
      dropped_(rooms.metrics.counter("nilo_live_points_dropped_total", "",
                                     "Readings not shown on open pages: too many waited.")) {
  rooms_.mail.open([this](const LiveMail::Letters& letters) {
    for (const auto& [number, message] : letters.messages) hub_.on_message(number, message);
    for (const auto& [number, count] : letters.dropped) hub_.on_dropped(number, count);
  });
  rooms_.loop.every(kLiveCheckEvery, [this] { hub_.check_sessions(); });
  rooms_.metrics.gauge("nilo_live_pages", "Open WebSockets of pages.",
                       [this] { return static_cast<double>(hub_.session_count()); });
}

void LiveFeed::listen(std::uint64_t number, const bus::TopicFilter& filter) {
  if (is_about_changes(filter.text())) rooms_.changes_wanted.store(true);
  rooms_.router.subscribe({kLiveLoop, number}, filter, {.retain_as_published = true});
}

void LiveFeed::stop_listening(std::uint64_t number) { rooms_.router.remove({kLiveLoop, number}); }

std::vector<MessagePtr> LiveFeed::retained(const bus::TopicFilter& filter, std::size_t max) {
  return rooms_.retained.matching(filter, max);
}

void LiveFeed::flush_after(int ms) {
  rooms_.loop.after(std::chrono::milliseconds(ms), [this] { hub_.flush(); });
}

void LiveFeed::want_points(bool wanted) {
  rooms_.loop.cancel(std::exchange(linger_timer_, net::TimerId::none));
  if (!wanted) {
    linger_timer_ = rooms_.loop.after(kLiveLinger, [this] {
      wants_points_ = false;
      hub_.on_stopped();
      rooms_.applier.post([this] { is_listening_ = false; });
    });
    return;
  }
  if (std::exchange(wants_points_, true)) return;
  rooms_.applier.post([this] {
    is_listening_ = true;
    batch_.is_start = true;
    hand_over(rooms_.tables.applied_seq());
  });
}

bool LiveFeed::watches(const TableSchema& schema) const {
  return !schema.thing.empty() || schema.name == kInvalidTable;
}

void LiveFeed::on_change(const tables::Change& change) {
  if (!is_listening_) return;
  if (change.schema.name == kInvalidTable) return add_invalid(change);
  const std::int64_t time_ms = time_ms_of(change);
  for (const Field& field : fields_of_row(change)) {
    api::LivePoint& point = batch_.points.emplace_back(point_of(change.cells[field.column]));
    point.series = field.series;
    point.seq = change.seq;
    point.time_ms = time_ms;
  }
}

// The fields of the row's thing that this table has, worked out once for each key.
const LiveFeed::Fields& LiveFeed::fields_of_row(const tables::Change& change) {
  ByKey& by_key = fields_[&change.schema];
  const auto known = by_key.find(change.key);
  if (known != by_key.end()) return known->second;
  Fields& fields = by_key[std::string(change.key)];
  const auto pattern = ThingTemplate::parse(change.schema.thing, change.schema);
  if (!pattern) return fields;  // the stack's check has said so
  const auto thing = rooms_.things.find(pattern->id_of(change.cells));
  if (!thing) return fields;  // beyond kThingsMax
  for (const ThingField& field : fields_of(*thing)) {
    if (field.rows->table->schema != &change.schema || field.rows->key != change.key) continue;
    const std::uint32_t series = series_of(*thing, field.schema().name);
    if (series != kNoSeries) fields.push_back({field.column, series});
  }
  return fields;
}

std::uint32_t LiveFeed::series_of(const ThingInfo& thing, const std::string& field) {
  auto& known = series_of_thing_[thing.id];
  for (const auto& [name, number] : known) {
    if (name == field) return number;
  }
  if (series_count_ >= kLiveSeriesMax) return kNoSeries;
  batch_.series.push_back({thing.id, thing.type, field});
  known.emplace_back(field, series_count_);
  return series_count_++;
}

// The newest report of a thing was refused: none of its fields has a reading now.
void LiveFeed::add_invalid(const tables::Change& change) {
  const auto thing = series_of_thing_.find(change.key);
  if (thing == series_of_thing_.end()) return;  // it never had a reading while somebody listened
  for (const auto& [field, number] : thing->second) {
    api::LivePoint& point = batch_.points.emplace_back();
    point.kind = api::LivePoint::Kind::invalid;
    point.series = number;
    point.seq = change.seq;
    point.time_ms = change.received_us / 1000;
  }
}

void LiveFeed::on_alert(Seq seq, std::string item_json) {
  batch_.alerts.emplace_back(seq, std::move(item_json));
}

void LiveFeed::after_batch(Seq applied) { hand_over(applied); }

void LiveFeed::hand_over(Seq applied) {
  const std::size_t count = batch_.points.size();
  const std::size_t waiting = points_waiting_.load();
  if (waiting > 0 && waiting + count > kLivePointsWaitingMax) {
    dropped_.add(count);
    batch_.points.clear();
    batch_.has_gap = true;
  }
  if (batch_.is_empty()) return;
  batch_.applied = applied;
  points_waiting_ += batch_.points.size();
  const auto batch = std::make_shared<Batch>(std::exchange(batch_, {}));
  rooms_.loop.post([this, batch] { take(std::move(*batch)); });
}

void LiveFeed::take(Batch batch) {
  points_waiting_ -= batch.points.size();
  for (api::LiveSeries& series : batch.series) hub_.on_series(std::move(series));
  if (batch.is_start) hub_.on_started(batch.applied);
  for (api::LivePoint& point : batch.points) hub_.on_point(std::move(point));
  for (auto& [seq, item] : batch.alerts) hub_.on_alert(seq, std::move(item));
  hub_.on_applied(batch.applied);
  if (batch.has_gap) hub_.on_gap();
}

}  // namespace nilo::app
