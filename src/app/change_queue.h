// app/change_queue.h: changes of tables and alerts, on their way to the loop that publishes them:
// they are messages like any other.
//
// Threads: publish(): any. They are published on the door's loop.
// Limits:  kChangesWaitingMax; then they are dropped and counted: who needs every row asks the
//          table.
#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "app/mqtt_door.h"
#include "base/metrics.h"
#include "value/message.h"

namespace nilo::app {

inline constexpr std::size_t kChangesWaitingMax = 50'000;

class ChangeQueue {
 public:
  // `door` outlives the queue, and the queue what it handed to the door's loop.
  ChangeQueue(MqttDoor& door, Metrics& metrics)
      : door_(door),
        dropped_(metrics.counter("nilo_changes_dropped_total", "",
                                 "Changes not published, because too many were waiting.")) {}

  void publish(std::vector<Message> changes);

 private:
  MqttDoor& door_;
  Counter& dropped_;
  std::atomic<std::size_t> waiting_{0};
};

}  // namespace nilo::app
