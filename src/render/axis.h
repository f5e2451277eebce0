// render/axis.h: where an axis has its marks, and what stands beside them.
//
// Threads: pure functions.
// Source:  the ladder of steps is that of the pages (web/src/time/zone.ts), so that picture and
//          page agree.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "value/time_zone.h"

namespace nilo::render {

struct ValueAxis {
  double low = 0;  // both are ticks
  double high = 1;
  double step = 1;
  int decimals = 0;  // that tell the ticks apart

  std::vector<double> ticks() const;
};

// The axis that holds `low` to `high` with at most about `count` steps of 1, 2 or 5 times a power
// of ten.
ValueAxis value_axis(double low, double high, int count);

struct TimeTick {
  TimeUs at_us = 0;
  std::string label;
  bool is_major = false;  // a day begins, or for long spans a year
};

// Marks from `from_us` to `to_us` on an axis of `width` pixels, at whole local wall times: times
// that a clock change skips have none, an hour that it repeats has one. The first names its date.
std::vector<TimeTick> time_ticks(const TimeZone& zone, TimeUs from_us, TimeUs to_us, double width);

// "15.7", "−3": with a true minus.
std::string number_text(double value, int decimals);

}  // namespace nilo::render
