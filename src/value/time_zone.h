// value/time_zone.h: what a clock on the wall shows somewhere; the fence around date/tz.
//
// Zones come from the system's tz database (/usr/share/zoneinfo).
// Threads: values; lookups are safe to share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nilo {

class TimeZone {
 public:
  struct Moment {
    std::int64_t offset_s;     // east of UTC
    std::string abbreviation;  // "CET", or the offset
  };

  // "UTC", "Europe/Prague", "+02:00", "+0200", "-03". Nothing: no such zone.
  static std::optional<TimeZone> find(std::string_view name);

  // Seconds since 1970 UTC.
  Moment at(std::int64_t utc_s) const;
  // The moment a wall clock shows `local_s` (seconds since 1970 as if UTC): the earlier one of two,
  // or, for a time that daylight saving skips, as long after the gap began.
  std::int64_t utc_of(std::int64_t local_s) const;
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  const void* zone_ = nullptr;  // date::time_zone; nullptr: offset_s_
  std::int64_t offset_s_ = 0;
};

// "+02:00" (separated) or "+0200".
std::string offset_text(std::int64_t offset_s, bool separated);

}  // namespace nilo
