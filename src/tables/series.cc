#include "tables/series.h"

#include <algorithm>
#include <cmath>

namespace nilo::tables {

std::optional<double> number_of(const Value& cell) {
  switch (cell.type()) {
    case Type::int64:
      return static_cast<double>(cell.as_int64());
    case Type::boolean:
      return cell.as_boolean() ? 1 : 0;
    case Type::float64:
      if (std::isfinite(cell.as_float64())) return cell.as_float64();
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

bool GapFinder::is_gap(TimeUs time_us) {
  rhythm_.hear(time_us);
  const auto last_us = std::exchange(last_us_, time_us);
  if (!last_us) return false;
  auto interval_us = rhythm_.interval_us();
  if (!interval_us) interval_us = ahead_.interval_us();
  if (!interval_us) interval_us = known_us_;
  return time_us - *last_us > silence_of(interval_us);
}

M4::M4(TimeUs from_us, TimeUs to_us, std::size_t width)
    : from_us_(from_us), to_us_(to_us), width_(width) {
  NILO_ASSERT(from_us < to_us);
  NILO_ASSERT(width >= 1);
}

std::size_t M4::column_of(TimeUs us) const {
  const double part = static_cast<double>(us - from_us_) / static_cast<double>(to_us_ - from_us_);
  const double column = std::floor(part * static_cast<double>(width_));
  return static_cast<std::size_t>(std::clamp(column, 0.0, static_cast<double>(width_ - 1)));
}

void M4::add(const Point& point, bool after_gap) {
  const std::size_t column = column_of(point.time_us);
  if (has_column_ && column == column_) {
    if (point.value < min_.value) min_ = point;
    if (point.value > max_.value) max_ = point;
    last_ = point;
    return;
  }
  end_column();
  if (after_gap && !points_.empty()) {
    const TimeUs middle_us = last_.time_us + (point.time_us - last_.time_us) / 2;
    points_.push_back({middle_us, std::numeric_limits<double>::quiet_NaN()});
  }
  column_ = column;
  has_column_ = true;
  first_ = min_ = max_ = last_ = point;
}

void M4::end_column() {
  if (!has_column_) return;
  has_column_ = false;
  const bool is_min_first = min_.time_us < max_.time_us;
  for (const Point& point :
       {first_, is_min_first ? min_ : max_, is_min_first ? max_ : min_, last_}) {
    const bool is_new = points_.empty() || points_.back().time_us < point.time_us;
    if (is_new) points_.push_back(point);
  }
}

std::vector<Point> M4::take() {
  end_column();
  return std::move(points_);
}

void Stats::add(const Point& point) {
  ++count;
  const double distance = point.value - mean;
  mean += distance / static_cast<double>(count);
  squares += distance * (point.value - mean);
  if (count == 1) first = min = max = point;
  if (point.value < min.value) min = point;
  if (point.value > max.value) max = point;
  last = point;
}

std::optional<double> Stats::sd() const {
  if (count < 2) return std::nullopt;
  return std::sqrt(squares / static_cast<double>(count - 1));
}

Buckets::Buckets(std::span<const TimeUs> bounds, std::size_t values_max) : values_max_(values_max) {
  NILO_ASSERT(bounds.size() >= 2);
  NILO_ASSERT(std::is_sorted(bounds.begin(), bounds.end()));
  for (std::size_t i = 0; i + 1 < bounds.size(); ++i) {
    Bucket& bucket = buckets_.emplace_back();
    bucket.start_us = bounds[i];
    bucket.end_us = bounds[i + 1];
  }
}

void Buckets::add(const Point& point) {
  while (at_ < buckets_.size() && point.time_us >= buckets_[at_].end_us) end_bucket();
  if (at_ == buckets_.size() || point.time_us < buckets_[at_].start_us) return;
  buckets_[at_].stats.add(point);
  if (values_.size() <= values_max_) values_.push_back(point.value);  // one more shows it was more
}

void Buckets::end_bucket() {
  Bucket& bucket = buckets_[at_++];
  const auto quantile = [this](double part) {
    const double rank = part * static_cast<double>(values_.size() - 1);
    const auto low = values_.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(values_.begin(), low, values_.end());
    if (low + 1 == values_.end()) return *low;
    const double above = *std::min_element(low + 1, values_.end());
    return *low + (rank - std::floor(rank)) * (above - *low);
  };
  if (!values_.empty() && values_.size() <= values_max_) {
    bucket.q25 = quantile(0.25);
    bucket.median = quantile(0.5);
    bucket.q75 = quantile(0.75);
  }
  values_.clear();
}

std::vector<Bucket> Buckets::take() {
  while (at_ < buckets_.size()) end_bucket();
  return std::move(buckets_);
}

}  // namespace nilo::tables
