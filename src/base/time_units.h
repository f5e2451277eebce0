// base/time_units.h: seconds to days in microseconds, in which times are kept (clock.h).
#pragma once

#include <cstdint>

namespace nilo {

inline constexpr std::int64_t kSecondUs = 1'000'000;
inline constexpr std::int64_t kMinuteUs = 60 * kSecondUs;
inline constexpr std::int64_t kHourUs = 60 * kMinuteUs;
inline constexpr std::int64_t kDayUs = 24 * kHourUs;  // of 24 hours

}  // namespace nilo
