#include "app/account_rows.h"

#include "base/assert.h"

namespace nilo::app {
namespace {

Column column(const char* name, Type type) {
  Column out;
  out.name = name;
  out.type = type;
  if (type == Type::timestamp) out.time_unit = TimeUnit::us;
  return out;
}

Value time_or_null(TimeUs us) { return us == 0 ? Value() : Value::timestamp(us); }
TimeUs time_of(const Value& cell) { return cell.is_null() ? 0 : cell.as_int64(); }
bool is_true(const Value& cell) { return !cell.is_null() && cell.as_boolean(); }
std::string text_of(const Value& cell) {
  return cell.is_null() ? std::string() : std::string(cell.as_text());
}

}  // namespace

TableSchema users_schema() {
  TableSchema schema;
  schema.name = kUsersTable;
  schema.is_private = true;
  schema.columns = {column("name", Type::text),
                    column("role", Type::text),
                    column("hash", Type::text),
                    column("created", Type::timestamp),
                    column("last_login", Type::timestamp),
                    column("removed", Type::boolean)};
  return schema;
}

TableSchema sessions_schema() {
  TableSchema schema;
  schema.name = kSessionsTable;
  schema.is_private = true;
  schema.columns = {column("slot", Type::int64),        column("id", Type::text),
                    column("user", Type::text),         column("ip", Type::text),
                    column("created", Type::timestamp), column("seen", Type::timestamp),
                    column("ended", Type::boolean)};
  return schema;
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
  user.name = text_of(cells[0]);
  const auto role = role_of_word(text_of(cells[1]));
  user.role = role && *role == Role::admin ? Role::admin : Role::viewer;
  user.hash = text_of(cells[2]);
  user.created_us = time_of(cells[3]);
  user.last_login_us = time_of(cells[4]);
  user.removed = is_true(cells[5]);
  return user;
}

Session session_of(std::span<const Value> cells) {
  NILO_ASSERT(cells.size() >= 7);
  Session session;
  session.slot = cells[0].as_int64();
  session.id = text_of(cells[1]);
  session.user = text_of(cells[2]);
  session.ip = text_of(cells[3]);
  session.created_us = time_of(cells[4]);
  session.seen_us = time_of(cells[5]);
  session.ended = is_true(cells[6]);
  return session;
}

}  // namespace nilo::app
