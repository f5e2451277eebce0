#include "net/http_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include "net/address.h"
#include "net/http_parser.h"

namespace nilo::net {
namespace {

constexpr int kHttpPort = 80;
constexpr std::size_t kClientReadSize = 64 * 1024;

struct Url {
  Address address;
  std::string target;
};

Result<Url> parse_url(std::string_view text) {
  if (text.starts_with("https://")) {
    return Error{ErrorCode::unsupported, "https is not supported by this client", "use http://"};
  }
  if (text.starts_with("http://")) text.remove_prefix(7);
  const std::size_t slash = std::min(text.find_first_of("/?"), text.size());
  Url url{TRY(parse_address(text.substr(0, slash), kHttpPort)), std::string(text.substr(slash))};
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

// A connected socket that is closed at the end, and a deadline for all that is done with it.
class Connection {
 public:
  Connection(int fd, std::chrono::steady_clock::time_point deadline)
      : fd_(fd), deadline_(deadline) {}
  ~Connection() { ::close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // False: the server takes no more, but may have answered already (413).
  Result<bool> send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(size));
      } else if (errno == EAGAIN) {
        TRY(wait(POLLOUT));
      } else if (errno != EINTR) {
        return false;
      }
    }
    return true;
  }

  // What is there, at least one byte; empty at the end.
  Result<std::string_view> receive() {
    for (;;) {
      const ssize_t size = ::recv(fd_, buffer_.data(), buffer_.size(), 0);
      if (size >= 0) return std::string_view(buffer_.data(), static_cast<std::size_t>(size));
      if (errno == EAGAIN) {
        TRY(wait(POLLIN));
      } else if (errno != EINTR) {
        return Error{ErrorCode::unavailable,
                     "connection lost: " + std::generic_category().message(errno)};
      }
    }
  }

 private:
  Result<void> wait(short events) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    pollfd poll_fd{fd_, events, 0};
    if (left.count() <= 0 || ::poll(&poll_fd, 1, static_cast<int>(left.count())) == 0) {
      return Error{ErrorCode::deadline_exceeded, "no answer in time"};
    }
    return {};
  }

  int fd_;
  std::chrono::steady_clock::time_point deadline_;
  std::vector<char> buffer_ = std::vector<char>(kClientReadSize);
};

std::string serialise(const HttpCall& call, const Url& url) {
  std::string out = call.method + " " + url.target + " HTTP/1.1\r\nHost: " + url.address.text() +
                    "\r\nConnection: close\r\n";
  if (!call.body.empty() || call.method == "POST" || call.method == "PUT") {
    out += "Content-Length: " + std::to_string(call.body.size()) + "\r\n";
  }
  for (const auto& [name, value] : call.headers)
    out.append(name).append(": ").append(value).append("\r\n");
  return out.append("\r\n").append(call.body);
}

}  // namespace

Result<HttpResponse> http_call(const HttpCall& call) {
  const auto deadline = std::chrono::steady_clock::now() + call.timeout;
  const Url url = TRY(parse_url(call.url));
  Connection connection(TRY(connect_tcp(url.address, call.timeout)), deadline);
  TRY(connection.send(serialise(call, url)));
  HttpResponseParser parser(kHttpAnswerSizeMax, call.method == "HEAD");
  for (;;) {
    const std::string_view bytes = TRY(connection.receive());
    if (bytes.empty()) {
      TRY(parser.end());
      return parser.take();
    }
    if (TRY(parser.feed(bytes))) return parser.take();
  }
}

}  // namespace nilo::net
