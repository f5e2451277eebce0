// People: setup, login and logout, users, sessions. The rules of the cookie are at the bottom of
// every answer that sets one: cookie_of().
#include <utility>

#include "api/handlers.h"
#include "api/json_body.h"
#include "value/value.h"

namespace nilo::api {
namespace {

constexpr int kCookieMaxAgeS = 30 * 24 * 3600;

// HttpOnly: no script sees it. Strict: no other site makes a browser send it.
std::string cookie_of(const net::HttpRequest& request, std::string_view secret) {
  std::string cookie(kSessionCookie);
  cookie.append("=").append(secret).append("; Path=/; HttpOnly; SameSite=Strict; Max-Age=");
  cookie += std::to_string(secret.empty() ? 0 : kCookieMaxAgeS);
  return is_over_tls(request) ? cookie + "; Secure" : cookie;
}

std::string ms(TimeUs us) { return std::to_string(us / 1000); }

// The name under which the browser knows this machine.
std::string host_name_of(const net::HttpRequest& request) {
  const std::string_view host = request.header("host");
  if (host.starts_with('[')) return std::string(host.substr(0, host.find(']') + 1));
  return std::string(host.substr(0, host.find(':')));
}

std::string session_json(const Context& context, const net::HttpRequest& request,
                         const Principal* who) {
  const HouseInfo house = context.backend.accounts.house();
  std::string out = R"({"claimed":)";
  out.append(house.is_claimed ? "true" : "false");
  out.append(R"(,"open":)").append(house.is_open ? "true" : "false");
  if (who == nullptr) {
    out += R"(,"user":null)";
  } else {
    append_json_string(out += R"(,"user":{"name":)", who->name);
    out.append(R"(,"role":")").append(word_of(who->role)).append("\"}");
  }
  append_json_string(out += R"(,"site":{"name":)", house.site_name);
  append_json_string(out += R"(,"zone":)", house.site_zone);
  append_json_string(out += R"(,"url":)", house.site_url);
  append_json_string(out += R"(},"version":)", house.version);
  append_json_string(out += R"(,"mqtt":{"host":)",
                     house.mqtt_host.empty() ? host_name_of(request) : house.mqtt_host);
  out += R"(,"port":)" + std::to_string(house.mqtt_port);
  if (house.mqtt_tls_port != 0) out += R"(,"tls_port":)" + std::to_string(house.mqtt_tls_port);
  return out + R"(},"time":)" + ms(context.clock.wall_us()) + "}";
}

net::HttpResponse wait_response(int wait_s) {
  const std::string seconds = std::to_string(wait_s);
  net::HttpResponse response =
      error_response({ErrorCode::resource_exhausted, "too many tries", "wait " + seconds + " s"});
  response.status = 429;
  response.headers.emplace_back("Retry-After", seconds);
  return response;
}

// Answers what came of a setup, a login, or a new password.
std::function<void(Result<LoggedIn>)> entering(const Context& context, Call& call) {
  return
      [context, respond = call.respond, request = call.request](const Result<LoggedIn>& entered) {
        if (!entered) return respond(error_response(entered.error()));
        if (entered->wait_s > 0) return respond(wait_response(entered->wait_s));
        net::HttpResponse response = json_response(session_json(context, request, &entered->who));
        response.headers.emplace_back("Set-Cookie", cookie_of(request, entered->secret));
        respond(std::move(response));
      };
}

std::function<void(Result<void>)> doing(const Call& call, int status) {
  return [respond = call.respond, status](const Result<void>& done) {
    if (!done) return respond(error_response(done.error()));
    respond(status == 204 ? done_response() : json_response("{}", status));
  };
}

Result<FirstUser> read_set_up(const net::HttpRequest& request) {
  JsonDocument document;
  const JsonNode* const root =
      TRY(object_body(document, request.body, {"code", "name", "password"}));
  return FirstUser{TRY(text_member(*root, "code")), TRY(text_member(*root, "name")),
                   TRY(text_member(*root, "password")), request.remote_ip};
}

Result<LogIn> read_log_in(const net::HttpRequest& request) {
  JsonDocument document;
  const JsonNode* const root = TRY(object_body(document, request.body, {"name", "password"}));
  return LogIn{TRY(text_member(*root, "name")), TRY(text_member(*root, "password")),
               request.remote_ip};
}

Result<NewPassword> read_new_password(const Call& call) {
  JsonDocument document;
  const JsonNode* const root = TRY(object_body(document, call.request.body, {"old", "new"}));
  return NewPassword{call.principal, TRY(text_member(*root, "old")), TRY(text_member(*root, "new")),
                     call.request.remote_ip};
}

Result<NewUser> read_new_user(std::string_view body) {
  JsonDocument document;
  const JsonNode* const root = TRY(object_body(document, body, {"name", "role", "password"}));
  return NewUser{TRY(text_member(*root, "name")),
                 TRY(role_of_word(TRY(text_member(*root, "role")))),
                 TRY(text_member(*root, "password"))};
}

Result<UserChange> read_user_change(const Call& call) {
  JsonDocument document;
  const JsonNode* const root = TRY(object_body(document, call.request.body, {"role", "password"}));
  return UserChange{std::string(*call.text("name")), TRY(text_member(*root, "role")),
                    TRY(text_member(*root, "password"))};
}

// Whose it is may look at a session and end it; admins at all.
bool may_touch(const Principal& who, const SessionInfo& session) {
  return who.role == Role::admin || who.name == session.user;
}

}  // namespace

void show_session(const Context& context, Call& call) {
  Result<Credentials> shown = read_credentials(call.request);
  // A password is for /login, where tries are counted.
  if (!shown || !shown->user.empty()) shown = Credentials{.remote_ip = call.request.remote_ip};
  context.backend.authenticate(
      *shown, [context, respond = call.respond,
               request = std::move(call.request)](const Result<Principal>& who) {
        const bool is_person = who && who->role != Role::device;
        respond(json_response(session_json(context, request, is_person ? &*who : nullptr)));
      });
}

void set_up(const Context& context, Call& call) {
  const Result<FirstUser> wanted = read_set_up(call.request);
  if (!wanted) return call.respond(error_response(wanted.error()));
  context.backend.accounts.set_up(*wanted, entering(context, call));
}

void log_in(const Context& context, Call& call) {
  const Result<LogIn> shown = read_log_in(call.request);
  if (!shown) return call.respond(error_response(shown.error()));
  context.backend.accounts.log_in(*shown, entering(context, call));
}

void log_out(const Context& context, Call& call) {
  const Result<Credentials> shown = read_credentials(call.request);
  const std::string secret = shown ? shown->session : std::string();
  const auto answer = [respond = call.respond,
                       cookie = cookie_of(call.request, {})](const Result<void>& done) {
    net::HttpResponse response = done ? done_response() : error_response(done.error());
    response.headers.emplace_back("Set-Cookie", cookie);
    respond(std::move(response));
  };
  if (secret.empty()) return answer({});
  context.backend.accounts.log_out(secret, answer);
}

void change_password(const Context& context, Call& call) {
  const Result<NewPassword> wanted = read_new_password(call);
  if (!wanted) return call.respond(error_response(wanted.error()));
  context.backend.accounts.change_password(*wanted, entering(context, call));
}

void list_users(const Context& context, Call& call) {
  std::string out = R"({"users":[)";
  for (const UserInfo& user : context.backend.accounts.users()) {
    append_json_string(out += out.back() == '[' ? R"({"name":)" : R"(,{"name":)", user.name);
    out.append(R"(,"role":")").append(word_of(user.role));
    out += R"(","created":)" + ms(user.created_us) + R"(,"last_login":)";
    out += (user.last_login_us == 0 ? "null" : ms(user.last_login_us)) + "}";
  }
  call.respond(json_response(out + "]}"));
}

void add_user(const Context& context, Call& call) {
  const Result<NewUser> wanted = read_new_user(call.request.body);
  if (!wanted) return call.respond(error_response(wanted.error()));
  context.backend.accounts.add_user(*wanted, doing(call, 201));
}

void change_user(const Context& context, Call& call) {
  const Result<UserChange> wanted = read_user_change(call);
  if (!wanted) return call.respond(error_response(wanted.error()));
  context.backend.accounts.change_user(*wanted, doing(call, 204));
}

void remove_user(const Context& context, Call& call) {
  context.backend.accounts.remove_user(std::string(*call.text("name")), doing(call, 204));
}

void list_sessions(const Context& context, Call& call) {
  std::string out = R"({"sessions":[)";
  for (const SessionInfo& session : context.backend.accounts.sessions()) {
    if (!may_touch(call.principal, session)) continue;
    append_json_string(out += out.back() == '[' ? R"({"id":)" : R"(,{"id":)", session.id);
    append_json_string(out += R"(,"user":)", session.user);
    append_json_string(out += R"(,"ip":)", session.ip);
    out += R"(,"created":)" + ms(session.created_us) + R"(,"seen":)" + ms(session.seen_us) + "}";
  }
  call.respond(json_response(out + "]}"));
}

void end_session(const Context& context, Call& call) {
  const std::string id(*call.text("id"));
  for (const SessionInfo& session : context.backend.accounts.sessions()) {
    if (session.id != id || !may_touch(call.principal, session)) continue;
    return context.backend.accounts.end_session(id, doing(call, 204));
  }
  call.respond(error_response({ErrorCode::not_found, "no such session", "it may have ended"}));
}

}  // namespace nilo::api
