// app/simulator.h: simulated tanks that publish over real MQTT, like any device.
//
// Threads: start() makes one, stopped by the destructor; run_simulation() uses the caller's.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "app/tank_model.h"
#include "base/result.h"
#include "net/address.h"

namespace nilo::app {

struct SimulatorOptions {
  net::Address server;
  std::string user = "simulator";
  std::string password{};  // a token; empty: anonymous
  TankModelOptions model{};
  double speed = 1;          // 1: as real devices; 20: a reading a second and tank; 0: no waiting
  std::uint64_t rounds = 0;  // stop after so many readings of each tank; 0: never
};

// Publishes until `stopping`, or until the rounds are done. Returns how many were acknowledged.
Result<std::uint64_t> run_simulation(const SimulatorOptions& options,
                                     const std::atomic<bool>& stopping);

class Simulator {
 public:
  // Connects again when the connection is lost.
  static std::unique_ptr<Simulator> start(SimulatorOptions options);
  virtual ~Simulator() = default;
};

}  // namespace nilo::app
