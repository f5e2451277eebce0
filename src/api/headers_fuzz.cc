// Fuzzes what a stranger's header lines reach before anybody is asked who it is: cookies,
// Authorization, Accept and the conditions of files.
//
// The first byte chooses the header; the rest is its value.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "api/assets.h"
#include "api/backend.h"
#include "base/assert.h"

namespace {

using nilo::api::Asset;
using nilo::api::Assets;

constexpr const char* kNames[] = {"cookie", "authorization", "accept", "accept-encoding",
                                  "if-none-match"};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const Assets files({Asset{.name = "index.html", .bytes = "<p>", .gzip = {}},
                             Asset{.name = "assets/a.js", .bytes = "1", .gzip = "z"}},
                            [] { return std::string("n"); });
  nilo::net::HttpRequest request;
  request.method = "GET";
  const std::string value(reinterpret_cast<const char*>(data + 1), size - 1);
  request.headers.emplace_back(kNames[data[0] % std::size(kNames)], value);

  const auto shown = nilo::api::read_credentials(request);
  if (shown) {
    NILO_ASSERT(shown->token.size() + shown->user.size() + shown->password.size() +
                    shown->session.size() <=
                value.size());
    // One way of showing who one is, never two.
    NILO_ASSERT((shown->token.empty() ? 0 : 1) + (shown->user.empty() ? 0 : 1) +
                    (shown->session.empty() ? 0 : 1) <=
                1);
  }
  request.path = "/assets/a.js";
  const auto file = files.file(request);
  NILO_ASSERT(file && (file->status == 200 || file->status == 304));
  request.path = "/somewhere";
  const auto page = files.page(request);
  NILO_ASSERT(!page || page->status == 200 || page->status == 304);
  return 0;
}
