#include "app/login_guard.h"

#include <algorithm>

#include "base/time_units.h"

namespace nilo::app {
namespace {

int seconds_until(std::int64_t when_us, std::int64_t now_us) {
  if (when_us <= now_us) return 0;
  return static_cast<int>((when_us - now_us + kSecondUs - 1) / kSecondUs);
}

}  // namespace

int LoginGuard::take_try(const std::string& name, const std::string& ip, std::int64_t now_us) {
  return state_.with([&](State& state) {
    const bool is_known = state.known.contains(name + '\n' + ip);
    const int by_ip = wait_s(state.by_ip, ip, now_us);
    const int by_name = is_known ? 0 : wait_s(state.by_name, name, now_us);
    if (const int wait = std::max(by_ip, by_name); wait > 0) return wait;
    count(state.by_ip, ip, kAddressWaitMaxS, now_us);
    if (!is_known) count(state.by_name, name, kNameWaitMaxS, now_us);
    return 0;
  });
}

// Takes back one try, not all: who has a password of his own cannot wash off guesses at another's.
void LoginGuard::succeeded(const std::string& name, const std::string& ip) {
  state_.with([&](State& state) {
    forgive(state.by_ip, ip);
    if (!state.known.contains(name + '\n' + ip)) forgive(state.by_name, name);
    if (state.known.size() >= kTriesKept) state.known.clear();
    state.known.insert(name + '\n' + ip);
  });
}

int LoginGuard::wait_s(TriesOf& all, const std::string& key, std::int64_t now_us) {
  const auto found = all.find(key);
  if (found == all.end()) return 0;
  if (now_us - found->second.last_us >= kTriesForgottenUs) {
    all.erase(found);
    return 0;
  }
  return seconds_until(found->second.next_us, now_us);
}

void LoginGuard::count(TriesOf& all, const std::string& key, int wait_max_s, std::int64_t now_us) {
  if (all.size() >= kTriesKept && !all.contains(key)) all.clear();
  Tries& tries = all[key];
  tries.last_us = now_us;
  ++tries.failed;
  if (tries.failed < kFreeTries) return;
  const int doublings = std::min(tries.failed - kFreeTries, 10);
  tries.next_us = now_us + std::min(1 << doublings, wait_max_s) * kSecondUs;
}

void LoginGuard::forgive(TriesOf& all, const std::string& key) {
  const auto found = all.find(key);
  if (found == all.end()) return;
  found->second.failed = std::max(0, found->second.failed - 1);
  found->second.next_us = 0;
}

int SetupGuard::take_try(std::int64_t now_us) {
  return tries_.with([&](std::deque<std::int64_t>& tries) {
    while (!tries.empty() && now_us - tries.front() >= kSetupWindowUs) tries.pop_front();
    if (tries.size() >= kSetupTriesMax) {
      return seconds_until(tries.front() + kSetupWindowUs, now_us);
    }
    tries.push_back(now_us);
    return 0;
  });
}

}  // namespace nilo::app
