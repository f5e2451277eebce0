#include "app/tank_model.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>

#include "base/assert.h"

namespace nilo::app {

namespace {
constexpr double kDepthCm = 89;
constexpr double kNoEchoProbability = 0.01;
constexpr double kShowersPerDay = 0.5;
constexpr double kNoiseCm = 0.4;
constexpr double kSwingShare = 0.4;  // of the depth, up and down from the middle: 10 to 90 %
constexpr std::uint64_t kSwingNoEchoRound = 3;
}  // namespace

TankModel::TankModel(TankModelOptions options) : options_(options), random_(options.seed) {
  NILO_ASSERT(options_.tank_count >= 1);
  for (int i = 0; i < options_.tank_count; ++i) {
    tanks_.push_back({uniform(25, 65), uniform(0.2, 0.8), uniform(1.5, 3.0)});
  }
}

// std::uniform_real_distribution differs between libraries; this does not.
double TankModel::uniform(double low, double high) {
  const double unit = static_cast<double>(random_() >> 11) * 0x1p-53;
  return low + unit * (high - low);
}

void TankModel::step() {
  time_s_ += options_.step_s;
  ++round_;
  if (options_.swing_s > 0) return swing();
  const double hours = options_.step_s / 3600;
  if (time_s_ >= rain_until_s_) {
    rain_mm_per_h_ = 0;
    if (uniform(0, 1) < kShowersPerDay / 24 * hours) {
      rain_mm_per_h_ = uniform(1, 12);
      rain_until_s_ = time_s_ + uniform(900, 7200);
    }
  }
  const double hour_of_day = std::fmod(time_s_ / 3600, 24);
  const bool awake = hour_of_day > 6 && hour_of_day < 22;
  for (Tank& tank : tanks_) {
    const double use_cm = awake ? tank.use_cm_per_h * hours * uniform(0, 2) : 0;
    const double rain_cm = rain_mm_per_h_ * hours * tank.roof_cm_per_mm;
    tank.level_cm = std::clamp(tank.level_cm + rain_cm - use_cm, 0.0, kDepthCm);
  }
}

// The first tank begins above the middle and rises, the second below and falls: both pass their
// limits soon.
void TankModel::swing() {
  constexpr double kFirstPhases[] = {1.0 / 12, 7.0 / 12};
  for (std::size_t i = 0; i < tanks_.size(); ++i) {
    const double phase = i < std::size(kFirstPhases) ? kFirstPhases[i] : static_cast<double>(i) / 5;
    const double turn = 2 * std::numbers::pi * (time_s_ / options_.swing_s + phase);
    tanks_[i].level_cm = kDepthCm * (0.5 + kSwingShare * std::sin(turn));
  }
}

std::optional<int> TankModel::reading_cm(int tank) {
  const double noise_cm = uniform(-kNoiseCm, kNoiseCm);
  const bool swings = options_.swing_s > 0;
  const bool fails = swings && tank == options_.tank_count && round_ == kSwingNoEchoRound;
  const bool echo = uniform(0, 1) >= kNoEchoProbability && !fails;
  const bool dies = tank == options_.tank_count && options_.dead_after_s > 0;
  if (dies && time_s_ > options_.dead_after_s) return std::nullopt;
  if (!echo) return 0;
  return static_cast<int>(std::clamp(distance_cm(tank) + noise_cm, 1.0, kDepthCm));
}

double TankModel::distance_cm(int tank) const {
  NILO_ASSERT(tank >= 1 && tank <= options_.tank_count);
  return kDepthCm - tanks_[static_cast<std::size_t>(tank - 1)].level_cm;
}

}  // namespace nilo::app
