// app/server_numbers.h: what the server counts of itself, for /metrics and for `$SYS/broker/...`.
//
// Threads: the numbers may be read from any.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "app/alerting.h"
#include "app/applier.h"
#include "app/mqtt_door.h"
#include "app/sys_topics.h"
#include "base/metrics.h"
#include "bus/retained.h"
#include "bus/router.h"
#include "log/log.h"

namespace nilo::app {

class ServerNumbers {
 public:
  // All must outlive this; `metrics` is read no more once this is gone.
  ServerNumbers(const MqttDoors& doors, const bus::Router& router, const bus::Retained& retained,
                Metrics& metrics)
      : doors_(doors), router_(router), retained_(retained), metrics_(metrics) {}

  // Of SysTopics.
  std::vector<std::pair<std::string, SysTopics::Read>> for_sys_topics() const;
  // Those of /metrics that no room has for itself. Once all of these are there.
  void add_gauges(const log::Log& log, const Applier& applier, const Alerting& alerting) const;

 private:
  std::size_t session_count() const;
  std::size_t client_count() const;

  const MqttDoors& doors_;
  const bus::Router& router_;
  const bus::Retained& retained_;
  Metrics& metrics_;
};

}  // namespace nilo::app
