#include "net/tcp_listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace nilo::net {
namespace {

Error listen_error(int error, const Address& address) {
  const std::string where = "cannot listen on " + address.text() + ": ";
  if (error == EADDRINUSE) {
    const std::string owner = owner_of_port(address.port);
    return {ErrorCode::conflict, where + "the port is in use",
            owner.empty() ? "stop the program that uses it, or choose another port"
                          : owner + " uses it; stop it, or choose another port"};
  }
  if (error == EACCES) {
    return {ErrorCode::permission_denied, where + "not allowed", "take a port above 1023"};
  }
  return {ErrorCode::unavailable, where + std::generic_category().message(error),
          "is this an address of this machine?"};
}

// A listening socket, or errno negated.
int listen_on(const addrinfo& at) {
  const int fd = ::socket(at.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  const int on = 1;
  const int off = 0;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (at.ai_family == AF_INET6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(fd, at.ai_addr, at.ai_addrlen) == 0 && ::listen(fd, kBacklog) == 0) return fd;
  const int error = errno;
  ::close(fd);
  return -error;
}

// The first address of `host` that can be listened on, or errno negated.
int listen_on(const char* host, std::uint16_t port, int family) {
  addrinfo wanted{};
  wanted.ai_family = family;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host, std::to_string(port).c_str(), &wanted, &found) != 0) {
    return -EADDRNOTAVAIL;
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  int fd = -EADDRNOTAVAIL;
  for (const addrinfo* at = found; at != nullptr && fd < 0; at = at->ai_next) fd = listen_on(*at);
  return fd;
}

std::uint16_t bound_port(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  const in_port_t port = bound.ss_family == AF_INET6
                             ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                             : reinterpret_cast<const sockaddr_in&>(bound).sin_port;
  return ntohs(port);
}

std::string ip_text(const sockaddr_storage& peer) {
  char text[INET6_ADDRSTRLEN] = "";
  if (peer.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(peer).sin_addr, text, sizeof text);
    return text;
  }
  const in6_addr& ip = reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&ip)) {
    ::inet_ntop(AF_INET, &ip.s6_addr[12], text, sizeof text);
  } else {
    ::inet_ntop(AF_INET6, &ip, text, sizeof text);
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<TcpListener>> TcpListener::listen(EventLoop& loop, const Address& address,
                                                         Logger& logger, Accept accept) {
  int fd = -1;
  if (address.host.empty()) {
    fd = listen_on(nullptr, address.port, AF_INET6);
    if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL) {
      fd = listen_on(nullptr, address.port, AF_INET);  // a kernel without IPv6
    }
  } else {
    fd = listen_on(address.host.c_str(), address.port, AF_UNSPEC);
  }
  if (fd < 0) return listen_error(-fd, address);
  std::unique_ptr<TcpListener> listener(
      new TcpListener(loop, fd, Address{address.host, bound_port(fd)}, logger, std::move(accept)));
  TRY(loop.watch(fd, EPOLLIN, *listener));
  return listener;
}

TcpListener::TcpListener(EventLoop& loop, int fd, Address address, Logger& logger, Accept accept)
    : loop_(loop),
      fd_(fd),
      address_(std::move(address)),
      logger_(logger),
      accept_(std::move(accept)) {}

TcpListener::~TcpListener() {
  loop_.cancel(pause_timer_);
  loop_.unwatch(fd_, *this);
  ::close(fd_);
}

void TcpListener::on_ready(std::uint32_t /*events*/) {
  for (int count = 0; count < kAcceptsPerTurn; ++count) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const int fd =
        ::accept4(fd_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      accept_(fd, ip_text(peer));
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      return pause(std::strerror(errno));
    }
    // EAGAIN: all accepted, all is well. ECONNABORTED and network errors belong to the one
    // connection that is gone.
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
  }
  if (std::exchange(short_of_descriptors_, false)) {
    logger_.info("net.accept_resumed", {{"address", address_.text()}});
  }
}

void TcpListener::pause(const char* why) {
  if (!std::exchange(short_of_descriptors_, true)) {
    logger_.warn("net.accept_paused", {{"address", address_.text()}, {"reason", why}});
  }
  loop_.rewatch(fd_, 0, *this);
  pause_timer_ = loop_.after(kAcceptPause, [this] { loop_.rewatch(fd_, EPOLLIN, *this); });
}

}  // namespace nilo::net
