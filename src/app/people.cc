#include "app/people.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

namespace nilo::app {

namespace {

std::string rules_json(const stack::Stack& stack) {
  std::string out = "{\"rules\":[";
  for (const stack::Rule& rule : stack.rules) {
    if (out.back() == '}') out += ',';
    out += "{\"name\":";
    append_json_string(out, rule.name);
    out += ",\"sql\":";
    append_json_string(out, rule.sql.value);
    out += ",\"version\":";
    append_json_string(out, rule.version);
    out += ",\"put\":";
    append_json_string(out, rule.put);
    out += ",\"republish\":";
    append_json_string(out, rule.republish ? rule.republish->topic : "");
    out += fmt::format(",\"disabled\":{}}}", rule.disabled);
  }
  return out + "]}";
}

// The program's own tables are for the program alone.
Result<tables::RowPage> rows_for_people(
    const tables::Tables& tables, const tables::RowQuery& query,
    Result<tables::RowPage> (tables::Tables::*ask)(const tables::RowQuery&) const) {
  const TableLayout* layout = tables.layout(query.table);
  if (layout != nullptr && layout->schema.is_private) {
    return Error{ErrorCode::not_found, fmt::format("no table `{}`", query.table), ""};
  }
  return (tables.*ask)(query);
}

}  // namespace

void write_token(const tables::Tables& tables, const Token& token, RecordWriter& record) {
  RowWriter writer(*tables.layout(kTokensTable));
  writer.begin(token.created_us);
  const std::vector<Value> cells = cells_of(token);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto set = writer.set(i, cells[i]);
    NILO_ASSERT(set.has_value());  // our own table, our own cells
  }
  const auto finished = writer.finish(record);
  NILO_ASSERT(finished.has_value());
}

api::Backend People::backend() {
  api::Backend backend;
  backend.authenticate = [this](const api::Credentials& shown, const api::Done<Principal>& done) {
    authenticate(shown, done);
  };
  backend.publish = [this](Message message, const api::Done<void>& done) {
    publish(std::move(message), done);
  };
  backend.tables = [this] { return rooms_.tables.list(); };
  backend.rows = [this](const tables::RowQuery& query) {
    return rows_for_people(rooms_.tables, query, &tables::Tables::rows);
  };
  backend.latest = [this](const tables::RowQuery& query) {
    return rows_for_people(rooms_.tables, query, &tables::Tables::latest);
  };
  backend.sql = [this](tables::SqlRequest request, tables::Sql::Done done) {
    rooms_.sql.query(std::move(request), std::move(done));
  };
  backend.rules_json = [this] { return rules_json(rooms_.stack); };
  backend.tokens = [this] { return tokens(); };
  backend.make_token = [this](const api::NewToken& wanted, const api::Done<std::string>& done) {
    make_token(wanted, done);
  };
  backend.revoke_token = [this](const std::string& name, const api::Done<void>& done) {
    revoke_token(name, done);
  };
  backend.live.open = [this](std::function<bool()> may_stay) {
    return rooms_.live.hub().open_session(std::move(may_stay));
  };
  backend.live.refused.list = [this] { return rooms_.refused.list(); };
  backend.live.refused.forget = [this](std::uint64_t id) { return rooms_.refused.forget(id); };
  backend.ready = [this]() -> Result<void> {
    const auto failure = rooms_.log.failure();
    return failure ? Result<void>(*failure) : Result<void>();
  };
  return backend;
}

void People::authenticate(const api::Credentials& shown, const api::Done<Principal>& done) {
  if (shown.is_none()) {
    if (rooms_.access.is_open_to(shown.remote_ip)) return done(Principal{"", Role::admin});
    return done(Error{ErrorCode::unauthenticated, "this needs a token",
                      "send `Authorization: Bearer nilo_...`; make one with: nilo token new"});
  }
  if (!shown.token.empty()) return done(rooms_.access.by_token(shown.token));
  if (shown.password.starts_with("nilo_")) return done(rooms_.access.by_token(shown.password));
  rooms_.passwords.check(shown.user, shown.password, done);
}

void People::publish(Message message, const api::Done<void>& done) {
  MqttDoor& door = rooms_.door;
  door.run_on_loop([&door, shared = std::make_shared<Message>(std::move(message)), done] {
    door.ingest().publish(shared->view(), [done](const Result<void>& outcome) { done(outcome); });
  });
}

std::vector<api::TokenInfo> People::tokens() const {
  std::vector<api::TokenInfo> out;
  for (const Token& token : rooms_.access.list()) {
    out.push_back({.name = token.name,
                   .role = token.role,
                   .kind = token.is_password ? "password" : "token",
                   .revoked = token.revoked,
                   .created_us = token.created_us,
                   .expires_us = token.expires_us});
  }
  return out;
}

// The secret is answered when the token is durable and lets its bearer in.
void People::make_token(const api::NewToken& wanted, const api::Done<std::string>& done) {
  const NewToken token{.name = wanted.name,
                       .role = wanted.role,
                       .password = wanted.password,
                       .valid_for_us = wanted.valid_for_us};
  rooms_.passwords.make_token(token, [this, done](const Result<Access::Made>& made) {
    if (!made) return done(made.error());
    store(made->token, [secret = made->secret, done](const Result<void>& stored) {
      done(stored ? Result<std::string>(secret) : Result<std::string>(stored.error()));
    });
  });
}

void People::revoke_token(const std::string& name, const api::Done<void>& done) {
  const auto token = rooms_.access.revoked(name);
  if (!token) return done(token.error());
  store(*token, done);
}

void People::store(const Token& token, const api::Done<void>& done) {
  MqttDoor& door = rooms_.door;
  door.run_on_loop([this, &door, token, done] {
    door.ingest().commit(
        [this, &token](RecordWriter& record) { write_token(rooms_.tables, token, record); },
        [this, token, done](const Result<void>& outcome) {
          if (outcome) rooms_.access.apply(token);
          done(outcome);
        });
  });
}

}  // namespace nilo::app
