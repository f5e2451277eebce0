#include "app/load_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace nilo::app {

namespace {
constexpr int kEventsMax = 256;
// So that a subscriber that waits for its turn in this one thread is not taken for a slow one.
constexpr int kListenerBufferSize = 4 << 20;
}  // namespace

LoadSocket::~LoadSocket() {
  if (fd_ >= 0) ::close(fd_);
}

LoadEpoll::LoadEpoll() : socket_(::epoll_create1(EPOLL_CLOEXEC)) {}

void LoadEpoll::add(int fd, std::uint32_t index) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLET;
  event.data.u32 = index;
  ::epoll_ctl(socket_.fd(), EPOLL_CTL_ADD, fd, &event);
}

const std::vector<std::uint32_t>& LoadEpoll::wait(int timeout_ms) {
  epoll_event events[kEventsMax];
  const int count = ::epoll_wait(socket_.fd(), events, kEventsMax, timeout_ms);
  ready_.clear();
  for (int i = 0; i < count; ++i) ready_.push_back(events[i].data.u32);
  return ready_;
}

Error load_failed(const std::string& what) {
  return {ErrorCode::unavailable, fmt::format("{}: {}", what, std::strerror(errno)), ""};
}

std::string mqtt_string(std::string_view text) {
  std::string out{static_cast<char>(text.size() >> 8), static_cast<char>(text.size() & 0xff)};
  return out.append(text);
}

std::string mqtt_packet(std::uint8_t first_byte, const std::string& body) {
  std::string out(1, static_cast<char>(first_byte));
  std::size_t size = body.size();
  do {
    const auto low = static_cast<std::uint8_t>(size & 0x7f);
    size >>= 7;
    out += static_cast<char>(size > 0 ? low | 0x80 : low);
  } while (size > 0);
  return out + body;
}

std::string mqtt_connect(const std::string& client_id, const std::string& user,
                         const std::string& password) {
  const auto flags = static_cast<char>(0x02 | (user.empty() ? 0 : 0xc0));
  std::string body = mqtt_string("MQTT") + '\x04' + flags + std::string("\x02\x58", 2);
  body += mqtt_string(client_id);
  if (!user.empty()) body += mqtt_string(user) + mqtt_string(password);
  return mqtt_packet(0x10, body);
}

Result<LoadSocket> load_dial(std::uint16_t port, int flags) {
  LoadSocket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  if (socket.fd() < 0) return load_failed("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval timeout{kLoadAnswerMaxUs / 1'000'000, 0};
  const int on = 1;
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  ::setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket.fd(), where, sizeof address) != 0 && errno != EINPROGRESS) {
    return load_failed(fmt::format("connect to 127.0.0.1:{}", port));
  }
  return socket;
}

Result<LoadSocket> load_connect(std::uint16_t port, const std::string& client_id,
                                const std::string& user, const std::string& password) {
  LoadSocket socket = TRY(load_dial(port));
  TRY(write_all(socket.fd(), mqtt_connect(client_id, user, password)));
  const std::string answer = TRY(read_exactly(socket.fd(), 4));
  if (answer[0] != 0x20 || answer[3] != 0) {
    return Error{ErrorCode::permission_denied,
                 fmt::format("the broker refused client {} with code {}", client_id,
                             static_cast<unsigned char>(answer[3])),
                 ""};
  }
  return socket;
}

Result<LoadSocket> load_subscribe(std::uint16_t port, const std::string& client_id,
                                  std::string_view filter, int qos) {
  LoadSocket socket = TRY(load_connect(port, client_id));
  const std::string body = std::string("\0\1", 2) + mqtt_string(filter) + static_cast<char>(qos);
  TRY(write_all(socket.fd(), mqtt_packet(0x82, body)));
  const std::string answer = TRY(read_exactly(socket.fd(), 5));
  if (answer[0] != '\x90' || answer[4] != static_cast<char>(qos)) {
    return Error{ErrorCode::permission_denied, "the broker refused to subscribe", ""};
  }
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUF, &kListenerBufferSize, sizeof(int));
  make_nonblocking(socket.fd());
  return socket;
}

void make_nonblocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

Result<void> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) return load_failed("write");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<std::string> read_exactly(int fd, std::size_t size) {
  std::string out(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t count = ::recv(fd, out.data() + have, size - have, 0);
    if (count == 0) errno = ECONNRESET;
    if (count <= 0) return load_failed("the broker closed the connection");
    have += static_cast<std::size_t>(count);
  }
  return out;
}

Result<std::string_view> read_some(int fd, std::string& buffer) {
  const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (count < 0 && errno == EAGAIN) return std::string_view();
  if (count == 0) errno = ECONNRESET;
  if (count <= 0) return load_failed("the broker closed the connection");
  return std::string_view(buffer.data(), static_cast<std::size_t>(count));
}

Result<void> write_some(int fd, std::string& bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) return errno == EAGAIN ? Result<void>() : load_failed("write");
    bytes.erase(0, static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace nilo::app
