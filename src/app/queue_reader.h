// app/queue_reader.h: reads messages that wait for sessions again from the log, off the loops.
//
// In/out:  places in the log -> the messages there, as one session gets them.
// Threads: fetch() from any thread; `answer` is called on the reader's own.
// Limits:  a session asks for so much at a time as mqtt/outgoing_queue.h says, and once at a time;
//          kFetchesMax waiting, which is more than there may be sessions.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "app/worker.h"
#include "base/logger.h"
#include "log/log.h"
#include "mqtt/broker.h"

namespace nilo::app {

inline constexpr std::size_t kFetchesMax = 1'000'000;

class QueueReader {
 public:
  // Both must outlive the reader.
  QueueReader(const log::Log& log, Logger& logger);

  // `answer` gets as many as `places`, in their order; without a message where the log has none.
  using Answer = std::function<void(std::vector<mqtt::Broker::Fetched>)>;
  void fetch(mqtt::SessionNumber session, std::vector<Position> places, Answer answer);

 private:
  std::vector<mqtt::Broker::Fetched> read(mqtt::SessionNumber session,
                                          const std::vector<Position>& places);

  Logger& logger_;
  log::Cursor cursor_;  // the worker's
  Worker worker_{kFetchesMax};
};

}  // namespace nilo::app
