// tables/series.h: the readings of one key over time, and what to make of many: a line to draw,
// figures, intervals.
//
// In/out:  Tables::read_series walks the rows of a key straight in the heads, piece by piece and
//          without copying them; the classes below take their points in the order of time, once.
// Threads: a piece may be read without a lock and outlives its rows in the table. The rest are
//          values.
// Limits:  kPieceRowsMax rows are found under one lock, so that nobody who writes waits for long;
//          memory is that of a piece, however long the series is.
// Source:  Jugel, Jerzak, Hackenbroich, Markl: M4: A Visualization-Oriented Time Series Data
//          Aggregation, VLDB 2014; Welford 1962.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "tables/head.h"
#include "value/rhythm.h"

namespace nilo::tables {

inline constexpr std::size_t kPieceRowsMax = 8'192;
// Values of one bucket of which quartiles are computed; a bucket with more has none.
inline constexpr std::size_t kBucketValuesMax = 1'000'000;

// Rows of one key, by time. No two have the same time.
class SeriesPiece {
 public:
  std::size_t size() const { return rows_.size(); }
  TimeUs time_us(std::size_t row) const { return cell(row, sort_column_).as_int64(); }
  Value cell(std::size_t row, std::size_t column) const {
    const Place& place = rows_[row];
    return chunks_[place.chunk]->cell(place.row, column);
  }

 private:
  friend class Head;
  struct Place {
    std::uint32_t chunk;
    std::uint32_t row;
  };
  std::size_t sort_column_ = 0;
  std::vector<std::shared_ptr<const Chunk>> chunks_;
  std::vector<Place> rows_;
};

struct Point {
  TimeUs time_us;
  double value;
  bool operator==(const Point&) const = default;
};

// A number to draw or to reckon with: numbers, and truths as 0 and 1. Nothing for null, text, NaN.
std::optional<double> number_of(const Value& cell);

// Where a line breaks: nothing for silence_of() of the rhythm that the series has just there.
class GapFinder {
 public:
  // `interval_us`: what is known beforehand, for a series too short to have its own rhythm.
  explicit GapFinder(std::optional<std::int64_t> interval_us) : known_us_(interval_us) {}
  // Times to learn from before the first is_gap(): so that the first gaps are not taken on trust.
  void hear_ahead(TimeUs time_us) { ahead_.hear(time_us); }
  // Is there a gap before `time_us`? In order of time.
  bool is_gap(TimeUs time_us);

 private:
  std::optional<std::int64_t> known_us_;
  Rhythm ahead_;
  Rhythm rhythm_;
  std::optional<TimeUs> last_us_;
};

// What is left of a line in `width` pixel columns: of each the first, lowest, highest and last
// point, in order of time and each once: drawn, it cannot be told from the whole line. NaN stands
// between two points of different columns with a gap between them, at the time in the middle.
class M4 {
 public:
  // from_us < to_us, width >= 1 (asserted).
  M4(TimeUs from_us, TimeUs to_us, std::size_t width);

  // `after_gap`: the line is broken before this point.
  void add(const Point& point, bool after_gap);
  // Ends it. At most 5 * width points.
  std::vector<Point> take();

 private:
  std::size_t column_of(TimeUs us) const;
  void end_column();

  const TimeUs from_us_;
  const TimeUs to_us_;
  const std::size_t width_;
  std::vector<Point> points_;
  std::size_t column_ = 0;
  bool has_column_ = false;
  Point first_{}, min_{}, max_{}, last_{};
};

// Figures of all points, in one pass.
struct Stats {
  std::uint64_t count = 0;
  double mean = 0;
  double squares = 0;  // sum of squared distances from the mean (Welford)
  Point first{}, min{}, max{}, last{};

  void add(const Point& point);
  // Of the sample (n - 1); nothing below two points.
  std::optional<double> sd() const;
};

struct Bucket {
  TimeUs start_us = 0;
  TimeUs end_us = 0;
  Stats stats;
  // By linear interpolation between the ranks (Hyndman and Fan 1996, type 7). Nothing: the bucket
  // is empty, or has more than kBucketValuesMax points.
  std::optional<double> q25, median, q75;
};

// Figures of each interval. Empty ones are there, too.
class Buckets {
 public:
  // `bounds`: ascending, at least two (asserted); a bucket is [bounds[i], bounds[i + 1]).
  explicit Buckets(std::span<const TimeUs> bounds, std::size_t values_max = kBucketValuesMax);

  // Points outside of all are left out.
  void add(const Point& point);
  std::vector<Bucket> take();

 private:
  void end_bucket();

  const std::size_t values_max_;
  std::vector<Bucket> buckets_;
  std::size_t at_ = 0;
  std::vector<double> values_;  // of the bucket at at_
};

}  // namespace nilo::tables
