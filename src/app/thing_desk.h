// app/thing_desk.h: adds, changes and removes things while the server runs.
//
// The text is the only source (docs/decisions/ on things): a change is a line of
// nilo.d/things.toml, checked with the whole stack before it is written, and known to pages, alerts
// and selectors from then on.
// Threads: any; reads, checks and syncs files, so on a worker.
#pragma once

#include <string>

#include "api/thing_backend.h"
#include "app/page_files.h"
#include "app/things.h"
#include "app/worker.h"
#include "base/logger.h"
#include "base/result.h"
#include "stack/stack.h"

namespace nilo::app {

class ThingDesk {
 public:
  struct Rooms {  // all must outlive the desk
    PageFiles& files;
    Things& things;
    Logger& logger;
  };
  explicit ThingDesk(const Rooms& rooms) : rooms_(rooms) {}

  // A new thing, or all of one that is there.
  // invalid_argument: a mistake in it. conflict: another file than nilo.d/things.toml names it.
  // permission_denied: the folder is read-only; the hint has the line to add by hand.
  Result<void> set(const api::ThingEdit& wanted);
  // not_found. conflict, as above, or a page or alert names it.
  Result<void> remove(const std::string& id);

 private:
  Rooms rooms_;
};

// The API's changes, answered on `worker`. Both outlive the backend's last call.
void add_thing_changes(api::ThingBackend& backend, ThingDesk& desk, Worker& worker);

}  // namespace nilo::app
