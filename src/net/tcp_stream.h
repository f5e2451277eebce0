// net/tcp_stream.h: a Stream that is a socket.
//
// Threads: see net/stream.h.
// Limits:  no read buffer of its own (the loop's is shared); what is unsent is the owner's to
//          bound.
// Memory:  about 130 bytes while nothing is unsent.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "net/stream.h"

namespace nilo::net {

// A connection that is being closed and makes no progress for this long is cut.
inline constexpr std::chrono::milliseconds kCloseStallMax{5000};

class TcpStream final : public Stream, EventLoop::Watcher {
 public:
  // Takes `fd` (connected, non-blocking). Sets TCP_NODELAY.
  explicit TcpStream(int fd);
  ~TcpStream() override;

  Result<void> attach(EventLoop& loop, StreamHandler& handler) override;
  void detach() override;
  bool is_open() const override { return fd_ >= 0; }
  void send(std::string_view bytes) override;
  std::size_t unsent() const override { return unsent_.size() - sent_; }
  void pause_reading() override;
  void resume_reading() override;
  void close() override;
  void close_after_flush() override;

 private:
  void on_ready(std::uint32_t events) override;
  void read();
  void read_end();
  void flush();
  void end(std::string_view reason);
  void finish_sending();
  void watch_stall();
  void update_watch();
  void leave_loop();

  EventLoop* loop_ = nullptr;  // with handler_: while attached
  StreamHandler* handler_ = nullptr;
  int fd_;
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
