// render/chart.h: lines over time as a picture, for mails and links.
//
// In/out:  series, limits and a time zone -> PNG or SVG. The same input gives the same bytes.
// Threads: pure functions; 10 to 40 ms for a mail's picture, so not on an event loop.
// Limits:  kSideMax pixels a side, kSeriesMax series; what is beyond is an error.
// Source:  colours and measures are those of the pages (web/src/styles/tokens.css).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace nilo::render {

inline constexpr int kSideMax = 4096;  // after scaling
inline constexpr std::size_t kSeriesMax = 8;

enum class Theme : std::uint8_t { light, dark };

struct Series {
  std::string name;
  std::vector<TimeUs> times_us;  // ascending
  std::vector<double> values;    // as many; NaN is a gap
};

// A dashed line across with its word: "nearly empty".
struct Limit {
  double at = 0;
  std::string label;
};

struct Chart {
  std::string title{};
  std::string unit{};        // "%"
  std::string zone = "UTC";  // IANA name: the ticks are at this zone's hours and days
  TimeUs from_us = 0;
  TimeUs to_us = 0;
  std::vector<Series> series{};
  std::vector<Limit> limits{};
  std::optional<double> y_min{};  // otherwise what the values and limits need
  std::optional<double> y_max{};
  int width = 640;  // CSS pixels
  int height = 320;
  int scale = 2;  // device pixels for each
  Theme theme = Theme::light;
};

// invalid_argument: no time between from and to, a size or number of series beyond the limits,
// times and values that do not match, an unknown zone.
Result<std::string> chart_png(const Chart& chart);
Result<std::string> chart_svg(const Chart& chart);

}  // namespace nilo::render
