// app/house_status.h: how the whole house is, in one small document: GET /api/v1/status.
//
// Threads: safe to share.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "app/notice_ledger.h"
#include "app/things.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/metrics.h"
#include "log/log.h"

namespace nilo::app {

// As whoever keeps the alerts says.
struct AlertSummary {
  std::size_t open = 0;
  std::optional<TimeUs> quiet_since_us{};  // nothing: something is open, or there are no alerts
};

class HouseStatus {
 public:
  struct Rooms {  // all must outlive this
    const Things& things;
    const log::Log& log;
    const NoticeLedger& notices;
    const Counter& messages;
    const Clock& clock;
    std::function<AlertSummary()> alerts;
    std::string data_dir;
  };
  // The house starts now.
  explicit HouseStatus(Rooms rooms);

  // Messages a second: since this was last asked for, but of a second at least.
  std::string json();

 private:
  struct Rate {
    std::int64_t steady_us = 0;
    std::uint64_t messages = 0;
    double per_s = 0;
  };
  double messages_per_s(std::uint64_t messages);

  const Rooms rooms_;
  const TimeUs started_us_;
  Guarded<Rate> rate_;
};

}  // namespace nilo::app
