// api/notice_backend.h: what the API needs to know of notices and mail; part of api/backend.h.
//
// Threads: as api/backend.h.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nilo::api {

struct NoticeBackend {
  using Answer = std::function<void(const Result<std::string>&)>;

  // {"notices":[...],"counts":{...}}, newest first. `state` may be empty.
  // invalid_argument: no such state.
  std::function<Result<std::string>(std::string_view state, std::size_t limit)> list_json;
  // Tries one again, now; answers the notice as JSON when that is durable.
  // not_found: no such notice. conflict: it was sent.
  std::function<void(const std::string& id, Answer)> retry;
  // {"mail":{"configured":true,"server":"...","from":"..."},"webhooks":1}
  std::function<std::string()> settings_json;
  // Sends one mail to `to`, and answers what the mail server said.
  // invalid_argument: no address. unavailable: no [mail] in the stack, or the server's words.
  std::function<void(const std::string& to, Answer)> test_mail;
};

}  // namespace nilo::api
