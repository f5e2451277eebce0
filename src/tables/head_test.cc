#include "tables/head.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>

#include "tables/tables_testing.h"

namespace nilo::tables {
namespace {

class HeadTest : public testing::Test {
 protected:
  void append(Series& series, TimeUs time_us, double distance) {
    const std::vector<Value> cells{Value::int64(1), Value::timestamp(time_us),
                                   Value::float64(distance), Value::null()};
    TimeUs& newest_us =
        newest_us_.emplace(&series, std::numeric_limits<TimeUs>::min()).first->second;
    head_.append(series, newest_us, cells, time_us, ++seq_);
    newest_us = std::max(newest_us, time_us);
  }

  // "time:distance ..." of a series.
  std::string text(const Series& series, TimeUs from = 0,
                   TimeUs to = std::numeric_limits<TimeUs>::max(), std::size_t limit = 1'000'000,
                   bool newest_first = false) {
    std::string out;
    for (const RowRef& row : head_.find(series, from, to, limit, newest_first)) {
      out += std::to_string(row.chunk->cell(row.row, 1).as_int64()) + ':' +
             std::to_string(static_cast<int>(row.chunk->cell(row.row, 2).as_float64())) + ' ';
    }
    return out;
  }

  const TableDeclaration tanks_ = tank_levels();
  Head head_{tanks_.schema};
  std::map<const Series*, TimeUs> newest_us_;
  Seq seq_ = 0;
};

TEST_F(HeadTest, KeepsLateRowsInTheirPlace) {
  Series series;
  for (const TimeUs time : {10, 30, 20, 5, 40}) append(series, time, static_cast<double>(time));
  EXPECT_EQ(text(series), "5:5 10:10 20:20 30:30 40:40 ");
  EXPECT_EQ(head_.row_count(), 5U);
}

TEST_F(HeadTest, ReplacesARowOfTheSameTime) {
  Series series;
  for (const TimeUs time : {10, 20, 30}) append(series, time, 1);
  append(series, 30, 2);
  append(series, 10, 3);
  EXPECT_EQ(text(series), "10:3 20:1 30:2 ");
  EXPECT_EQ(head_.row_count(), 3U);
  EXPECT_EQ(*head_.snapshot().slots[0].dead, (DeadRows{0, 2}));
}

TEST_F(HeadTest, FindsARangeFromEitherEnd) {
  Series series;
  for (TimeUs time = 1; time <= 9; ++time) append(series, time, 0);
  EXPECT_EQ(text(series, 3, 6), "3:0 4:0 5:0 ");
  EXPECT_EQ(text(series, 3, 6, 2), "3:0 4:0 ");
  EXPECT_EQ(text(series, 3, 6, 2, true), "5:0 4:0 ");
  EXPECT_EQ(text(series, 6, 3), "");
}

TEST_F(HeadTest, ASnapshotDoesNotSeeWhatComesLater) {
  Series series;
  append(series, 10, 1);
  append(series, 20, 1);
  const HeadSnapshot before = head_.snapshot();
  append(series, 10, 2);
  append(series, 30, 3);
  EXPECT_EQ(before.end_of(0), 2U);
  EXPECT_EQ(before.slots[0].dead, nullptr);
  EXPECT_EQ(head_.snapshot().end_of(0), 4U);
}

TEST_F(HeadTest, TrimForgetsRowsBeforeARecordExactly) {
  Series odd;
  Series even;
  const TimeUs count = 3 * Chunk::kRowsMax + 7;
  for (TimeUs time = 1; time <= count; ++time) append(time % 2 == 1 ? odd : even, time, 0);
  const auto trim = [&](Seq oldest) {
    head_.trim(oldest);
    head_.forget(odd);
    head_.forget(even);
  };
  const std::size_t size = head_.size();
  trim(1);
  EXPECT_EQ(head_.row_count(), static_cast<std::size_t>(count));
  trim(6);
  EXPECT_EQ(text(odd, 0, 10), "7:0 9:0 ");
  EXPECT_EQ(text(even, 0, 10), "6:0 8:0 ");
  EXPECT_EQ(head_.size(), size) << "chunks are dropped whole";
  trim(2 * Chunk::kRowsMax + 1);
  EXPECT_EQ(head_.row_count(), Chunk::kRowsMax + 7);
  EXPECT_LT(head_.size(), size * 2 / 3);
  trim(static_cast<Seq>(count) + 1);
  EXPECT_EQ(head_.row_count(), 0U);
  EXPECT_TRUE(head_.snapshot().slots.empty());
  append(odd, count + 1, 1);
  EXPECT_EQ(text(odd), std::to_string(count + 1) + ":1 ");
}

TEST_F(HeadTest, AgreesWithAMapOverRandomTimes) {
  constexpr unsigned kSeed = 20261122;
  std::mt19937 random(kSeed);
  constexpr int kKeys = 5;
  std::vector<Series> series(kKeys);
  std::vector<std::map<TimeUs, std::pair<double, Seq>>> model(kKeys);
  Seq oldest = 1;
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t key = random() % kKeys;
    const auto time = static_cast<TimeUs>(random() % 4'000);
    const auto value = static_cast<double>(random() % 100);
    append(series[key], time, value);
    model[key][time] = {value, seq_};
    if (random() % 4'000 == 0) {
      oldest += random() % (seq_ - oldest + 1);
      head_.trim(oldest);
      for (Series& one : series) head_.forget(one);
      for (auto& one : model) {
        std::erase_if(one, [&](const auto& row) { return row.second.second < oldest; });
      }
    }
  }
  for (std::size_t key = 0; key < kKeys; ++key) {
    std::string expected;
    for (const auto& [time, row] : model[key]) {
      expected += std::to_string(time) + ':' + std::to_string(static_cast<int>(row.first)) + ' ';
    }
    EXPECT_EQ(text(series[key]), expected) << "seed " << kSeed << ", key " << key;
  }
}

}  // namespace
}  // namespace nilo::tables
