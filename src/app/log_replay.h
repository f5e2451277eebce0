// app/log_replay.h: what the log says, once more, at a start: after it tables, retained messages
// and sessions are as they were.
//
// The same `apply` as for live records (applier.h), so that there is one way only.
// Threads: the caller's, before any other runs.
#pragma once

#include <atomic>

#include "app/mqtt_door.h"
#include "base/clock.h"
#include "base/logger.h"
#include "base/result.h"
#include "bus/retained.h"
#include "log/log.h"
#include "tables/tables.h"

namespace nilo::app {

struct ReplayRooms {
  log::Log& log;
  tables::Tables& tables;
  bus::Retained& retained;
  const MqttDoors& doors;             // each takes back the sessions that are its own
  std::atomic<bool>& changes_wanted;  // set if one of them listens to `$table/...`
  const Clock& clock;
  Logger& logger;
};

// Tells of long ones while they last. Errors: the log's; a damaged record is reported and counted,
// and is no error.
Result<void> replay_log(const ReplayRooms& rooms);

}  // namespace nilo::app
