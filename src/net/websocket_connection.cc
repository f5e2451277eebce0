#include "net/websocket_connection.h"

#include <utility>

namespace nilo::net {

WebSocketConnection::WebSocketConnection(EventLoop& loop, Stream& stream,
                                         std::shared_ptr<WebSocketHandler> handler)
    : loop_(loop), stream_(stream), handler_(std::move(handler)) {}

WebSocketConnection::~WebSocketConnection() {
  *alive_ = false;
  is_closing_ = true;
  handler_->on_closed();
}

void WebSocketConnection::open(std::string_view bytes) {
  stream_.resume_reading();
  handler_->on_open(*this);
  reader_.feed(bytes);
  read();
}

void WebSocketConnection::on_bytes(std::string_view bytes) {
  heard_ = true;
  reader_.feed(bytes);
  read();
}

void WebSocketConnection::on_flushed() {
  if (!is_closing_ && out_.empty()) handler_->on_flushed();
  catch_up();
}

// Nothing in here ends the connection at once, so it is still there when a handler returns.
void WebSocketConnection::read() {
  if (std::exchange(is_reading_, true)) return;
  while (!is_closing_ && !is_paused_) {
    if (unsent() > kWebSocketUnreadMax) {
      is_held_ = true;
      stream_.pause_reading();
      break;
    }
    const WebSocketReader::Event event = reader_.next();
    if (event == WebSocketReader::Event::none) break;
    switch (event) {
      case WebSocketReader::Event::text:
        handler_->on_text(reader_.payload());
        break;
      case WebSocketReader::Event::binary:
        handler_->on_binary(reader_.payload());
        break;
      case WebSocketReader::Event::ping:
        send(WebSocketOpcode::pong, reader_.payload());
        break;
      case WebSocketReader::Event::close:
        say_goodbye(reader_.close_code(), {});
        break;
      case WebSocketReader::Event::failed:
        say_goodbye(reader_.close_code(), reader_.payload());
        break;
      case WebSocketReader::Event::pong:
      case WebSocketReader::Event::none:
        break;
    }
  }
  is_reading_ = false;
}

bool WebSocketConnection::check(std::chrono::steady_clock::time_point now) {
  if (is_closing_ || now - pinged_ < kPingEvery) return true;
  pinged_ = now;
  // Who may not speak cannot be blamed for its silence.
  if (!std::exchange(heard_, false) && !is_paused_) return false;
  send(WebSocketOpcode::ping, {});
  return true;
}

void WebSocketConnection::send_text(std::string_view text) { send(WebSocketOpcode::text, text); }

void WebSocketConnection::send_binary(std::string_view bytes) {
  send(WebSocketOpcode::binary, bytes);
}

void WebSocketConnection::send(WebSocketOpcode opcode, std::string_view payload) {
  if (is_closing_) return;
  append_frame(out_, opcode, payload);
  if (std::exchange(write_pending_, true)) return;
  loop_.defer([this, alive = alive_] {
    if (*alive) write_out();
  });
}

void WebSocketConnection::write_out() {
  write_pending_ = false;
  if (out_.empty()) return;
  stream_.send(out_);
  out_.clear();
  catch_up();
}

// Who has read what was waiting is listened to again.
void WebSocketConnection::catch_up() {
  if (!is_held_ || unsent() > kWebSocketUnreadMax) return;
  is_held_ = false;
  if (is_paused_ || is_closing_) return;
  stream_.resume_reading();
  read();
}

void WebSocketConnection::pause_reading() {
  is_paused_ = true;
  stream_.pause_reading();
}

void WebSocketConnection::resume_reading() {
  if (!std::exchange(is_paused_, false) || is_held_) return;
  stream_.resume_reading();
  read();  // what had come before the pause
}

void WebSocketConnection::close(std::uint16_t code, std::string_view reason) {
  say_goodbye(code, reason);
}

// Section 5.5.1: whoever gets a close frame answers one; the server then ends the connection.
void WebSocketConnection::say_goodbye(std::uint16_t code, std::string_view reason) {
  if (std::exchange(is_closing_, true)) return;
  if (code == close_code::kNoStatus) {
    append_frame(out_, WebSocketOpcode::close, {});
  } else {
    append_close_frame(out_, code, reason);
  }
  write_out();
  stream_.close_after_flush();
}

}  // namespace nilo::net
