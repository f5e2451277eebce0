#include "app/accounts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <utility>

#include "app/hashes.h"
#include "base/utf8.h"
#include "net/public_address.h"

namespace nilo::app {
namespace {

// Without the letters and digits that look alike: I L O U 0 1.
constexpr std::string_view kCodeLetters = "23456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kCodeSize = 8;
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kSessionIdShown = 16;
constexpr std::string_view kSessionPrefix = "session:";

const Error& wrong_login() {
  static const Error error{ErrorCode::unauthenticated, "unknown name or wrong password",
                           "an admin can set another password: nilo user passwd NAME"};
  return error;
}

Error claimed() {
  return {ErrorCode::conflict, "this server is set up already", "log in, or ask its admin"};
}

Error busy() {
  return {ErrorCode::resource_exhausted, "too many logins at once", "try again later"};
}

// What a person types: "k7qm 3xpd" is K7QM-3XPD.
std::string plain_code(std::string_view text) {
  std::string code;
  for (const char letter : text.substr(0, 64)) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) continue;
    code.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(letter))));
  }
  return code;
}

}  // namespace

Result<void> Accounts::check_account(std::string_view name, std::string_view password) {
  if (!is_account_name(name)) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("`{}` is not a name for a user", printable(name, 80)),
                 "1 to 64 letters, digits, '-', '_', '.' or '@'"};
  }
  return check_password(password);
}

void Accounts::load(User user) {
  state_.with([&](State& state) { state.users[user.name] = std::move(user); });
}

void Accounts::load(Session session) {
  state_.with([&](State& state) {
    if (session.slot < 0 || session.slot >= static_cast<std::int64_t>(kSessionsMax)) return;
    const auto slot = static_cast<std::size_t>(session.slot);
    while (state.sessions.size() <= slot) {
      Session empty;
      empty.slot = static_cast<std::int64_t>(state.sessions.size());
      empty.ended = true;
      state.sessions.push_back(empty);
    }
    state.slot_by_id[session.id] = slot;
    state.sessions[slot] = std::move(session);
  });
}

std::string Accounts::make_setup_code() {
  if (is_claimed()) return {};
  std::string code = random_code(kCodeLetters, kCodeSize);
  state_.with([&](State& state) { state.code_hash = hash_of(code); });
  return code.insert(kCodeSize / 2, "-");
}

bool Accounts::is_claimed() const {
  return state_.with([](const State& state) {
    return std::any_of(state.users.begin(), state.users.end(),
                       [](const auto& entry) { return !entry.second.removed; });
  });
}

std::optional<User> Accounts::find(std::string_view name) const {
  return state_.with([&](const State& state) -> std::optional<User> {
    const auto found = state.users.find(name);
    if (found == state.users.end() || found->second.removed) return std::nullopt;
    return found->second;
  });
}

bool Accounts::is_valid(const State& state, const Session& session) const {
  const auto user = state.users.find(session.user);
  if (session.ended || user == state.users.end() || user->second.removed) return false;
  // A user of the same name who was removed since is another one.
  if (session.created_us < user->second.created_us) return false;
  const TimeUs now_us = rooms_.clock.wall_us();
  return !state.waiting.contains(session.id) && now_us < session.seen_us + kSessionIdleUs &&
         now_us < session.created_us + kSessionAgeMaxUs;
}

Result<Principal> Accounts::by_session(std::string_view secret) {
  const std::string id = hash_of(secret);
  bool was_seen = false;
  const auto who = state_.with([&](State& state) -> std::optional<Principal> {
    const auto found = state.slot_by_id.find(id);
    if (found == state.slot_by_id.end()) return std::nullopt;
    Session& session = state.sessions[found->second];
    if (!is_valid(state, session)) return std::nullopt;
    const TimeUs now_us = rooms_.clock.wall_us();
    if (now_us - session.seen_us >= kSessionSeenEveryUs) {
      session.seen_us = now_us;
      was_seen = true;
    }
    Principal principal{session.user, state.users.at(session.user).role};
    principal.credential = std::string(kSessionPrefix) + id;
    return principal;
  });
  if (was_seen) run([this, id] { store_seen(id); }, [](const Error&) {});
  if (who) return *who;
  return Error{ErrorCode::unauthenticated, "this session has ended", "log in again"};
}

// On the worker, like what ends sessions: a row that says "seen" never follows one that says
// "ended".
void Accounts::store_seen(const std::string& id) {
  const auto session = state_.with([&](const State& state) -> std::optional<Session> {
    const auto found = state.slot_by_id.find(id);
    if (found == state.slot_by_id.end()) return std::nullopt;
    return state.sessions[found->second];
  });
  if (session && !session->ended) store(std::nullopt, {*session}, [](const Result<void>&) {});
}

bool Accounts::is_current(std::string_view credential) const {
  if (!credential.starts_with(kSessionPrefix)) return false;
  return state_.with([&](const State& state) {
    const auto found = state.slot_by_id.find(credential.substr(kSessionPrefix.size()));
    return found != state.slot_by_id.end() && is_valid(state, state.sessions[found->second]);
  });
}

void Accounts::run(std::function<void()> task, const std::function<void(Error)>& refuse) {
  if (!rooms_.passwords.post(std::move(task))) refuse(busy());
}

void Accounts::store(std::optional<User> user, std::vector<Session> sessions,
                     std::function<void(const Result<void>&)> done) {
  const TimeUs now_us = rooms_.clock.wall_us();
  rooms_.commit(
      [this, now_us, user = std::move(user), sessions = std::move(sessions)](RecordWriter& record) {
        if (user) write_own_row(rooms_.tables, kUsersTable, now_us, cells_of(*user), record);
        for (const Session& session : sessions) {
          write_own_row(rooms_.tables, kSessionsTable, now_us, cells_of(session), record);
        }
      },
      std::move(done));
}

// A free slot, else a new one, else that of the session not seen for longest.
Accounts::Opened Accounts::open_session(const std::string& user, const std::string& ip) {
  Opened opened;
  opened.secret = random_text(kSecretBytes);
  Session& session = opened.session;
  session.id = hash_of(opened.secret);
  session.user = user;
  session.ip = ip;
  session.created_us = session.seen_us = rooms_.clock.wall_us();
  state_.with([&](State& state) {
    auto& all = state.sessions;
    auto slot = std::find_if(all.begin(), all.end(), [&](const Session& one) {
      return !state.waiting.contains(one.id) && !is_valid(state, one);
    });
    if (slot == all.end() && all.size() < kSessionsMax) slot = all.insert(slot, Session{});
    if (slot == all.end()) {
      slot = std::min_element(all.begin(), all.end(), [](const Session& a, const Session& b) {
        return a.seen_us < b.seen_us;
      });
    }
    const auto number = static_cast<std::size_t>(slot - all.begin());
    session.slot = static_cast<std::int64_t>(number);
    state.slot_by_id.erase(slot->id);
    state.slot_by_id[session.id] = number;
    state.waiting.insert(session.id);
    *slot = session;
  });
  return opened;
}

// At once, in memory; gives what is to be stored.
std::vector<Session> Accounts::end_sessions(const std::function<bool(const Session&)>& which) {
  return state_.with([&](State& state) {
    std::vector<Session> ended;
    for (Session& session : state.sessions) {
      if (session.ended || !which(session)) continue;
      session.ended = true;
      ended.push_back(session);
    }
    return ended;
  });
}

// `user` becomes what is known, at once, so that what follows on the worker builds on it; and gets
// a session, which is worth something when it is durable. `before`: what is true if that fails.
void Accounts::enter(User user, const User& before, std::vector<Session> ended,
                     const std::string& ip, const Done<api::LoggedIn>& done) {
  user.last_login_us = rooms_.clock.wall_us();
  load(user);
  const Opened opened = open_session(user.name, ip);
  ended.push_back(opened.session);
  store(user, std::move(ended), [this, user, before, opened, done](const Result<void>& stored) {
    state_.with([&](State& state) {
      state.waiting.erase(opened.session.id);
      if (stored) return;
      state.users[before.name] = before;
      state.slot_by_id.erase(opened.session.id);
    });
    if (!stored) return done(stored.error());
    Principal who{user.name, user.role};
    who.credential = std::string(kSessionPrefix) + opened.session.id;
    done(api::LoggedIn{.secret = opened.secret, .who = std::move(who)});
  });
}

void Accounts::set_up(const api::FirstUser& wanted, const Done<api::LoggedIn>& done) {
  if (is_claimed()) return done(claimed());
  if (const auto checked = check_account(wanted.name, wanted.password); !checked) {
    return done(checked.error());
  }
  if (const int wait_s = setup_guard_.take_try(rooms_.clock.steady_us()); wait_s > 0) {
    return done(api::LoggedIn{.wait_s = wait_s});
  }
  const std::string shown = hash_of(plain_code(wanted.code));
  const std::string code_hash = state_.with([](const State& state) { return state.code_hash; });
  if (code_hash.empty()) return done(claimed());  // or about to be
  if (!is_same_hash(shown, code_hash)) {
    rooms_.logger.warn("setup.wrong_code", {{"ip", wanted.remote_ip}});
    return done(Error{ErrorCode::permission_denied, "this is not the setup code",
                      "it stands where the server was started; each start makes a new one"});
  }
  run([this, wanted, done] { finish_set_up(wanted, done); }, done);
}

void Accounts::finish_set_up(const api::FirstUser& wanted, const Done<api::LoggedIn>& done) {
  if (is_claimed()) return done(claimed());
  // Whoever is second finds no code.
  const std::string code_hash =
      state_.with([](State& state) { return std::exchange(state.code_hash, {}); });
  if (code_hash.empty()) return done(claimed());
  auto hash = password_hash(wanted.password);
  if (!hash) {
    state_.with([&](State& state) { state.code_hash = code_hash; });
    return done(hash.error());
  }
  const User first{wanted.name, Role::admin, std::move(hash).value(), rooms_.clock.wall_us()};
  User nobody = first;
  nobody.removed = true;
  enter(first, nobody, {}, wanted.remote_ip,
        [this, done, code_hash, ip = wanted.remote_ip](Result<api::LoggedIn> entered) {
          if (entered) {
            rooms_.logger.info("setup.done", {{"user", entered->who.name}, {"ip", ip}});
          } else {
            state_.with([&](State& state) { state.code_hash = code_hash; });
          }
          done(std::move(entered));
        });
}

void Accounts::log_in(const api::LogIn& shown, const Done<api::LoggedIn>& done) {
  const std::string name(printable(shown.name, 64));
  const int wait_s =
      login_guard_.take_try(name, net::network_of(shown.remote_ip), rooms_.clock.steady_us());
  if (wait_s > 0) return done(api::LoggedIn{.wait_s = wait_s});
  run([this, shown, done] { finish_log_in(shown, done); }, done);
}

void Accounts::finish_log_in(const api::LogIn& shown, const Done<api::LoggedIn>& done) {
  const std::string_view password = std::string_view(shown.password).substr(0, kPasswordSizeMax);
  const auto user = find(shown.name);
  // The same work for an unknown name, so that names cannot be told apart by the clock.
  if (!user) ignore(password_hash(password));
  const bool fits =
      user && shown.password.size() <= kPasswordSizeMax && password_fits(user->hash, password);
  if (!fits) {
    rooms_.logger.warn("login.failed", {{"ip", shown.remote_ip}});
    return done(wrong_login());
  }
  login_guard_.succeeded(shown.name, net::network_of(shown.remote_ip));
  enter(*user, *user, {}, shown.remote_ip, done);
}

void Accounts::log_out(const std::string& secret, const Done<void>& done) {
  const std::string id = hash_of(secret);
  run(
      [this, id, done] {
        auto ended = end_sessions([&](const Session& session) { return session.id == id; });
        if (ended.empty()) return done({});
        store(std::nullopt, std::move(ended), done);
      },
      done);
}

void Accounts::change_password(const api::NewPassword& wanted, const Done<api::LoggedIn>& done) {
  if (!is_current(wanted.who.credential)) {
    return done(Error{ErrorCode::permission_denied, "only who has logged in has a password",
                      "with a token: nilo user passwd NAME"});
  }
  if (const auto checked = check_password(wanted.new_password); !checked) {
    return done(checked.error());
  }
  const int wait_s = login_guard_.take_try(wanted.who.name, net::network_of(wanted.remote_ip),
                                           rooms_.clock.steady_us());
  if (wait_s > 0) return done(api::LoggedIn{.wait_s = wait_s});
  run([this, wanted, done] { finish_change_password(wanted, done); }, done);
}

void Accounts::finish_change_password(const api::NewPassword& wanted,
                                      const Done<api::LoggedIn>& done) {
  auto user = find(wanted.who.name);
  if (!user || wanted.old_password.size() > kPasswordSizeMax ||
      !password_fits(user->hash, wanted.old_password)) {
    return done(Error{ErrorCode::permission_denied, "the old password is another",
                      "an admin can set one: nilo user passwd NAME"});
  }
  login_guard_.succeeded(user->name, net::network_of(wanted.remote_ip));
  auto hash = password_hash(wanted.new_password);
  if (!hash) return done(hash.error());
  const User before = *user;
  user->hash = std::move(hash).value();
  auto ended = end_sessions([&](const Session& session) { return session.user == user->name; });
  enter(*user, before, std::move(ended), wanted.remote_ip, done);
}

std::vector<api::SessionInfo> Accounts::sessions() const {
  return state_.with([this](const State& state) {
    std::vector<api::SessionInfo> out;
    for (const Session& session : state.sessions) {
      if (!is_valid(state, session)) continue;
      out.push_back({session.id.substr(0, kSessionIdShown), session.user, session.ip,
                     session.created_us, session.seen_us});
    }
    return out;
  });
}

void Accounts::end_session(const std::string& id, const Done<void>& done) {
  run(
      [this, id, done] {
        auto ended = end_sessions(
            [&](const Session& session) { return session.id.substr(0, kSessionIdShown) == id; });
        if (ended.empty()) {
          return done(Error{ErrorCode::not_found, "no such session", "it may have ended already"});
        }
        store(std::nullopt, std::move(ended), done);
      },
      done);
}

}  // namespace nilo::app
