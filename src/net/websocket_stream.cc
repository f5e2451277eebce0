#include "net/websocket_stream.h"

#include <utility>

namespace nilo::net {

WebSocketStream::WebSocketStream(std::unique_ptr<Stream> below, std::string_view bytes)
    : LayeredStream(std::move(below)) {
  reader_.feed(bytes);
}

void WebSocketStream::send(std::string_view bytes) {
  if (loop() == nullptr || is_closing() || bytes.empty()) return;
  std::string out;
  append_frame(out, WebSocketOpcode::binary, bytes);
  below().send(out);
}

std::string_view WebSocketStream::next(std::span<char> /*room*/) {
  using Event = WebSocketReader::Event;
  for (;;) {
    switch (reader_.next()) {
      case Event::binary:
        return reader_.payload();
      case Event::ping: {
        std::string out;
        append_frame(out, WebSocketOpcode::pong, reader_.payload());
        if (unsent() < kTalkUnreadMax) below().send(out);
        break;
      }
      case Event::close:
        goodbye_code_ = reader_.close_code();
        fail("closed by the peer");
        return {};
      case Event::failed:
        goodbye_code_ = reader_.close_code();
        goodbye_reason_ = reader_.payload();
        fail("WebSocket: " + goodbye_reason_);
        return {};
      case Event::text:  // refused by the reader
      case Event::pong:
        break;
      case Event::none:
        return {};
    }
  }
}

void WebSocketStream::say_goodbye() {
  std::string out;
  if (goodbye_code_ == close_code::kNoStatus) {
    append_frame(out, WebSocketOpcode::close, {});
  } else {
    append_close_frame(out, goodbye_code_, goodbye_reason_);
  }
  below().send(out);
}

}  // namespace nilo::net
