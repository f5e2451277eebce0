// api/account_backend.h: people, as the API asks the house about them: first user, login, sessions.
//
// Threads: as backend.h. Nothing here is ever logged.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "value/principal.h"

namespace nilo::api {

struct FirstUser {
  std::string code;  // as a person types it
  std::string name;
  std::string password;
  std::string remote_ip;
};

struct LogIn {
  std::string name;
  std::string password;
  std::string remote_ip;
};

struct NewPassword {
  Principal who;  // logged in by session
  std::string old_password;
  std::string new_password;
  std::string remote_ip;
};

// What came of it. `wait_s` > 0: nothing was looked at, there were too many tries; again in so many
// seconds.
struct LoggedIn {
  std::string secret{};  // for the cookie
  Principal who{};
  int wait_s = 0;
};

struct NewUser {
  std::string name;
  Role role = Role::viewer;
  std::string password;
};

struct UserChange {
  std::string name;
  std::string role{};      // empty: as it is
  std::string password{};  // empty: as it is
};

struct UserInfo {
  std::string name;
  Role role = Role::viewer;
  TimeUs created_us = 0;
  TimeUs last_login_us = 0;  // 0 = never
};

struct SessionInfo {
  std::string id;  // tells sessions apart; opens nothing
  std::string user;
  std::string ip;  // where the login came from
  TimeUs created_us = 0;
  TimeUs seen_us = 0;  // exact to the hour
};

// What a stranger may know of the house.
struct HouseInfo {
  bool is_claimed = false;  // there is a user
  bool is_open = false;     // to connections from this machine
  std::string site_name{};
  std::string site_zone{};
  std::string site_url{};
  std::string version{};
  std::string mqtt_host{};  // empty: the name under which the house was asked
  std::uint16_t mqtt_port = 0;
  std::uint16_t mqtt_tls_port = 0;  // 0: there is none
};

struct AccountBackend {
  template <typename T>
  using Done = std::function<void(Result<T>)>;

  std::function<HouseInfo()> house;
  // conflict: claimed already. permission_denied: wrong code. invalid_argument: name or password.
  std::function<void(const FirstUser&, Done<LoggedIn>)> set_up;
  // unauthenticated: unknown name or wrong password; which of them nobody learns.
  std::function<void(const LogIn&, Done<LoggedIn>)> log_in;
  std::function<void(const std::string& secret, Done<void>)> log_out;
  // All sessions of the user end; the answer is a new one. permission_denied: the old password is
  // wrong, or there is no session but a token.
  std::function<void(const NewPassword&, Done<LoggedIn>)> change_password;

  std::function<std::vector<UserInfo>()> users;
  // conflict: the name is taken.
  std::function<void(const NewUser&, Done<void>)> add_user;
  // Ends all sessions of the user. not_found; conflict: it is the last admin.
  std::function<void(const UserChange&, Done<void>)> change_user;
  std::function<void(const std::string& name, Done<void>)> remove_user;

  std::function<std::vector<SessionInfo>()> sessions;  // those that would be let in
  std::function<void(const std::string& id, Done<void>)> end_session;
};

}  // namespace nilo::api
