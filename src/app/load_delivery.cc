// run_delivery(): publishers and subscribers in one thread.
//
// A broker that is asked for more than it can deliver must drop or push back. To measure what it
// delivers when it need do neither, at most `credit` messages are under way; without credit the
// publishers write whatever the kernel takes.
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "app/load_generator.h"
#include "app/load_publisher.h"
#include "base/clock.h"

namespace nilo::app {

namespace {

constexpr std::int64_t kStalledUs = 500'000;  // then what is under way counts as lost

// Size of the packet at the front of `bytes`; 0: not all of it is there.
std::size_t packet_size(std::string_view bytes) {
  std::size_t size = 0;
  for (std::size_t i = 1; i < bytes.size() && i <= 4; ++i) {
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    size |= std::size_t{byte & 0x7fU} << 7 * (i - 1);
    if ((byte & 0x80) != 0) continue;
    const std::size_t whole = 1 + i + size;
    return whole <= bytes.size() ? whole : 0;
  }
  return 0;
}

// A subscriber that counts, and acknowledges QoS 1.
class Listener {
 public:
  explicit Listener(LoadSocket socket) : socket_(std::move(socket)) {}
  int fd() const { return socket_.fd(); }
  std::uint64_t count() const { return count_; }

  Result<void> read(std::string& buffer) {
    while (true) {
      const std::string_view bytes = TRY(read_some(fd(), buffer));
      take(bytes);
      TRY(write_some(fd(), answers_));
      if (bytes.size() < buffer.size()) return {};
    }
  }

 private:
  void take(std::string_view bytes) {
    if (!kept_.empty()) bytes = kept_.append(bytes);
    std::size_t at = 0;
    while (const std::size_t size = packet_size(bytes.substr(at))) {
      handle(bytes.substr(at, size));
      at += size;
    }
    kept_ = std::string(bytes.substr(at));
  }

  void handle(std::string_view packet) {
    const auto first = static_cast<std::uint8_t>(packet[0]);
    if (first >> 4 != 3) return;
    ++count_;
    if ((first & 0x06) == 0) return;
    std::size_t at = 1;
    while ((static_cast<std::uint8_t>(packet[at++]) & 0x80) != 0) {
    }
    const std::size_t topic_size = static_cast<std::uint8_t>(packet[at]) * std::size_t{256} +
                                   static_cast<std::uint8_t>(packet[at + 1]);
    answers_.append("\x40\x02").append(packet.substr(at + 2 + topic_size, 2));
  }

  LoadSocket socket_;
  std::string kept_;
  std::string answers_;
  std::uint64_t count_ = 0;
};

class DeliveryRun {
 public:
  explicit DeliveryRun(const DeliveryOptions& options)
      : options_(options), buffer_(kLoadReadSize, '\0') {}

  Result<void> open() {
    for (int i = 0; i < options_.subscribers; ++i) {
      listeners_.push_back(std::make_unique<Listener>(TRY(load_subscribe(
          options_.port, fmt::format("load-listener-{}", i), "site/#", options_.qos))));
    }
    for (int i = 0; i < options_.publishers; ++i) {
      LoadSocket socket = TRY(load_connect(options_.port, fmt::format("load-{}", i)));
      make_nonblocking(socket.fd());
      publishers_.push_back(std::make_unique<LoadPublisher>(
          std::move(socket), PublisherOptions{.number = i,
                                              .count = options_.publishers,
                                              .window = options_.window,
                                              .qos = options_.qos}));
    }
    std::uint32_t index = 0;
    for (const auto& listener : listeners_) epoll_.add(listener->fd(), index++);
    for (const auto& publisher : publishers_) epoll_.add(publisher->fd(), index++);
    return {};
  }

  std::uint64_t delivered() const {
    std::uint64_t sum = 0;
    for (const auto& listener : listeners_) sum += listener->count();
    return sum;
  }
  std::uint64_t sent() const {
    std::uint64_t sum = 0;
    for (const auto& publisher : publishers_) sum += publisher->sent();
    return sum;
  }

  Result<void> drive(std::int64_t end_us) {
    while (clock_.steady_us() < end_us) {
      const bool did = TRY(publish());
      TRY(hear(did ? 0 : 1));
    }
    return {};
  }

  // Until everything came, or nothing does any more. What is missing then.
  Result<std::uint64_t> drain() {
    const std::uint64_t wanted = sent() * listeners_.size();
    std::int64_t progress_us = clock_.steady_us();
    while (delivered() < wanted && clock_.steady_us() - progress_us < 4 * kStalledUs) {
      const std::uint64_t before = delivered();
      for (const auto& publisher : publishers_) TRY(publisher->pump(false));
      TRY(hear(1));
      if (delivered() != before) progress_us = clock_.steady_us();
    }
    return wanted - delivered();
  }

 private:
  bool has_credit() {
    if (options_.credit == 0) return true;
    const std::uint64_t arrived = delivered() / listeners_.size();
    if (arrived != arrived_) {
      arrived_ = arrived;
      progress_us_ = clock_.steady_us();
    }
    const auto under_way = static_cast<std::int64_t>(sent() - arrived - given_up_);
    if (under_way < options_.credit) return true;
    if (clock_.steady_us() - progress_us_ < kStalledUs) return false;
    given_up_ = sent() - arrived;
    return true;
  }

  // One batch of each publisher, as far as the credit goes; the next round begins with the next.
  Result<bool> publish() {
    bool did = false;
    for (std::size_t i = 0; i < publishers_.size() && has_credit(); ++i) {
      LoadPublisher& publisher = *publishers_[next_++ % publishers_.size()];
      did = publisher.take() || did;
      TRY(publisher.write());
    }
    return did;
  }

  Result<void> hear(int timeout_ms) {
    for (const std::uint32_t index : epoll_.wait(timeout_ms)) {
      if (index < listeners_.size()) {
        TRY(listeners_[index]->read(buffer_));
      } else {
        TRY(publishers_[index - listeners_.size()]->read(buffer_));
      }
    }
    return {};
  }

  const DeliveryOptions options_;
  const SystemClock clock_;
  LoadEpoll epoll_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  LoadPublishers publishers_;
  std::string buffer_;
  std::size_t next_ = 0;
  std::uint64_t arrived_ = 0;
  std::uint64_t given_up_ = 0;
  std::int64_t progress_us_ = clock_.steady_us();
};

}  // namespace

Result<DeliveryReport> run_delivery(const DeliveryOptions& options) {
  DeliveryRun run(options);
  TRY(run.open());
  const SystemClock clock;
  const auto us_of = [](double seconds) { return static_cast<std::int64_t>(seconds * 1e6); };
  TRY(run.drive(clock.steady_us() + us_of(options.warm_up_s)));
  const std::uint64_t sent_before = run.sent();
  const std::uint64_t delivered_before = run.delivered();
  const std::int64_t start_us = clock.steady_us();
  TRY(run.drive(start_us + us_of(options.seconds)));

  DeliveryReport report;
  report.seconds = static_cast<double>(clock.steady_us() - start_us) / 1e6;
  report.sent = run.sent() - sent_before;
  report.delivered = run.delivered() - delivered_before;
  report.lost = TRY(run.drain());
  return report;
}

}  // namespace nilo::app
