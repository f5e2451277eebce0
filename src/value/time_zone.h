// value/time_zone.h: what a clock on the wall shows somewhere, and where its days begin; the fence
// around date/tz.
//
// A day begins at its midnight, or, where daylight saving skips midnight, with the first moment
// there is; so days have 23, 24, 25 hours, or another number. Every moment is in exactly one day:
//   midnight(t) <= t < next_midnight(t), and next_midnight(t) is the midnight of its own day.
// Weeks begin on Monday (ISO 8601). Hours begin where the minutes are 0, and where the clock is
// changed: an hour in which it is changed by half an hour is shorter.
//
// Zones come from the system's tz database (/usr/share/zoneinfo).
// Threads: values; lookups are safe to share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

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

  // The beginning of the day, week or hour that `us` is in, and of the one after it.
  TimeUs midnight(TimeUs us) const;
  TimeUs next_midnight(TimeUs us) const;
  TimeUs week(TimeUs us) const;
  TimeUs next_week(TimeUs us) const;
  TimeUs hour(TimeUs us) const;
  TimeUs next_hour(TimeUs us) const;

  const std::string& name() const { return name_; }

 private:
  struct Period {  // in which the offset is the same
    std::int64_t begin_s;
    std::int64_t end_s;
    std::int64_t offset_s;
  };
  Period period_of(std::int64_t utc_s) const;
  std::int64_t day_of(std::int64_t utc_s) const;
  std::int64_t begin_of_day(std::int64_t day) const;

  std::string name_;
  const void* zone_ = nullptr;  // date::time_zone; nullptr: offset_s_
  std::int64_t offset_s_ = 0;
};

// "+02:00" (separated) or "+0200".
std::string offset_text(std::int64_t offset_s, bool separated);

}  // namespace nilo
