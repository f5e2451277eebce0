#include "app/people.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "app/hashes.h"
#include "app/policy_certificate.h"
#include "base/version.h"
#include "value/json_text.h"

namespace nilo::app {

namespace {

std::string rules_json(const stack::Stack& stack) {
  std::string out = "{\"rules\":[";
  for (const stack::Rule& rule : stack.rules) {
    append_comma(out);
    out += '{';
    append_text(out, "name", rule.name);
    append_text(out, "sql", rule.sql.value);
    append_text(out, "version", rule.version);
    append_text(out, "put", rule.put);
    append_text(out, "republish", rule.republish ? rule.republish->topic : "");
    append_number(out, "disabled", rule.disabled);
    out += '}';
  }
  return out + "]}";
}

// Over HTTP there is no client id.
PolicySubject subject_of(const api::Credentials& shown) {
  PolicySubject subject;
  subject.source_ip = shown.remote_ip;
  return subject;
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
  write_own_row(tables, kTokensTable, token.created_us, cells_of(token), record);
}

api::Backend People::backend() {
  api::Backend backend;
  backend.authenticate = [this](const api::Credentials& shown, const api::Done<Principal>& done) {
    authenticate(shown, done);
  };
  backend.is_current = [this](const Principal& who) {
    return who.credential.empty() || rooms_.accounts.is_current(who.credential) ||
           rooms_.access.is_current(who.credential);
  };
  backend.accounts = accounts();
  backend.publish_refused = [this](Message message, std::string why) {
    publish_refused(std::move(message), std::move(why));
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
  backend.grants.list = [this] { return grants_.list(); };
  backend.grants.revoke = [this](const api::GrantInfo& which, const api::Done<void>& done) {
    grants_.revoke(which, done);
  };
  backend.live.open = [this](std::function<bool()> may_stay) {
    return rooms_.live.hub().open_session(std::move(may_stay));
  };
  backend.live.refused.list = [this] { return rooms_.refused.list(); };
  backend.live.refused.would_allow = [this](const api::RefusedClient& client) {
    return would_allow(client);
  };
  backend.live.refused.allow = [this](const api::RefusedClient& client,
                                      const api::Done<std::string>& done) { allow(client, done); };
  backend.live.refused.forget = [this](std::uint64_t id) { return rooms_.refused.forget(id); };
  backend.ready = [this]() -> Result<void> {
    const auto failure = rooms_.log.failure();
    return failure ? Result<void>(*failure) : Result<void>();
  };
  return backend;
}

api::AccountBackend People::accounts() {
  Accounts& accounts = rooms_.accounts;
  api::AccountBackend backend;
  backend.house = [this] {
    const stack::Site& site = rooms_.stack.site;
    return api::HouseInfo{.is_claimed = rooms_.accounts.is_claimed(),
                          .is_open = rooms_.is_open,
                          .site_name = site.name,
                          .site_zone = site.zone,
                          .site_url = site.url,
                          .version = std::string(kVersion),
                          .mqtt_host = rooms_.mqtt.host,
                          .mqtt_port = rooms_.mqtt.port,
                          .mqtt_tls_port = rooms_.mqtt_tls_port};
  };
  backend.set_up = [&](const auto& wanted, const auto& done) { accounts.set_up(wanted, done); };
  backend.log_in = [&](const auto& shown, const auto& done) { accounts.log_in(shown, done); };
  backend.log_out = [&](const auto& secret, const auto& done) { accounts.log_out(secret, done); };
  backend.change_password = [&](const auto& wanted, const auto& done) {
    accounts.change_password(wanted, done);
  };
  backend.users = [&] { return accounts.users(); };
  backend.add_user = [&](const auto& wanted, const auto& done) { accounts.add_user(wanted, done); };
  backend.change_user = [&](const auto& wanted, const auto& done) {
    accounts.change_user(wanted, done);
  };
  backend.remove_user = [&](const auto& name, const auto& done) {
    accounts.remove_user(name, done);
  };
  backend.sessions = [&] { return accounts.sessions(); };
  backend.end_session = [&](const auto& id, const auto& done) { accounts.end_session(id, done); };
  return backend;
}

void People::authenticate(const api::Credentials& shown, const api::Done<Principal>& done) {
  const bool has_token = !shown.token.empty() || shown.password.starts_with(kTokenPrefix);
  if (has_token) {
    const std::string& token = shown.token.empty() ? shown.password : shown.token;
    auto who = rooms_.access.by_token(token);
    if (!who && token.starts_with(kTokenPrefix)) {
      rooms_.refused_logins.add(
          {"", shown.user, shown.remote_ip, Token::Kind::token, hash_of(token)});
    }
    if (!who) note_refused(shown, who.error());
    if (who) rooms_.policies.limit(*who, subject_of(shown));
    return done(std::move(who));
  }
  if (!shown.user.empty()) return check_password(shown, done);
  const bool is_open = rooms_.access.is_open_to(shown.remote_ip);
  if (shown.session.empty() && shown.certificate && !is_open) {
    auto device = rooms_.access.certificates().by_certificate(*shown.certificate);
    if (!device) note_refused(shown, device.error());
    if (device) {
      PolicySubject subject = subject_of(shown);
      add_certificate(subject, *shown.certificate);
      rooms_.policies.limit(*device, std::move(subject));
    }
    return done(std::move(device));
  }
  auto who = shown.session.empty()
                 ? Error{ErrorCode::unauthenticated, "this needs a token or a login",
                         "log in, or send `Authorization: Bearer nilo_...`; make one with: nilo "
                         "token new"}
                 : rooms_.accounts.by_session(shown.session);
  // A cookie of another day does not close an open server.
  if (!who && is_open) who = Principal{"", Role::admin};
  done(std::move(who));
}

void People::check_password(const api::Credentials& shown, const api::Done<Principal>& done) {
  const RefusedLogin login{"", shown.user, shown.remote_ip};
  rooms_.passwords.check(
      {shown.user, shown.password, shown.remote_ip},
      [this, shown, done](Result<Principal> who) {
        if (!who) note_refused(shown, who.error());
        if (who) rooms_.policies.limit(*who, subject_of(shown));
        done(std::move(who));
      },
      [this, login](const std::string& password) {
        rooms_.refused_logins.add_password(login, password, rooms_.clock.steady_us());
      });
}

// For the page that lets devices in: some publish over HTTP.
void People::note_refused(const api::Credentials& shown, const Error& why) {
  rooms_.refused.add({.what = "connect",
                      .client = {},
                      .user = shown.user,
                      .ip = shown.remote_ip,
                      .topic = {},
                      .reason = why.message,
                      .time_us = rooms_.clock.wall_us()});
}

void People::publish(Message message, const api::Done<void>& done) {
  MqttDoor& door = rooms_.door;
  door.run_on_loop([&door, shared = std::make_shared<Message>(std::move(message)), done] {
    door.ingest().publish(shared->view(), [done](const Result<void>& outcome) { done(outcome); });
  });
}

// As one over MQTT.
void People::publish_refused(Message message, std::string why) {
  MqttDoor& door = rooms_.door;
  door.run_on_loop([&door, message = std::move(message), why = std::move(why)] {
    door.refused({mqtt::Refusal::What::publish, message.client_id, message.principal,
                  message.source_ip, message.topic, mqtt::Reason::not_authorized, why});
  });
}

std::vector<api::TokenInfo> People::tokens() const {
  std::vector<api::TokenInfo> out;
  for (const Token& token : rooms_.access.list()) {
    out.push_back({.name = token.name,
                   .role = token.role,
                   .kind = std::string(word_of(token.kind)),
                   .note = token.note,
                   .topics = topics_of(token),
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
                       .valid_for_us = wanted.valid_for_us,
                       .topics = wanted.topics};
  rooms_.passwords.make_token(token, [this, done](const Result<Access::Made>& made) {
    if (!made) return done(made.error());
    store_new(made->token, [secret = made->secret, done](const Result<void>& stored) {
      done(stored ? Result<std::string>(secret) : Result<std::string>(stored.error()));
    });
  });
}

void People::revoke_token(const std::string& name, const api::Done<void>& done) {
  const auto token = rooms_.access.revoked(name);
  if (!token) return done(token.error());
  store_without_grants(*token, done);
}

// Who had the name before, and is not let in any more, was somebody else. A certificate that has
// it, too, is the same device.
void People::store_new(const Token& token, const api::Done<void>& done) {
  if (rooms_.access.has_valid(token.name)) return store(token, done);
  store_without_grants(token, done);
}

void People::store_without_grants(const Token& token, const api::Done<void>& done) {
  grants_.revoke_all_of(token.name, [this, token, done](const Result<void>& outcome) {
    if (!outcome) return done(outcome);
    store(token, done);
  });
}

std::optional<std::string> People::would_allow(const api::RefusedClient& client) const {
  if (client.what != "connect") return grants_.would_allow(client);
  return rooms_.refused_logins.would_allow(client.client, client.user, client.ip);
}

// What it showed lets it in from now on.
void People::allow(const api::RefusedClient& client, const api::Done<std::string>& done) {
  if (client.what != "connect") return grants_.allow(client, done);
  const auto shown = rooms_.refused_logins.certificate_of(client.client, client.user, client.ip);
  if (shown) return allow_certificate(*shown, done);
  const auto token = rooms_.refused_logins.token_for(client.client, client.user, client.ip,
                                                     rooms_.clock.wall_us());
  if (!token) return done(token.error());
  store_new(*token, [this, token = *token, done](const Result<void>& stored) {
    if (!stored) return done(stored.error());
    rooms_.logger.info("access.allowed", {{"name", token.name}, {"note", token.note}});
    done(fmt::format("{} may come in from now on; nilo token revoke {} takes that back.",
                     token.name, token.name));
  });
}

void People::allow_certificate(const RefusedCertificate& refused,
                               const api::Done<std::string>& done) {
  auto row = rooms_.access.certificates().registration(refused.certificate, refused.name);
  if (!row) return done(row.error());
  row->note = refused.note;
  rooms_.certificates.keep(*row, [row = *row, done](const Result<void>& stored) {
    if (!stored) return done(stored.error());
    done(fmt::format("{} may come in from now on; nilo cert revoke {} takes that back.", row.name,
                     row.fingerprint.substr(0, 16)));
  });
}

void People::store(const Token& token, const api::Done<void>& done) {
  rooms_.commit([this, token](RecordWriter& record) { write_token(rooms_.tables, token, record); },
                [this, token, done](const Result<void>& outcome) {
                  if (outcome) rooms_.access.apply(token);
                  done(outcome);
                });
}

}  // namespace nilo::app
