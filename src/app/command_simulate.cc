// nilo simulate: devices that are not there.
#include <fmt/format.h>

#include <memory>

#include "app/commands.h"
#include "app/remote.h"
#include "app/simulator.h"

namespace nilo::app {

namespace {

struct SimulateOptions {
  RemoteOptions remote;
  std::string what = "tanks";
  std::int64_t seed = 1;
  std::int64_t tanks = 3;
  std::int64_t rounds = 0;
  double speed = 1;
  double dead_after_h = 24;
};

Result<void> simulate(const SimulateOptions& given) {
  if (given.what != "tanks") {
    return Error{ErrorCode::invalid_argument, fmt::format("cannot simulate `{}`", given.what),
                 "tanks"};
  }
  if (given.tanks < 1 || given.tanks > 1000 || given.speed < 0 || given.rounds < 0) {
    return Error{ErrorCode::invalid_argument,
                 "--tanks is 1 to 1000, --speed and --rounds 0 or more", ""};
  }
  SimulatorOptions options;
  options.server = TRY(net::parse_address(given.remote.mqtt, 1883));
  mqtt::ClientOptions login;
  set_login(given.remote, login);
  options.user = login.user_name.value_or("");
  options.password = login.password.value_or("");
  options.speed = given.speed;
  options.rounds = static_cast<std::uint64_t>(given.rounds);
  options.model.seed = static_cast<std::uint64_t>(given.seed);
  options.model.tank_count = static_cast<int>(given.tanks);
  options.model.dead_after_s = given.dead_after_h * 3600;
  const std::atomic<bool> stopping{false};
  const std::uint64_t count = TRY(run_simulation(options, stopping));
  fmt::print("{} readings acknowledged\n", count);
  return {};
}

}  // namespace

Command simulate_command() {
  const auto options = std::make_shared<SimulateOptions>();
  std::vector<Option> own = {
      {"WHAT", "tanks: rain, use, echo time-outs and a sensor that dies", &options->what},
      {"--seed", "the same seed gives the same readings", &options->seed},
      {"--tanks", "how many", &options->tanks},
      {"--speed", "1: a reading every 20 s, as the devices; 0: as fast as acknowledged",
       &options->speed},
      {"--rounds", "stop after so many readings of each tank; 0: never", &options->rounds},
      {"--dead-after", "hours until the last sensor dies; 0: never", &options->dead_after_h}};
  return {
      "simulate",
      "Publishes as devices would, over real MQTT.",
      {"nilo simulate tanks --speed 20", "nilo simulate tanks --seed 7 --speed 0 --rounds 1000"},
      with_mqtt_options(std::move(own), options->remote),
      [options] { return exit_code_of(simulate(*options)); }};
}

}  // namespace nilo::app
