#include "app/remote.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "net/http_client.h"
#include "value/json.h"

namespace nilo::app {

namespace {

std::string token_of(const RemoteOptions& options) {
  if (!options.token.empty()) return options.token;
  const char* from_environment = std::getenv("NILO_TOKEN");
  return from_environment != nullptr ? from_environment : "";
}

ErrorCode code_of_word(std::string_view word) {
  for (std::size_t i = 0; i < std::size(kErrorCodes); ++i) {
    if (kErrorCodes[i].name == word) return static_cast<ErrorCode>(i);
  }
  return ErrorCode::internal;
}

// {"error":{"code","message","hint"}} as the Error it was.
Error error_in(const net::HttpResponse& answer) {
  JsonDocument document;
  const auto root = document.parse(answer.body);
  const JsonNode* error = root ? (*root)->find("error") : nullptr;
  std::string message = error == nullptr ? "" : text_in(*error, "message");
  if (message.empty()) message = fmt::format("the server answered {}", answer.status);
  if (error == nullptr) return {ErrorCode::internal, std::move(message), ""};
  return {code_of_word(text_in(*error, "code")), std::move(message), text_in(*error, "hint")};
}

}  // namespace

std::vector<Option> with_http_options(std::vector<Option> own, RemoteOptions& to) {
  own.push_back({"--http", "address of the server's HTTP door", &to.http});
  own.push_back({"--token", "token to show; otherwise $NILO_TOKEN", &to.token});
  return own;
}

std::vector<Option> with_mqtt_options(std::vector<Option> own, RemoteOptions& to) {
  own.push_back({"--mqtt", "address of the server's MQTT door", &to.mqtt});
  own.push_back({"--token", "token to show; otherwise $NILO_TOKEN", &to.token});
  own.push_back({"-u,--user", "user name, with --password", &to.user});
  own.push_back({"-P,--password", "password (a token is safer: it can be revoked)", &to.password});
  return own;
}

std::string text_in(const JsonNode& object, std::string_view key) {
  const JsonNode* const node = object.find(key);
  const bool has_text = node != nullptr && (node->is_string() || node->is_number());
  return has_text ? std::string(node->text()) : "";
}

Result<std::string> read_password(const std::string& file) {
  if (file == "-" && ::isatty(STDIN_FILENO) != 0) {
    const char* const typed = ::getpass("Password: ");
    return std::string(typed != nullptr ? typed : "");
  }
  std::string line;
  if (file == "-") {
    std::getline(std::cin, line);
    return line;
  }
  std::ifstream in(file);
  if (!in) return Error{ErrorCode::not_found, fmt::format("cannot read {}", file), ""};
  std::getline(in, line);
  return line;
}

Result<net::HttpResponse> call(const RemoteOptions& options, const std::string& method,
                               const std::string& path, const std::string& body,
                               const std::string& accept) {
  net::HttpCall request;
  request.method = method;
  request.url = "http://" + options.http + path;
  request.body = body;
  request.headers.emplace_back("Accept", accept);
  if (const std::string token = token_of(options); !token.empty()) {
    request.headers.emplace_back("Authorization", "Bearer " + token);
  }
  auto answer = net::http_call(request);
  if (!answer) {
    Error error = std::move(answer).error();
    if (error.code == ErrorCode::unavailable) {
      error.hint = "start one with: nilo serve DIR; or name another with --http HOST:PORT";
    }
    return error;
  }
  if (answer->status < 400) return answer;
  return error_in(*answer);
}

void set_login(const RemoteOptions& options, mqtt::ClientOptions& client) {
  if (!options.user.empty()) client.user_name = options.user;
  if (!options.password.empty()) client.password = options.password;
  const std::string token = token_of(options);
  if (token.empty() || client.password) return;
  client.user_name = "token";
  client.password = token;
}

}  // namespace nilo::app
