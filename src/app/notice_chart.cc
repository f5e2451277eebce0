#include "app/notice_chart.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "app/series_sentence.h"
#include "base/time_units.h"
#include "render/chart.h"
#include "tables/series.h"

namespace nilo::app {

namespace {

constexpr std::int64_t kSpanMaxUs = 7 * 24 * kHourUs;
// A thing that has only just begun is not a dot at the right edge of an empty week.
constexpr std::int64_t kSpanMinUs = kHourUs;

struct Line {
  std::vector<tables::Point> points;
  tables::Stats stats;
};

Result<Line> read_line(const ThingField& field, const tables::Tables& tables, TimeUs from_us,
                       TimeUs to_us, std::size_t width) {
  tables::M4 m4(from_us, to_us, width);
  tables::GapFinder gaps(field.rows->interval_us);
  Line line;
  const auto take = [&](const tables::SeriesPiece& piece) {
    for (std::size_t row = 0; row < piece.size(); ++row) {
      const auto number = tables::number_of(piece.cell(row, field.column));
      if (!number) continue;
      const tables::Point point{piece.time_us(row), *number};
      m4.add(point, gaps.is_gap(point.time_us));
      line.stats.add(point);
    }
    return true;
  };
  TRY(tables.read_series(field.rows->table->schema->name, field.rows->key, from_us, to_us, take));
  line.points = m4.take();
  return line;
}

std::vector<render::Limit> limits_of(const Notice& notice, const stack::Stack& stack) {
  const auto alert =
      std::find_if(stack.alerts.begin(), stack.alerts.end(),
                   [&](const stack::Alert& each) { return each.name == notice.alert; });
  std::vector<render::Limit> limits;
  if (alert == stack.alerts.end()) return limits;
  if (alert->low) limits.push_back({*alert->low, "low"});
  if (alert->high) limits.push_back({*alert->high, "high"});
  return limits;
}

}  // namespace

Result<NoticeChart> draw_notice(const Notice& notice, const Things& things,
                                const tables::Tables& tables, const stack::Stack& stack) {
  const Error nothing{ErrorCode::not_found, "there is nothing to draw for this notice", ""};
  const auto thing = things.find(notice.thing);
  if (!thing) return nothing;
  const std::vector<ThingField> fields = fields_of(*thing);
  const auto field = std::find_if(fields.begin(), fields.end(), [&](const ThingField& each) {
    return each.schema().name == notice.field;
  });
  if (field == fields.end()) return nothing;

  render::Chart chart;
  chart.title = notice.thing_name.empty() ? notice.thing : notice.thing_name;
  chart.unit = field->schema().unit;
  chart.zone = stack.site.zone;
  chart.to_us = notice.created_us;
  chart.from_us = notice.created_us - kSpanMaxUs;
  chart.limits = limits_of(notice, stack);
  // To the end of the last millisecond, so that the reading that caused it is in.
  const TimeUs end_us = chart.to_us + 1000;
  const auto width = static_cast<std::size_t>(chart.width) * static_cast<std::size_t>(chart.scale);
  Line line = TRY(read_line(*field, tables, chart.from_us, end_us, width));
  if (line.stats.count == 0) return nothing;
  const TimeUs first_us = std::min(line.stats.first.time_us, chart.to_us - kSpanMinUs);
  if (first_us > chart.from_us) {
    chart.from_us = first_us;
    line = TRY(read_line(*field, tables, chart.from_us, end_us, width));
  }
  render::Series& series = chart.series.emplace_back();
  for (const tables::Point& point : line.points) {
    series.times_us.push_back(point.time_us);
    series.values.push_back(point.value);
  }
  const auto zone = TimeZone::find(chart.zone).value_or(*TimeZone::find("UTC"));
  NoticeChart out;
  out.png = TRY(render::chart_png(chart));
  out.sentence = chart.title + ": " +
                 sentence_of({line.stats, line.points, chart.from_us, chart.to_us, true},
                             field->schema(), zone);
  return out;
}

}  // namespace nilo::app
