// Any bytes, cut at any places: the parser takes them whole or in pieces and says the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "net/http_parser.h"

namespace {

// What came of `bytes`, fed `step` at a time.
std::string outcome(std::string_view bytes, std::size_t step) {
  using State = nilo::net::HttpRequestParser::State;
  nilo::net::HttpRequestParser parser(1024, 1024);
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    parser.feed(bytes.substr(at, step));
    State state = parser.parse();
    for (; state == State::complete; state = parser.parse()) {
      const nilo::net::HttpRequest request = parser.take();
      out += request.method + " " + request.path + " " + request.body + "\n";
      NILO_ASSERT(request.body.size() <= 1024);
    }
    if (state == State::failed) return out + std::to_string(parser.failure().status);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = outcome(bytes, bytes.size() + 1);
  // Piece by piece an over-long line may be noticed earlier, so only clean runs must agree.
  if (whole.empty() || whole.back() == '\n') {
    NILO_ASSERT(outcome(bytes, 7) == whole);
  }
  const nilo::Result<nilo::net::HttpTarget> target = nilo::net::parse_target(bytes);
  if (target) NILO_ASSERT(target->query.size() <= nilo::net::kQueryParametersMax);
  return 0;
}
