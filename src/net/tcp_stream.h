// net/tcp_stream.h: bytes of one connection, in and out, on one loop.
//
// In/out:  what the peer sent -> StreamHandler::on_bytes; send() -> the peer.
// Threads: the loop's, all of it.
// Limits:  no read buffer of its own (the loop's is shared). send() keeps what the kernel did not
//          take; it has no limit here, so the owner looks at unsent() before it adds more and
//          stops reading, drops or closes, as its protocol wants.
// Memory:  about 120 bytes while nothing is unsent.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/event_loop.h"

namespace nilo::net {

// A connection that is being closed and makes no progress for this long is cut.
inline constexpr std::chrono::milliseconds kCloseStallMax{5000};

// Every call may close, release or destroy the stream.
class StreamHandler {
 public:
  // `bytes` live for the call; nothing is kept here.
  virtual void on_bytes(std::string_view bytes) = 0;
  // Everything sent has been handed to the kernel, after some of it had to wait.
  virtual void on_flushed() {}
  // The peer will send no more. True: keep the connection to send the rest; false: close it.
  virtual bool on_end() { return false; }
  // The connection is gone (`reason` in words for a log line) and the stream closed. Once for each
  // open(), unless the owner itself called close() or release().
  virtual void on_closed(std::string_view reason) = 0;

 protected:
  ~StreamHandler() = default;
};

class TcpStream final : EventLoop::Watcher {
 public:
  // Both must outlive the stream. Closed until open().
  TcpStream(EventLoop& loop, StreamHandler& handler) : loop_(loop), handler_(handler) {}
  ~TcpStream();
  TcpStream(const TcpStream&) = delete;
  TcpStream& operator=(const TcpStream&) = delete;

  // Takes `fd` (connected, non-blocking; closed on failure too). Sets TCP_NODELAY.
  // resource_exhausted: the kernel's limit on watches.
  Result<void> open(int fd);
  bool is_open() const { return fd_ >= 0; }

  // Writes at once what the kernel takes and keeps a copy of the rest. On a broken connection the
  // bytes are dropped and on_closed follows. One call is one system call: collect, then send.
  void send(std::string_view bytes);
  // Bytes kept, waiting for the peer to read.
  std::size_t unsent() const { return unsent_.size() - sent_; }

  // Back-pressure: the peer's bytes stay in the kernel, then at the peer.
  void pause_reading();
  void resume_reading();

  // At once; unsent bytes are lost; on_closed is not called.
  void close();
  // Reads no more, sends the rest, tells the peer the end and waits for its end, so that the last
  // bytes arrive even if the peer is still sending. Then on_closed.
  void close_after_flush();

  // Gives the descriptor away, to be open()ed on another loop. Asserted: nothing is unsent.
  int release();

 private:
  void on_ready(std::uint32_t events) override;
  void read();
  void read_end();
  void flush();
  void end(std::string_view reason);
  void finish_sending();
  void watch_stall();
  void update_watch();

  EventLoop& loop_;
  StreamHandler& handler_;
  int fd_ = -1;
  std::uint32_t watched_ = 0;
  bool paused_ = false;
  bool peer_ended_ = false;
  bool closing_ = false;  // close_after_flush() was called: what arrives is thrown away
  bool progressed_ = false;
  bool broken_ = false;  // a write failed; the loop will report it
  std::string unsent_;   // from sent_ on
  std::size_t sent_ = 0;
  TimerId stall_timer_ = TimerId::none;
};

}  // namespace nilo::net
