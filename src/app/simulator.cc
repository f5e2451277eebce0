#include "app/simulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "app/mqtt_link.h"
#include "base/clock.h"

namespace nilo::app {

namespace {

constexpr std::chrono::seconds kRetryAfter{2};

class BackgroundSimulator final : public Simulator {
 public:
  explicit BackgroundSimulator(SimulatorOptions options)
      : options_(std::move(options)), thread_([this] { run(); }) {}

  ~BackgroundSimulator() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    stopped_.notify_one();
    thread_.join();
  }

 private:
  void run() {
    while (!stopping_) {
      ignore(run_simulation(options_, stopping_));
      std::unique_lock lock(mutex_);
      stopped_.wait_for(lock, kRetryAfter, [this] { return stopping_.load(); });
    }
  }

  const SimulatorOptions options_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::condition_variable stopped_;
  std::thread thread_;
};

}  // namespace

Result<std::uint64_t> run_simulation(const SimulatorOptions& options,
                                     const std::atomic<bool>& stopping) {
  const SystemClock clock;
  MqttLinkOptions link_options;
  link_options.server = options.server;
  link_options.client.client_id = fmt::format("simulator-{}", options.model.seed);
  if (!options.password.empty()) {
    link_options.client.user_name = options.user;
    link_options.client.password = options.password;
  }
  const auto link = TRY(MqttLink::connect(link_options, clock));
  TankModel model(options.model);
  const double round_us = options.speed > 0 ? options.model.step_s / options.speed * 1e6 : 0;
  const std::int64_t began_us = clock.steady_us();
  for (std::uint64_t round = 0; options.rounds == 0 || round < options.rounds; ++round) {
    model.step();
    for (int tank = 1; tank <= options.model.tank_count; ++tank) {
      const auto reading = model.reading_cm(tank);
      if (!reading) continue;
      const std::string topic = fmt::format("water{}/pub", tank);
      const std::string payload = fmt::format("{{\"distance\":{}}}", *reading);
      MessageView message;
      message.topic = topic;
      message.payload = payload;
      message.qos = Qos::at_least_once;
      TRY(link->publish_pipelined(message));
    }
    const auto due_us =
        began_us + static_cast<std::int64_t>(static_cast<double>(round + 1) * round_us);
    TRY(link->run_until(due_us, [&] { return stopping.load(); }));
    if (stopping) break;
  }
  TRY(link->drain());
  link->disconnect();
  return link->acknowledged_count();
}

std::unique_ptr<Simulator> Simulator::start(SimulatorOptions options) {
  return std::make_unique<BackgroundSimulator>(std::move(options));
}

}  // namespace nilo::app
