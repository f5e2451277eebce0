// value/rhythm.h: how often does this come? Learned from when it came.
//
// The median of the last kGapsMax gaps. Not a mean, and not an exponentially weighted one: a night
// without power, or a device that sends ten readings at once after it, must not move the answer;
// up to four such gaps in nine do not. A device that is set to another interval is believed after
// five. What comes within kBurstUs of the last counts as one: readings kept back and sent together
// are one report.
//
// Threads: a value. Units: microseconds of a clock that does not jump.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace nilo {

// Nothing for so many intervals is silence, or a gap in a line, but not before kSilenceMinUs.
inline constexpr std::int64_t kSilentIntervals = 3;
inline constexpr std::int64_t kSilenceMinUs = 60 * std::int64_t{1'000'000};

constexpr std::int64_t silence_of(std::optional<std::int64_t> interval_us) {
  return std::max(kSilenceMinUs, kSilentIntervals * interval_us.value_or(0));
}

class Rhythm {
 public:
  static constexpr std::size_t kGapsMax = 9;
  static constexpr std::size_t kGapsMin = 3;  // fewer teach nothing
  static constexpr std::int64_t kBurstUs = 1'000'000;

  // Something came at `us`. What is older than the last is left out.
  void hear(std::int64_t us) {
    if (last_us_ == kNothing) last_us_ = us;
    if (us - last_us_ < kBurstUs) return;
    gaps_ms_[count_ % kGapsMax] = static_cast<std::uint32_t>(
        std::min<std::int64_t>((us - last_us_) / 1000, std::numeric_limits<std::uint32_t>::max()));
    // Counted on and on, but never past where the ring would lose its place.
    count_ = count_ + 1 < 2 * kGapsMax ? count_ + 1 : kGapsMax;
    last_us_ = us;
  }

  // Nothing until kGapsMin gaps were heard.
  std::optional<std::int64_t> interval_us() const {
    const std::size_t heard = std::min<std::size_t>(count_, kGapsMax);
    if (heard < kGapsMin) return std::nullopt;
    auto gaps = gaps_ms_;
    const auto middle = gaps.begin() + static_cast<std::ptrdiff_t>(heard / 2);
    std::nth_element(gaps.begin(), middle, gaps.begin() + static_cast<std::ptrdiff_t>(heard));
    return std::int64_t{*middle} * 1000;
  }

 private:
  static constexpr std::int64_t kNothing = std::numeric_limits<std::int64_t>::min();
  std::int64_t last_us_ = kNothing;
  std::array<std::uint32_t, kGapsMax> gaps_ms_{};  // a ring; up to 49 days each
  std::uint32_t count_ = 0;
};

}  // namespace nilo
