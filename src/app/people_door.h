// app/people_door.h: where people come in: the API, the pages and what answers them, behind one
// HTTP server with a loop of its own, so that no page delays a device.
//
// In/out:  HTTP and WebSockets -> api::Api -> the rooms, by the backends that are joined here.
// Threads: open() and shut_down(): any one; requests are answered on the loop.
#pragma once

#include <memory>
#include <string>

#include "api/api.h"
#include "app/alert_desk.h"
#include "app/alerting.h"
#include "app/certificate_desk.h"
#include "app/house_status.h"
#include "app/page_files.h"
#include "app/people.h"
#include "app/post_office.h"
#include "app/thing_answers.h"
#include "app/thing_desk.h"
#include "app/things.h"
#include "app/worker.h"
#include "base/metrics.h"
#include "net/event_loop.h"
#include "net/http_server.h"
#include "stack/stack.h"

namespace nilo::app {

class PeopleDoor {
 public:
  struct Rooms {  // all must outlive the door
    net::EventLoop& loop;
    People::Rooms people;
    Things& things;
    PostOffice& post_office;
    Alerting& alerting;
    AlertDesk& alert_desk;
    Metrics& metrics;
    net::StreamTaker take_mqtt;  // called on the loop
  };
  struct Folders {
    std::string stack_dir;
    std::string data_dir;
  };
  // `files`: what the stack was made of.
  PeopleDoor(const Rooms& rooms, const Folders& folders, const stack::SourceFiles& files);

  // Where its listeners are added; before the loop runs.
  net::HttpServer& http() { return *http_; }
  // No more requests; those under way on other threads are finished or dropped. The loop still
  // holds what was posted to it.
  void shut_down();

 private:
  api::Backend backend();

  const Rooms rooms_;
  People people_;
  HouseStatus status_;
  PageFiles page_files_;
  ThingDesk thing_desk_;
  std::unique_ptr<CertificateDesk> certificate_desk_;
  std::unique_ptr<ThingAnswers> thing_answers_;
  std::unique_ptr<Worker> page_worker_;
  api::Api api_;
  std::unique_ptr<net::HttpServer> http_;
};

}  // namespace nilo::app
