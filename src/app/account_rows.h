// app/account_rows.h: people and their sessions, as rows of sys_users and sys_sessions.
//
// Both tables are private: no API and no SQL shows them. Neither has a secret: a password is kept
// as argon2id, a session's cookie as BLAKE2b.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "value/principal.h"
#include "value/schema.h"
#include "value/value.h"

namespace nilo::app {

inline constexpr std::string_view kUsersTable = "sys_users";
inline constexpr std::string_view kSessionsTable = "sys_sessions";

struct User {
  std::string name;
  Role role = Role::viewer;
  std::string hash;
  TimeUs created_us = 0;
  TimeUs last_login_us = 0;  // 0 = never
  bool removed = false;
};

// A row is one of kSessionsMax slots, used again and again.
struct Session {
  std::int64_t slot = 0;
  std::string id;  // hash of the cookie
  std::string user;
  std::string ip;
  TimeUs created_us = 0;
  TimeUs seen_us = 0;
  bool ended = false;
};

TableSchema users_schema();
TableSchema sessions_schema();

// In schema order; views into the argument. And back.
std::vector<Value> cells_of(const User& user);
std::vector<Value> cells_of(const Session& session);
User user_of(std::span<const Value> cells);
Session session_of(std::span<const Value> cells);

}  // namespace nilo::app
