// Any bytes, whole or in pieces: the parser sees the same requests in them. (When it notices that
// the rest is none may depend on the pieces.)
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "net/http_parser.h"

namespace {

// Above what the fuzzer makes (4,096 bytes): where exactly a limit on the header is noticed may
// depend on the pieces, everything else may not.
constexpr std::size_t kHeaderSizeMax = 8192;
constexpr std::size_t kBodySizeMax = 64;

// The requests in `bytes`, fed `step` at a time.
std::string requests_of(std::string_view bytes, std::size_t step) {
  using State = nilo::net::HttpRequestParser::State;
  nilo::net::HttpRequestParser parser(kHeaderSizeMax, kBodySizeMax);
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    parser.feed(bytes.substr(at, step));
    State state = parser.parse();
    for (; state == State::complete; state = parser.parse()) {
      const nilo::net::HttpRequest request = parser.take();
      out += request.method + " " + request.path + " " + request.body + "\n";
      NILO_ASSERT(request.body.size() <= kBodySizeMax);
    }
    if (state == State::failed) break;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (size < kHeaderSizeMax) {
    NILO_ASSERT(requests_of(bytes, 7) == requests_of(bytes, bytes.size() + 1));
  }
  const nilo::Result<nilo::net::HttpTarget> target = nilo::net::parse_target(bytes);
  if (target) NILO_ASSERT(target->query.size() <= nilo::net::kQueryParametersMax);
  return 0;
}
