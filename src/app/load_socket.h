// app/load_socket.h: what the load generators share: sockets that speak a few bytes of MQTT 3.1.1.
//
// Those bytes are their own on purpose: they must load any broker alike, and must not share a
// mistake with ours. Only for 127.0.0.1. Threads: one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace nilo::app {

inline constexpr std::size_t kLoadReadSize = 256 * 1024;
inline constexpr std::int64_t kLoadAnswerMaxUs = 20'000'000;  // then a broker is given up

// Owns a descriptor.
class LoadSocket {
 public:
  explicit LoadSocket(int fd = -1) : fd_(fd) {}
  ~LoadSocket();
  LoadSocket(LoadSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  LoadSocket& operator=(LoadSocket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int fd() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// Which sockets are ready, by an index of the caller's; each is told when that changes.
class LoadEpoll {
 public:
  LoadEpoll();
  void add(int fd, std::uint32_t index);
  // Waits for at most `timeout_ms`.
  const std::vector<std::uint32_t>& wait(int timeout_ms);

 private:
  LoadSocket socket_;
  std::vector<std::uint32_t> ready_;
};

Error load_failed(const std::string& what);  // with errno

std::string mqtt_string(std::string_view text);
std::string mqtt_packet(std::uint8_t first_byte, const std::string& body);
std::string mqtt_connect(const std::string& client_id, const std::string& user = "",
                         const std::string& password = "");

// A TCP connection under way; blocking unless `flags` has SOCK_NONBLOCK.
Result<LoadSocket> load_dial(std::uint16_t port, int flags = 0);
// A connection whose CONNECT was accepted; blocking until made otherwise.
Result<LoadSocket> load_connect(std::uint16_t port, const std::string& client_id,
                                const std::string& user = "", const std::string& password = "");
// One that also subscribed; it does not block.
Result<LoadSocket> load_subscribe(std::uint16_t port, const std::string& client_id,
                                  std::string_view filter, int qos);
void make_nonblocking(int fd);

// Blocking sockets only.
Result<void> write_all(int fd, std::string_view bytes);
Result<std::string> read_exactly(int fd, std::size_t size);
// What is there, read into `buffer`; empty: nothing yet. unavailable: the broker closed it.
Result<std::string_view> read_some(int fd, std::string& buffer);
// Writes what the kernel takes, and cuts that off.
Result<void> write_some(int fd, std::string& bytes);

}  // namespace nilo::app
