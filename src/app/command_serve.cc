// nilo serve: runs a stack.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <thread>

#include "app/commands.h"
#include "app/host.h"
#include "app/server.h"
#include "app/simulator.h"
#include "app/stack_loading.h"
#include "base/version.h"

namespace nilo::app {

namespace {

constexpr int kMqttPort = 1883;
constexpr int kHttpPort = 8080;
constexpr int kLoopsMax = 64;
constexpr double kDemoSwingS = 1800;  // the first alerts come within two minutes

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
  options.stack_dir = given.dir;
  options.data_dir = given.data.empty() ? given.dir + "/data" : given.data;
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

// Where `door` is reached: by name or number, never "every interface".
std::string shown_address(const net::Address& door, const std::vector<std::string>& lan) {
  const bool is_everywhere = door.host.empty() || door.host == "0.0.0.0" || door.host == "::";
  if (!is_everywhere) return door.text();
  return net::Address{lan.empty() ? "localhost" : lan.front(), door.port}.text();
}

// What the person who started it has to know; standard output, and nothing else stands there.
void print_banner(const Server& server, const ServeOptions& options,
                  const ServerOptions& resolved) {
  const std::vector<std::string> lan = lan_addresses();
  const std::string open = "http://" + shown_address(server.http_address(), lan);
  const std::string local = fmt::format("http://localhost:{}", server.http_address().port);
  const bool is_set_up = server.setup_code().empty();
  fmt::print("{:<50}data: {}\n", fmt::format("Nilometer {}", kVersion), resolved.data_dir);
  fmt::print("  {:<48}{}\n", fmt::format("Open     {}", open),
             open == local ? "" : fmt::format("(also {})", local));
  if (!is_set_up) {
    fmt::print("  {:<48}{}\n", fmt::format("Setup code  {}", server.setup_code()),
               "for the first user; each start makes a new one");
  }
  fmt::print("  {:<48}{}\n", fmt::format("MQTT     {}", shown_address(server.mqtt_address(), lan)),
             is_set_up ? "" : "closed to strangers until set up");
  if (options.open) {
    fmt::print("  Anybody on this machine may read and write; other machines are not served.\n");
  } else {
    fmt::print("  Commands here need: export NILO_TOKEN=$(cat {}/admin.token)\n",
               resolved.data_dir);
  }
  fmt::print("  Stop with Ctrl-C.\nready\n");
  std::fflush(stdout);
}

// Tanks of its own, over real MQTT, like any device.
std::unique_ptr<Simulator> start_demo(const Server& server) {
  SimulatorOptions options;
  options.server = server.mqtt_address();
  if (options.server.host.empty()) options.server.host = "127.0.0.1";
  options.password = server.admin_token();
  options.speed = 1;  // a reading every 20 s and tank, as the real devices send
  options.model.swing_s = kDemoSwingS;
  return Simulator::start(options);
}

int serve(const ServeOptions& given) {
  auto loaded = load_stack(given.dir);
  if (!loaded) return kExitConfig;
  auto options = server_options(given, loaded->stack);
  if (!options) return report(options.error());
  options->stack_files = std::move(loaded->files);
  const auto logger = make_stderr_logger(Logger::Level::info);
  auto server =
      Server::start(*options, std::move(loaded->stack), std::move(loaded->reactions), *logger);
  if (!server) return report(server.error());
  print_banner(**server, given, *options);
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
