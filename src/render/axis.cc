#include "render/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>

namespace nilo::render {

namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr double kTickWidth = 60;  // pixels a label needs

// Steps within a day, in seconds; of days; of months (12 and more: of years).
constexpr std::array kSecondSteps{kMinute,      2 * kMinute,  5 * kMinute, 10 * kMinute,
                                  15 * kMinute, 30 * kMinute, kHour,       2 * kHour,
                                  3 * kHour,    4 * kHour,    6 * kHour,   12 * kHour};
constexpr std::array<std::int64_t, 4> kDaySteps{1, 2, 7, 14};
constexpr std::array<std::int64_t, 8> kMonthSteps{1, 2, 3, 6, 12, 24, 60, 120};

constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array kWeekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

std::int64_t floor_to(std::int64_t value, std::int64_t step) {
  const std::int64_t rest = value % step;
  return value - (rest < 0 ? rest + step : rest);
}

year_month_day date_of(std::int64_t local_s) {
  return sys_days(days(floor_to(local_s, kDay) / kDay));
}

std::string day_text(std::int64_t local_s) {
  const year_month_day date = date_of(local_s);
  return fmt::format("{} {}", unsigned{date.day()}, kMonths[unsigned{date.month()} - 1]);
}

std::string clock_text(std::int64_t local_s) {
  const std::int64_t of_day = local_s - floor_to(local_s, kDay);
  return fmt::format("{:02}:{:02}", of_day / kHour, of_day % kHour / kMinute);
}

// Collects ticks given as wall times.
class Ticks {
 public:
  Ticks(const TimeZone& zone, TimeUs from_us, TimeUs to_us)
      : zone_(zone), from_us_(from_us), to_us_(to_us) {}

  void add(std::int64_t local_s, std::string label, bool is_major) {
    const std::int64_t utc_s = zone_.utc_of(local_s);
    const TimeUs at_us = utc_s * 1'000'000;
    const bool exists = utc_s + zone_.at(utc_s).offset_s == local_s;
    if (!exists || at_us < from_us_ || at_us > to_us_) return;
    ticks_.push_back({at_us, std::move(label), is_major});
  }
  std::vector<TimeTick> take() { return std::move(ticks_); }
  bool is_empty() const { return ticks_.empty(); }

 private:
  const TimeZone& zone_;
  const TimeUs from_us_;
  const TimeUs to_us_;
  std::vector<TimeTick> ticks_;
};

void add_hours(Ticks& ticks, std::int64_t from_s, std::int64_t to_s, std::int64_t step) {
  for (std::int64_t at = floor_to(from_s, step); at <= to_s; at += step) {
    const bool is_midnight = floor_to(at, kDay) == at;
    if (is_midnight) {
      const std::chrono::weekday weekday(sys_days(date_of(at)));
      ticks.add(at, fmt::format("{} {}", kWeekdays[weekday.c_encoding()], day_text(at)), true);
      continue;
    }
    // The day is named once even if no midnight is in sight.
    const std::string date = ticks.is_empty() ? day_text(at) + " " : "";
    ticks.add(at, date + clock_text(at), false);
  }
}

void add_days(Ticks& ticks, std::int64_t from_s, std::int64_t to_s, std::int64_t step) {
  // 1970 began on a Thursday; steps of weeks are to be on Mondays.
  const std::int64_t shift = step % 7 == 0 ? 4 * kDay : 0;
  std::int64_t at = floor_to(from_s - shift, step * kDay) + shift;
  for (; at <= to_s; at += step * kDay) {
    ticks.add(at, day_text(at), date_of(at).day() == std::chrono::day(1));
  }
}

// 0 is January.
int month_index(const year_month_day& date) { return static_cast<int>(unsigned{date.month()}) - 1; }

void add_months(Ticks& ticks, std::int64_t from_s, std::int64_t to_s, std::int64_t step) {
  const year_month_day first = date_of(from_s);
  std::int64_t month = floor_to(int{first.year()} * 12 + month_index(first), step);
  for (;; month += step) {
    const auto index = static_cast<unsigned>(month % 12);
    const year_month_day date(std::chrono::year(static_cast<int>(month / 12)),
                              std::chrono::month(index + 1), std::chrono::day(1));
    const std::int64_t at = sys_days(date).time_since_epoch().count() * kDay;
    if (at > to_s) return;
    const bool is_year = index == 0;
    ticks.add(at, is_year ? fmt::format("{}", int{date.year()}) : kMonths[index], is_year);
  }
}

}  // namespace

std::vector<double> ValueAxis::ticks() const {
  std::vector<double> out;
  const auto count = static_cast<int>(std::lround((high - low) / step));
  for (int i = 0; i <= count; ++i) out.push_back(low + i * step);
  return out;
}

ValueAxis value_axis(double low, double high, int count) {
  if (low == high) {  // a line of its own needs room on both sides
    const double room = low == 0 ? 1 : std::abs(low) * 0.1;
    low -= room;
    high += room;
  }
  const double rough = (high - low) / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= rough) step = factor * power;
  }
  ValueAxis axis;
  axis.step = step;
  axis.low = std::floor(low / step) * step;
  axis.high = std::ceil(high / step) * step;
  axis.decimals = std::clamp(static_cast<int>(-std::floor(std::log10(step) + 1e-9)), 0, 12);
  return axis;
}

std::vector<TimeTick> time_ticks(const TimeZone& zone, TimeUs from_us, TimeUs to_us, double width) {
  const auto local = [&](TimeUs us) {
    const std::int64_t utc_s = floor_to(us, 1'000'000) / 1'000'000;
    return utc_s + zone.at(utc_s).offset_s;
  };
  // A day's margin: a clock change between the two moves what is in sight.
  const std::int64_t from_s = local(from_us) - kDay;
  const std::int64_t to_s = local(to_us) + kDay;
  const double count = std::max(width / kTickWidth, 1.0);
  const double span_s = static_cast<double>(to_us - from_us) / 1e6;
  const auto fits = [&](std::int64_t seconds) {
    return span_s / static_cast<double>(seconds) <= count;
  };
  Ticks ticks(zone, from_us, to_us);
  for (const std::int64_t step : kSecondSteps) {
    if (!fits(step)) continue;
    add_hours(ticks, from_s, to_s, step);
    return ticks.take();
  }
  for (const std::int64_t step : kDaySteps) {
    if (!fits(step * kDay)) continue;
    add_days(ticks, from_s, to_s, step);
    return ticks.take();
  }
  for (const std::int64_t step : kMonthSteps) {
    if (!fits(step * 30 * kDay) && step != kMonthSteps.back()) continue;
    add_months(ticks, from_s, to_s, step);
    return ticks.take();
  }
  return ticks.take();
}

std::string number_text(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (!text.starts_with('-')) return text;
  const bool is_zero = text.find_first_of("123456789") == std::string::npos;
  return (is_zero ? "" : "\u2212") + text.substr(1);
}

}  // namespace nilo::render
