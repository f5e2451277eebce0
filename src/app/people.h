// app/people.h: what the API asks of the house.
//
// In/out:  api::Backend's questions -> access, tables, SQL, and messages through the first door.
// Threads: the backend's functions may be called from any thread.
#pragma once

#include "api/backend.h"
#include "app/access.h"
#include "app/live_feed.h"
#include "app/mqtt_door.h"
#include "app/password_checks.h"
#include "app/refused_list.h"
#include "log/log.h"
#include "stack/stack.h"
#include "tables/sql.h"
#include "tables/tables.h"

namespace nilo::app {

class People {
 public:
  struct Rooms {  // all must outlive the backend's last call
    Access& access;
    PasswordChecks& passwords;
    MqttDoor& door;  // whose loop publishes for people
    tables::Tables& tables;
    tables::Sql& sql;
    log::Log& log;
    const stack::Stack& stack;
    LiveFeed& live;
    RefusedList& refused;
  };
  explicit People(const Rooms& rooms) : rooms_(rooms) {}

  api::Backend backend();

 private:
  void authenticate(const api::Credentials& shown, const api::Done<Principal>& done);
  void publish(Message message, const api::Done<void>& done);
  std::vector<api::TokenInfo> tokens() const;
  void make_token(const api::NewToken& wanted, const api::Done<std::string>& done);
  void revoke_token(const std::string& name, const api::Done<void>& done);
  void store(const Token& token, const api::Done<void>& done);

  Rooms rooms_;
};

// Appends the row of sys_tokens that says `token`.
void write_token(const tables::Tables& tables, const Token& token, RecordWriter& record);

}  // namespace nilo::app
