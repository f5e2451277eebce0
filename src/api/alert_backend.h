// api/alert_backend.h: what the API needs from the house for alerts.
//
// JSON documents come from the app, which knows the rows; docs/alerts.md describes them.
// Threads: as backend.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"

namespace nilo::api {

struct AlertQuery {
  std::string state = "open";  // "all", or a state
  std::string thing{};         // empty: of all things
  std::size_t limit = 100;
  std::size_t offset = 0;
};

struct AlertDeed {
  enum class Kind : std::uint8_t { acknowledge, snooze, resolve } kind{};
  std::optional<std::int64_t> for_us{};  // of a snooze; nullopt: until it is over
  std::string by;
  std::string note{};
};

struct AlertBackend {
  using Json = Result<std::string>;
  using Done = std::function<void(Json)>;

  // invalid_argument: no such state.
  std::function<Json(const AlertQuery&)> list;
  // not_found
  std::function<Json(const std::string& id)> story;
  // not_found; conflict: it is not open.
  std::function<void(const std::string& id, const AlertDeed&, Done)> act;
  // not_found: no such alert in the stack, or nothing it is about ever reported.
  std::function<void(const std::string& name, Done)> test;
  // By the link in a mail. not_found: no such token; conflict: it is over.
  std::function<Json(const std::string& token)> linked;
  std::function<void(const std::string& token, Done)> acknowledge_linked;
};

}  // namespace nilo::api
