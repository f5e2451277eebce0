#include "app/load_generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "app/load_publisher.h"
#include "base/clock.h"

namespace nilo::app {

namespace {

std::uint64_t acknowledged_by(const LoadPublishers& publishers) {
  std::uint64_t sum = 0;
  for (const auto& publisher : publishers) sum += publisher->acknowledged();
  return sum;
}

Result<LoadPublishers> open_publishers(const LoadOptions& options) {
  LoadPublishers publishers;
  for (int i = 0; i < options.connections; ++i) {
    LoadSocket socket =
        TRY(load_connect(options.port, fmt::format("load-{}", i), options.user, options.password));
    make_nonblocking(socket.fd());
    publishers.push_back(std::make_unique<LoadPublisher>(
        std::move(socket), PublisherOptions{.number = i,
                                            .count = options.connections,
                                            .window = options.window,
                                            .qos = options.qos,
                                            .devices = options.devices}));
  }
  return publishers;
}

// Keeps the publishers busy until `end_us`; `more` false: only waits for what is in flight.
Result<void> drive(LoadPublishers& publishers, LoadEpoll& epoll, std::int64_t end_us, bool more) {
  const SystemClock clock;
  std::string buffer(kLoadReadSize, '\0');
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
  LoadPublishers publishers = TRY(open_publishers(options));
  LoadEpoll epoll;
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
    TRY(drive(publishers, epoll, clock.steady_us() + kLoadAnswerMaxUs, false));
    for (const auto& publisher : publishers) {
      if (publisher->in_flight() != 0) {
        return Error{ErrorCode::deadline_exceeded, "publishes were never acknowledged", ""};
      }
    }
  }
  return report;
}

}  // namespace nilo::app
