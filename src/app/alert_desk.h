// app/alert_desk.h: what people ask of alerts and do with them.
//
// In/out:  api::AlertBackend's questions -> the rows of sys_alerts, their history and notices;
//          deeds -> app/alerting.h.
// Threads: the backend's functions may be called from any thread.
#pragma once

#include "api/alert_backend.h"
#include "app/alert_links.h"
#include "app/alerting.h"
#include "tables/tables.h"

namespace nilo::app {

class AlertDesk {
 public:
  // All must outlive the backend's last call.
  AlertDesk(Alerting& alerting, const AlertLinks& links, const tables::Tables& tables)
      : alerting_(alerting), links_(links), tables_(tables) {}

  api::AlertBackend backend();
  // When the last open alert ended; nullopt: one is open, or there never was one.
  std::optional<TimeUs> quiet_since() const;

 private:
  Result<std::string> list(const api::AlertQuery& query) const;
  Result<std::string> story(const std::string& id) const;
  // The alert that a token names, while it lasts as it did when the mail was sent.
  Result<AlertRow> linked(const std::string& token) const;

  Alerting& alerting_;
  const AlertLinks& links_;
  const tables::Tables& tables_;
};

}  // namespace nilo::app
