// nilo rules test: what a rule makes of a message, without a server.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "app/commands.h"
#include "base/clock.h"
#include "bus/topic_filter.h"
#include "rules/scratch.h"
#include "rules/statement.h"
#include "value/json.h"
#include "value/value.h"

namespace nilo::app {

namespace {

struct RulesTestOptions {
  std::string sql{};
  std::string topic = "test";
  std::string message{};
  std::string version = "2016-03-23";
  bool json = false;
};

void print_mistakes(const std::string& sql, const std::vector<rules::Mistake>& mistakes) {
  for (const rules::Mistake& mistake : mistakes) {
    fmt::print(stderr, "error: {}\n  --> --sql:{}:{}\n", mistake.message, mistake.line,
               mistake.column);
    std::string_view rest = sql;
    for (std::size_t line = 1; line < mistake.line; ++line) {
      rest.remove_prefix(std::min(rest.size(), rest.find('\n') + 1));
    }
    fmt::print(stderr, "   | {}\n   | {:>{}}\n", rest.substr(0, rest.find('\n')),
               std::string(std::max<std::size_t>(mistake.size, 1), '^'),
               mistake.column - 1 + std::max<std::size_t>(mistake.size, 1));
    if (!mistake.hint.empty()) fmt::print(stderr, "  help: {}\n", mistake.hint);
  }
}

void print_result(const RulesTestOptions& options, bool matched, std::string_view result) {
  std::string shown = "null";
  JsonDocument document;
  if (matched && document.parse(result)) {
    shown = result;
  } else if (matched) {
    shown.clear();
    append_json_string(shown, result);  // SELECT * of a payload that is no JSON
  }
  if (options.json) {
    fmt::print("{{\"matched\":{},\"result\":{}}}\n", matched, shown);
  } else {
    fmt::print("{}\n", matched ? shown : "no match");
  }
}

int test_rule(const RulesTestOptions& options) {
  const auto compiled = rules::Statement::compile(options.sql, {.version = options.version});
  if (const auto* mistakes = std::get_if<std::vector<rules::Mistake>>(&compiled)) {
    print_mistakes(options.sql, *mistakes);
    return kExitConfig;
  }
  const auto& statement = std::get<rules::Statement>(compiled);
  if (const auto topic = bus::check_topic(options.topic); !topic) return report(topic.error());
  if (!statement.filter().empty()) {
    const auto filter = bus::TopicFilter::parse(statement.filter());
    if (!filter) return report(filter.error());
    if (!filter->matches(options.topic)) {
      print_result(options, false, "");
      return kExitDone;
    }
  }
  rules::Scratch scratch;
  MessageView message;
  message.topic = options.topic;
  message.payload = options.message;
  message.received_us = SystemClock().wall_us();
  switch (statement.evaluate(message, scratch)) {
    case rules::Outcome::no_match:
      print_result(options, false, "");
      return kExitDone;
    case rules::Outcome::failed:
      return report({ErrorCode::invalid_argument, scratch.error(), ""});
    case rules::Outcome::matched:
      break;
  }
  std::string result;
  if (const auto appended = scratch.append_json(result); !appended) return report(appended.error());
  print_result(options, true, result);
  return kExitDone;
}

}  // namespace

Command rules_test_command() {
  const auto options = std::make_shared<RulesTestOptions>();
  return {"rules test",
          "Shows what a rule makes of a message; needs no server.",
          {"nilo rules test --sql \"SELECT distance FROM '+/pub' WHERE distance > 10\" \\\n"
           "                  -t water1/pub -m '{\"distance\": 47}'"},
          {{"--sql", "the rule", &options->sql, true},
           {"-t,--topic", "topic of the message", &options->topic},
           {"-m,--message", "its payload", &options->message},
           {"--version", "2016-03-23 or 2015-10-08", &options->version},
           {"--json", "{\"matched\":true,\"result\":...} on one line", &options->json}},
          [options] { return test_rule(*options); }};
}

}  // namespace nilo::app
