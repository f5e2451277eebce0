// Any bytes of a client that speaks MQTT over WebSocket, whole or in pieces: the same bytes are in
// them, the same end, and nothing is kept of a message.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "net/websocket.h"

namespace {

using nilo::net::WebSocketReader;
using Event = WebSocketReader::Event;

struct Heard {
  std::string bytes{};    // of all messages
  std::string control{};  // what else there was, and behind how many bytes
  bool operator==(const Heard&) const = default;
};

Heard heard_in(std::string_view bytes, std::size_t step) {
  WebSocketReader reader = WebSocketReader::in_pieces();
  Heard heard;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    reader.feed(bytes.substr(at, step));
    for (Event event = reader.next(); event != Event::none; event = reader.next()) {
      NILO_ASSERT(event != Event::text);
      if (event == Event::binary) {
        NILO_ASSERT(!reader.payload().empty());
        heard.bytes += reader.payload();
        continue;
      }
      heard.control += std::to_string(heard.bytes.size()) + ":" +
                       std::to_string(static_cast<int>(event)) + std::string(reader.payload());
      if (event == Event::close || event == Event::failed) {
        heard.control += std::to_string(reader.close_code());
      }
    }
  }
  NILO_ASSERT(heard.bytes.size() <= bytes.size());
  return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Heard whole = heard_in(bytes, bytes.size() + 1);
  NILO_ASSERT(whole == heard_in(bytes, 1));
  NILO_ASSERT(whole == heard_in(bytes, 7));
  return 0;
}
