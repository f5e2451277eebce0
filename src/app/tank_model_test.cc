#include "app/tank_model.h"

#include <gtest/gtest.h>

#include <cmath>

namespace nilo::app {
namespace {

TEST(TankModel, GivesTheSameReadingsForTheSameSeed) {
  TankModel a({.seed = 7});
  TankModel b({.seed = 7});
  TankModel other({.seed = 8});
  bool differs = false;
  for (int i = 0; i < 1000; ++i) {
    a.step();
    b.step();
    other.step();
    for (int tank = 1; tank <= 3; ++tank) {
      const auto reading = a.reading_cm(tank);
      EXPECT_EQ(reading, b.reading_cm(tank));
      differs |= reading != other.reading_cm(tank);
    }
  }
  EXPECT_TRUE(differs);
}

TEST(TankModel, StaysInsideTheTankAndNowAndThenHearsNoEcho) {
  TankModel model({.seed = 3, .dead_after_s = 0});
  int silent = 0;
  int readings = 0;
  double lowest = 89;
  double highest = 0;
  for (int i = 0; i < 30 * 24 * 180; ++i) {
    model.step();
    const int cm = model.reading_cm(1).value();
    ++readings;
    silent += cm == 0;
    if (cm != 0) {
      EXPECT_NEAR(cm, model.distance_cm(1), 1.5);
    }
    lowest = std::min(lowest, model.distance_cm(1));
    highest = std::max(highest, model.distance_cm(1));
  }
  EXPECT_GE(lowest, 0);
  EXPECT_LE(highest, 89);
  EXPECT_GT(highest - lowest, 20) << "rain and use move the water";
  EXPECT_NEAR(static_cast<double>(silent) / readings, 0.01, 0.002);
}

TEST(TankModel, ShowsANewcomerBothLimitsAndAReadingThatIsNoneWithinMinutes) {
  TankModel model({.seed = 1, .swing_s = 1800});
  bool is_full = false;
  bool is_empty = false;
  bool is_none = false;
  for (int i = 0; i < 15; ++i) {  // five minutes
    model.step();
    is_full |= model.distance_cm(1) < 17.8;
    is_empty |= model.distance_cm(2) > 71.2;
    is_none |= model.reading_cm(3) == 0;
  }
  EXPECT_TRUE(is_full);
  EXPECT_TRUE(is_empty);
  EXPECT_TRUE(is_none);
}

TEST(TankModel, TheLastSensorDiesForGood) {
  TankModel model({.seed = 1, .dead_after_s = 100});
  for (int i = 0; i < 5; ++i) model.step();
  EXPECT_TRUE(model.reading_cm(3).has_value()) << "at 100 s it still lives";
  model.step();
  EXPECT_FALSE(model.reading_cm(3).has_value());
  EXPECT_TRUE(model.reading_cm(1).has_value());
}

}  // namespace
}  // namespace nilo::app
