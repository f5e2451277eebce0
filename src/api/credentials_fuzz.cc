// Any bytes as the headers of a login, one a line (Authorization, Cookie): no crash, one sort of
// credentials at most, and Basic reads what was written.
#include <cstdint>
#include <string>
#include <string_view>

#include "api/backend.h"
#include "base/assert.h"
#include "base/base64.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t line = bytes.find('\n');
  nilo::net::HttpRequest request;
  request.headers.emplace_back("authorization", bytes.substr(0, line));
  if (line != std::string::npos) request.headers.emplace_back("cookie", bytes.substr(line + 1));
  if (const auto read = nilo::api::read_credentials(request)) {
    const int sorts = (read->token.empty() ? 0 : 1) + (read->user.empty() ? 0 : 1) +
                      (read->session.empty() ? 0 : 1);
    NILO_ASSERT(sorts <= 1 && read->is_none() == (sorts == 0));
    NILO_ASSERT(read->session.find(';') == std::string::npos);
    NILO_ASSERT(read->session.empty() || request.header("authorization").empty());
    NILO_ASSERT(!read->user.empty() || read->password.empty());
  }

  // The same bytes as "user:password": whatever has a name before a colon is read, and split at one
  // colon (a name may have colons, begin with one even, when a token follows).
  const std::size_t colon = bytes.find(':');
  request.headers = {{"authorization", "Basic " + nilo::base64_encoded(bytes)}};
  const auto basic = nilo::api::read_credentials(request);
  if (!basic) {
    NILO_ASSERT(colon == std::string::npos || colon == 0);
    return 0;
  }
  NILO_ASSERT(!basic->user.empty() && basic->user + ":" + basic->password == bytes);
  NILO_ASSERT(colon == basic->user.size() || basic->password.starts_with("nilo_"));
  return 0;
}
