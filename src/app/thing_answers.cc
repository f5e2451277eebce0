#include "app/thing_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "app/series_sentence.h"
#include "app/thing_json.h"
#include "base/nearest.h"
#include "base/time_units.h"
#include "value/json_text.h"

namespace nilo::app {

namespace {

using tables::Point;

// Between these, differences and sums of times stay in 64 bits.
constexpr TimeUs kTimeMax = TimeUs{1} << 60;
constexpr std::size_t kRowsAhead = Rhythm::kGapsMax + 1;

bool is_number(const Column& column) {
  return column.type == Type::float64 || column.type == Type::int64 || column.type == Type::boolean;
}

Error no_field(const Selector& selector, const std::vector<ThingInfo>& things) {
  std::vector<std::string> names;
  for (const ThingInfo& thing : things) {
    for (const ThingField& field : fields_of(thing)) {
      const std::string& name = field.schema().name;
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  const std::string_view near = nearest(selector.field, names);
  std::string hint = near.empty() ? "" : fmt::format("did you mean '{}'?", near);
  if (hint.empty()) {
    hint = names.empty() ? "no table has rows about it"
                         : fmt::format("there are: {}", fmt::join(names, ", "));
  }
  return {ErrorCode::not_found,
          fmt::format("'{}' has no field '{}'", selector.thing, selector.field), hint};
}

// Where the intervals begin and end that have a part of [from, to): whole ones.
Result<std::vector<TimeUs>> bounds_of(TimeUs from_us, TimeUs to_us, std::string_view every,
                                      const TimeZone& zone, std::size_t bounds_max) {
  const auto [begin, next] = every == "1h" ? std::pair(&TimeZone::hour, &TimeZone::next_hour)
                             : every == "1d"
                                 ? std::pair(&TimeZone::midnight, &TimeZone::next_midnight)
                                 : std::pair(&TimeZone::week, &TimeZone::next_week);
  std::vector<TimeUs> bounds{(zone.*begin)(from_us)};
  while (bounds.back() < to_us) {
    if (bounds.size() == bounds_max) {
      return Error{ErrorCode::resource_exhausted,
                   fmt::format("those are more than {} intervals", kIntervalsMax),
                   "ask for a shorter time, longer intervals, or fewer fields"};
    }
    bounds.push_back((zone.*next)(bounds.back()));
  }
  return bounds;
}

}  // namespace

struct ThingAnswers::Chosen {
  std::deque<std::vector<ThingInfo>> things;  // where fields point to
  std::vector<ThingField> fields;
};

ThingAnswers::ThingAnswers(Rooms rooms)
    : rooms_(std::move(rooms)),
      zone_(TimeZone::find(rooms_.stack.site.zone).value_or(*TimeZone::find("UTC"))) {}

api::ThingBackend ThingAnswers::backend() {
  using Json = api::ThingBackend::Json;
  const auto ask = [](Worker& worker, std::function<Result<std::string>()> answer,
                      const Json& done) {
    const bool is_taken = worker.post([answer = std::move(answer), done] { done(answer()); });
    if (is_taken) return;
    done(Error{ErrorCode::resource_exhausted, "too many questions at once", "try again later"});
  };
  api::ThingBackend out;
  out.list = [this, ask](api::ThingsQuestion question, const Json& done) {
    ask(
        quick_, [this, question = std::move(question)] { return list(question); }, done);
  };
  out.show = [this, ask](std::string id, const Json& done) {
    ask(
        quick_, [this, id = std::move(id)] { return show(id); }, done);
  };
  out.values = [this, ask](api::ReadingsQuestion question, bool with_stats, const Json& done) {
    ask(
        with_stats ? thorough_ : quick_,
        [this, question = std::move(question), with_stats] { return values(question, with_stats); },
        done);
  };
  out.series = [this, ask](api::ReadingsQuestion question, std::size_t width, const Json& done) {
    ask(
        thorough_,
        [this, question = std::move(question), width] { return series(question, width); }, done);
  };
  out.intervals = [this, ask](api::ReadingsQuestion question, std::string every, std::string zone,
                              const Json& done) {
    ask(
        thorough_,
        [this, question = std::move(question), every = std::move(every), zone = std::move(zone)] {
          return intervals(question, every, zone);
        },
        done);
  };
  out.status = [this, ask](const Json& done) {
    ask(
        quick_, [this] { return rooms_.status_json(); }, done);
  };
  return out;
}

Result<ThingAnswers::Chosen> ThingAnswers::choose(std::string_view of, bool numbers_only,
                                                  std::size_t fields_max) const {
  Chosen chosen;
  for (std::size_t begin = 0; begin <= of.size();) {
    const std::size_t end = std::min(of.find(',', begin), of.size());
    const Selector selector = TRY(parse_selector(of.substr(begin, end - begin)));
    begin = end + 1;
    if (selector.is_relative()) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("'{}' is about the thing of a page", selector.text()),
                   "give the thing's id in place of $thing"};
    }
    const auto& things =
        chosen.things.emplace_back(TRY(rooms_.things.select(selector, fields_max)));
    const bool is_named = selector.field.find('*') == std::string::npos;
    bool is_found = false;
    for (const ThingInfo& thing : things) {
      for (const ThingField& field : fields_of(thing)) {
        if (!selector.matches_field(field.schema().name)) continue;
        is_found = true;
        if (numbers_only && !is_number(field.schema())) {
          if (!is_named) continue;
          return Error{ErrorCode::invalid_argument,
                       fmt::format("'{}' is {}, no number over time", selector.text(),
                                   word_of(field.schema().type)),
                       "ask for its newest value: /api/v1/values"};
        }
        chosen.fields.push_back(field);
      }
    }
    if (!is_found && is_named && !things.empty()) return no_field(selector, things);
    if (chosen.fields.size() > fields_max) {
      return Error{ErrorCode::resource_exhausted,
                   fmt::format("'{}' names more than {} fields", of, fields_max),
                   "name fewer at a time"};
    }
  }
  return chosen;
}

Result<ThingAnswers::Span> ThingAnswers::span_of(const api::ReadingsQuestion& question) const {
  const TimeUs to_us = question.to_us.value_or(rooms_.clock.wall_us() + 1);  // now included
  const TimeUs from_us = question.from_us.value_or(to_us - kDayUs);
  if (-kTimeMax <= from_us && from_us < to_us && to_us <= kTimeMax) return Span{from_us, to_us};
  return Error{ErrorCode::invalid_argument, "from must be before to",
               "both are milliseconds since 1970, or 2026-11-22T10:00:00Z"};
}

// Numbers of a field over time. A table that keeps the latest row only has one, when it came.
Result<void> ThingAnswers::each_point(const ThingField& field, const Span& span,
                                      std::uint64_t& rows_left, const Visit& visit) const {
  const TableSchema& schema = *field.rows->table->schema;
  bool is_too_much = false;
  if (!schema.has_sort_key) {
    rooms_.tables.read_latest(schema.name, field.rows->key, [&](const tables::Change& change) {
      const auto number = tables::number_of(change.cells[field.column]);
      const bool is_within = span.from_us <= change.received_us && change.received_us < span.to_us;
      if (number && is_within) visit({change.received_us, *number});
    });
    return {};
  }
  TRY(rooms_.tables.read_series(schema.name, field.rows->key, span.from_us, span.to_us,
                                [&](const tables::SeriesPiece& piece) {
                                  is_too_much = piece.size() > rows_left;
                                  if (is_too_much) return false;
                                  rows_left -= piece.size();
                                  for (std::size_t row = 0; row < piece.size(); ++row) {
                                    const auto number =
                                        tables::number_of(piece.cell(row, field.column));
                                    if (number) visit({piece.time_us(row), *number});
                                  }
                                  return true;
                                }));
  if (!is_too_much) return {};
  return Error{ErrorCode::resource_exhausted,
               fmt::format("that is more than {} readings", kRowsReadMax),
               "ask for a shorter time, or for fewer fields"};
}

Result<std::string> ThingAnswers::list(const api::ThingsQuestion& question) const {
  ThingFilter filter{question.search, std::nullopt, std::nullopt, question.limit, question.cursor};
  if (!question.type.empty()) filter.type = question.type;
  if (!question.state.empty()) filter.state = thing_state_of(question.state);
  const ThingPage page = rooms_.things.page(filter);
  std::string out = "{\"things\":[";
  for (const ThingInfo& thing : page.things) {
    append_comma(out);
    append_thing(out, thing, rooms_.tables, rooms_.open_alerts(thing.id), false);
  }
  out += ']';
  append_json(append_key(out, "next"), page.next.empty() ? Value::null() : Value::text(page.next));
  append_number(out, "total", page.total);
  append_key(out, "counts") += '{';
  for (std::size_t i = 0; i < kThingStates; ++i) {
    append_number(out, to_string(static_cast<ThingState>(i)), page.counts[i]);
  }
  return out + "}}";
}

Result<std::string> ThingAnswers::show(std::string_view id) const {
  const auto thing = rooms_.things.find(id);
  if (!thing) return rooms_.things.no_such({.thing = std::string(id), .field = "*"});
  std::string out;
  append_thing(out, *thing, rooms_.tables, rooms_.open_alerts(id), true);
  return out;
}

Result<std::string> ThingAnswers::values(const api::ReadingsQuestion& question,
                                         bool with_stats) const {
  const Seq seq = rooms_.tables.applied_seq();
  const Chosen chosen = TRY(choose(question.of, false, with_stats ? kSeriesMax : kValuesMax));
  const Span span = TRY(span_of(question));
  std::uint64_t rows_left = kRowsReadMax;
  std::string out = fmt::format("{{\"seq\":{},\"values\":[", seq);
  for (const ThingField& field : chosen.fields) {
    append_comma(out);
    out += '{';
    append_value(out, field, rooms_.tables, rooms_.stack);
    if (with_stats) {
      tables::Stats stats;
      TRY(each_point(field, span, rows_left, [&](const Point& point) { stats.add(point); }));
      append_stats_member(out, stats);
    }
    out += '}';
  }
  return out + "]}";
}

Result<void> ThingAnswers::draw_series(std::string& out, const ThingField& field, const Span& span,
                                       std::size_t width, std::uint64_t& rows_left) const {
  tables::M4 m4(span.from_us, span.to_us, width);
  tables::Stats stats;
  tables::GapFinder gaps(field.rows->interval_us);
  std::vector<Point> ahead;  // the first points, from which the rhythm is learned
  const auto add = [&](const Point& point) {
    m4.add(point, gaps.is_gap(point.time_us));
    stats.add(point);
  };
  const auto add_ahead = [&] {
    for (const Point& point : ahead) add(point);
    ahead.clear();
  };
  std::size_t count = 0;
  TRY(each_point(field, span, rows_left, [&](const Point& point) {
    if (++count > kRowsAhead) return add(point);
    gaps.hear_ahead(point.time_us);
    ahead.push_back(point);
    if (count == kRowsAhead) add_ahead();
  }));
  add_ahead();
  const std::vector<Point> points = m4.take();
  const TimeUs now_us = std::min(span.to_us, rooms_.clock.wall_us());
  const bool is_current =
      stats.count > 0 && now_us - stats.last.time_us <= silence_of(field.rows->interval_us);
  append_series(
      out, field, points,
      sentence_of({stats, points, span.from_us, span.to_us, is_current}, field.schema(), zone_));
  return {};
}

Result<std::string> ThingAnswers::series(const api::ReadingsQuestion& question,
                                         std::size_t width) const {
  const Seq seq = rooms_.tables.applied_seq();
  const Chosen chosen = TRY(choose(question.of, true, kSeriesMax));
  const Span span = TRY(span_of(question));
  std::uint64_t rows_left = kRowsReadMax;
  std::string out = fmt::format("{{\"seq\":{},\"from\":{},\"to\":{},\"series\":[", seq,
                                ms_of(span.from_us), ms_of(span.to_us));
  for (const ThingField& field : chosen.fields) {
    append_comma(out);
    TRY(draw_series(out, field, span, width, rows_left));
  }
  return out + "]}";
}

Result<std::string> ThingAnswers::intervals(const api::ReadingsQuestion& question,
                                            std::string_view every, std::string_view zone) const {
  const auto wanted = zone.empty() ? zone_ : TimeZone::find(zone);
  if (!wanted) {
    return Error{ErrorCode::invalid_argument, fmt::format("no time zone '{}'", zone),
                 "write a name such as Europe/Rome, or +02:00"};
  }
  const Chosen chosen = TRY(choose(question.of, true, kSeriesMax));
  const Span span = TRY(span_of(question));
  const std::size_t bounds_max = kIntervalsMax / std::max<std::size_t>(1, chosen.fields.size()) + 1;
  const std::vector<TimeUs> bounds =
      TRY(bounds_of(span.from_us, span.to_us, every, *wanted, bounds_max));
  const Span whole{bounds.front(), bounds.back()};
  std::uint64_t rows_left = kRowsReadMax;
  std::string out = "{\"rows\":[";
  for (const ThingField& field : chosen.fields) {
    tables::Buckets buckets(bounds);
    TRY(each_point(field, whole, rows_left, [&](const Point& point) { buckets.add(point); }));
    for (const tables::Bucket& bucket : buckets.take()) {
      append_comma(out);
      append_bucket(out, field, bucket);
    }
  }
  return out + "]}";
}

}  // namespace nilo::app
