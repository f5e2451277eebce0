// open_connections(): many clients that connect and then do nothing.
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <utility>

#include "app/load_generator.h"
#include "app/load_socket.h"
#include "base/clock.h"

namespace nilo::app {

namespace {

constexpr std::size_t kConnackSize = 4;

// One that waits for its CONNACK.
struct Newcomer {
  LoadSocket socket{};
  std::int64_t began_us = 0;
  bool has_asked = false;
  std::string answer{};
};

class Crowd {
 public:
  Crowd(std::uint16_t port, int count) : port_(port), newcomers_(static_cast<std::size_t>(count)) {}

  Result<void> open(std::size_t at_once) {
    std::int64_t progress_us = clock_.steady_us();
    while (answered_ < newcomers_.size()) {
      while (begun_ < newcomers_.size() && begun_ - answered_ < at_once) TRY(begin());
      for (const std::uint32_t index : epoll_.wait(10)) {
        if (TRY(advance(index))) progress_us = clock_.steady_us();
      }
      if (clock_.steady_us() - progress_us > kLoadAnswerMaxUs) {
        return Error{ErrorCode::deadline_exceeded, fmt::format("{} of {} connections were answered",
                                                               answered_, newcomers_.size())};
      }
    }
    return {};
  }

  // Nobody closes them any more but the caller.
  std::vector<int> release() {
    std::vector<int> fds;
    for (Newcomer& one : newcomers_) fds.push_back(one.socket.release());
    return fds;
  }
  double slowest_ms() const { return static_cast<double>(slowest_us_) / 1000; }

 private:
  Result<void> begin() {
    Newcomer& one = newcomers_[begun_];
    one.began_us = clock_.steady_us();
    one.socket = TRY(load_dial(port_, SOCK_NONBLOCK));
    epoll_.add(one.socket.fd(), static_cast<std::uint32_t>(begun_++));
    return {};
  }

  // True: it has its CONNACK now.
  Result<bool> advance(std::uint32_t index) {
    Newcomer& one = newcomers_[index];
    if (!one.has_asked) {
      std::string bytes = mqtt_connect(fmt::format("crowd-{}", index));
      TRY(write_some(one.socket.fd(), bytes));
      one.has_asked = bytes.empty();
    }
    if (one.answer.size() == kConnackSize) return false;
    std::string room(kConnackSize - one.answer.size(), '\0');
    one.answer.append(TRY(read_some(one.socket.fd(), room)));
    if (one.answer.size() < kConnackSize) return false;
    if (one.answer[0] != 0x20 || one.answer[3] != 0) {
      return Error{ErrorCode::permission_denied, fmt::format("connection {} was refused", index)};
    }
    slowest_us_ = std::max(slowest_us_, clock_.steady_us() - one.began_us);
    ++answered_;
    return true;
  }

  const std::uint16_t port_;
  const SystemClock clock_;
  LoadEpoll epoll_;
  std::vector<Newcomer> newcomers_;
  std::size_t begun_ = 0;
  std::size_t answered_ = 0;
  std::int64_t slowest_us_ = 0;
};

}  // namespace

Result<ConnectReport> open_connections(std::uint16_t port, int count, int at_once) {
  const SystemClock clock;
  const std::int64_t began_us = clock.steady_us();
  Crowd crowd(port, count);
  TRY(crowd.open(static_cast<std::size_t>(std::max(1, at_once))));
  ConnectReport report;
  report.seconds = static_cast<double>(clock.steady_us() - began_us) / 1e6;
  report.slowest_ms = crowd.slowest_ms();
  report.fds = crowd.release();
  return report;
}

}  // namespace nilo::app
