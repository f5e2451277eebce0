// app/remote.h: a running server, as the commands on the same or another machine reach it.
//
// Threads: one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/command_line.h"
#include "base/result.h"
#include "mqtt/client.h"
#include "net/http.h"
#include "value/json.h"

namespace nilo::app {

// What every command that talks to a server takes.
struct RemoteOptions {
  std::string http = "127.0.0.1:8080";
  std::string mqtt = "127.0.0.1:1883";
  std::string token{};  // empty: $NILO_TOKEN
  std::string user{};   // MQTT user name and password, instead of a token
  std::string password{};
};

// A command's own options and those that fill `to`, which must outlive the command.
std::vector<Option> with_http_options(std::vector<Option> own, RemoteOptions& to);
std::vector<Option> with_mqtt_options(std::vector<Option> own, RemoteOptions& to);

// One request. An answer of 400 and more becomes the Error the server wrote.
// unavailable: no server; the hint says how to start one.
Result<net::HttpResponse> call(const RemoteOptions& options, const std::string& method,
                               const std::string& path, const std::string& body = "",
                               const std::string& accept = "application/json");

// A member's text or number in an answer; empty: there is none.
std::string text_in(const JsonNode& object, std::string_view key);

// The first line of a file, or of standard input for "-"; a terminal is asked, and shows nothing.
// Never an argument: those are visible to everybody on the machine. not_found: no such file.
Result<std::string> read_password(const std::string& file);

// Login fields for an MQTT client.
void set_login(const RemoteOptions& options, mqtt::ClientOptions& client);

}  // namespace nilo::app
