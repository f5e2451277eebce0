// net/websocket_stream.h: bytes in the binary messages of a WebSocket, as a Stream.
//
// In/out:  frames below <-> bytes above; where a message begins or ends means nothing.
// Threads: see net/stream.h.
// Limits:  nothing of a message is kept, however long. What the client sends but does not read the
//          answer to (pings) is answered only while less than kTalkUnreadMax waits for it.
// Source:  RFC 6455; MQTT 5.0 section 6, 3.1.1 section 6.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/layered_stream.h"
#include "net/websocket.h"

namespace nilo::net {

inline constexpr std::size_t kTalkUnreadMax = 16 * 1024;

class WebSocketStream final : public LayeredStream {
 public:
  // `bytes` came right behind the handshake.
  WebSocketStream(std::unique_ptr<Stream> below, std::string_view bytes);

  void send(std::string_view bytes) override;

 private:
  void take_in(std::string_view bytes) override { reader_.feed(bytes); }
  void keep_in() override {}
  std::string_view next(std::span<char> room) override;
  void say_goodbye() override;

  WebSocketReader reader_ = WebSocketReader::in_pieces();
  std::string goodbye_reason_{};
  std::uint16_t goodbye_code_ = close_code::kNormal;
};

}  // namespace nilo::net
