// nilo user: people who log in to the pages.
#include <fmt/format.h>

#include <memory>

#include "app/commands.h"
#include "app/remote.h"
#include "net/http.h"
#include "value/json.h"
#include "value/value.h"

namespace nilo::app {

namespace {

struct UserOptions {
  RemoteOptions remote;
  std::string name{};
  std::string role = "viewer";
  std::string password_file = "-";
  bool json = false;
};

std::string path_of(const std::string& name) {
  return "/api/v1/users/" + net::percent_encode(name);
}

Result<void> add(const UserOptions& options) {
  std::string body = "{\"name\":";
  append_json_string(body, options.name);
  append_json_string(body += ",\"role\":", options.role);
  append_json_string(body += ",\"password\":", TRY(read_password(options.password_file)));
  TRY(call(options.remote, "POST", "/api/v1/users", body + "}"));
  fmt::print("{} may log in as {} now.\n", options.name, options.role);
  return {};
}

Result<void> list(const UserOptions& options) {
  const auto answer = TRY(call(options.remote, "GET", "/api/v1/users"));
  if (options.json) {
    fmt::print("{}\n", answer.body);
    return {};
  }
  JsonDocument document;
  const JsonNode* root = TRY(document.parse(answer.body));
  const JsonNode* users = root->find("users");
  if (users == nullptr) return Error{ErrorCode::internal, "the server's answer has no users", ""};
  for (const JsonNode& user : users->elements()) {
    fmt::print("{:<24} {}\n", text_in(user, "name"), text_in(user, "role"));
  }
  return {};
}

Result<void> set_password(const UserOptions& options) {
  std::string body = "{\"password\":";
  append_json_string(body, TRY(read_password(options.password_file)));
  TRY(call(options.remote, "POST", path_of(options.name), body + "}"));
  fmt::print("{} has another password now; all sessions with the old one have ended.\n",
             options.name);
  return {};
}

Result<void> remove(const UserOptions& options) {
  TRY(call(options.remote, "DELETE", path_of(options.name)));
  fmt::print("{} is gone; all sessions have ended.\n", options.name);
  return {};
}

constexpr const char* kPasswordHelp =
    "the password is this file's first line; -: standard input (the default)";

}  // namespace

Command user_add_command() {
  const auto options = std::make_shared<UserOptions>();
  return {"user add",
          "Adds a person who may log in to the pages.",
          {"nilo user add anna < password.txt", "nilo user add ben --role admin"},
          with_http_options({{"NAME", "what they log in as", &options->name, true},
                             {"--role", "viewer (read), admin (everything)", &options->role},
                             {"--password-file", kPasswordHelp, &options->password_file}},
                            options->remote),
          [options] { return exit_code_of(add(*options)); }};
}

Command user_ls_command() {
  const auto options = std::make_shared<UserOptions>();
  return {"user ls",
          "Lists the people who may log in.",
          {"nilo user ls"},
          with_http_options({{"--json", "the server's answer as it is", &options->json}},
                            options->remote),
          [options] { return exit_code_of(list(*options)); }};
}

Command user_passwd_command() {
  const auto options = std::make_shared<UserOptions>();
  return {"user passwd",
          "Sets another password for a person and ends the sessions.",
          {"nilo user passwd anna < password.txt"},
          with_http_options({{"NAME", "whose password", &options->name, true},
                             {"--password-file", kPasswordHelp, &options->password_file}},
                            options->remote),
          [options] { return exit_code_of(set_password(*options)); }};
}

Command user_rm_command() {
  const auto options = std::make_shared<UserOptions>();
  return {"user rm",
          "Removes a person and ends the sessions.",
          {"nilo user rm anna"},
          with_http_options({{"NAME", "who", &options->name, true}}, options->remote),
          [options] { return exit_code_of(remove(*options)); }};
}

}  // namespace nilo::app
