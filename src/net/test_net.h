// net/test_net.h: a loop on a thread and a blocking client, for tests of this and other rooms.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "net/address.h"
#include "net/event_loop.h"

namespace nilo::net {

inline constexpr std::chrono::seconds kTestPatience{20};

// Runs a loop until destroyed. Whatever lives on the loop must be made and destroyed in call().
class LoopThread {
 public:
  LoopThread() : loop_(EventLoop::make().value()), thread_([this] { loop_->run(); }) {}
  ~LoopThread() {
    loop_->stop();
    thread_.join();
  }
  EventLoop& loop() { return *loop_; }

  // Runs `f` on the loop and waits for it.
  template <typename F>
  auto call(F f) {
    std::packaged_task<decltype(f())()> task(std::move(f));
    auto done = task.get_future();
    loop_->post([&task] { task(); });
    return done.get();
  }
  // Asks `condition` on the loop, turn after turn, until it says yes.
  void wait_until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + kTestPatience;
    while (!call(condition)) {
      if (std::chrono::steady_clock::now() > deadline) {
        ADD_FAILURE() << "waited in vain";
        return;
      }
      std::this_thread::yield();
    }
  }

 private:
  std::unique_ptr<EventLoop> loop_;
  std::thread thread_;
};

// A socket as a peer has it: blocks, and fails the test instead of waiting for ever.
class TestClient {
 public:
  explicit TestClient(const Address& address)
      : fd_(connect_tcp({"127.0.0.1", address.port}, kTestPatience).value()) {}
  ~TestClient() { close(); }
  TestClient(TestClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  TestClient& operator=(TestClient&&) = delete;

  int fd() const { return fd_; }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size < 0 && !wait(POLLOUT)) return;
      if (size > 0) bytes.remove_prefix(static_cast<std::size_t>(size));
    }
  }
  // Reads until `count` bytes are here, or the peer's end.
  std::string read(std::size_t count) {
    return read_until([&](const std::string& all) { return all.size() >= count; });
  }
  std::string read_to(std::string_view last) {
    return read_until([&](const std::string& all) { return all.ends_with(last); });
  }
  std::string read_all() {
    return read_until([](const std::string&) { return false; });
  }
  // The peer closed or reset the connection; what it sent before is thrown away.
  bool is_closed() {
    read_all();
    return !failed_;
  }
  void end_sending() { ::shutdown(fd_, SHUT_WR); }
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  std::string read_until(const std::function<bool(const std::string&)>& enough) {
    std::string all;
    char buffer[65536];
    while (!enough(all)) {
      const ssize_t size = ::recv(fd_, buffer, sizeof buffer, 0);
      if (size == 0 || (size < 0 && errno != EAGAIN)) break;
      if (size < 0 && !wait(POLLIN)) break;
      if (size > 0) all.append(buffer, static_cast<std::size_t>(size));
    }
    return all;
  }
  bool wait(short events) {
    pollfd poll_fd{fd_, events, 0};
    const int patience_ms = static_cast<int>(std::chrono::milliseconds(kTestPatience).count());
    if (::poll(&poll_fd, 1, patience_ms) == 1) return true;
    ADD_FAILURE() << "the peer does nothing";
    failed_ = true;
    return false;
  }
  int fd_;
  bool failed_ = false;
};

}  // namespace nilo::net
