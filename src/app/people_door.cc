#include "app/people_door.h"

#include <utility>

#include "app/endpoint_specs.h"
#include "app/hashes.h"
#include "app/web_files.h"

namespace nilo::app {

namespace {

constexpr std::size_t kNonceBytes = 16;

api::Assets make_assets() {
  return api::Assets(web_files(), [] { return random_text(kNonceBytes); });
}

HouseStatus::Rooms status_rooms(const PeopleDoor::Rooms& rooms, const std::string& data_dir) {
  return {rooms.things,
          rooms.people.log,
          rooms.post_office.ledger(),
          rooms.metrics.counter("nilo_messages_total", R"(dir="in")",
                                "Messages published to the server."),
          rooms.people.clock,
          [&alerting = rooms.alerting, &desk = rooms.alert_desk] {
            return AlertSummary{alerting.open_count(), desk.quiet_since()};
          },
          data_dir};
}

}  // namespace

PeopleDoor::PeopleDoor(const Rooms& rooms, const Folders& folders, const stack::SourceFiles& files)
    : rooms_(rooms),
      people_(rooms.people),
      status_(status_rooms(rooms, folders.data_dir)),
      page_files_({folders.stack_dir, folders.data_dir + "/pages"}, rooms.people.clock, files,
                  rooms.people.stack.pages),
      thing_desk_({page_files_, rooms.things, rooms.people.logger}),
      certificate_desk_(std::make_unique<CertificateDesk>(
          CertificateDesk::Rooms{rooms.people.access, rooms.people.certificates, rooms.people.clock,
                                 rooms.people.logger},
          folders.data_dir)),
      thing_answers_(std::make_unique<ThingAnswers>(ThingAnswers::Rooms{
          rooms.things, rooms.people.tables, rooms.people.stack, rooms.people.clock,
          [&alerting = rooms.alerting](std::string_view thing) {
            return alerting.open_count_of(thing);
          },
          [this] { return status_.json(); }})),
      page_worker_(std::make_unique<Worker>(kPageRequestsMax)),
      api_(backend(), endpoints_of(rooms.people.stack),
           api::ApiOptions{.loopback_names_only = rooms.people.is_open,
                           .assets = make_assets(),
                           .mqtt_origins = rooms.people.stack.settings.origins},
           rooms.people.clock, rooms.metrics, rooms.people.logger),
      http_(net::HttpServer::make(rooms.loop, {},
                                  [this](net::HttpRequest request, net::Respond respond) {
                                    api_.handle(std::move(request), std::move(respond));
                                  })) {}

api::Backend PeopleDoor::backend() {
  api::Backend backend = people_.backend();
  backend.things = thing_answers_->backend();
  add_thing_changes(backend.things, thing_desk_, *page_worker_);
  backend.notices = rooms_.post_office.backend();
  backend.pages = page_backend(page_files_, *page_worker_);
  backend.alerts = rooms_.alert_desk.backend();
  backend.take_mqtt = rooms_.take_mqtt;
  backend.certificates = certificate_desk_->backend();
  return backend;
}

void PeopleDoor::shut_down() {
  http_.reset();
  thing_answers_.reset();
  page_worker_.reset();
  certificate_desk_.reset();
}

}  // namespace nilo::app
