// api/failure_limiter.h: how often may one address guess?
//
// Threads: safe to share.
// Limits:  kAuthFailuresMax failures in kAuthWindowUs, then nothing until the window has passed.
//          kAddressesMax addresses are remembered; when there are more, all are forgotten: who has
//          that many addresses is not stopped by counting, and 160 random bits are not guessed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/guarded.h"

namespace nilo::api {

inline constexpr int kAuthFailuresMax = 20;
inline constexpr std::int64_t kAuthWindowUs = 60'000'000;
inline constexpr std::size_t kAddressesMax = 10'000;

class FailureLimiter {
 public:
  // `now_us`: Clock::steady_us().
  bool is_blocked(const std::string& ip, std::int64_t now_us) const;
  void failed(const std::string& ip, std::int64_t now_us);

 private:
  struct Window {
    std::int64_t began_us = 0;
    int failures = 0;
  };
  using Windows = std::unordered_map<std::string, Window>;
  Guarded<Windows> windows_;
};

}  // namespace nilo::api
