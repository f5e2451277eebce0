#include "app/series_sentence.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/time_units.h"

namespace nilo::app {

namespace {

using tables::Point;

constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
// Where the line was so much of the shown time before its end is where it comes from.
constexpr TimeUs kTrendPart = 8;
// Of the span between lowest and highest: less is no direction.
constexpr double kSteadyPart = 0.05;

std::string when(TimeUs us, TimeUs shown_us, const TimeZone& zone) {
  using std::chrono::floor;
  const auto utc = floor<std::chrono::seconds>(
      std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(us)));
  const auto local = utc + std::chrono::seconds(zone.at(utc.time_since_epoch().count()).offset_s);
  const auto day = floor<std::chrono::days>(local);
  const std::chrono::hh_mm_ss clock(local - day);
  std::string time = fmt::format("{:02}:{:02}", clock.hours().count(), clock.minutes().count());
  if (shown_us <= kDayUs) return time;
  if (shown_us <= 7 * kDayUs) {
    return fmt::format("{} {}", kDays[std::chrono::weekday(day).c_encoding()], time);
  }
  const std::chrono::year_month_day date(day);
  return fmt::format("{} {} {}", static_cast<unsigned>(date.day()),
                     kMonths[static_cast<unsigned>(date.month()) - 1], time);
}

// Numbers as this line needs them.
class Numbers {
 public:
  Numbers(const Column& column, double span)
      : decimals_(column.decimals >= 0 && span >= 1 ? std::min(column.decimals, 1)
                                                    : column.decimals) {}
  std::string text(double number) const {
    return decimals_ >= 0 ? fmt::format("{:.{}f}", number, decimals_)
                          : fmt::format("{:.4g}", number);
  }

 private:
  const int decimals_;  // -1: four digits
};

std::string_view direction(const SeriesFacts& facts) {
  const Point& last = facts.stats.last;
  const TimeUs then_us = last.time_us - (facts.to_us - facts.from_us) / kTrendPart;
  double then = facts.stats.first.value;
  for (const Point& point : facts.points) {
    if (point.time_us > then_us) break;
    if (!std::isnan(point.value)) then = point.value;
  }
  const double least = kSteadyPart * (facts.stats.max.value - facts.stats.min.value);
  if (std::abs(last.value - then) <= least) return "steady";
  return last.value > then ? "rising" : "falling";
}

}  // namespace

std::string sentence_of(const SeriesFacts& facts, const Column& column, const TimeZone& zone) {
  const tables::Stats& stats = facts.stats;
  if (stats.count == 0) return "no readings";
  const TimeUs shown_us = facts.to_us - facts.from_us;
  const Numbers numbers(column, stats.max.value - stats.min.value);
  const std::string unit = column.unit.empty() ? "" : " " + column.unit;
  const std::string last = numbers.text(stats.last.value);
  const std::string last_when = when(stats.last.time_us, shown_us, zone);
  if (stats.count == 1) return fmt::format("one reading, {}{} at {}", last, unit, last_when);
  const std::string end =
      facts.is_current ? "now " + last : fmt::format("last {} at {}", last, last_when);
  const std::string low = numbers.text(stats.min.value);
  const std::string high = numbers.text(stats.max.value);
  if (low == high) return fmt::format("{}{} throughout, {}", low, unit, end);
  return fmt::format("{} to {}{}, highest {}, {}, {}", low, high, unit,
                     when(stats.max.time_us, shown_us, zone), end, direction(facts));
}

}  // namespace nilo::app
