// app/series_sentence.h: what a chart says to those who do not see it.
//
//   15.7 to 88.8 %, highest Tue 14:05, now 15.7, falling
//
// Threads: a pure function.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "tables/series.h"
#include "value/schema.h"
#include "value/time_zone.h"

namespace nilo::app {

struct SeriesFacts {
  const tables::Stats& stats;
  std::span<const tables::Point> points;  // of the line, for its direction
  TimeUs from_us;
  TimeUs to_us;
  bool is_current;  // the last point is what holds now
};

// One decimal, unless everything happens within 1; the hour of the day, with the day where the
// chart shows more than one, or with the date where it shows more than a week.
std::string sentence_of(const SeriesFacts& facts, const Column& column, const TimeZone& zone);

}  // namespace nilo::app
