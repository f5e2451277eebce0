// net/tcp_listener.h: a door that devices and browsers knock at.
//
// Threads: the loop's.
// Limits:  kAcceptsPerTurn connections a turn; kBacklog wait in the kernel. Without descriptors
//          accepting pauses for kAcceptPause, is logged once, and goes on: who waits is served when
//          others leave.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/logger.h"
#include "base/result.h"
#include "net/address.h"
#include "net/event_loop.h"

namespace nilo::net {

inline constexpr int kBacklog = 4096;
inline constexpr int kAcceptsPerTurn = 64;
inline constexpr std::chrono::milliseconds kAcceptPause{100};

class TcpListener final : EventLoop::Watcher {
 public:
  // Takes over `fd` (connected, non-blocking, close-on-exec). `remote_ip`: "192.0.2.7", "::1"; an
  // IPv4 address mapped into IPv6 is written as IPv4.
  using Accept = std::function<void(int fd, std::string remote_ip)>;

  // Listens from now on. An empty host listens on IPv4 and IPv6.
  // conflict: the port is in use; the hint says by whom where the system tells.
  // permission_denied: a port below 1024. unavailable: no such address here.
  static Result<std::unique_ptr<TcpListener>> listen(EventLoop& loop, const Address& address,
                                                     Logger& logger, Accept accept);
  ~TcpListener();
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  // Where it listens: the port is the one that was free if 0 was asked for.
  const Address& address() const { return address_; }

 private:
  TcpListener(EventLoop& loop, int fd, Address address, Logger& logger, Accept accept);
  void on_ready(std::uint32_t events) override;
  void pause(const char* why);

  EventLoop& loop_;
  int fd_;
  Address address_;
  Logger& logger_;
  Accept accept_;
  TimerId pause_timer_ = TimerId::none;
  bool short_of_descriptors_ = false;
};

// Who listens on this TCP port: "mosquitto (pid 812)", or empty if the system does not tell.
// Source: proc(5), /proc/net/tcp.
std::string owner_of_port(std::uint16_t port);

}  // namespace nilo::net
