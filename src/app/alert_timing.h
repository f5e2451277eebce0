// app/alert_timing.h: how many changes a second can alerts follow?
//
// In/out:  a load -> changes a second through applier, alerts and a real log; for `nilo bench`.
// Threads: starts the log's and the tables'; the caller's waits.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace nilo::app {

struct AlertLoad {
  std::string dir;  // for the log and the tables; empty
  std::uint64_t things = 100'000;
  std::uint64_t changes = 500'000;
  double crossings = 0;  // of the changes, 0 to 1: from normal to low or back
  bool has_alert = true;
};

struct AlertReport {
  std::uint64_t transitions = 0;   // written
  std::uint64_t resident_kib = 0;  // of the process, when each thing has reported once
  double seconds = 0;              // until the last change's transitions are on disk
};

// Each thing has low, high and silent, and they report by turns: through log, tables and alerts, on
// the cores that the process may use. conflict: the folder has a log already.
Result<AlertReport> run_alerts(const AlertLoad& load);

}  // namespace nilo::app
