#include "app/load_generator.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>

#include "base/clock.h"

namespace nilo::app {

namespace {

constexpr std::size_t kReadSize = 256 * 1024;
constexpr std::int64_t kAnswerTimeoutUs = 20'000'000;
constexpr std::int64_t kFirstReadingMs = 1'763'750'000'000;
constexpr std::size_t kTimeDigits = 13;

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int fd() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Error failed(const std::string& what) {
  return {ErrorCode::unavailable, fmt::format("{}: {}", what, std::strerror(errno)), ""};
}

std::string mqtt_string(std::string_view text) {
  std::string out{static_cast<char>(text.size() >> 8), static_cast<char>(text.size() & 0xff)};
  return out.append(text);
}

std::string packet(std::uint8_t first_byte, const std::string& body) {
  std::string out(1, static_cast<char>(first_byte));
  std::size_t size = body.size();
  do {
    const auto low = static_cast<std::uint8_t>(size & 0x7f);
    size >>= 7;
    out += static_cast<char>(size > 0 ? low | 0x80 : low);
  } while (size > 0);
  return out + body;
}

std::string connect_packet(const std::string& client_id, const std::string& user,
                           const std::string& password) {
  const auto flags = static_cast<char>(0x02 | (user.empty() ? 0 : 0xc0));
  std::string body = mqtt_string("MQTT") + '\x04' + flags + std::string("\x02\x58", 2);
  body += mqtt_string(client_id);
  if (!user.empty()) body += mqtt_string(user) + mqtt_string(password);
  return packet(0x10, body);
}

Result<void> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) return failed("write");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

// Reads exactly `size` bytes from a blocking socket.
Result<std::string> read_exactly(int fd, std::size_t size) {
  std::string out(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t count = ::recv(fd, out.data() + have, size - have, 0);
    if (count == 0) errno = ECONNRESET;
    if (count <= 0) return failed("the broker closed the connection");
    have += static_cast<std::size_t>(count);
  }
  return out;
}

// A connected socket whose CONNECT was accepted; blocking until made otherwise.
Result<Socket> connected(std::uint16_t port, const std::string& client_id,
                         const std::string& user = "", const std::string& password = "") {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.fd() < 0) return failed("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval timeout{kAnswerTimeoutUs / 1'000'000, 0};
  const int on = 1;
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  ::setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return failed(fmt::format("connect to 127.0.0.1:{}", port));
  }
  TRY(write_all(socket.fd(), connect_packet(client_id, user, password)));
  const std::string answer = TRY(read_exactly(socket.fd(), 4));
  if (answer[0] != 0x20 || answer[3] != 0) {
    return Error{ErrorCode::permission_denied,
                 fmt::format("the broker refused client {} with code {}", client_id,
                             static_cast<unsigned char>(answer[3])),
                 ""};
  }
  return socket;
}

void make_nonblocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

void put_digits(char* at, std::size_t digits, std::uint64_t number) {
  for (std::size_t i = digits; i-- > 0; number /= 10) at[i] = static_cast<char>('0' + number % 10);
}

// One publisher: a ring of encoded PUBLISH packets, sent round and round. The packet at a position
// always has the same packet id, which is free again once as many acknowledgements came back.
class Publisher {
 public:
  Publisher(Socket socket, const LoadOptions& options, int number)
      : socket_(std::move(socket)),
        qos_(options.qos),
        window_(std::max(1, options.window)),
        number_(static_cast<std::uint64_t>(number)),
        publishers_(static_cast<std::uint64_t>(options.connections)) {
    for (int i = 0; i < window_; ++i) add_packet(options, number * window_ + i, i + 1);
  }

  int fd() const { return socket_.fd(); }
  std::uint64_t acknowledged() const { return acknowledged_; }
  std::uint64_t in_flight() const { return sent_ - acknowledged_; }

  // Writes as many whole rounds of the ring as credit and kernel allow.
  Result<void> pump(bool more) {
    while (true) {
      if (unsent_.empty()) {
        if (!more) return {};
        if (!take_credit()) return {};
      }
      const ssize_t count = ::send(fd(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
      if (count < 0) return errno == EAGAIN ? Result<void>() : failed("publish");
      unsent_.erase(0, static_cast<std::size_t>(count));
      if (qos_ == 0 && unsent_.empty()) acknowledged_ = sent_;
    }
  }

  // Reads PUBACKs: 4 bytes each.
  Result<void> read(std::string& buffer) {
    const ssize_t count = ::recv(fd(), buffer.data(), buffer.size(), 0);
    if (count < 0) return errno == EAGAIN ? Result<void>() : failed("read");
    if (count == 0) {
      errno = ECONNRESET;
      return failed("the broker closed a publisher");
    }
    ack_bytes_ += static_cast<std::uint64_t>(count);
    acknowledged_ = ack_bytes_ / 4;
    return {};
  }

 private:
  void add_packet(const LoadOptions& options, int index, int packet_id) {
    const int device = index % options.devices;
    std::string body = mqtt_string(fmt::format("site/{}/data", device));
    if (qos_ > 0) {
      body += static_cast<char>(packet_id >> 8);
      body += static_cast<char>(packet_id & 0xff);
    }
    body += fmt::format(R"({{"device_id":{},"ts":{:013},"temperature":{:.1f},)", device, 0,
                        18 + index % 90 / 10.0);
    body += fmt::format(R"("humidity":{:.1f},"battery":{:.2f}}})", 40 + index % 200 / 10.0,
                        3.2 + index % 50 / 100.0);
    const std::string bytes = packet(static_cast<std::uint8_t>(0x30 | qos_ << 1), body);
    time_at_.push_back(ring_.size() + bytes.find("\"ts\":") + 5);
    ring_ += bytes;
    ends_.push_back(ring_.size());
  }

  // Stamps and takes the next packets; false when the window is full.
  bool take_credit() {
    const std::uint64_t free = static_cast<std::uint64_t>(window_) - (qos_ > 0 ? in_flight() : 0);
    // Full windows make few large writes: wait until half is free.
    if (free * 2 < static_cast<std::uint64_t>(window_)) return false;
    for (std::uint64_t i = 0; i < free; ++i) {
      const std::size_t slot = sent_ % ends_.size();
      const std::size_t begin = slot == 0 ? 0 : ends_[slot - 1];
      put_digits(ring_.data() + time_at_[slot], kTimeDigits,
                 static_cast<std::uint64_t>(kFirstReadingMs) + sent_ * publishers_ + number_);
      unsent_.append(ring_, begin, ends_[slot] - begin);
      ++sent_;
    }
    return true;
  }

  Socket socket_;
  int qos_;
  int window_;
  std::uint64_t number_;
  std::uint64_t publishers_;
  std::string ring_;
  std::vector<std::size_t> ends_;
  std::vector<std::size_t> time_at_;
  std::string unsent_;
  std::uint64_t sent_ = 0;
  std::uint64_t ack_bytes_ = 0;
  std::uint64_t acknowledged_ = 0;
};

using Publishers = std::vector<std::unique_ptr<Publisher>>;

class Epoll {
 public:
  Epoll() : socket_(::epoll_create1(EPOLL_CLOEXEC)) {}
  void add(int fd, std::uint32_t index) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.u32 = index;
    ::epoll_ctl(socket_.fd(), EPOLL_CTL_ADD, fd, &event);
  }
  // Indexes that are ready; waits for at most `timeout_ms`.
  const std::vector<std::uint32_t>& wait(int timeout_ms) {
    epoll_event events[256];
    const int count = ::epoll_wait(socket_.fd(), events, 256, timeout_ms);
    ready_.clear();
    for (int i = 0; i < count; ++i) ready_.push_back(events[i].data.u32);
    return ready_;
  }

 private:
  Socket socket_;
  std::vector<std::uint32_t> ready_;
};

std::uint64_t acknowledged_by(const Publishers& publishers) {
  std::uint64_t sum = 0;
  for (const auto& publisher : publishers) sum += publisher->acknowledged();
  return sum;
}

Result<Publishers> open_publishers(const LoadOptions& options) {
  Publishers publishers;
  for (int i = 0; i < options.connections; ++i) {
    Socket socket =
        TRY(connected(options.port, fmt::format("load-{}", i), options.user, options.password));
    make_nonblocking(socket.fd());
    publishers.push_back(std::make_unique<Publisher>(std::move(socket), options, i));
  }
  return publishers;
}

// Keeps the publishers busy until `end_us`; `more` false: only waits for what is in flight.
Result<void> drive(Publishers& publishers, Epoll& epoll, std::int64_t end_us, bool more) {
  const SystemClock clock;
  std::string buffer(kReadSize, '\0');
  while (clock.steady_us() < end_us) {
    for (const std::uint32_t index : epoll.wait(10)) {
      TRY(publishers[index]->read(buffer));
      TRY(publishers[index]->pump(more));
    }
    const auto done = [](const auto& publisher) { return publisher->in_flight() == 0; };
    if (!more && std::all_of(publishers.begin(), publishers.end(), done)) return {};
  }
  return {};
}

}  // namespace

Result<LoadReport> run_load(const LoadOptions& options) {
  Publishers publishers = TRY(open_publishers(options));
  Epoll epoll;
  for (std::uint32_t i = 0; i < publishers.size(); ++i) epoll.add(publishers[i]->fd(), i);
  for (auto& publisher : publishers) TRY(publisher->pump(true));

  const SystemClock clock;
  const auto us_of = [](double seconds) { return static_cast<std::int64_t>(seconds * 1e6); };
  TRY(drive(publishers, epoll, clock.steady_us() + us_of(options.warm_up_s), true));
  const std::uint64_t before = acknowledged_by(publishers);
  const std::int64_t start_us = clock.steady_us();
  TRY(drive(publishers, epoll, start_us + us_of(options.seconds), true));

  LoadReport report;
  report.seconds = static_cast<double>(clock.steady_us() - start_us) / 1e6;
  report.acknowledged = acknowledged_by(publishers) - before;
  for (const auto& publisher : publishers) report.unacknowledged += publisher->in_flight();
  if (options.qos > 0) {
    TRY(drive(publishers, epoll, clock.steady_us() + kAnswerTimeoutUs, false));
    for (const auto& publisher : publishers) {
      if (publisher->in_flight() != 0) {
        return Error{ErrorCode::deadline_exceeded, "publishes were never acknowledged", ""};
      }
    }
  }
  return report;
}

double LatencyReport::percentile(double p) const {
  if (milliseconds.empty()) return std::nan("");
  const double at = p / 100 * static_cast<double>(milliseconds.size() - 1);
  return milliseconds[static_cast<std::size_t>(std::lround(at))];
}

namespace {

constexpr std::size_t kStampDigits = 19;

// PUBLISH packets whose payload is {"sent_us":"<19 digits>",...}; read back from a subscriber's
// stream.
class StampReader {
 public:
  // Appends the age in milliseconds of each stamp that became whole.
  void feed(std::string_view bytes, std::int64_t now_us, std::vector<double>* out) {
    kept_ += bytes;
    std::size_t at = 0;
    while (true) {
      const std::size_t found = kept_.find(kMark, at);
      if (found == std::string::npos || found + kMark.size() + kStampDigits > kept_.size()) break;
      const std::size_t digits = found + kMark.size();
      const std::int64_t sent_us = std::stoll(kept_.substr(digits, kStampDigits));
      if (out != nullptr) out->push_back(static_cast<double>(now_us - sent_us) / 1000);
      at = digits + kStampDigits;
    }
    // What is left may hold the beginning of a mark.
    const std::size_t keep_max = kMark.size() + kStampDigits;
    kept_.erase(0, std::max(at, kept_.size() > keep_max ? kept_.size() - keep_max : 0));
  }

 private:
  static constexpr std::string_view kMark = "\"sent_us\":\"";
  std::string kept_;
};

std::string stamped_publish(int publisher, int qos, std::uint16_t packet_id, std::int64_t now_us) {
  std::string body = mqtt_string(fmt::format("latency/{}", publisher));
  if (qos > 0) {
    body += static_cast<char>(packet_id >> 8);
    body += static_cast<char>(packet_id & 0xff);
  }
  body += fmt::format(R"({{"sent_us":"{:019}","temperature":21.4,"humidity":44.5,"battery":3.61}})",
                      now_us);
  return packet(static_cast<std::uint8_t>(0x30 | qos << 1), body);
}

Result<Socket> subscriber(std::uint16_t port) {
  Socket socket = TRY(connected(port, "latency-subscriber"));
  TRY(write_all(socket.fd(),
                packet(0x82, std::string("\0\1", 2) + mqtt_string("latency/#") + '\0')));
  const std::string answer = TRY(read_exactly(socket.fd(), 5));
  if (answer[0] != '\x90' || answer[4] != 0) {
    return Error{ErrorCode::permission_denied, "the broker refused to subscribe", ""};
  }
  make_nonblocking(socket.fd());
  return socket;
}

}  // namespace

Result<LatencyReport> run_latency(const LatencyOptions& options) {
  Socket listener = TRY(subscriber(options.port));
  std::vector<Socket> publishers;
  for (int i = 0; i < options.publishers; ++i) {
    publishers.push_back(TRY(connected(options.port, fmt::format("latency-{}", i))));
    make_nonblocking(publishers.back().fd());
  }
  Epoll epoll;
  epoll.add(listener.fd(), 0);
  const SystemClock clock;
  const std::int64_t start_us = clock.steady_us();
  const double all_s = options.warm_up_s + options.seconds;
  const auto total = static_cast<std::uint64_t>(all_s * options.rate_per_s);
  const auto warm = static_cast<std::uint64_t>(options.warm_up_s * options.rate_per_s);
  LatencyReport report;
  StampReader reader;
  std::string buffer(kReadSize, '\0');
  std::uint64_t received = 0;
  const auto read_all = [&]() -> Result<void> {
    while (true) {
      const ssize_t count = ::recv(listener.fd(), buffer.data(), buffer.size(), 0);
      if (count < 0) return errno == EAGAIN ? Result<void>() : failed("read");
      if (count == 0) return Error{ErrorCode::unavailable, "the broker closed the subscriber", ""};
      std::vector<double> ages;
      reader.feed({buffer.data(), static_cast<std::size_t>(count)}, clock.steady_us(), &ages);
      for (const double age : ages) {
        if (received++ >= warm) report.milliseconds.push_back(age);
      }
    }
  };
  const auto end_us = start_us + static_cast<std::int64_t>(all_s * 1e6) + kAnswerTimeoutUs;
  while (received < total && clock.steady_us() < end_us) {
    const std::int64_t now_us = clock.steady_us();
    const double due = static_cast<double>(now_us - start_us) / 1e6 * options.rate_per_s;
    while (report.sent < total && static_cast<double>(report.sent) < due) {
      const auto index = report.sent % publishers.size();
      const auto packet_id =
          static_cast<std::uint16_t>(report.sent / publishers.size() % 60'000 + 1);
      TRY(write_all(publishers[index].fd(), stamped_publish(static_cast<int>(index), options.qos,
                                                            packet_id, clock.steady_us())));
      ::recv(publishers[index].fd(), buffer.data(), buffer.size(), 0);  // acknowledgements
      ++report.sent;
    }
    epoll.wait(report.sent < total ? 0 : 1);
    TRY(read_all());
  }
  std::sort(report.milliseconds.begin(), report.milliseconds.end());
  return report;
}

Result<std::vector<int>> open_idle_connections(std::uint16_t port, int count) {
  std::vector<int> fds;
  for (int i = 0; i < count; ++i) {
    auto socket = connected(port, fmt::format("idle-{}", i));
    if (!socket) {
      for (const int fd : fds) ::close(fd);
      return std::move(socket).error();
    }
    fds.push_back(socket->release());
  }
  return fds;
}

}  // namespace nilo::app
