// nilo serve: runs a stack.
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <thread>
#include <utility>

#include "app/commands.h"
#include "app/host.h"
#include "app/server.h"
#include "app/simulator.h"
#include "app/stack_loading.h"
#include "base/version.h"

namespace nilo::app {

namespace {

constexpr int kLoopsMax = 64;
constexpr double kDemoSwingS = 1800;  // the first alerts come within two minutes
// What a burst of messages took from the kernel stays for the next one, up to this in each of
// malloc's arenas, of which each busy thread has one.
constexpr int kFreeMemoryKeptMax = 32 << 20;
constexpr int kOwnMappingSizeMin = 4 << 20;  // larger blocks go back to the kernel at once

struct ServeOptions {
  std::string dir = ".";
  std::string data{};
  GivenAddresses addresses{};
  bool demo = false;
  std::int64_t loops = 0;
};

Result<ServerOptions> server_options(const ServeOptions& given, const stack::Stack& stack) {
  ServerOptions options;
  options.stack_dir = given.dir;
  options.data_dir = given.data.empty() ? given.dir + "/data" : given.data;
  options.entrances =
      TRY(plan_entrances(given.addresses, stack, options.stack_dir, options.data_dir));
  options.open = given.addresses.open;
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

// Names of entrances as a person knows them, in a column.
constexpr std::string_view kShownNames[2][2] = {{"MQTT", "MQTTS"}, {"HTTP", "HTTPS"}};

// The pages first: that is what somebody opens.
void print_entrances(const Server& server, const std::vector<std::string>& lan, bool is_set_up) {
  using Protocol = stack::Listener::Protocol;
  const Entrances& entrances = server.entrances();
  const Entrance* pages = entrances.first(Protocol::http, false);
  if (pages == nullptr) pages = entrances.first(Protocol::http, true);
  const auto url_of = [](const Entrance& entrance, const std::string& address) {
    return (entrance.tls ? "https://" : "http://") + address;
  };
  if (pages != nullptr) {
    const std::string open = url_of(*pages, shown_address(pages->address, lan));
    const std::string local = url_of(*pages, fmt::format("localhost:{}", pages->address.port));
    fmt::print("  {:<48}{}\n", fmt::format("Open     {}", open),
               open == local ? "" : fmt::format("(also {})", local));
  }
  if (!is_set_up) {
    fmt::print("  {:<48}{}\n", fmt::format("Setup code  {}", server.setup_code()),
               "for the first user; each start makes a new one");
  }
  bool is_first = true;
  for (const auto& entrance : entrances.all()) {
    if (entrance.get() == pages) continue;
    const bool is_http = entrance->protocol == Protocol::http;
    const std::string address = shown_address(entrance->address, lan);
    const std::string line = fmt::format("{:<9}{}", kShownNames[is_http][entrance->tls.has_value()],
                                         is_http ? url_of(*entrance, address) : address);
    const bool is_closed = !is_http && !is_set_up && std::exchange(is_first, false);
    fmt::print("  {:<48}{}\n", line, is_closed ? "closed to strangers until set up" : "");
  }
}

// What the person who started it has to know; standard output, and nothing else stands there.
void print_banner(const Server& server, const ServeOptions& options,
                  const ServerOptions& resolved) {
  fmt::print("{:<50}data: {}\n", fmt::format("Nilometer {}", kVersion), resolved.data_dir);
  print_entrances(server, lan_addresses(), server.setup_code().empty());
  if (options.addresses.open) {
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
  const Entrance* const plain = server.entrances().first(stack::Listener::Protocol::mqtt, false);
  if (plain == nullptr) return nullptr;
  options.server = plain->address;
  if (options.server.host.empty()) options.server.host = "127.0.0.1";
  options.password = server.admin_token();
  options.speed = 1;  // a reading every 20 s and tank, as the real devices send
  options.model.swing_s = kDemoSwingS;
  return Simulator::start(options);
}

// Buffers of subscribers come and go a thousand times a second. With malloc's own 128 KiB their
// pages were fetched and cleared each time: most of the cost of one message to a hundred.
void keep_freed_memory() {
  ::mallopt(M_TRIM_THRESHOLD, kFreeMemoryKeptMax);
  ::mallopt(M_MMAP_THRESHOLD, kOwnMappingSizeMin);
}

int serve(const ServeOptions& given) {
  keep_freed_memory();
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
  if (given.demo && demo == nullptr) {
    return report({ErrorCode::invalid_argument,
                   "--demo publishes without TLS, and there is no "
                   "listener for that",
                   "give one: --mqtt 127.0.0.1:1883"});
  }
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
       {"--mqtt", "address for devices; port 0 takes a free one", &options->addresses.mqtt},
       {"--mqtts", "the same with TLS", &options->addresses.mqtts},
       {"--http", "address for people; port 0 takes a free one", &options->addresses.http},
       {"--https", "the same with TLS", &options->addresses.https},
       {"--open", "let in everybody on this machine, and nobody else", &options->addresses.open},
       {"--demo", "simulate the tanks, too", &options->demo},
       {"--loops", "event loops for connections; 0: one for each core", &options->loops}},
      [options] { return serve(*options); }};
}

}  // namespace nilo::app
