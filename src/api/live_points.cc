#include "api/live_points.h"

#include <fmt/format.h>

#include "value/value.h"

namespace nilo::api {
namespace {

void append_value(std::string& out, const LivePoint& point) {
  switch (point.kind) {
    case LivePoint::Kind::null:
    case LivePoint::Kind::invalid:
      out += "null";
      return;
    case LivePoint::Kind::number:
      return append_json(out, Value::float64(point.number));
    case LivePoint::Kind::boolean:
      out += point.number != 0 ? "true" : "false";
      return;
    case LivePoint::Kind::text:
      return append_json_string(out, point.text);
  }
}

bool is_invalid(const LivePoint& point) { return point.kind == LivePoint::Kind::invalid; }

}  // namespace

void MergedPoints::add(LivePoint point) {
  points_.push_back(std::move(point));
  if (points_.size() <= kPointsMax) return;
  // First, lowest, highest and last are at most four, so one of the five between first and last
  // stands for nothing.
  std::size_t lowest = 0;
  std::size_t highest = 0;
  const auto is_number = [this](std::size_t i) {
    return points_[i].kind == LivePoint::Kind::number;
  };
  for (std::size_t i = 0; i < points_.size(); ++i) {
    if (!is_number(i)) continue;
    if (!is_number(lowest) || points_[i].number < points_[lowest].number) lowest = i;
    if (!is_number(highest) || points_[i].number > points_[highest].number) highest = i;
  }
  std::size_t drop = 1;
  while (drop == lowest || drop == highest) ++drop;
  points_.erase(points_.begin() + static_cast<std::ptrdiff_t>(drop));
}

void append_values(std::string& out, std::string_view json_of, const std::vector<LivePoint>& points,
                   bool was_invalid) {
  out.append("{\"of\":").append(json_of).append(",\"t\":[");
  for (const LivePoint& point : points) {
    fmt::format_to(std::back_inserter(out), "{},", point.time_ms);
  }
  out.back() = ']';
  out += ",\"v\":[";
  for (const LivePoint& point : points) {
    append_value(out, point);
    out += ',';
  }
  out.back() = ']';
  if (is_invalid(points.back())) {
    out += ",\"state\":\"invalid\"";
  } else if (was_invalid || std::any_of(points.begin(), points.end(), is_invalid)) {
    out += ",\"state\":\"ok\"";
  }
  out += '}';
}

}  // namespace nilo::api
