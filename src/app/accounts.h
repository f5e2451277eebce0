// app/accounts.h: people: the first one, those after, and their sessions.
//
// While there is no user the server is unclaimed: whoever types the code it printed becomes the
// first admin. Users log in with a password and get a session, a random cookie of which only the
// hash is kept. Devices and scripts have tokens instead (access.h).
// In/out:  api/account_backend.h's questions -> rows of sys_users and sys_sessions; what is
//          answered is durable.
// Threads: from any thread; what changes something happens on the passwords' worker, one after the
//          other, and is answered on some other thread.
// Limits:  kSessionsMax sessions, then the one not seen for longest ends; kUsersMax; login_guard.h.
// Source:  docs/decisions/ on sessions.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/account_backend.h"
#include "app/account_rows.h"
#include "app/login_guard.h"
#include "app/own_row.h"
#include "app/password_checks.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/logger.h"
#include "base/time_units.h"

namespace nilo::app {

inline constexpr std::size_t kSessionsMax = 1000;
inline constexpr std::size_t kUsersMax = 1000;
// A session ends when it was not used for so long, and in any case so long after the login.
inline constexpr TimeUs kSessionIdleUs = 30 * kDayUs;
inline constexpr TimeUs kSessionAgeMaxUs = 90 * kDayUs;
// How exactly its last use is known after a restart.
inline constexpr TimeUs kSessionSeenEveryUs = kHourUs;

class Accounts {
 public:
  struct Rooms {  // all must outlive this
    const tables::Tables& tables;
    PasswordChecks& passwords;
    const Clock& clock;
    Logger& logger;
    Commit commit;
  };
  explicit Accounts(Rooms rooms) : rooms_(std::move(rooms)) {}

  // At start, before anybody asks: rows as they were stored.
  void load(User user);
  void load(Session session);
  // A new code such as K7QM-3XPD, of which only the hash is kept; empty: there is a user already.
  std::string make_setup_code();

  bool is_claimed() const;
  // unauthenticated: no such session, or it has ended or expired.
  Result<Principal> by_session(std::string_view secret);
  // Of a Principal that by_session() gave.
  bool is_current(std::string_view credential) const;

  // As in api::AccountBackend.
  template <typename T>
  using Done = std::function<void(Result<T>)>;
  void set_up(const api::FirstUser& wanted, const Done<api::LoggedIn>& done);
  void log_in(const api::LogIn& shown, const Done<api::LoggedIn>& done);
  void log_out(const std::string& secret, const Done<void>& done);
  void change_password(const api::NewPassword& wanted, const Done<api::LoggedIn>& done);
  std::vector<api::UserInfo> users() const;
  void add_user(const api::NewUser& wanted, const Done<void>& done);
  void change_user(const api::UserChange& wanted, const Done<void>& done);
  void remove_user(const std::string& name, const Done<void>& done);
  std::vector<api::SessionInfo> sessions() const;
  void end_session(const std::string& id, const Done<void>& done);

 private:
  struct State {
    std::map<std::string, User, std::less<>> users;  // removed ones too
    std::vector<Session> sessions;                   // by slot
    std::map<std::string, std::size_t, std::less<>> slot_by_id;
    std::set<std::string> waiting;  // ids of sessions that are not durable yet
    std::string code_hash;          // empty: there is no code
  };
  struct Opened {
    std::string secret;
    Session session;
  };

  // On the worker's thread from here on.
  void finish_set_up(const api::FirstUser& wanted, const Done<api::LoggedIn>& done);
  void finish_log_in(const api::LogIn& shown, const Done<api::LoggedIn>& done);
  void finish_change_password(const api::NewPassword& wanted, const Done<api::LoggedIn>& done);
  Result<void> finish_add_user(const api::NewUser& wanted, const Done<void>& done);
  Result<void> finish_change_user(const api::UserChange& wanted, const Done<void>& done);
  Opened open_session(const std::string& user, const std::string& ip);
  std::vector<Session> end_sessions(const std::function<bool(const Session&)>& which);
  // Stores `user` and `sessions` in one record. With `opened`, that session is valid from then on.
  void store(std::optional<User> user, std::vector<Session> sessions,
             std::function<void(const Result<void>&)> done);
  void enter(User user, const User& before, std::vector<Session> ended, const std::string& ip,
             const Done<api::LoggedIn>& done);
  void store_seen(const std::string& id);
  void run(std::function<void()> task, const std::function<void(Error)>& refuse);

  std::optional<User> find(std::string_view name) const;
  bool is_valid(const State& state, const Session& session) const;
  static Result<void> check_account(std::string_view name, std::string_view password);
  Result<void> check_not_last_admin(std::string_view name) const;

  Rooms rooms_;
  LoginGuard login_guard_;
  SetupGuard setup_guard_;
  Guarded<State> state_;
};

}  // namespace nilo::app
