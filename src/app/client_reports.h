// app/client_reports.h: what is told of MQTT clients: who comes, goes and listens (presence.h), and
// what they wanted and did not get.
//
//   present()  ->  messages, for whoever listens to them
//   refused()  ->  a counter, `$error/mqtt/<what>`, a line of the log; a connection,
//                  publish or subscription also the list of the Live page
//
// Threads: one loop's.
#pragma once

#include <string>

#include "app/ingest.h"
#include "app/loop_batch.h"
#include "app/policies.h"
#include "app/refused_list.h"
#include "base/clock.h"
#include "base/logger.h"
#include "base/metrics.h"
#include "mqtt/host.h"

namespace nilo::app {

class ClientReports {
 public:
  struct Rooms {  // all must outlive this
    Ingest& ingest;
    const Policies& policies;
    RefusedList& refused;
    const Clock& clock;
    Logger& logger;
    Metrics& metrics;
    Post& loop;
  };
  explicit ClientReports(const Rooms& rooms) : rooms_(rooms) {}

  void present(const mqtt::Presence& presence);
  void refused(const mqtt::Refusal& refusal);

 private:
  void publish(std::string topic, std::string payload);
  void list(const mqtt::Refusal& refusal, TimeUs now_us);

  const Rooms rooms_;
};

}  // namespace nilo::app
