// nilo serve: runs a stack.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <thread>

#include "app/commands.h"
#include "app/server.h"
#include "app/simulator.h"
#include "app/stack_loading.h"

namespace nilo::app {

namespace {

constexpr int kMqttPort = 1883;
constexpr int kHttpPort = 8080;
constexpr int kLoopsMax = 64;

struct ServeOptions {
  std::string dir = ".";
  std::string data{};
  std::string mqtt{};
  std::string http{};
  bool open = false;
  bool demo = false;
  std::int64_t loops = 0;
};

// The command line, else the stack, else every interface; with --open only this machine.
Result<net::Address> address_of(const std::string& given,
                                const std::optional<std::string>& declared, int port, bool open) {
  const std::string fallback = open ? "127.0.0.1" : "";
  const std::string text =
      !given.empty() ? given : declared.value_or(fmt::format("{}:{}", fallback, port));
  net::Address address = TRY(net::parse_address(text, port));
  if (open && !address.is_loopback()) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("--open lets in whoever reaches {}", address.text()),
                 "listen on 127.0.0.1, or leave --open out and make tokens"};
  }
  return address;
}

Result<ServerOptions> server_options(const ServeOptions& given, const stack::Stack& stack) {
  ServerOptions options;
  options.data_dir = given.data.empty() ? given.dir + "/data" : given.data;
  options.stack_dir = given.dir;
  options.mqtt = TRY(address_of(given.mqtt, stack.settings.mqtt_listen, kMqttPort, given.open));
  options.http = TRY(address_of(given.http, stack.settings.http_listen, kHttpPort, given.open));
  options.open = given.open;
  if (given.loops < 0 || given.loops > kLoopsMax) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("--loops {} is not possible", given.loops),
                 fmt::format("0 to {}", kLoopsMax)};
  }
  options.loop_count = static_cast<int>(given.loops);
  return options;
}

std::string shown_host(const net::Address& address) {
  return address.host.empty() ? "every interface, port " + std::to_string(address.port)
                              : address.text();
}

void print_addresses(const Server& server, const ServeOptions& options,
                     const ServerOptions& resolved) {
  const net::Address& http = server.http_address();
  const std::string host = http.host.empty() ? "localhost" : http.host;
  fmt::print("mqtt  {}\n", shown_host(server.mqtt_address()));
  fmt::print("http  http://{}\n", net::Address{host, http.port}.text());
  fmt::print("data  {}\n", resolved.data_dir);
  if (options.open) {
    fmt::print("open  anybody on this machine may read and write; other machines are not served\n");
  } else {
    fmt::print(
        "token {}/admin.token lets you do everything: export NILO_TOKEN=$(cat {}/admin.token)\n",
        resolved.data_dir, resolved.data_dir);
  }
  fmt::print("ready\n");
  std::fflush(stdout);
}

// Tanks of its own, over real MQTT, like any device.
std::unique_ptr<Simulator> start_demo(const Server& server) {
  SimulatorOptions options;
  options.server = server.mqtt_address();
  if (options.server.host.empty()) options.server.host = "127.0.0.1";
  options.password = server.admin_token();
  options.speed = 1;  // a reading every 20 s and tank, as the real devices send
  return Simulator::start(options);
}

int serve(const ServeOptions& given) {
  auto loaded = load_stack(given.dir);
  if (!loaded) return kExitConfig;
  const auto options = server_options(given, loaded->stack);
  if (!options) return report(options.error());
  const auto logger = make_stderr_logger(Logger::Level::info);
  auto server =
      Server::start(*options, std::move(loaded->stack), std::move(loaded->reactions), *logger);
  if (!server) return report(server.error());
  print_addresses(**server, given, *options);
  std::unique_ptr<Simulator> demo;
  if (given.demo) demo = start_demo(**server);
  const auto outcome = (*server)->run();
  if (!outcome) {
    report(outcome.error());
    return kExitFailed;
  }
  return kExitDone;
}

}  // namespace

Command serve_command() {
  const auto options = std::make_shared<ServeOptions>();
  return {
      "serve",
      "Runs a stack: keeps what devices publish, reacts by rules, answers questions.",
      {"nilo serve examples/water-tanks --open --demo", "nilo serve . --mqtt :1883 --http :8080"},
      {{"DIR", "folder with nilo.toml; default: this one", &options->dir},
       {"--data", "folder for what is remembered; default: DIR/data", &options->data},
       {"--mqtt", "address for devices; port 0 takes a free one", &options->mqtt},
       {"--http", "address for people; port 0 takes a free one", &options->http},
       {"--open", "let in everybody on this machine, and nobody else", &options->open},
       {"--demo", "simulate the tanks, too", &options->demo},
       {"--loops", "event loops for connections; 0: one for each core", &options->loops}},
      [options] { return serve(*options); }};
}

}  // namespace nilo::app
