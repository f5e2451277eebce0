// app/tank_model.h: rain-water tanks that behave like tanks, for demonstrations and tests.
//
// Each tank fills with showers, empties with use, and is watched by an ultrasonic sensor in its
// lid that now and then hears no echo (reading 0). One sensor dies for good.
// The same seed gives the same readings on every machine. Threads: one owner.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

namespace nilo::app {

struct TankModelOptions {
  std::uint64_t seed = 1;
  int tank_count = 3;
  double step_s = 20;            // time between readings, as the real device sends
  double dead_after_s = 86'400;  // when the last tank's sensor stops answering; 0 = never
  // For demonstrations: each tank is nearly full and nearly empty once in this time, and the last
  // one's sensor hears no echo in its third round. 0: showers and use, as they come.
  double swing_s = 0;
};

class TankModel {
 public:
  explicit TankModel(TankModelOptions options);

  // Moves time on by one step. Call once before each round of readings.
  void step();

  // Centimetres from lid to water, truncated as the device does: 0 to 89; 0 also when no echo came
  // back. nullopt: this sensor is dead. `tank` counts from 1.
  std::optional<int> reading_cm(int tank);

  // What a perfect sensor would say. `tank` counts from 1.
  double distance_cm(int tank) const;

 private:
  struct Tank {
    double level_cm;        // water above the floor, 0 to 89
    double use_cm_per_h;    // the household's habit
    double roof_cm_per_mm;  // how much a millimetre of rain raises it
  };
  double uniform(double low, double high);
  void swing();

  TankModelOptions options_;
  std::mt19937_64 random_;
  std::vector<Tank> tanks_;
  double time_s_ = 0;
  std::uint64_t round_ = 0;
  double rain_mm_per_h_ = 0;
  double rain_until_s_ = 0;
};

}  // namespace nilo::app
