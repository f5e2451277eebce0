#include "value/time_zone.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <limits>

#include "base/time_units.h"

namespace nilo {

namespace {

constexpr std::int64_t kHourS = 3600;
constexpr std::int64_t kDayS = 24 * kHourS;

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

std::int64_t two_digits(std::string_view text) { return (text[0] - '0') * 10 + (text[1] - '0'); }

// "+hh", "+hhmm", "+hh:mm" -> seconds.
std::optional<std::int64_t> fixed_offset(std::string_view text) {
  if (text.size() < 3 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const std::int64_t sign = text[0] == '-' ? -1 : 1;
  std::string digits(text.substr(1));
  if (digits.size() == 5 && digits[2] == ':') digits.erase(2, 1);
  const bool good =
      (digits.size() == 2 || digits.size() == 4) &&
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!good) return std::nullopt;
  const std::int64_t hours = two_digits(digits);
  const std::int64_t minutes = digits.size() == 4 ? two_digits(digits.substr(2)) : 0;
  if (hours > 18 || minutes > 59) return std::nullopt;
  return sign * (hours * 3600 + minutes * 60);
}

const date::time_zone* as_zone(const void* zone) {
  return static_cast<const date::time_zone*>(zone);
}

}  // namespace

std::string offset_text(std::int64_t offset_s, bool separated) {
  const std::int64_t minutes = (offset_s < 0 ? -offset_s : offset_s) / 60;
  return fmt::format("{}{:02}{}{:02}", offset_s < 0 ? '-' : '+', minutes / 60, separated ? ":" : "",
                     minutes % 60);
}

std::optional<TimeZone> TimeZone::find(std::string_view name) {
  TimeZone out;
  out.name_ = name;
  if (name == "UTC" || name == "GMT" || name == "Z") return out;
  if (const auto offset = fixed_offset(name)) {
    out.offset_s_ = *offset;
    return out;
  }
  try {
    out.zone_ = date::locate_zone(name);
    out.at(0);  // reads the zone's file now, where a damaged one can be refused
  } catch (const std::exception&) {
    return std::nullopt;
  }
  return out;
}

TimeZone::Moment TimeZone::at(std::int64_t utc_s) const {
  if (zone_ == nullptr) {
    const bool is_named = !name_.empty() && name_[0] != '+' && name_[0] != '-';
    return {offset_s_, is_named ? name_ : offset_text(offset_s_, true)};
  }
  const auto info = as_zone(zone_)->get_info(date::sys_seconds(std::chrono::seconds(utc_s)));
  return {info.offset.count(), info.abbrev};
}

std::int64_t TimeZone::utc_of(std::int64_t local_s) const {
  if (zone_ == nullptr) return local_s - offset_s_;
  const auto info = as_zone(zone_)->get_info(date::local_seconds(std::chrono::seconds(local_s)));
  return local_s - info.first.offset.count();
}

TimeZone::Period TimeZone::period_of(std::int64_t utc_s) const {
  if (zone_ == nullptr) {
    using Limits = std::numeric_limits<std::int64_t>;
    return {Limits::min(), Limits::max(), offset_s_};
  }
  const auto info = as_zone(zone_)->get_info(date::sys_seconds(std::chrono::seconds(utc_s)));
  return {info.begin.time_since_epoch().count(), info.end.time_since_epoch().count(),
          info.offset.count()};
}

std::int64_t TimeZone::begin_of_day(std::int64_t day) const { return utc_of(day * kDayS); }

// The day on the calendar, in days since 1970. Where the clock is set back over midnight, that
// midnight is there twice, and the day begins with the earlier one.
std::int64_t TimeZone::day_of(std::int64_t utc_s) const {
  std::int64_t day = floor_div(utc_s + period_of(utc_s).offset_s, kDayS);
  while (begin_of_day(day) > utc_s) --day;
  while (begin_of_day(day + 1) <= utc_s) ++day;
  return day;
}

TimeUs TimeZone::midnight(TimeUs us) const {
  return begin_of_day(day_of(floor_div(us, kSecondUs))) * kSecondUs;
}

TimeUs TimeZone::next_midnight(TimeUs us) const {
  return begin_of_day(day_of(floor_div(us, kSecondUs)) + 1) * kSecondUs;
}

// 1970-01-01 was a Thursday, three days after a Monday.
TimeUs TimeZone::week(TimeUs us) const {
  const std::int64_t day = day_of(floor_div(us, kSecondUs));
  return begin_of_day(floor_div(day + 3, 7) * 7 - 3) * kSecondUs;
}

TimeUs TimeZone::next_week(TimeUs us) const {
  const std::int64_t day = day_of(floor_div(us, kSecondUs));
  return begin_of_day(floor_div(day + 3, 7) * 7 + 4) * kSecondUs;
}

TimeUs TimeZone::hour(TimeUs us) const {
  const std::int64_t utc_s = floor_div(us, kSecondUs);
  const Period period = period_of(utc_s);
  const std::int64_t local_s = utc_s + period.offset_s;
  const std::int64_t begin_s = floor_div(local_s, kHourS) * kHourS - period.offset_s;
  return std::max(begin_s, period.begin_s) * kSecondUs;
}

TimeUs TimeZone::next_hour(TimeUs us) const {
  const std::int64_t utc_s = floor_div(us, kSecondUs);
  const Period period = period_of(utc_s);
  const std::int64_t local_s = utc_s + period.offset_s;
  const std::int64_t end_s = (floor_div(local_s, kHourS) + 1) * kHourS - period.offset_s;
  return std::min(end_s, period.end_s) * kSecondUs;
}

}  // namespace nilo
