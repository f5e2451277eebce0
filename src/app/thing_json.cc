#include "app/thing_json.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <unordered_map>

#include "base/time_units.h"
#include "value/json_text.h"

namespace nilo::app {

namespace {

void append_ms(std::string& out, std::string_view name, std::optional<TimeUs> us) {
  append_number(out, name, us ? std::optional(ms_of(*us)) : std::nullopt);
}

void append_interval(std::string& out, std::optional<std::int64_t> interval_us) {
  append_number(out, "interval_ms",
                interval_us ? std::optional(*interval_us / 1000) : std::nullopt);
}

std::string of(const ThingField& field) { return field.thing->id + "/" + field.schema().name; }

void append_whose(std::string& out, const ThingField& field) {
  append_text(out, "of", of(field));
  append_text(out, "thing", field.thing->id);
  append_text(out, "name", field.thing->name);
}

void append_field(std::string& out, const ThingField& field) {
  const Column& column = field.schema();
  append_text(out, "field", column.name);
  append_text(out, "unit", column.unit);
  append_number(out, "decimals",
                column.decimals >= 0 ? std::optional(column.decimals) : std::nullopt);
}

// What figures and intervals have in common.
void append_stats(std::string& out, const tables::Stats& stats, bool with_times) {
  const bool has_any = stats.count > 0;
  const auto value = [&](std::string_view name, const tables::Point& point) {
    append_number(out, name, has_any ? std::optional(point.value) : std::nullopt);
  };
  const auto time = [&](std::string_view name, const tables::Point& point) {
    if (with_times) append_ms(out, name, has_any ? std::optional(point.time_us) : std::nullopt);
  };
  append_number(out, "count", stats.count);
  append_number(out, "mean", has_any ? std::optional(stats.mean) : std::nullopt);
  append_number(out, "sd", stats.sd());
  value("min", stats.min);
  time("min_time", stats.min);
  value("max", stats.max);
  time("max_time", stats.max);
  value("first", stats.first);
  value("last", stats.last);
}

// The newest rows of one thing, each read once.
class Newest {
 public:
  Newest(const tables::Tables& tables, const ThingInfo& thing) {
    for (const ThingRows& rows : thing.rows) {
      Row& row = rows_.emplace_back();
      row.rows = &rows;
      row.is_there =
          tables.read_latest(rows.table->schema->name, rows.key, [&](const tables::Change& change) {
            const TableSchema& schema = change.schema;
            row.time_us = schema.has_sort_key ? change.cells[schema.sort_column()].as_int64()
                                              : change.received_us;
            for (const std::size_t column : rows.table->fields) {
              append_json(row.cells[column], change.cells[column]);
            }
          });
    }
  }
  std::optional<TimeUs> time_of(const ThingField& field) const {
    const Row& row = row_of(field);
    return row.is_there ? std::optional(row.time_us) : std::nullopt;
  }
  // As JSON.
  std::string_view value_of(const ThingField& field) const {
    const Row& row = row_of(field);
    const auto at = row.cells.find(field.column);
    return at == row.cells.end() ? std::string_view("null") : std::string_view(at->second);
  }

 private:
  struct Row {
    const ThingRows* rows = nullptr;
    bool is_there = false;
    TimeUs time_us = 0;
    std::unordered_map<std::size_t, std::string> cells{};  // JSON by column
  };
  const Row& row_of(const ThingField& field) const {
    return *std::find_if(rows_.begin(), rows_.end(),
                         [&](const Row& row) { return row.rows == field.rows; });
  }
  std::deque<Row> rows_;
};

void append_reading(std::string& out, const ThingField& field, const Newest& newest) {
  append_field(out, field);
  append_key(out, "value") += newest.value_of(field);
  append_ms(out, "time", newest.time_of(field));
}

void append_properties(std::string& out, const stack::Thing* named) {
  append_key(out, "properties") += '{';
  if (named != nullptr) {
    for (const stack::Property& property : named->properties) {
      append_comma(out);
      append_json_string(out, property.name);  // somebody's own word
      append_json_string(out += ':', property.text);
    }
  }
  out += '}';
}

void append_invalid(std::string& out, const std::optional<InvalidReading>& invalid) {
  append_key(out, "invalid");
  if (!invalid) {
    out += "null";
    return;
  }
  out += '{';
  append_ms(out, "time", invalid->time_us);
  append_text(out, "field", invalid->field);
  append_text(out, "reason", invalid->reason);
  out += '}';
}

// Of the first alert on this field that has any.
void append_limits(std::string& out, const ThingField& field, const stack::Stack& stack) {
  append_key(out, "limits");
  const auto alert =
      std::find_if(stack.alerts.begin(), stack.alerts.end(), [&](const stack::Alert& each) {
        return (each.low || each.high) &&
               each.of.matches_thing(field.thing->id, field.thing->type) &&
               each.of.matches_field(field.schema().name);
      });
  if (alert == stack.alerts.end()) {
    out += "null";
    return;
  }
  out += '{';
  append_number(out, "low", alert->low);
  append_number(out, "high", alert->high);
  out += '}';
}

// The other fields of the same thing.
void append_also(std::string& out, const ThingField& field, const Newest& newest) {
  append_key(out, "also") += '{';
  for (const ThingField& other : fields_of(*field.thing)) {
    if (other.schema().name == field.schema().name) continue;
    append_comma(out);
    append_json_string(out, other.schema().name);
    out += ":{";
    append_key(out, "value") += newest.value_of(other);
    append_text(out, "unit", other.schema().unit);
    out += '}';
  }
  out += '}';
}

}  // namespace

std::int64_t ms_of(TimeUs us) { return us / 1000 - (us % 1000 < 0 ? 1 : 0); }

void append_thing(std::string& out, const ThingInfo& thing, const tables::Tables& tables,
                  std::size_t open_alerts, bool with_tables) {
  out += '{';
  append_text(out, "id", thing.id);
  append_text(out, "name", thing.name);
  append_text(out, "type", thing.type);
  append_properties(out, thing.named);
  append_text(out, "state", to_string(thing.state));
  append_ms(out, "seen", thing.seen_us);
  append_interval(out, thing.interval_us);
  append_number(out, "alerts", open_alerts);
  append_invalid(out, thing.invalid);
  append_key(out, "fields") += '[';
  const Newest newest(tables, thing);
  for (const ThingField& field : fields_of(thing)) {
    append_comma(out);
    out += '{';
    append_reading(out, field, newest);
    out += '}';
  }
  out += ']';
  if (with_tables) {
    append_key(out, "tables") += '[';
    for (const ThingRows& rows : thing.rows) {
      append_comma(out);
      append_json_string(out, rows.table->schema->name);
    }
    out += ']';
  }
  out += '}';
}

void append_value(std::string& out, const ThingField& field, const tables::Tables& tables,
                  const stack::Stack& stack) {
  const ThingInfo& thing = *field.thing;
  const Newest newest(tables, thing);
  append_whose(out, field);
  append_text(out, "type", thing.type);
  append_reading(out, field, newest);
  append_text(out, "state", to_string(thing.state));
  append_interval(out, field.rows->interval_us);
  append_limits(out, field, stack);
  append_also(out, field, newest);
}

void append_stats_member(std::string& out, const tables::Stats& stats) {
  append_key(out, "stats") += '{';
  append_stats(out, stats, true);
  out += '}';
}

void append_series(std::string& out, const ThingField& field,
                   const std::vector<tables::Point>& points, std::string_view sentence) {
  out += '{';
  append_whose(out, field);
  append_field(out, field);
  append_key(out, "t") += '[';
  for (const tables::Point& point : points) {
    append_comma(out);
    out += std::to_string(ms_of(point.time_us));
  }
  out += ']';
  append_key(out, "v") += '[';
  for (const tables::Point& point : points) {
    append_comma(out);
    append_json(out, Value::float64(point.value));
  }
  out += ']';
  append_text(out, "sentence", sentence);
  out += '}';
}

void append_bucket(std::string& out, const ThingField& field, const tables::Bucket& bucket) {
  out += '{';
  append_text(out, "of", of(field));
  append_ms(out, "start", bucket.start_us);
  append_ms(out, "end", bucket.end_us);
  append_number(
      out, "hours",
      static_cast<double>(bucket.end_us - bucket.start_us) / static_cast<double>(kHourUs));
  append_stats(out, bucket.stats, false);
  append_number(out, "q25", bucket.q25);
  append_number(out, "median", bucket.median);
  append_number(out, "q75", bucket.q75);
  out += '}';
}

}  // namespace nilo::app
