// app/replay_timing.h: how fast does a log become tables?
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace nilo::app {

struct ReplayReport {
  std::uint64_t rows = 0;
  double seconds = 0;
  std::uint64_t log_bytes = 0;
};

// Writes a log of `rows` rows of workload W1 (1,000 devices) into `dir`, then measures reading it
// back into fresh tables. conflict: `dir` has a log already.
Result<ReplayReport> run_replay(const std::string& dir, std::uint64_t rows);

}  // namespace nilo::app
