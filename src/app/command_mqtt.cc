// nilo pub and nilo sub: an MQTT client with mosquitto's flags.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <memory>

#include "app/commands.h"
#include "app/mqtt_link.h"
#include "app/remote.h"
#include "base/utf8.h"
#include "value/value.h"

namespace nilo::app {

namespace {

struct PubOptions {
  RemoteOptions remote;
  std::string topic{};
  std::string message{};
  std::string file{};
  bool lines = false;
  bool retain = false;
  std::int64_t qos = 1;
  std::string client_id{};
};

struct SubOptions {
  RemoteOptions remote;
  std::vector<std::string> filters{};
  std::int64_t qos = 1;
  std::int64_t count = 0;
  bool verbose = false;
  bool json = false;
  std::string client_id{};
};

Result<std::unique_ptr<MqttLink>> connect(const RemoteOptions& remote, const std::string& client_id,
                                          const Clock& clock,
                                          std::function<void(const MessageView&)> on_message) {
  MqttLinkOptions options;
  options.server = TRY(net::parse_address(remote.mqtt, 1883));
  if (options.server.host.empty()) options.server.host = "127.0.0.1";
  options.client.client_id = client_id;
  set_login(remote, options.client);
  return MqttLink::connect(options, clock, std::move(on_message));
}

Result<Qos> qos_of(std::int64_t number) {
  if (number >= 0 && number <= 2) return static_cast<Qos>(number);
  return Error{ErrorCode::invalid_argument, fmt::format("-q {} is not offered here", number),
               "0, 1 or 2"};
}

Result<std::string> payload_of(const PubOptions& options) {
  if (options.file.empty()) return options.message;
  std::ifstream file(options.file, std::ios::binary);
  if (!file) return Error{ErrorCode::not_found, fmt::format("cannot read {}", options.file), ""};
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<void> publish(const PubOptions& options) {
  const SystemClock clock;
  MessageView message;
  message.topic = options.topic;
  message.retain = options.retain;
  message.qos = TRY(qos_of(options.qos));
  const auto link = TRY(connect(options.remote, options.client_id, clock, nullptr));
  if (options.lines) {
    std::string line;
    while (std::getline(std::cin, line)) {
      message.payload = line;
      TRY(link->publish_pipelined(message));
    }
    TRY(link->drain());
  } else {
    const std::string payload = TRY(payload_of(options));
    message.payload = payload;
    TRY(link->publish(message));
  }
  link->disconnect();
  return {};
}

void print_message(const SubOptions& options, const MessageView& message) {
  std::string line;
  if (options.json) {
    line = "{\"topic\":";
    append_json_string(line, message.topic);
    line += ",\"payload\":";
    append_json_string(line, message.payload);
    line +=
        fmt::format(",\"qos\":{},\"retain\":{}}}", static_cast<int>(message.qos), message.retain);
  } else {
    if (options.verbose) line = std::string(message.topic) + " ";
    line += message.payload;
  }
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

Result<void> subscribe(const SubOptions& options) {
  const SystemClock clock;
  const Qos qos = TRY(qos_of(options.qos));
  std::int64_t received = 0;
  const auto is_done = [&] { return options.count > 0 && received >= options.count; };
  const auto link =
      TRY(connect(options.remote, options.client_id, clock, [&](const MessageView& message) {
        if (is_done()) return;
        ++received;
        print_message(options, message);
      }));
  for (const std::string& filter : options.filters) TRY(link->subscribe(filter, qos));
  TRY(link->run_until(std::numeric_limits<std::int64_t>::max(), is_done));
  link->disconnect();
  return {};
}

}  // namespace

Command pub_command() {
  const auto options = std::make_shared<PubOptions>();
  return {"pub",
          "Publishes a message; at QoS 1 (the default) done means: on the server's disk.",
          {"nilo pub -t water1/pub -m '{\"distance\": 47}'", "seq 9 | nilo pub -t count -l"},
          with_mqtt_options(
              {{"-t,--topic", "topic", &options->topic, true},
               {"-m,--message", "payload", &options->message},
               {"-f,--file", "payload from this file", &options->file},
               {"-l,--lines", "one message for each line of standard input", &options->lines},
               {"-q,--qos", "0, 1 or 2", &options->qos},
               {"-r,--retain", "keep it for later subscribers", &options->retain},
               {"-i,--id", "client id", &options->client_id}},
              options->remote),
          [options] { return exit_code_of(publish(*options)); }};
}

Command sub_command() {
  const auto options = std::make_shared<SubOptions>();
  return {"sub",
          "Prints messages as they come.",
          {"nilo sub -t '#' -v", "nilo sub -t '$error/#' -v", "nilo sub -t 'water1/pub' -C 1"},
          with_mqtt_options(
              {{"-t,--topic", "topic filter; may be given more than once", &options->filters, true},
               {"-C,--count", "stop after so many messages", &options->count},
               {"-v,--verbose", "the topic, too", &options->verbose},
               {"--json", "one JSON object a line", &options->json},
               {"-q,--qos", "0, 1 or 2", &options->qos},
               {"-i,--id", "client id", &options->client_id}},
              options->remote),
          [options] { return exit_code_of(subscribe(*options)); }};
}

}  // namespace nilo::app
