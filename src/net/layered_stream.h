// net/layered_stream.h: a Stream over another one: what TLS and WebSocket have in common.
//
//   below -> take_in() -> next(), again and again -> handler
//
// It keeps the order of things right when the handler pauses, closes, detaches or destroys the
// stream in the middle of what one read brought; the layers themselves only translate bytes.
// Threads: see net/stream.h.
// Limits:  while reading is paused at most what one read brought is kept (kReadBufferSize).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/stream.h"

namespace nilo::net {

class LayeredStream : public Stream, StreamHandler {
 public:
  explicit LayeredStream(std::unique_ptr<Stream> below) : below_(std::move(below)) {}
  ~LayeredStream() override;

  Result<void> attach(EventLoop& loop, StreamHandler& handler) final;
  void detach() final;
  bool is_open() const final { return below_->is_open(); }
  std::size_t unsent() const final { return below_->unsent(); }
  void pause_reading() final;
  void resume_reading() final;
  void close() final;
  void close_after_flush() final;
  bool is_encrypted() const override { return below_->is_encrypted(); }
  std::shared_ptr<const PeerCertificate> peer_certificate() const override {
    return below_->peer_certificate();
  }

 protected:
  // Bytes from below. They live until keep_in() at least.
  virtual void take_in(std::string_view bytes) = 0;
  // Copies what was taken in and not used yet.
  virtual void keep_in() = 0;
  // The next bytes for the handler, in `room` or elsewhere; until the next call. Empty: none now.
  virtual std::string_view next(std::span<char> room) = 0;
  // Sends what this layer says at the end.
  virtual void say_goodbye() = 0;
  // Has the peer said its own? Then nothing it sends could overtake ours, and nobody waits for it.
  virtual bool is_peer_done() const { return false; }
  // May next() have something before more is taken in?
  virtual bool may_have_more() const { return true; }
  virtual void on_attached() {}
  virtual void on_detached() {}
  // Is on_flushed() of any interest to the handler?
  virtual bool tells_flushed() const { return true; }

  Stream& below() { return *below_; }
  EventLoop* loop() { return loop_; }  // nullptr while detached
  bool is_closing() const { return closing_; }
  // The peer has said in this layer that it sends no more.
  void peer_ends() { peer_ended_ = true; }
  // Nothing more can be said in this layer; what was sent before still leaves. Told in a later turn
  // unless next() is running.
  void fail(std::string reason);

 private:
  void on_bytes(std::string_view bytes) final;
  void on_flushed() final;
  bool on_end() final;
  void on_closed(std::string_view reason) final;
  void pump();
  void finish();
  void leave_turn();
  void leave_loop();
  void pump_later();

  std::unique_ptr<Stream> below_;
  EventLoop* loop_ = nullptr;
  StreamHandler* handler_ = nullptr;
  TimerId pump_timer_ = TimerId::none;
  bool* left_ = nullptr;  // of the pump() that runs: set when nothing here may be touched any more
  bool paused_ = false;
  bool peer_ended_ = false;
  bool told_end_ = false;
  bool closing_ = false;
  std::string failure_{};
};

}  // namespace nilo::net
