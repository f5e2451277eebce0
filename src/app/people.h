// app/people.h: what the API asks of the house.
//
// In/out:  api::Backend's questions -> access, tables, SQL, and messages through the first door.
// Threads: the backend's functions may be called from any thread.
#pragma once

#include "api/backend.h"
#include "api/refused.h"
#include "app/access.h"
#include "app/accounts.h"
#include "app/certificate_store.h"
#include "app/grant_desk.h"
#include "app/live_feed.h"
#include "app/mqtt_door.h"
#include "app/own_row.h"
#include "app/password_checks.h"
#include "app/policies.h"
#include "app/refused_list.h"
#include "app/refused_logins.h"
#include "log/log.h"
#include "net/address.h"
#include "stack/stack.h"
#include "tables/sql.h"
#include "tables/tables.h"

namespace nilo::app {

class People {
 public:
  struct Rooms {  // all must outlive the backend's last call
    Access& access;
    const Policies& policies;
    Grants& grants;
    PasswordChecks& passwords;
    RefusedLogins& refused_logins;
    Accounts& accounts;
    const CertificateStore& certificates;
    const Commit& commit;
    MqttDoor& door;  // whose loop publishes for people
    tables::Tables& tables;
    tables::Sql& sql;
    log::Log& log;
    const stack::Stack& stack;
    LiveFeed& live;
    RefusedList& refused;
    const Clock& clock;
    Logger& logger;
    bool is_open;
    net::Address mqtt;            // as devices reach it
    std::uint16_t mqtt_tls_port;  // 0: there is no such door
  };
  explicit People(const Rooms& rooms)
      : rooms_(rooms),
        grants_({rooms.access, rooms.policies, rooms.grants, rooms.commit, rooms.tables,
                 rooms.clock, rooms.logger}) {}

  api::Backend backend();

  // What Allow would do for a client that was refused at CONNECT (refused_logins.h) or a topic
  // (grant_desk.h), and doing it.
  std::optional<std::string> would_allow(const api::RefusedClient& client) const;
  void allow(const api::RefusedClient& client, const api::Done<std::string>& done);

 private:
  api::AccountBackend accounts();
  void authenticate(const api::Credentials& shown, const api::Done<Principal>& done);
  void check_password(const api::Credentials& shown, const api::Done<Principal>& done);
  void note_refused(const api::Credentials& shown, const Error& why);
  void publish(Message message, const api::Done<void>& done);
  void publish_refused(Message message, std::string why);
  std::vector<api::TokenInfo> tokens() const;
  void make_token(const api::NewToken& wanted, const api::Done<std::string>& done);
  void revoke_token(const std::string& name, const api::Done<void>& done);
  void allow_certificate(const RefusedCertificate& refused, const api::Done<std::string>& done);
  void store_new(const Token& token, const api::Done<void>& done);
  void store_without_grants(const Token& token, const api::Done<void>& done);
  void store(const Token& token, const api::Done<void>& done);

  Rooms rooms_;
  GrantDesk grants_;
};

// Appends the row of sys_tokens that says `token`.
void write_token(const tables::Tables& tables, const Token& token, RecordWriter& record);

}  // namespace nilo::app
