// net/http_client.h: one request, one answer, for the command line.
//
// Blocks; never on a loop. One connection for each request. No TLS, no redirects.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"

namespace nilo::net {

inline constexpr std::size_t kHttpAnswerSizeMax = 256 * 1024 * 1024;

struct HttpCall {
  std::string method = "GET";
  std::string url{};     // "http://host:port/path?query"; "host:port/path" too
  NameValues headers{};  // Host, Content-Length and Connection are written here
  std::string body{};
  std::chrono::milliseconds timeout{30'000};  // for all of it
};

// Any status is an answer.
// invalid_argument: not such a URL. unavailable: no server, or it hung up. deadline_exceeded: no
// answer in time. too_large: over kHttpAnswerSizeMax.
Result<HttpResponse> http_call(const HttpCall& call);

}  // namespace nilo::net
