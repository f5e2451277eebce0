// Alerts and time: clocks that jump, rows that come late, silence over a restart.
#include "app/alerting_testing.h"

namespace nilo::app {
namespace {

TEST_F(AlertingTest, GoOnByTheirOwnTimeWhenTheWallClockJumps) {
  start(kAll + "silent = \"2h\"\n");
  read({{1, 10}, {2, 10}});
  settle();
  ASSERT_TRUE(act("level~tank-2~low", {Alerting::Deed::Kind::snooze, kHourUs, "anna"}));
  wait_us(10 * 60 * kS);
  for (const std::int64_t jump_us : {-kHourUs, 25 * kHourUs}) {
    clock_.set_wall_us(clock_.wall_us() + jump_us);
    settle();
    EXPECT_EQ(notices()["level~tank-1~low"], "firing");
    EXPECT_EQ(notices()["level~tank-2~low"], "firing");
  }
  wait_us(20 * 60 * kS - 1);
  EXPECT_EQ(notices()["level~tank-1~low"], "firing");
  wait_us(1);
  EXPECT_EQ(notices()["level~tank-1~low"], "firing reminder");
  wait_us(30 * 60 * kS - 1);
  EXPECT_EQ(notices()["level~tank-2~low"], "firing");
  wait_us(1);
  EXPECT_EQ(notices()["level~tank-2~low"], "firing reminder");
  EXPECT_EQ(notices().size(), 2U) << "nobody was silent";
}

TEST_F(AlertingTest, RowsThatComeLateAreNoNews) {
  start(kAll);
  read({{1, 50}});
  reading_time_ -= kHourUs;
  read({{1, 10}});
  settle();
  EXPECT_EQ(history("level~tank-1~low"), "") << "the tank is at 50 %";
  restart();
  read({{1, 10}});
  settle();
  EXPECT_EQ(history("level~tank-1~low"), "") << "nor after a restart";
  reading_time_ += kHourUs;
  read({{1, 10}});
  settle();
  EXPECT_EQ(history("level~tank-1~low"), "firing");
}

TEST_F(AlertingTest, ARowAheadOfItsTimeMakesNoOtherLate) {
  start(kAll);
  reading_time_ += 23 * kHourUs;
  read({{1, 50}});
  reading_time_ -= 23 * kHourUs;
  wait_us(kS);
  reading_time_ += kS;
  read({{1, 10}});
  settle();
  EXPECT_EQ(history("level~tank-1~low"), "firing");
}

TEST_F(AlertingTest, WhatCameWhileTheServersClockWasAheadMakesNothingLate) {
  start(kAll);
  clock_.set_wall_us(clock_.wall_us() + 5 * kHourUs);
  reading_time_ += 5 * kHourUs;
  read({{1, 50}});
  settle();
  clock_.set_wall_us(clock_.wall_us() - 5 * kHourUs);
  reading_time_ -= 5 * kHourUs - kS;
  for (const double percent : {10.0, 50.0}) {
    read({{1, percent}});
    restart();
  }
  settle();
  EXPECT_EQ(history("level~tank-1~low"), "firing normal");
}

TEST_F(AlertingTest, WhatWasLateBeforeACrashIsLateAfterIt) {
  start(kAll);
  wait_us(kHourUs);
  reading_time_ += kHourUs;
  read({{1, 50}});
  settle();
  wait_us(kAlertMarkEveryUs);
  dies_after_record_ = true;  // nothing more is written, the mark neither
  read({{2, 10}});
  settle();
  wait_us(1);
  reading_time_ -= kHourUs / 2;
  read({{1, 10}});
  wait_us(1);
  reading_time_ += kHourUs;
  read({{1, 60}});
  settle();
  dies_after_record_ = false;
  restart();
  settle();
  EXPECT_EQ(history("level~tank-1~low"), "");
}

TEST_F(AlertingTest, SilenceGoesOnAfterARestartWithoutTheTimeThatTheServerWasOff) {
  const std::string stack_text = kAll + "silent = \"26h\"\n";
  start(stack_text);
  read({{1, 50}, {2, 50}});
  for (const std::int64_t off_us : {std::int64_t{0}, 5 * kHourUs}) {
    wait_us(12 * kHourUs);
    read({{2, 50}});
    settle();
    end();
    clock_.advance_us(off_us);
    start(stack_text);
  }
  wait_us(2 * kHourUs - 1);
  EXPECT_EQ(history("level~tank-1~silent"), "");
  wait_us(1);
  EXPECT_EQ(history("level~tank-1~silent"), "firing");
  EXPECT_EQ(history("level~tank-2~silent"), "");
}

}  // namespace
}  // namespace nilo::app
