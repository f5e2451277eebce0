// net/websocket_connection.h: a connection of the HTTP server that became a WebSocket.
//
// In/out:  bytes of the stream -> WebSocketHandler; what the handler sends -> frames, in one write
//          at the end of the loop's turn.
// Threads: the loop's.
// Limits:  kWebSocketMessageMax; a ping every kPingEvery, and who has not said anything until the
//          next one is cut. Who has more than kWebSocketUnreadMax to read is not listened to until
//          it has: else a client that asks and never reads would fill the memory with answers. What
//          the handler sends unasked is the handler's to bound (WebSocket::unsent()).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "net/event_loop.h"
#include "net/stream.h"
#include "net/websocket.h"

namespace nilo::net {

inline constexpr std::size_t kWebSocketMessageMax = 64 * 1024;
inline constexpr std::size_t kWebSocketUnreadMax = 256 * 1024;
inline constexpr std::chrono::seconds kPingEvery{30};

class WebSocketConnection final : public WebSocket {
 public:
  // `stream` outlives this. The owner passes on what the stream tells.
  WebSocketConnection(EventLoop& loop, Stream& stream, std::shared_ptr<WebSocketHandler> handler);
  // Tells the handler that it is over.
  ~WebSocketConnection();
  WebSocketConnection(const WebSocketConnection&) = delete;
  WebSocketConnection& operator=(const WebSocketConnection&) = delete;

  // Once; `bytes` came right after the handshake.
  void open(std::string_view bytes);
  void on_bytes(std::string_view bytes);
  void on_flushed();
  // Pings, now and then. False: the peer is gone, cut the connection.
  bool check(std::chrono::steady_clock::time_point now);

  void send_text(std::string_view text) override;
  void send_binary(std::string_view bytes) override;
  std::size_t unsent() const override { return out_.size() + stream_.unsent(); }
  void pause_reading() override;
  void resume_reading() override;
  void close(std::uint16_t code, std::string_view reason) override;

 private:
  void read();
  void send(WebSocketOpcode opcode, std::string_view payload);
  void write_out();
  void catch_up();
  void say_goodbye(std::uint16_t code, std::string_view reason);

  EventLoop& loop_;
  Stream& stream_;
  std::shared_ptr<WebSocketHandler> handler_;
  WebSocketReader reader_{kWebSocketMessageMax};
  std::string out_;  // frames of this turn
  std::chrono::steady_clock::time_point pinged_ = std::chrono::steady_clock::now();
  bool heard_ = true;        // since the last ping
  bool is_paused_ = false;   // by the handler
  bool is_held_ = false;     // by kWebSocketUnreadMax
  bool is_reading_ = false;  // in read(): a handler that resumes must not start it again
  bool is_closing_ = false;  // our close frame is on its way; nothing follows it
  // What a deferred write looks at: is the connection still there?
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool write_pending_ = false;
};

}  // namespace nilo::net
