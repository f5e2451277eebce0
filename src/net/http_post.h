// net/http_post.h: one POST to a URL that somebody chose: a webhook, a topic of ntfy.
//
// Blocks; never on a loop. Connections are kept and used again.
// Threads: an HttpPoster belongs to one; the functions are pure.
// Limits:  http and https; no redirects, no proxy; kPostConnectMs to connect, kPostTotalMs for all;
//          of the answer the first kAnswerTextSizeMax bytes are kept, and after kPostAnswerSizeMax
//          nothing more is read.
//          Without `allow_private` no connection is made to an address that is not public
//          (net/public_address.h). It is the address about to be connected to that is judged, so
//          neither a name that changes its address meanwhile nor an odd way to write it gets by.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/delivery.h"

namespace nilo::net {

inline constexpr std::int64_t kPostConnectMs = 10'000;
inline constexpr std::int64_t kPostTotalMs = 20'000;
inline constexpr std::size_t kPostAnswerSizeMax = 64 * 1024;

struct HttpPost {
  std::string url;
  std::string body;
  // Title, Priority, Tags, Content-Type, Authorization. Without Content-Type it is UTF-8 text.
  std::vector<std::pair<std::string, std::string>> headers{};
  bool allow_private = false;
};

// "https://ntfy.sh" of "https://user:secret@ntfy.sh:443/topic?auth=...": what may be shown.
// invalid_argument: not http or https, no host, control characters or spaces.
Result<std::string> origin_of(std::string_view url);

class HttpPoster {
 public:
  HttpPoster();
  ~HttpPoster();

  // accepted: 2xx. refused: 3xx, 4xx, an address that is not public, a URL or header that is none.
  // failed: 408, 425, 429, 5xx, and whatever a connection can suffer, a wrong certificate too.
  // `give_up` may be empty.
  Delivery post(const HttpPost& post, const GiveUp& give_up = {});

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nilo::net
