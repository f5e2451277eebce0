#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "api/handlers.h"
#include "net/websocket.h"

namespace nilo::api {
namespace {

void append_refused(std::string& out, const RefusedClient& client, const RefusedBackend& backend) {
  fmt::format_to(std::back_inserter(out), R"({{"id":"{}","time":{},"count":{})", client.id,
                 client.time_us / 1000, client.count);
  const auto text = [&out](std::string_view name, std::string_view value) {
    out.append(",\"").append(name).append("\":");
    append_json_string(out, value);
  };
  text("what", client.what);
  text("ip", client.ip);
  text("client", client.client);
  text("user", client.user);
  text("topic", client.topic);
  text("reason", client.reason);
  const auto allow = backend.would_allow ? backend.would_allow(client) : std::nullopt;
  if (allow) {
    text("allow", *allow);
  } else {
    out += ",\"allow\":null";
  }
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
    if (out.back() == '}') out += ',';
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
    std::string out = "{\"done\":";
    append_json_string(out, *done);
    respond(json_response(out + "}"));
  });
}

}  // namespace nilo::api
