// app/alert_desk.h: what people ask of alerts and do with them.
//
// In/out:  api::AlertBackend's questions -> the rows of sys_alerts, their history and notices;
//          deeds -> app/alerting.h.
// Threads: the backend's functions may be called from any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/alert_backend.h"
#include "app/alert_links.h"
#include "app/alerting.h"
#include "tables/tables.h"

namespace nilo::app {

class AlertDesk {
 public:
  // The newest notices of an alert, a JSON list: PostOffice::notices_of_alert_json.
  using NoticesJson = std::function<std::string(std::string_view alert_id, std::size_t limit)>;
  // All must outlive the backend's last call.
  AlertDesk(Alerting& alerting, const AlertLinks& links, const tables::Tables& tables,
            NoticesJson notices_json)
      : alerting_(alerting),
        links_(links),
        tables_(tables),
        notices_json_(std::move(notices_json)) {}

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
  const NoticesJson notices_json_;
};

}  // namespace nilo::app
