// app/grant_desk.h: what people allow devices by hand (grants.h): given, listed, taken back.
//
// In/out:  a refusal, or which grant -> a row of sys_grants, and then it counts.
// Threads: any; `done` is called at once if nothing is to be stored, else on another.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/backend.h"
#include "api/refused.h"
#include "app/access.h"
#include "app/grants.h"
#include "app/own_row.h"
#include "app/policies.h"
#include "base/logger.h"
#include "tables/tables.h"

namespace nilo::app {

class GrantDesk {
 public:
  struct Rooms {  // all must outlive this
    const Access& access;
    const Policies& policies;
    Grants& grants;
    const Commit& commit;
    const tables::Tables& tables;
    const Clock& clock;
    Logger& logger;
  };
  explicit GrantDesk(const Rooms& rooms) : rooms_(rooms) {}

  // What Allow would do for a client that was refused a topic; nothing: it cannot be allowed (a
  // policy denies it, the login is no more, kGrantsMax).
  std::optional<std::string> would_allow(const api::RefusedClient& client) const;
  // not_found: as would_allow().
  void allow(const api::RefusedClient& client, const api::Done<std::string>& done);

  std::vector<api::GrantInfo> list() const;
  // Subscriptions that live by it end within a tick of the doors. not_found.
  void revoke(const api::GrantInfo& which, const api::Done<void>& done);
  // Who gets this name next is somebody else. All of them are taken back, or none.
  void revoke_all_of(std::string_view login, const api::Done<void>& done);

 private:
  std::optional<Grant> grant_for(const api::RefusedClient& client) const;
  void store(std::vector<Grant> grants, const api::Done<void>& done);

  const Rooms rooms_;
};

}  // namespace nilo::app
