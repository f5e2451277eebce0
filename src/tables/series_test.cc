#include "tables/series.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "tables/tables_testing.h"

namespace nilo::tables {
namespace {

constexpr TimeUs kS = 1'000'000;

class ReadSeries : public testing::Test {
 protected:
  void SetUp() override { house_.start({tank_levels(), devices()}); }

  // "second:distance ..." of device 1; and how many pieces it took.
  std::string text(std::int64_t from_s, std::int64_t to_s) {
    std::string out;
    pieces_ = 0;
    const auto read = house_.tables().read_series(
        "tank_levels", "1", kNowUs + from_s * kS, kNowUs + to_s * kS,
        [&](const SeriesPiece& piece) {
          ++pieces_;
          for (std::size_t row = 0; row < piece.size(); ++row) {
            out += std::to_string((piece.time_us(row) - kNowUs) / kS) + ':' +
                   std::to_string(static_cast<int>(*number_of(piece.cell(row, 2)))) + ' ';
          }
          return true;
        });
    EXPECT_TRUE(read);
    return out;
  }

  TempFolder folder_;
  House house_{folder_.path()};
  int pieces_ = 0;
};

TEST_F(ReadSeries, GivesOneKeyInOrderOfTime) {
  for (const int second : {10, 30, 20, 40}) house_.tank(1, second, second);
  house_.tank(2, 15, 7);
  EXPECT_EQ(text(0, 100), "10:10 20:20 30:30 40:40 ");
  EXPECT_EQ(text(20, 40), "20:20 30:30 ");
  EXPECT_EQ(text(41, 100), "");
  EXPECT_EQ(text(40, 20), "");
}

TEST_F(ReadSeries, GivesTheLastOfTwoReadingsOfOneTime) {
  house_.tank(1, 10, 1);
  house_.tank(1, 10, 2);
  EXPECT_EQ(text(0, 100), "10:2 ");
}

TEST_F(ReadSeries, GoesThroughManyPiecesWithoutLossOrDouble) {
  const auto count = static_cast<std::int64_t>(2 * kPieceRowsMax);
  for (std::int64_t second = 0; second < count; ++second) house_.tank(1, second, 1);
  const std::string all = text(0, count);
  EXPECT_EQ(std::count(all.begin(), all.end(), ' '), count);
  EXPECT_EQ(pieces_, 2);
  house_.tank(1, count, 1);
  text(0, count + 1);
  EXPECT_EQ(pieces_, 3);
}

TEST_F(ReadSeries, EndsWhenItsReaderHasEnough) {
  for (std::int64_t second = 0; second <= static_cast<std::int64_t>(kPieceRowsMax); ++second) {
    house_.tank(1, second, 1);
  }
  int calls = 0;
  const auto read = house_.tables().read_series("tank_levels", "1", 0, kNowUs * 2,
                                                [&](const SeriesPiece&) { return ++calls > 1; });
  EXPECT_TRUE(read);
  EXPECT_EQ(calls, 1);
}

TEST_F(ReadSeries, KnowsNoSuchTableAndNoSuchKey) {
  const auto never = [](const SeriesPiece&) {
    ADD_FAILURE();
    return true;
  };
  EXPECT_EQ(house_.tables().read_series("tanks", "1", 0, kNowUs * 2, never).error().code,
            ErrorCode::not_found);
  EXPECT_TRUE(house_.tables().read_series("tank_levels", "7", 0, kNowUs * 2, never));
  EXPECT_TRUE(house_.tables().read_series("devices", "a", 0, kNowUs * 2, never));
}

TEST_F(ReadSeries, LatestRowsComeWithTheirSequenceAndDerivedColumns) {
  house_.tank(1, 10, 75);
  house_.tank(2, 10, 44.5);
  Seq seq = 0;
  EXPECT_TRUE(house_.tables().read_latest("tank_levels", "2", [&](const Change& change) {
    EXPECT_EQ(change.key, "2");
    EXPECT_EQ(change.cells[3], Value::float64(50));
    seq = change.seq;
  }));
  EXPECT_EQ(seq, house_.tables().applied_seq());
  EXPECT_FALSE(house_.tables().read_latest("tank_levels", "7", [](const Change&) { FAIL(); }));
  EXPECT_FALSE(house_.tables().read_latest("tanks", "1", [](const Change&) { FAIL(); }));
  int count = 0;
  house_.tables().each_latest("tank_levels", [&](const Change&) { ++count; });
  EXPECT_EQ(count, 2);
}

// Points as "time:value"; "time:|" is a break.
std::string text(const std::vector<Point>& points) {
  std::string out;
  for (const Point& point : points) {
    out += (out.empty() ? "" : " ") + std::to_string(point.time_us) + ':' +
           (std::isnan(point.value) ? "|" : std::to_string(static_cast<int>(point.value)));
  }
  return out;
}

std::vector<Point> m4(std::size_t width, TimeUs to_us, const std::vector<Point>& points) {
  M4 out(0, to_us, width);
  for (const Point& point : points) out.add(point, false);
  return out.take();
}

TEST(M4, KeepsFirstLowestHighestAndLastOfAColumn) {
  EXPECT_EQ(text(m4(1, 100, {{1, 5}, {2, 6}, {3, 9}, {4, 7}, {5, 1}, {6, 4}, {7, 5}})),
            "1:5 3:9 5:1 7:5");
}

TEST(M4, KeepsAPointOnceThatIsSeveralOfThem) {
  EXPECT_EQ(text(m4(1, 100, {{1, 5}})), "1:5");
  EXPECT_EQ(text(m4(1, 100, {{1, 5}, {2, 5}, {3, 5}})), "1:5 3:5");
  EXPECT_EQ(text(m4(1, 100, {{1, 1}, {2, 2}, {3, 3}})), "1:1 3:3");
}

TEST(M4, DividesTheTimeIntoColumns) {
  EXPECT_EQ(text(m4(2, 100, {{0, 1}, {10, 2}, {49, 3}, {50, 4}, {60, 5}, {99, 6}})),
            "0:1 49:3 50:4 99:6");
  EXPECT_EQ(m4(10, 100, {}).size(), 0U);
}

TEST(M4, BreaksTheLineInAGap) {
  M4 line(0, 100, 100);
  line.add({10, 1}, true);  // nothing before it to break off from
  line.add({20, 2}, false);
  line.add({60, 3}, true);
  EXPECT_EQ(text(line.take()), "10:1 20:2 40:| 60:3");
}

// The point of M4: in each column, what a picture of all points covers is what is covered by the
// points that were kept.
TEST(M4, DrawsTheSameLineAsAllPoints) {
  std::mt19937 random(20261122);
  std::uniform_real_distribution<double> value(0, 100);
  constexpr std::size_t kWidth = 37;
  constexpr TimeUs kEnd = 100'000;
  std::vector<Point> all;
  for (TimeUs us = 0; us < kEnd; us += 1 + static_cast<TimeUs>(random() % 60)) {
    all.push_back({us, value(random)});
  }
  const std::vector<Point> kept = m4(kWidth, kEnd, all);
  EXPECT_LE(kept.size(), 4 * kWidth);
  EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end(),
                             [](const Point& a, const Point& b) { return a.time_us < b.time_us; }));
  const auto columns = [](const std::vector<Point>& points) {
    std::vector<Stats> out(kWidth);
    for (const Point& point : points) {
      const auto at = static_cast<std::size_t>(static_cast<double>(point.time_us) / kEnd * kWidth);
      out[at].add(point);
    }
    return out;
  };
  const std::vector<Stats> wanted = columns(all);
  const std::vector<Stats> drawn = columns(kept);
  for (std::size_t i = 0; i < kWidth; ++i) {
    EXPECT_EQ(drawn[i].first, wanted[i].first);
    EXPECT_EQ(drawn[i].last, wanted[i].last);
    EXPECT_EQ(drawn[i].min, wanted[i].min);
    EXPECT_EQ(drawn[i].max, wanted[i].max);
  }
}

TEST(GapFinder, FindsANightAmongMinutes) {
  GapFinder gaps(std::nullopt);
  std::string found;
  TimeUs us = 0;
  for (const TimeUs step : {30, 30, 30, 30, 61, 30, 30, 36'000, 30, 30, 91}) {
    us += step * kS;
    if (gaps.is_gap(us)) found += std::to_string(step) + ' ';
  }
  EXPECT_EQ(found, "36000 91 ");
}

TEST(GapFinder, TakesOldReadingsByTheRhythmTheyHad) {
  // Known for 20 s now, but hourly then: no gaps.
  GapFinder gaps(20 * kS);
  std::vector<TimeUs> times;
  for (TimeUs hour = 0; hour < 12; ++hour) times.push_back(hour * 3600 * kS);
  for (const TimeUs us : times) gaps.hear_ahead(us);
  for (const TimeUs us : times) EXPECT_FALSE(gaps.is_gap(us)) << us;
}

TEST(GapFinder, FallsBackToWhatIsKnownOfAShortSeries) {
  GapFinder known(3600 * kS);
  EXPECT_FALSE(known.is_gap(0));
  EXPECT_FALSE(known.is_gap(3 * 3600 * kS));
  EXPECT_TRUE(known.is_gap(7 * 3600 * kS));
  GapFinder unknown(std::nullopt);
  EXPECT_FALSE(unknown.is_gap(0));
  EXPECT_FALSE(unknown.is_gap(60 * kS));
  EXPECT_TRUE(unknown.is_gap(121 * kS));
}

TEST(Stats, ComeFromOnePass) {
  Stats stats;
  for (const Point& point : std::vector<Point>{{1, 4}, {2, 2}, {3, 9}, {4, 9}, {5, 1}, {6, 5}}) {
    stats.add(point);
  }
  EXPECT_EQ(stats.count, 6U);
  EXPECT_DOUBLE_EQ(stats.mean, 5);
  EXPECT_DOUBLE_EQ(*stats.sd(), std::sqrt(58.0 / 5));
  EXPECT_EQ(stats.first, (Point{1, 4}));
  EXPECT_EQ(stats.min, (Point{5, 1}));
  EXPECT_EQ(stats.max, (Point{3, 9}));
  EXPECT_EQ(stats.last, (Point{6, 5}));
}

TEST(Stats, KeepTheirDigitsFarFromZero) {
  Stats stats;
  for (const double part : {4.0, 7.0, 13.0, 16.0}) stats.add({0, 1e9 + part});
  EXPECT_DOUBLE_EQ(stats.mean, 1e9 + 10);
  EXPECT_DOUBLE_EQ(*stats.sd(), std::sqrt(30.0));
}

TEST(Stats, OfOnePointHaveNoDeviation) {
  Stats stats;
  EXPECT_EQ(stats.sd(), std::nullopt);
  stats.add({0, 5});
  EXPECT_EQ(stats.sd(), std::nullopt);
  stats.add({0, 5});
  EXPECT_EQ(stats.sd(), 0);
}

TEST(Buckets, HaveExactQuartiles) {
  const std::vector<TimeUs> bounds{0, 10, 20, 30};
  Buckets buckets(bounds);
  buckets.add({-1, 99});
  for (const Point& point :
       std::vector<Point>{{0, 7}, {1, 15}, {2, 36}, {3, 39}, {4, 40}, {9, 41}}) {
    buckets.add(point);
  }
  buckets.add({20, 3});
  buckets.add({30, 99});
  const std::vector<Bucket> all = buckets.take();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].stats.count, 6U);
  EXPECT_DOUBLE_EQ(*all[0].q25, 20.25);
  EXPECT_DOUBLE_EQ(*all[0].median, 37.5);
  EXPECT_DOUBLE_EQ(*all[0].q75, 39.75);
  EXPECT_EQ(all[1].stats.count, 0U);
  EXPECT_EQ(all[1].median, std::nullopt);
  EXPECT_EQ(all[2].q25, 3);
  EXPECT_EQ(all[2].median, 3);
  EXPECT_EQ(all[2].start_us, 20);
  EXPECT_EQ(all[2].end_us, 30);
}

TEST(Buckets, WithTooManyValuesHaveNoQuartiles) {
  const std::vector<TimeUs> bounds{0, 10, 20};
  Buckets buckets(bounds, 3);
  for (TimeUs us = 0; us < 3; ++us) buckets.add({us, 1});
  for (TimeUs us = 10; us < 14; ++us) buckets.add({us, 1});
  const std::vector<Bucket> all = buckets.take();
  EXPECT_EQ(all[0].median, 1);
  EXPECT_EQ(all[1].stats.count, 4U);
  EXPECT_EQ(all[1].median, std::nullopt);
}

TEST(NumberOf, TakesNumbersAndTruths) {
  EXPECT_EQ(number_of(Value::int64(-3)), -3);
  EXPECT_EQ(number_of(Value::boolean(true)), 1);
  EXPECT_EQ(number_of(Value::float64(0.5)), 0.5);
  EXPECT_EQ(number_of(Value::float64(std::nan(""))), std::nullopt);
  EXPECT_EQ(number_of(Value::text("1")), std::nullopt);
  EXPECT_EQ(number_of(Value::null()), std::nullopt);
}

}  // namespace
}  // namespace nilo::tables
