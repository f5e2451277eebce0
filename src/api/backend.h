// api/backend.h: what the API needs from the rest of the house, as functions the app fills in.
//
// Functions and not rooms: so the API is tested without a log, and does not know who is behind it.
// Threads: all may be called from any thread; `done` may be called from any thread, exactly once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/account_backend.h"
#include "api/alert_backend.h"
#include "api/certificate_backend.h"
#include "api/grant_backend.h"
#include "api/live_backend.h"
#include "api/notice_backend.h"
#include "api/page_backend.h"
#include "api/thing_backend.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/http.h"
#include "tables/sql.h"
#include "tables/tables.h"
#include "value/message.h"
#include "value/principal.h"
#include "value/value.h"

namespace nilo::api {

// What a request showed to prove who asks. Never logged.
struct Credentials {
  std::string token{};  // "Authorization: Bearer nilo_..."
  std::string user{};   // "Authorization: Basic ...", then with password
  std::string password{};
  std::string session{};  // the cookie kSessionCookie; only where there is no Authorization
  std::string remote_ip{};
  // Of the TLS connection; counts where nothing else is shown.
  std::shared_ptr<const net::PeerCertificate> certificate{};
  bool is_none() const { return token.empty() && user.empty() && session.empty(); }
};

inline constexpr std::string_view kSessionCookie = "nilo_session";

// Reads the Authorization header (RFC 6750, RFC 7617), else the session's cookie (RFC 6265); none
// is an answer too. unauthenticated: another scheme, or not base64.
Result<Credentials> read_credentials(const net::HttpRequest& request);

// A proxy on the way speaks TLS for us. Who says so though it is not true hurts only himself: his
// browser keeps the cookie from him.
bool is_behind_tls_proxy(const net::HttpRequest& request);
// Or we speak it ourselves.
bool is_over_tls(const net::HttpRequest& request);

struct TokenInfo {
  std::string name;
  Role role = Role::device;
  std::string kind{};  // "token", "password", "address"
  std::string note{};
  std::vector<std::string> topics{};
  bool revoked = false;
  TimeUs created_us = 0;
  TimeUs expires_us = 0;  // 0 = never
};

struct NewToken {
  std::string name;
  Role role = Role::device;
  std::int64_t valid_for_us = 0;      // 0 = for ever
  std::string password{};             // one the device has already; empty: a token is made
  std::vector<std::string> topics{};  // filters it is limited to; empty: not limited
};

// A path of the stack that is answered by one SQL statement.
struct EndpointSpec {
  struct Parameter {
    std::string name;  // without the `$`
    Type type = Type::text;
  };
  std::string name;
  std::string path;  // "/prod/data"
  std::string sql;
  std::vector<Parameter> parameters{};
  bool many = false;  // always answer a list
  bool open = false;  // answer without a token
};

template <typename T>
using Done = std::function<void(Result<T>)>;

struct Backend {
  // unauthenticated: unknown, wrong, expired, or none where one is needed.
  std::function<void(const Credentials&, Done<Principal>)> authenticate;
  // Does what let `who` in still hold? For connections that stay; quick.
  std::function<bool(const Principal& who)> is_current;
  AccountBackend accounts;
  LiveBackend live;
  NoticeBackend notices;
  PageBackend pages;
  AlertBackend alerts;
  CertificateBackend certificates;
  GrantBackend grants;

  // Done when it is durable.
  std::function<void(Message, Done<void>)> publish;
  // This one, without its payload, was not allowed, for whoever runs the server to hear of; `why`
  // in words.
  std::function<void(Message, std::string why)> publish_refused;
  // A WebSocket that speaks MQTT; it logs in there. Empty: there is no MQTT here.
  net::StreamTaker take_mqtt;

  std::function<std::vector<tables::TableInfo>()> tables;
  std::function<Result<tables::RowPage>(const tables::RowQuery&)> rows;
  std::function<Result<tables::RowPage>(const tables::RowQuery&)> latest;
  std::function<void(tables::SqlRequest, tables::Sql::Done)> sql;

  // A JSON document the app writes: {"rules":[...]}.
  std::function<std::string()> rules_json;
  ThingBackend things;

  std::function<std::vector<TokenInfo>()> tokens;
  std::function<void(const NewToken&, Done<std::string>)> make_token;  // the secret
  std::function<void(const std::string& name, Done<void>)> revoke_token;

  // unavailable, with the reason: the log takes no more.
  std::function<Result<void>()> ready;
};

}  // namespace nilo::api
