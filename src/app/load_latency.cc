// run_latency(): messages that carry when they were sent.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "app/load_generator.h"
#include "app/load_socket.h"
#include "base/clock.h"

namespace nilo::app {

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
  return mqtt_packet(static_cast<std::uint8_t>(0x30 | qos << 1), body);
}

}  // namespace

Result<LatencyReport> run_latency(const LatencyOptions& options) {
  LoadSocket listener = TRY(load_subscribe(options.port, "latency-subscriber", "latency/#", 0));
  std::vector<LoadSocket> publishers;
  for (int i = 0; i < options.publishers; ++i) {
    publishers.push_back(TRY(load_connect(options.port, fmt::format("latency-{}", i))));
    make_nonblocking(publishers.back().fd());
  }
  LoadEpoll epoll;
  epoll.add(listener.fd(), 0);
  const SystemClock clock;
  const std::int64_t start_us = clock.steady_us();
  const double all_s = options.warm_up_s + options.seconds;
  const auto total = static_cast<std::uint64_t>(all_s * options.rate_per_s);
  const auto warm = static_cast<std::uint64_t>(options.warm_up_s * options.rate_per_s);
  LatencyReport report;
  StampReader reader;
  std::string buffer(kLoadReadSize, '\0');
  std::uint64_t received = 0;
  const auto read_all = [&]() -> Result<void> {
    while (true) {
      const std::string_view bytes = TRY(read_some(listener.fd(), buffer));
      if (bytes.empty()) return {};
      std::vector<double> ages;
      reader.feed(bytes, clock.steady_us(), &ages);
      for (const double age : ages) {
        if (received++ >= warm) report.milliseconds.push_back(age);
      }
    }
  };
  const auto end_us = start_us + static_cast<std::int64_t>(all_s * 1e6) + kLoadAnswerMaxUs;
  while (received < total && clock.steady_us() < end_us) {
    const std::int64_t now_us = clock.steady_us();
    const double due = static_cast<double>(now_us - start_us) / 1e6 * options.rate_per_s;
    while (report.sent < total && static_cast<double>(report.sent) < due) {
      const auto index = report.sent % publishers.size();
      const auto packet_id =
          static_cast<std::uint16_t>(report.sent / publishers.size() % 60'000 + 1);
      TRY(write_all(publishers[index].fd(), stamped_publish(static_cast<int>(index), options.qos,
                                                            packet_id, clock.steady_us())));
      TRY(read_some(publishers[index].fd(), buffer));  // acknowledgements
      ++report.sent;
    }
    if (options.tick_ms > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(options.tick_ms));
    } else {
      epoll.wait(report.sent < total ? 0 : 1);
    }
    TRY(read_all());
  }
  std::sort(report.milliseconds.begin(), report.milliseconds.end());
  return report;
}

}  // namespace nilo::app
