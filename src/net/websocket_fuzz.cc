// Any bytes, whole or in pieces: the reader sees the same messages in them, none over the limit.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/utf8.h"
#include "net/websocket.h"

namespace {

using nilo::net::WebSocketReader;
using Event = WebSocketReader::Event;

constexpr std::size_t kSizeMax = 300;

std::string events_of(std::string_view bytes, std::size_t step) {
  WebSocketReader reader(kSizeMax);
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    reader.feed(bytes.substr(at, step));
    for (Event event = reader.next(); event != Event::none; event = reader.next()) {
      NILO_ASSERT(reader.payload().size() <= kSizeMax);
      NILO_ASSERT(event != Event::text || nilo::is_utf8(reader.payload()));
      out.push_back(static_cast<char>(event));
      out += std::to_string(reader.payload().size()) + ":" + std::string(reader.payload());
      if (event == Event::close || event == Event::failed) {
        out += std::to_string(reader.close_code());
      }
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = events_of(bytes, bytes.size() + 1);
  NILO_ASSERT(whole == events_of(bytes, 1));
  NILO_ASSERT(whole == events_of(bytes, 7));
  return 0;
}
