// The users' side of accounts.h: adding, changing, removing.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/accounts.h"
#include "app/hashes.h"
#include "base/utf8.h"

namespace nilo::app {

std::vector<api::UserInfo> Accounts::users() const {
  return state_.with([](const State& state) {
    std::vector<api::UserInfo> out;
    for (const auto& [name, user] : state.users) {
      if (!user.removed) out.push_back({name, user.role, user.created_us, user.last_login_us});
    }
    return out;
  });
}

void Accounts::add_user(const api::NewUser& wanted, const Done<void>& done) {
  if (const auto checked = check_account(wanted.name, wanted.password); !checked) {
    return done(checked.error());
  }
  run(
      [this, wanted, done] {
        if (const auto added = finish_add_user(wanted, done); !added) done(added.error());
      },
      done);
}

Result<void> Accounts::finish_add_user(const api::NewUser& wanted, const Done<void>& done) {
  if (wanted.role == Role::device) {
    return Error{ErrorCode::invalid_argument, "a user is an admin or a viewer",
                 "a device gets a token: nilo token new NAME"};
  }
  if (find(wanted.name)) {
    return Error{ErrorCode::conflict, fmt::format("there is a user `{}` already", wanted.name),
                 fmt::format("nilo user passwd {} sets another password", wanted.name)};
  }
  if (users().size() >= kUsersMax) {
    return Error{ErrorCode::too_large, "there are 1000 users already", "remove some first"};
  }
  const User user{wanted.name, wanted.role, TRY(password_hash(wanted.password)),
                  rooms_.clock.wall_us()};
  // Known at once, so that the next of this name is refused; whoever is told it is done waits for
  // the disk.
  load(user);
  store(user, {}, [this, user, done](const Result<void>& stored) {
    if (!stored) state_.with([&](State& state) { state.users[user.name].removed = true; });
    done(stored);
  });
  return {};
}

Result<void> Accounts::check_not_last_admin(std::string_view name) const {
  const auto all = users();
  const bool has_other = std::any_of(all.begin(), all.end(), [&](const api::UserInfo& user) {
    return user.role == Role::admin && user.name != name;
  });
  if (has_other) return {};
  return Error{ErrorCode::conflict, fmt::format("`{}` is the last admin", printable(name, 80)),
               "make another one first: nilo user add NAME --role admin"};
}

void Accounts::change_user(const api::UserChange& wanted, const Done<void>& done) {
  run(
      [this, wanted, done] {
        if (const auto begun = finish_change_user(wanted, done); !begun) done(begun.error());
      },
      done);
}

Result<void> Accounts::finish_change_user(const api::UserChange& wanted, const Done<void>& done) {
  const auto before = find(wanted.name);
  if (!before) {
    return Error{ErrorCode::not_found, fmt::format("no user `{}`", printable(wanted.name, 80)),
                 "list them with: nilo user ls"};
  }
  User user = *before;
  if (!wanted.role.empty()) user.role = TRY(role_of_word(wanted.role));
  if (user.role == Role::device) {
    return Error{ErrorCode::invalid_argument, "a user is an admin or a viewer", ""};
  }
  if (before->role == Role::admin && user.role != Role::admin) {
    TRY(check_not_last_admin(user.name));
  }
  if (!wanted.password.empty()) {
    TRY(check_password(wanted.password));
    user.hash = TRY(password_hash(wanted.password));
  }
  auto ended = end_sessions([&](const Session& session) { return session.user == user.name; });
  load(user);
  store(user, std::move(ended), [this, before, done](const Result<void>& stored) {
    if (!stored) load(*before);
    done(stored);
  });
  return {};
}

void Accounts::remove_user(const std::string& name, const Done<void>& done) {
  run(
      [this, name, done] {
        const auto before = find(name);
        if (!before) {
          return done(Error{ErrorCode::not_found, fmt::format("no user `{}`", printable(name, 80)),
                            "list them with: nilo user ls"});
        }
        if (before->role == Role::admin) {
          if (const auto checked = check_not_last_admin(name); !checked) {
            return done(checked.error());
          }
        }
        User gone = *before;
        gone.removed = true;
        gone.hash.clear();
        auto ended = end_sessions([&](const Session& session) { return session.user == name; });
        load(gone);
        store(gone, std::move(ended), [this, before, done](const Result<void>& stored) {
          if (!stored) load(*before);
          done(stored);
        });
      },
      done);
}

}  // namespace nilo::app
