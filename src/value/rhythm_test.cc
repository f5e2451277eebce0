#include "value/rhythm.h"

#include <gtest/gtest.h>

namespace nilo {
namespace {

constexpr std::int64_t kS = 1'000'000;

// Hears something after each of `gaps_s` seconds, from `us` on.
void hear_gaps(Rhythm& rhythm, std::int64_t& us, const std::vector<std::int64_t>& gaps_s) {
  for (const std::int64_t gap : gaps_s) rhythm.hear(us += gap * kS);
}

TEST(Rhythm, IsUnknownUntilThreeGapsWereHeard) {
  Rhythm rhythm;
  std::int64_t us = 0;
  rhythm.hear(us);
  hear_gaps(rhythm, us, {20, 20});
  EXPECT_EQ(rhythm.interval_us(), std::nullopt);
  hear_gaps(rhythm, us, {20});
  EXPECT_EQ(rhythm.interval_us(), 20 * kS);
}

TEST(Rhythm, IsNotMovedByANightWithoutPower) {
  Rhythm rhythm;
  std::int64_t us = 0;
  hear_gaps(rhythm, us, {0, 20, 20, 20, 20, 20, 36'000, 21, 7'200, 19, 3'000, 20, 5'000});
  EXPECT_LE(rhythm.interval_us(), 21 * kS);
}

TEST(Rhythm, FollowsANewIntervalAfterFive) {
  Rhythm rhythm;
  std::int64_t us = 0;
  hear_gaps(rhythm, us, {0, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20});
  hear_gaps(rhythm, us, {300, 300, 300, 300});
  EXPECT_EQ(rhythm.interval_us(), 20 * kS);
  hear_gaps(rhythm, us, {300});
  EXPECT_EQ(rhythm.interval_us(), 300 * kS);
}

TEST(Rhythm, CountsReadingsSentTogetherAsOneReport) {
  Rhythm rhythm;
  for (std::int64_t report = 0; report < 5; ++report) {
    for (std::int64_t i = 0; i < 60; ++i) rhythm.hear(report * 3600 * kS + i * 1000);
  }
  EXPECT_EQ(rhythm.interval_us(), 3600 * kS);
}

TEST(Rhythm, TakesAnyTimes) {
  Rhythm rhythm;
  for (const std::int64_t us : {std::int64_t{0}, 100 * kS, 50 * kS, std::int64_t{1} << 60}) {
    rhythm.hear(us);
  }
  EXPECT_EQ(rhythm.interval_us(), std::nullopt);
}

TEST(Rhythm, SilenceIsThreeIntervalsAndNeverUnderAMinute) {
  EXPECT_EQ(silence_of(std::nullopt), 60 * kS);
  EXPECT_EQ(silence_of(20 * kS), 60 * kS);
  EXPECT_EQ(silence_of(21 * kS), 63 * kS);
}

}  // namespace
}  // namespace nilo
