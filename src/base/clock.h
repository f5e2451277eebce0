// base/clock.h: what time is it? Passed in, so that tests can say.
//
// Units: microseconds. Threads: every implementation is safe to share.
#pragma once

#include <atomic>
#include <cstdint>

namespace nilo {

// Microseconds since 1970-01-01T00:00:00Z, leap seconds ignored (as PostgreSQL, DuckDB).
using TimeUs = std::int64_t;

class Clock {
 public:
  virtual ~Clock() = default;
  // The wall clock: may jump either way. For what is stored and shown.
  virtual TimeUs wall_us() const = 0;
  // Never goes back; origin unspecified. For timeouts and intervals.
  virtual std::int64_t steady_us() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimeUs wall_us() const override;
  std::int64_t steady_us() const override;
};

// Stands still until told otherwise.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(TimeUs wall_us) : wall_us_(wall_us) {}
  TimeUs wall_us() const override { return wall_us_; }
  std::int64_t steady_us() const override { return steady_us_; }
  void advance_us(std::int64_t by_us) {
    wall_us_ += by_us;
    steady_us_ += by_us;
  }
  void set_wall_us(TimeUs wall_us) { wall_us_ = wall_us; }

 private:
  std::atomic<TimeUs> wall_us_;
  std::atomic<std::int64_t> steady_us_{0};
};

}  // namespace nilo
