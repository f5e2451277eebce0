// api/refused.h: clients that were turned away, and what letting them in would do.
//
// In/out:  what was refused, grouped -> GET /api/v1/refused; Allow -> the house.
// Threads: the functions may be called from any thread; `done` from any thread, exactly once.
// Limits:  kRefusedMax groups; a new one replaces the one not seen for longest.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace nilo::api {

inline constexpr std::size_t kRefusedMax = 200;

// Everything one client was refused of one kind and about one topic, so that what is allowed is
// what was shown: what, client, user, ip and topic are the same.
// All texts are what a stranger sent.
struct RefusedClient {
  std::uint64_t id = 0;  // never reused while the server runs
  std::string what;      // "connect", "publish" or "subscribe"
  std::string client;    // the MQTT client id; empty: not MQTT
  std::string user;      // the name it showed, or the one it is logged in with; may be empty
  std::string ip;
  std::string topic;   // topic or filter; empty for connect
  std::string reason;  // of the newest one
  std::uint64_t count = 0;
  TimeUs time_us = 0;  // of the newest one
};

struct RefusedBackend {
  std::function<std::vector<RefusedClient>()> list;  // newest first
  // What Allow would do with this one, in words for a button's help; nothing: Allow cannot help.
  // May be empty: then nobody is allowed.
  std::function<std::optional<std::string>(const RefusedClient&)> would_allow;
  // Does it, and says what it did. Called only where would_allow() has words.
  std::function<void(const RefusedClient&, std::function<void(Result<std::string>)>)> allow;
  // Takes it off the list: done with. False: it was not there.
  std::function<bool(std::uint64_t id)> forget;
};

}  // namespace nilo::api
