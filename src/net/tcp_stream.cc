#include "net/tcp_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace nilo::net {
namespace {

// A socket that fills the buffer again and again must leave the others their turn.
constexpr int kReadsPerTurn = 4;
// A buffer that grew beyond this for a slow reader is given back once it is empty.
constexpr std::size_t kUnsentKeptMax = 4096;
// What was sent is cut off the front only when it is this much, so that one byte at a time does
// not move the rest each time.
constexpr std::size_t kSentCutMin = 256 * 1024;

bool is_later(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

TcpStream::TcpStream(int fd) : fd_(fd) {
  // Without this a PUBACK waits up to 40 ms for the client's delayed acknowledgement.
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // A peer that lost its power says no goodbye, and MQTT's keep alive may be 0.
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

TcpStream::~TcpStream() { close(); }

Result<void> TcpStream::attach(EventLoop& loop, StreamHandler& handler) {
  NILO_ASSERT(is_open() && loop_ == nullptr);
  const std::uint32_t wanted = EPOLLIN | (unsent() > 0 ? EPOLLOUT : 0U);
  if (Result<void> watched = loop.watch(fd_, wanted, *this); !watched) {
    close();
    return watched;
  }
  loop_ = &loop;
  handler_ = &handler;
  watched_ = wanted;
  paused_ = broken_ = peer_ended_ = false;  // an end is read, and told, again
  return {};
}

void TcpStream::send(std::string_view bytes) {
  if (loop_ == nullptr || closing_ || broken_) return;
  if (unsent() == 0) {
    const ssize_t size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(size));
    } else if (!is_later(errno)) {
      // Reported in the next turn: the caller need not expect to be closed in here.
      broken_ = true;
      stall_timer_ = loop_->after(std::chrono::milliseconds(0), [this, error = errno] {
        end(std::generic_category().message(error));
      });
      return;
    }
    if (bytes.empty()) return;
  }
  unsent_.append(bytes);
  update_watch();
}

void TcpStream::pause_reading() {
  paused_ = true;
  update_watch();
}

void TcpStream::resume_reading() {
  paused_ = false;
  update_watch();
}

void TcpStream::update_watch() {
  if (loop_ == nullptr) return;
  const bool reads = !peer_ended_ && (!paused_ || closing_);
  const std::uint32_t wanted = (reads ? EPOLLIN : 0U) | (unsent() > 0 ? EPOLLOUT : 0U);
  if (wanted == watched_) return;
  watched_ = wanted;
  loop_->rewatch(fd_, wanted, *this);
}

void TcpStream::leave_loop() {
  if (loop_ == nullptr) return;
  loop_->unwatch(fd_, *this);
  loop_->cancel(std::exchange(stall_timer_, TimerId::none));
  loop_ = nullptr;
}

void TcpStream::detach() {
  NILO_ASSERT(is_open() && !closing_);
  leave_loop();
}

void TcpStream::close() {
  if (!is_open()) return;
  leave_loop();
  unsent_ = {};
  sent_ = 0;
  ::close(std::exchange(fd_, -1));
}

void TcpStream::end(std::string_view reason) {
  close();
  handler_->on_closed(reason);
}

void TcpStream::close_after_flush() {
  if (loop_ == nullptr || closing_) return;
  closing_ = true;
  update_watch();
  watch_stall();
  if (unsent() == 0) finish_sending();
}

void TcpStream::finish_sending() {
  // The end of what we send. Closing right away would answer bytes still arriving with a reset,
  // which can overtake and destroy the last ones we sent.
  ::shutdown(fd_, SHUT_WR);
  if (!peer_ended_) return;
  // Both directions are done. Not from here: the owner may be in the middle of something.
  loop_->cancel(stall_timer_);
  stall_timer_ = loop_->after(std::chrono::milliseconds(0), [this] { end("closed"); });
}

void TcpStream::watch_stall() {
  progressed_ = false;
  stall_timer_ = loop_->after(kCloseStallMax, [this] {
    if (progressed_) return watch_stall();
    end("closed; the peer did not take the rest");
  });
}

// Any call of the handler may close, release or destroy this stream. Then nothing here may be
// touched any more, and the loop, which outlives it, is asked: is it still this one's turn?
void TcpStream::on_ready(std::uint32_t events) {
  const EventLoop& loop = *loop_;
  if ((events & EPOLLOUT) != 0) flush();
  if (!loop.is_turn_of(*this)) return;
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
  // Hung up both ways while nobody wants to read: there is nobody to write to either.
  if ((watched_ & EPOLLIN) == 0) return end("connection lost");
  read();
}

void TcpStream::read() {
  const EventLoop& loop = *loop_;
  const std::span<char> buffer = loop_->read_buffer();
  for (int round = 0; round < kReadsPerTurn; ++round) {
    const ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (size < 0) {
      if (is_later(errno)) return;
      return end(std::generic_category().message(errno));
    }
    if (size == 0) return read_end();
    if (!closing_) handler_->on_bytes({buffer.data(), static_cast<std::size_t>(size)});
    const bool may_be_more = static_cast<std::size_t>(size) == buffer.size();
    if (!loop.is_turn_of(*this) || paused_ || !may_be_more) return;
  }
}

void TcpStream::read_end() {
  const EventLoop& loop = *loop_;
  peer_ended_ = true;
  const bool stays = closing_ ? unsent() > 0 : handler_->on_end();
  if (!loop.is_turn_of(*this)) return;
  if (!stays) return end(closing_ ? "closed" : "closed by the peer");
  update_watch();
}

void TcpStream::flush() {
  const ssize_t size = ::send(fd_, unsent_.data() + sent_, unsent(), MSG_NOSIGNAL);
  if (size < 0) {
    if (is_later(errno)) return;
    return end(std::generic_category().message(errno));
  }
  progressed_ = true;
  sent_ += static_cast<std::size_t>(size);
  if (unsent() > 0) {
    if (sent_ >= kSentCutMin) unsent_.erase(0, std::exchange(sent_, 0));
    return;
  }
  sent_ = 0;
  unsent_.clear();
  if (unsent_.capacity() > kUnsentKeptMax) unsent_ = {};
  update_watch();
  if (closing_) return finish_sending();
  handler_->on_flushed();
}

}  // namespace nilo::net
