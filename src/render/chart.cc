// How a chart is laid out: the title on top, the numbers of the value axis to the left, the word of
// each limit and the name of each line to the right of where they end, the times below. Everything
// is measured before it is drawn, so that nothing runs out of the picture.
#include "render/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "render/axis.h"
#include "render/canvas.h"

namespace nilo::render {

namespace {

struct Palette {
  Colour paper;
  Colour ink;
  Colour label;
  Colour grid;
  Colour limit;
  std::array<std::uint32_t, kSeriesMax> series;
};

constexpr Palette kLight = {
    {0xffffff}, {0x1b2733},
    {0x4a5866}, {0xece8de},
    {0xa3262a}, {0x12647a, 0xe3761b, 0x713442, 0xa877ad, 0x5a998c, 0x664fbc, 0x916b2f, 0x514719}};
constexpr Palette kDark = {
    {0x18212a}, {0xe9e6df},
    {0xb3bcc4}, {0x222d37},
    {0xf08a86}, {0x8db2b8, 0xd17e42, 0x9a6f77, 0x9c7ac5, 0x71ecca, 0xc4bdfe, 0xf0c963, 0xabaa8b}};

constexpr double kMargin = 16;
constexpr double kLabelSize = 13;
constexpr double kTitleSize = 16;
constexpr double kLineHeight = 18;

struct Range {
  double low = INFINITY;
  double high = -INFINITY;
  void add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

Result<void> check(const Chart& chart) {
  const auto refuse = [](std::string why) -> Result<void> {
    return Error{ErrorCode::invalid_argument, std::move(why), ""};
  };
  if (chart.to_us <= chart.from_us) return refuse("a chart needs a time between from and to");
  if (chart.scale < 1 || chart.width < 100 || chart.height < 80 ||
      chart.width > kSideMax / chart.scale || chart.height > kSideMax / chart.scale) {
    return refuse(fmt::format("a chart is 100 x 80 to {0} x {0} pixels, not {1} x {2} (times {3})",
                              kSideMax, chart.width, chart.height, chart.scale));
  }
  if (chart.series.size() > kSeriesMax) {
    return refuse(fmt::format("a chart has at most {} series", kSeriesMax));
  }
  for (const Series& series : chart.series) {
    if (series.times_us.size() == series.values.size()) continue;
    return refuse("series `" + series.name + "` has not one time for each value");
  }
  return {};
}

ValueAxis axis_of(const Chart& chart) {
  Range range;
  for (const Series& series : chart.series) {
    for (const double value : series.values) range.add(value);
  }
  for (const Limit& limit : chart.limits) range.add(limit.at);
  if (chart.y_min) range.low = std::min(range.low, *chart.y_min);
  if (chart.y_max) range.high = std::max(range.high, *chart.y_max);
  if (range.low > range.high) range = {0, 1};
  return value_axis(range.low, range.high, std::clamp(chart.height / 60, 2, 8));
}

class Drawing {
 public:
  Drawing(const Chart& chart, const TimeZone& zone, Canvas& canvas)
      : chart_(chart),
        zone_(zone),
        canvas_(canvas),
        palette_(chart.theme == Theme::light ? kLight : kDark),
        axis_(axis_of(chart)) {
    double numbers = 0;
    for (const double tick : axis_.ticks()) {
      numbers = std::max(numbers, canvas_.text_width(tick_text(tick), label()));
    }
    double names = 0;
    for (const Limit& limit : chart.limits) {
      names = std::max(names, canvas_.text_width(limit.label, label()));
    }
    for (const Series& series : chart.series) {
      names = std::max(names, canvas_.text_width(series.name, label()));
    }
    left_ = kMargin + numbers + 8;
    right_ = chart.width - kMargin - std::min(names + (names > 0 ? 8 : 0), chart.width * 0.3);
    top_ = kMargin + (chart.title.empty() ? 0 : kTitleSize + 12);
    bottom_ = chart.height - kMargin - kLineHeight;
  }

  void draw() {
    canvas_.fill({0, 0}, {double(chart_.width), double(chart_.height)}, palette_.paper);
    if (!chart_.title.empty()) {
      canvas_.text({kMargin, kMargin + kTitleSize * 0.8}, chart_.title,
                   {palette_.ink, kTitleSize, 650});
    }
    draw_values();
    draw_times();
    draw_limits();
    canvas_.clip({left_, top_ - 4}, {right_ + 4, bottom_ + 4});
    for (std::size_t i = 0; i < chart_.series.size(); ++i) draw_series(i);
    canvas_.unclip();
    draw_names();
  }

 private:
  TextStyle label(Align align = Align::left) const {
    return {palette_.label, kLabelSize, 400, align};
  }
  std::string tick_text(double tick) const {
    const bool is_top = tick + axis_.step / 2 > axis_.high;
    return number_text(tick, axis_.decimals) +
           (is_top && !chart_.unit.empty() ? "\u2009" + chart_.unit : "");
  }
  double x_of(TimeUs at_us) const {
    const auto part = static_cast<double>(at_us - chart_.from_us) /
                      static_cast<double>(chart_.to_us - chart_.from_us);
    return left_ + part * (right_ - left_);
  }
  double y_of(double value) const {
    return bottom_ - (value - axis_.low) / (axis_.high - axis_.low) * (bottom_ - top_);
  }

  void draw_values() {
    for (const double tick : axis_.ticks()) {
      const double y = std::round(y_of(tick)) + 0.5;
      canvas_.line(std::array{Point{left_, y}, Point{right_, y}}, {palette_.grid});
      canvas_.text({left_ - 8, y + kLabelSize * 0.33}, tick_text(tick), label(Align::right));
    }
  }

  void draw_times() {
    double free_from = 0;  // labels that would run into the one before are left out
    for (const TimeTick& tick : time_ticks(zone_, chart_.from_us, chart_.to_us, right_ - left_)) {
      const double x = std::round(x_of(tick.at_us)) + 0.5;
      canvas_.line(std::array{Point{x, bottom_}, Point{x, bottom_ + (tick.is_major ? 8 : 4)}},
                   {palette_.label});
      const TextStyle style{tick.is_major ? palette_.ink : palette_.label, kLabelSize,
                            tick.is_major ? 620.0 : 400.0};
      const double width = canvas_.text_width(tick.label, style);
      const double at = std::clamp(x - width / 2, 4.0, chart_.width - width - 4);
      if (at < free_from) continue;
      free_from = at + width + 6;
      canvas_.text({at, bottom_ + kLineHeight + 4}, tick.label, style);
    }
  }

  void draw_limits() {
    for (const Limit& limit : chart_.limits) {
      const double y = y_of(limit.at);
      canvas_.line(std::array{Point{left_, y}, Point{right_, y}}, {palette_.limit, 1, 4});
    }
  }

  // Gaps stay gaps; a reading alone between two gaps is a dot.
  void draw_series(std::size_t index) {
    const Series& series = chart_.series[index];
    const Colour colour{palette_.series[index]};
    std::vector<Point> run;
    const auto end_run = [&] {
      if (run.size() == 1) canvas_.dot(run[0], 2, colour);
      if (run.size() > 1) canvas_.line(run, {colour, 2});
      run.clear();
    };
    for (std::size_t i = 0; i < series.values.size(); ++i) {
      if (!std::isfinite(series.values[i])) {
        end_run();
        continue;
      }
      run.push_back({x_of(series.times_us[i]), y_of(series.values[i])});
    }
    end_run();
  }

  // Words to the right, at the height of what they name, moved apart where they would overlap.
  void draw_names() {
    struct Name {
      double y;
      std::string_view text;
      TextStyle style;
    };
    std::vector<Name> names;
    for (const Limit& limit : chart_.limits) {
      TextStyle style = label();
      style.colour = palette_.limit;
      names.push_back({y_of(limit.at), limit.label, style});
    }
    for (std::size_t i = 0; i < chart_.series.size(); ++i) {
      const Series& series = chart_.series[i];
      const auto last = std::find_if(series.values.rbegin(), series.values.rend(),
                                     [](double value) { return std::isfinite(value); });
      if (last == series.values.rend()) continue;
      names.push_back({y_of(*last), series.name, {{palette_.series[i]}, kLabelSize, 620}});
    }
    std::sort(names.begin(), names.end(), [](const Name& a, const Name& b) { return a.y < b.y; });
    double free_from = top_;
    for (Name& name : names) {
      name.y = std::max(name.y, free_from);
      free_from = name.y + kLabelSize + 2;
    }
    double free_to = bottom_;
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
      name->y = std::min(name->y, free_to);
      free_to = name->y - kLabelSize - 2;
    }
    canvas_.clip({right_, 0}, {double(chart_.width), double(chart_.height)});
    for (const Name& name : names) {
      canvas_.text({right_ + 8, name.y + kLabelSize * 0.33}, name.text, name.style);
    }
    canvas_.unclip();
  }

  const Chart& chart_;
  const TimeZone& zone_;
  Canvas& canvas_;
  const Palette& palette_;
  const ValueAxis axis_;
  double left_ = 0;
  double right_ = 0;
  double top_ = 0;
  double bottom_ = 0;
};

Result<std::string> draw(const Chart& chart, Canvas::Format format) {
  TRY(check(chart));
  const auto zone = TimeZone::find(chart.zone);
  if (!zone) {
    return Error{ErrorCode::invalid_argument, "no time zone `" + chart.zone + "`", ""};
  }
  const auto canvas = TRY(Canvas::make(format, chart.width, chart.height, chart.scale));
  Drawing(chart, *zone, *canvas).draw();
  return canvas->finish();
}

}  // namespace

Result<std::string> chart_png(const Chart& chart) { return draw(chart, Canvas::Format::png); }
Result<std::string> chart_svg(const Chart& chart) { return draw(chart, Canvas::Format::svg); }

}  // namespace nilo::render
