#include "net/layered_stream.h"

#include <array>
#include <utility>

namespace nilo::net {
namespace {

// One TLS record; on the stack, so that a connection owns none.
constexpr std::size_t kRoomSize = 16 * 1024;

}  // namespace

LayeredStream::~LayeredStream() { leave_loop(); }

Result<void> LayeredStream::attach(EventLoop& loop, StreamHandler& handler) {
  NILO_ASSERT(loop_ == nullptr);
  TRY(below_->attach(loop, *this));
  loop_ = &loop;
  handler_ = &handler;
  paused_ = told_end_ = false;
  on_attached();
  if (may_have_more()) pump_later();  // what had come before
  return {};
}

void LayeredStream::detach() {
  NILO_ASSERT(!closing_);
  keep_in();
  on_detached();
  leave_loop();
  below_->detach();
}

void LayeredStream::leave_turn() {
  if (left_ != nullptr) *std::exchange(left_, nullptr) = true;
}

void LayeredStream::leave_loop() {
  leave_turn();
  if (loop_ == nullptr) return;
  loop_->cancel(std::exchange(pump_timer_, TimerId::none));
  loop_ = nullptr;
}

void LayeredStream::pump_later() {
  if (loop_ == nullptr || pump_timer_ != TimerId::none) return;
  pump_timer_ = loop_->after(std::chrono::milliseconds(0), [this] {
    pump_timer_ = TimerId::none;
    pump();
  });
}

void LayeredStream::fail(std::string reason) {
  if (failure_.empty()) failure_ = std::move(reason);
  pump_later();
}

void LayeredStream::pause_reading() {
  paused_ = true;
  below_->pause_reading();
}

void LayeredStream::resume_reading() {
  if (!std::exchange(paused_, false)) return;
  below_->resume_reading();
  pump_later();
}

void LayeredStream::close() {
  on_detached();
  leave_loop();
  below_->close();
}

void LayeredStream::close_after_flush() {
  if (loop_ == nullptr || closing_) return;
  say_goodbye();
  closing_ = true;
  below_->close_after_flush();
}

void LayeredStream::on_bytes(std::string_view bytes) {
  if (closing_) return;
  take_in(bytes);
  pump();
}

void LayeredStream::on_flushed() {
  if (tells_flushed() && !closing_) handler_->on_flushed();
}

// Told to the handler behind the bytes that came before it.
bool LayeredStream::on_end() {
  peer_ended_ = true;
  pump();
  return true;
}

void LayeredStream::on_closed(std::string_view reason) {
  const std::string failure = std::move(failure_);
  StreamHandler& handler = *handler_;
  on_detached();
  leave_loop();
  handler.on_closed(failure.empty() ? reason : std::string_view(failure));
}

// Any call of the handler may close, detach or destroy this stream: then `left` is set.
void LayeredStream::pump() {
  if (left_ != nullptr || closing_) return;  // the one that runs goes on
  bool left = false;
  left_ = &left;
  std::array<char, kRoomSize> room;
  while (!paused_ && !closing_ && failure_.empty()) {
    const std::string_view bytes = next(room);
    if (bytes.empty()) break;
    handler_->on_bytes(bytes);
    if (left) return;
  }
  const bool is_read = !paused_ && !closing_ && failure_.empty();
  if (is_read && peer_ended_ && !std::exchange(told_end_, true)) {
    const bool stays = handler_->on_end();
    if (left) return;
    if (!stays) failure_ = "closed by the peer";
  }
  left_ = nullptr;
  keep_in();
  if (!failure_.empty() && !closing_) finish();
}

// The last words, such as an alert, must arrive: the stream is closed as politely as any other. A
// peer that has said goodbye itself sends nothing that could overtake them.
void LayeredStream::finish() {
  loop_->cancel(std::exchange(pump_timer_, TimerId::none));
  if (!is_peer_done()) return close_after_flush();
  say_goodbye();
  closing_ = true;
  if (below_->unsent() > 0) return below_->close_after_flush();
  below_->close();
  on_closed("closed by the peer");
}

}  // namespace nilo::net
