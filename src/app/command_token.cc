// nilo token: who may come in.
#include <fmt/format.h>

#include <memory>

#include "app/commands.h"
#include "app/remote.h"
#include "net/http.h"
#include "value/json.h"
#include "value/value.h"

namespace nilo::app {

namespace {

struct TokenOptions {
  RemoteOptions remote;
  std::string name{};
  std::string role = "device";
  std::string password_file{};
  std::int64_t valid_days = 0;
  std::vector<std::string> topics{};
  bool json = false;
};

Result<void> make(const TokenOptions& options) {
  std::string body = "{\"name\":";
  append_json_string(body, options.name);
  body += ",\"role\":";
  append_json_string(body, options.role);
  if (!options.password_file.empty()) {
    body += ",\"password\":";
    append_json_string(body, TRY(read_password(options.password_file)));
  }
  if (options.valid_days != 0) body += fmt::format(",\"valid_days\":{}", options.valid_days);
  if (!options.topics.empty()) {
    body += ",\"topics\":[";
    for (const std::string& topic : options.topics) {
      append_json_string(body.back() == '[' ? body : body += ',', topic);
    }
    body += ']';
  }
  const auto answer = TRY(call(options.remote, "POST", "/api/v1/tokens", body + "}"));
  if (options.json) {
    fmt::print("{}\n", answer.body);
    return {};
  }
  if (!options.password_file.empty()) {
    fmt::print("{} may log in with this password now.\n", options.name);
    return {};
  }
  JsonDocument document;
  const JsonNode* root = TRY(document.parse(answer.body));
  fmt::print("{}\n", text_in(*root, "token"));
  fmt::print(stderr,
             "This is shown once. A device gives it as its MQTT password (any user name):\n"
             "  mosquitto_pub -h HOST -u {} -P TOKEN -t TOPIC -m MESSAGE\n",
             options.name);
  return {};
}

Result<void> list(const TokenOptions& options) {
  const auto answer = TRY(call(options.remote, "GET", "/api/v1/tokens"));
  if (options.json) {
    fmt::print("{}\n", answer.body);
    return {};
  }
  JsonDocument document;
  const JsonNode* root = TRY(document.parse(answer.body));
  const JsonNode* tokens = root->find("tokens");
  if (tokens == nullptr) return Error{ErrorCode::internal, "the server's answer has no tokens", ""};
  for (const JsonNode& token : tokens->elements()) {
    const JsonNode* revoked = token.find("revoked");
    const bool is_revoked =
        revoked != nullptr && revoked->kind() == JsonKind::boolean && revoked->is_true();
    fmt::print("{:<24} {:<8} {}\n", text_in(token, "name"), text_in(token, "role"),
               is_revoked ? "revoked" : "");
  }
  return {};
}

Result<void> revoke(const TokenOptions& options) {
  TRY(call(options.remote, "DELETE", "/api/v1/tokens/" + net::percent_encode(options.name)));
  fmt::print("{} may not log in any more.\n", options.name);
  return {};
}

}  // namespace

Command token_new_command() {
  const auto options = std::make_shared<TokenOptions>();
  return {
      "token new",
      "Makes a token for a device or a person and prints it, once.",
      {"nilo token new barn", "nilo token new anna --role viewer",
       "nilo token new esp32 --password-file -", "nilo token new well --topics 'water1/#'"},
      with_http_options(
          {{"NAME", "whose token it is", &options->name, true},
           {"--role", "device (publish, subscribe), viewer (read), admin (everything)",
            &options->role},
           {"--password-file",
            "for devices that already have one: user NAME and the password in this "
            "file; -: standard input",
            &options->password_file},
           {"--valid-days", "days until it is worth nothing; 0: until it is revoked",
            &options->valid_days},
           {"--topics", "a device: the only filters it may publish and subscribe, several words",
            &options->topics},
           {"--json", "the server's answer as it is", &options->json}},
          options->remote),
      [options] { return exit_code_of(make(*options)); }};
}

Command token_ls_command() {
  const auto options = std::make_shared<TokenOptions>();
  return {"token ls",
          "Lists tokens and users (never their secrets).",
          {"nilo token ls"},
          with_http_options({{"--json", "the server's answer as it is", &options->json}},
                            options->remote),
          [options] { return exit_code_of(list(*options)); }};
}

Command token_revoke_command() {
  const auto options = std::make_shared<TokenOptions>();
  return {"token revoke",
          "Lets a token's bearer in no more.",
          {"nilo token revoke barn"},
          with_http_options({{"NAME", "whose token", &options->name, true}}, options->remote),
          [options] { return exit_code_of(revoke(*options)); }};
}

}  // namespace nilo::app
