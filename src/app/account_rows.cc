#include "app/account_rows.h"

#include "app/own_row.h"
#include "base/assert.h"

namespace nilo::app {

TableSchema users_schema() {
  return private_table(
      kUsersTable,
      {own_column("name", Type::text), own_column("role", Type::text),
       own_column("hash", Type::text), own_column("created", Type::timestamp),
       own_column("last_login", Type::timestamp), own_column("removed", Type::boolean)});
}

TableSchema sessions_schema() {
  return private_table(kSessionsTable,
                       {own_column("slot", Type::int64), own_column("id", Type::text),
                        own_column("user", Type::text), own_column("ip", Type::text),
                        own_column("created", Type::timestamp), own_column("seen", Type::timestamp),
                        own_column("ended", Type::boolean)});
}

std::vector<Value> cells_of(const User& user) {
  return {Value::text(user.name),           Value::text(word_of(user.role)),
          Value::text(user.hash),           Value::timestamp(user.created_us),
          time_or_null(user.last_login_us), Value::boolean(user.removed)};
}

std::vector<Value> cells_of(const Session& session) {
  return {Value::int64(session.slot),
          Value::text(session.id),
          Value::text(session.user),
          Value::text(session.ip),
          Value::timestamp(session.created_us),
          Value::timestamp(session.seen_us),
          Value::boolean(session.ended)};
}

User user_of(std::span<const Value> cells) {
  NILO_ASSERT(cells.size() >= 6);
  User user;
  user.name = text_in(cells[0]);
  const auto role = role_of_word(text_in(cells[1]));
  user.role = role && *role == Role::admin ? Role::admin : Role::viewer;
  user.hash = text_in(cells[2]);
  user.created_us = number_in(cells[3]);
  user.last_login_us = number_in(cells[4]);
  user.removed = is_true(cells[5]);
  return user;
}

Session session_of(std::span<const Value> cells) {
  NILO_ASSERT(cells.size() >= 7);
  Session session;
  session.slot = cells[0].as_int64();
  session.id = text_in(cells[1]);
  session.user = text_in(cells[2]);
  session.ip = text_in(cells[3]);
  session.created_us = number_in(cells[4]);
  session.seen_us = number_in(cells[5]);
  session.ended = is_true(cells[6]);
  return session;
}

}  // namespace nilo::app
