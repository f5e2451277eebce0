// net/websocket.h: the server's side of WebSocket: handshake and frames, without sockets.
//
// In/out:  an HTTP request -> the answer that turns its connection into a WebSocket; bytes of a
//          client -> messages; messages -> frames. net/websocket_connection.h joins it with a
//          connection of the HTTP server.
// Threads: none of its own.
// Limits:  WebSocketReader's message_size_max; 125 bytes for ping, pong and close (the standard's).
// Source:  RFC 6455. No extensions are taken: compression would cost memory for each connection.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"

namespace nilo::net {

// RFC 6455 section 7.4.1.
namespace close_code {
inline constexpr std::uint16_t kNormal = 1000;
inline constexpr std::uint16_t kGoingAway = 1001;
inline constexpr std::uint16_t kProtocolError = 1002;
inline constexpr std::uint16_t kUnsupportedData = 1003;
inline constexpr std::uint16_t kNoStatus = 1005;  // never sent: a close without a code
inline constexpr std::uint16_t kInvalidPayload = 1007;
inline constexpr std::uint16_t kPolicyViolation = 1008;
inline constexpr std::uint16_t kTooBig = 1009;
inline constexpr std::uint16_t kTryAgainLater = 1013;
}  // namespace close_code

// As they stand in a frame's first byte.
enum class WebSocketOpcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

// An open connection, as its handler has it. On the loop of its server.
class WebSocket {
 public:
  // Whole messages; `text` is UTF-8. Ignored after close().
  virtual void send_text(std::string_view text) = 0;
  virtual void send_binary(std::string_view bytes) = 0;
  // Bytes that wait for the client to read. Bound them: nobody else does.
  virtual std::size_t unsent() const = 0;
  // Back-pressure: what the client sends stays in the kernel, then at the client.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;
  // Says goodbye with a code and at most 123 bytes of UTF-8, and sends what waits. on_closed()
  // follows in a later turn; nothing else does.
  virtual void close(std::uint16_t code, std::string_view reason) = 0;

 protected:
  ~WebSocket() = default;
};

// What happens to it. Every call may send to the socket and close it.
class WebSocketHandler {
 public:
  virtual ~WebSocketHandler() = default;
  // `socket` may be used from now until on_closed() returns.
  virtual void on_open(WebSocket& socket) = 0;
  virtual void on_text(std::string_view text) = 0;
  virtual void on_binary(std::string_view bytes) = 0;
  // All that waited was handed to the kernel.
  virtual void on_flushed() {}
  // Once; the socket is gone.
  virtual void on_closed() = 0;
};

// Sec-WebSocket-Accept for a client's Sec-WebSocket-Key.
std::string websocket_accept_key(std::string_view key);

// The answer that makes a WebSocket of the connection; `handler` hears from then on. With a
// `protocol`, the client must have offered it.
// invalid_argument: not a WebSocket handshake of version 13, or the protocol was not offered.
Result<HttpResponse> accept_websocket(const HttpRequest& request,
                                      std::shared_ptr<WebSocketHandler> handler,
                                      std::string_view protocol = {});

// The answer after which the connection is a Stream of bytes in binary messages, whose bounds mean
// nothing: MQTT 5.0 section 6. Its next owner is `taker`. The client must have offered one of
// `protocols`; of several the one that stands first here is taken.
// invalid_argument: as accept_websocket().
Result<HttpResponse> accept_websocket_stream(const HttpRequest& request,
                                             std::span<const std::string_view> protocols,
                                             StreamTaker taker);

// Frames as a server sends them: not masked, not fragmented.
void append_frame(std::string& out, WebSocketOpcode opcode, std::string_view payload);
// `reason` is cut to what a close frame holds.
void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason);

// The frames of one client.
class WebSocketReader {
 public:
  enum class Event : std::uint8_t {
    none,    // more bytes are needed
    text,    // a whole message, checked to be UTF-8
    binary,  // a whole message
    ping,
    pong,
    close,   // the client says goodbye: close_code(), payload() is its reason
    failed,  // not WebSocket: say close_code() and payload(), and close. Nothing follows.
  };

  explicit WebSocketReader(std::size_t message_size_max) : message_size_max_(message_size_max) {}
  // Takes binary messages only, of any size, and gives what is there of them: `binary` is a piece,
  // not a message. Nothing of a message is kept.
  static WebSocketReader in_pieces() {
    WebSocketReader reader(SIZE_MAX);
    reader.in_pieces_ = true;
    return reader;
  }

  void feed(std::string_view bytes) { pending_.append(bytes); }
  Event next();

  // Of the last event; until next() is called again.
  std::string_view payload() const { return payload_; }
  std::uint16_t close_code() const { return close_code_; }

 private:
  struct Frame;
  enum class Header : std::uint8_t { incomplete, complete, failed };
  Header read_header(Frame& frame);
  bool check(const Frame& frame);
  Event finish(const Frame& frame);
  void begin_pieces(const Frame& frame);
  Event next_piece();
  void forget_used();
  Event finish_close();
  Event fail(std::uint16_t code, std::string_view why);

  std::size_t message_size_max_;
  std::string pending_;
  std::size_t used_ = 0;  // of pending_
  std::string message_;   // the fragments so far
  std::string control_;   // a control frame may come between them
  WebSocketOpcode message_opcode_ = WebSocketOpcode::continuation;  // continuation: none is open
  std::string_view payload_;
  std::uint16_t close_code_ = 0;
  std::array<char, 4> mask_{};    // of the frame that is given in pieces
  std::uint64_t piece_left_ = 0;  // of its payload
  std::size_t mask_at_ = 0;
  bool in_pieces_ = false;
  bool message_is_whole_ = false;
  bool failed_ = false;
};

}  // namespace nilo::net
