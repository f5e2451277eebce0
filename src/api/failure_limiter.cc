#include "api/failure_limiter.h"

namespace nilo::api {

bool FailureLimiter::is_blocked(const std::string& ip, std::int64_t now_us) const {
  return windows_.with([&](const Windows& windows) {
    const auto found = windows.find(ip);
    return found != windows.end() && now_us - found->second.began_us < kAuthWindowUs &&
           found->second.failures >= kAuthFailuresMax;
  });
}

void FailureLimiter::failed(const std::string& ip, std::int64_t now_us) {
  windows_.with([&](Windows& windows) {
    if (windows.size() >= kAddressesMax && !windows.contains(ip)) windows.clear();
    Window& window = windows.try_emplace(ip, Window{now_us, 0}).first->second;
    if (now_us - window.began_us >= kAuthWindowUs) window = Window{now_us, 0};
    ++window.failures;
  });
}

}  // namespace nilo::api
