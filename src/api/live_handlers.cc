#include <optional>
#include <string>

#include "api/handlers.h"
#include "net/websocket.h"
#include "value/json_text.h"

namespace nilo::api {
namespace {

void append_refused(std::string& out, const RefusedClient& client, const RefusedBackend& backend) {
  out += '{';
  append_text(out, "id", std::to_string(client.id));
  append_number(out, "time", client.time_us / 1000);
  append_number(out, "count", client.count);
  append_text(out, "what", client.what);
  append_text(out, "ip", client.ip);
  append_text(out, "client", client.client);
  append_text(out, "user", client.user);
  append_text(out, "topic", client.topic);
  append_text(out, "reason", client.reason);
  const auto allow = backend.would_allow ? backend.would_allow(client) : std::nullopt;
  append_json(append_key(out, "allow"), allow ? Value::text(*allow) : Value::null());
  out += '}';
}

std::optional<RefusedClient> find_refused(const RefusedBackend& backend, std::string_view id) {
  for (RefusedClient& each : backend.list()) {
    if (std::to_string(each.id) == id) return std::move(each);
  }
  return std::nullopt;
}

}  // namespace

// The route lets viewers and admins in; a login that ends later ends the connection.
void open_live(const Context& context, Call& call) {
  const Backend& backend = context.backend;
  auto accepted =
      net::accept_websocket(call.request, backend.live.open([&backend, who = call.principal] {
        return !backend.is_current || backend.is_current(who);
      }));
  call.respond(accepted ? std::move(*accepted) : error_response(accepted.error()));
}

void list_refused(const Context& context, Call& call) {
  const RefusedBackend& backend = context.backend.live.refused;
  std::string out = "{\"refused\":[";
  for (const RefusedClient& each : backend.list()) {
    append_comma(out);
    append_refused(out, each, backend);
  }
  call.respond(json_response(out + "]}"));
}

void allow_refused(const Context& context, Call& call) {
  const RefusedBackend& backend = context.backend.live.refused;
  const auto client = find_refused(backend, call.text("id").value_or(""));
  if (!client) {
    return call.respond(error_response({ErrorCode::not_found, "this is not on the list any more",
                                        "read the list again: GET /api/v1/refused"}));
  }
  if (!backend.would_allow || !backend.would_allow(*client)) {
    return call.respond(
        error_response({ErrorCode::unsupported, "this cannot be allowed with one click",
                        "change its rights: nilo token ls"}));
  }
  backend.allow(*client, [&backend, id = client->id,
                          respond = call.respond](const Result<std::string>& done) {
    if (!done) return respond(error_response(done.error()));
    backend.forget(id);
    std::string out = "{";
    append_text(out, "done", *done);
    respond(json_response(out + "}"));
  });
}

}  // namespace nilo::api
