#include "value/time_zone.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <exception>

namespace nilo {

namespace {

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

}  // namespace nilo
