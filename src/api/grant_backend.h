// api/grant_backend.h: what people allowed devices by hand, as the API asks the house about it.
//
// Threads: as backend.h.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace nilo::api {

struct GrantInfo {
  std::string login;  // the name of a token or certificate
  std::string act;    // "publish", "subscribe"
  std::string topic;  // or filter
  TimeUs granted_us = 0;
};

struct GrantBackend {
  // By login; no revoked ones.
  std::function<std::vector<GrantInfo>()> list;
  // Login, act and topic say which. Done when that is durable and holds no more. not_found.
  std::function<void(const GrantInfo& which, std::function<void(Result<void>)> done)> revoke;
};

}  // namespace nilo::api
