// app/login_guard.h: how often may somebody try a password?
//
// After kFreeTries each further try of an address, and each for a name, has to wait: 1, 2, 4 ... s.
// So that a stranger who tries a name for ever does not keep its owner out: the wait for a name
// ends at kNameWaitMaxS, and does not count where that name has logged in from before.
// Threads: safe to share.
// Limits:  kTriesKept addresses and names; when there are more, all are forgotten.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <unordered_map>

#include "base/guarded.h"
#include "base/time_units.h"

namespace nilo::app {

inline constexpr int kFreeTries = 5;
inline constexpr int kNameWaitMaxS = 16;
inline constexpr int kAddressWaitMaxS = 60;
inline constexpr std::int64_t kTriesForgottenUs = 30 * kMinuteUs;
inline constexpr std::size_t kTriesKept = 10'000;

class LoginGuard {
 public:
  // A try now, counted as failed until succeeded() says otherwise: many at once are not free. 0: go
  // on; else the seconds to wait, and the try does not count. `now_us`: Clock::steady_us().
  int take_try(const std::string& name, const std::string& ip, std::int64_t now_us);
  void succeeded(const std::string& name, const std::string& ip);

 private:
  struct Tries {
    int failed = 0;
    std::int64_t last_us = 0;
    std::int64_t next_us = 0;  // not before
  };
  using TriesOf = std::unordered_map<std::string, Tries>;
  struct State {
    TriesOf by_ip;
    TriesOf by_name;
    std::set<std::string> known;  // name, '\n', address: has logged in from there
  };
  static int wait_s(TriesOf& all, const std::string& key, std::int64_t now_us);
  static void count(TriesOf& all, const std::string& key, int wait_max_s, std::int64_t now_us);
  static void forgive(TriesOf& all, const std::string& key);
  Guarded<State> state_;
};

// At most kSetupTriesMax tries in kSetupWindowUs, whoever tries: with 30^8 codes nobody gets in by
// guessing, however many addresses there are. Who runs the server can start it again.
inline constexpr std::size_t kSetupTriesMax = 10;
inline constexpr std::int64_t kSetupWindowUs = 10 * kMinuteUs;

class SetupGuard {
 public:
  // As LoginGuard's.
  int take_try(std::int64_t now_us);

 private:
  Guarded<std::deque<std::int64_t>> tries_;  // when, oldest first
};

}  // namespace nilo::app
