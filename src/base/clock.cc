#include "base/clock.h"

#include <chrono>

namespace nilo {

namespace {
template <typename C>
std::int64_t now_us() {
  const auto since_origin = C::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since_origin).count();
}
}  // namespace

TimeUs SystemClock::wall_us() const { return now_us<std::chrono::system_clock>(); }
std::int64_t SystemClock::steady_us() const { return now_us<std::chrono::steady_clock>(); }

}  // namespace nilo
