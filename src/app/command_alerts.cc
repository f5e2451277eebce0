// nilo alerts: what is open, and what to do about it.
#include <fmt/format.h>

#include <memory>

#include "app/commands.h"
#include "app/remote.h"
#include "net/http.h"
#include "value/json.h"
#include "value/value.h"

namespace nilo::app {

namespace {

struct AlertOptions {
  RemoteOptions remote;
  std::string name{};  // an alert's id, or for `test` its name in the stack
  std::string state = "open";
  std::string note{};
  std::string for_time = "until_fixed";
  bool json = false;
};

Result<void> list(const AlertOptions& options) {
  const auto answer =
      TRY(call(options.remote, "GET",
               "/api/v1/alerts?limit=1000&state=" + net::percent_encode(options.state)));
  if (options.json) {
    fmt::print("{}\n", answer.body);
    return {};
  }
  JsonDocument document;
  const JsonNode* root = TRY(document.parse(answer.body));
  const JsonNode* alerts = root->find("alerts");
  if (alerts == nullptr) return Error{ErrorCode::internal, "the server's answer has no alerts", ""};
  if (alerts->size() == 0) fmt::print("All quiet.\n");
  for (const JsonNode& alert : alerts->elements()) {
    fmt::print("{:<13} {:<32} {}\n", text_in(alert, "state"), text_in(alert, "id"),
               text_in(alert, "text"));
  }
  return {};
}

Result<void> act(const AlertOptions& options, std::string_view verb, std::string_view member,
                 const std::string& value) {
  std::string body = "{";
  if (!value.empty()) {
    append_json_string(body, member);
    append_json_string(body += ':', value);
  }
  const auto answer = TRY(call(
      options.remote, "POST",
      fmt::format("/api/v1/alerts/{}/{}", net::percent_encode(options.name), verb), body + "}"));
  if (options.json) {
    fmt::print("{}\n", answer.body);
    return {};
  }
  JsonDocument document;
  const JsonNode* root = TRY(document.parse(answer.body));
  fmt::print("{} is {} now.\n", options.name, text_in(*root, "state"));
  return {};
}

Result<void> test(const AlertOptions& options) {
  std::string body = "{\"alert\":";
  append_json_string(body, options.name);
  const auto answer = TRY(call(options.remote, "POST", "/api/v1/alerts/test", body + "}"));
  if (options.json) {
    fmt::print("{}\n", answer.body);
    return {};
  }
  JsonDocument document;
  const JsonNode* root = TRY(document.parse(answer.body));
  const JsonNode* notices = root->find("notices");
  const std::size_t count = notices == nullptr ? 0 : notices->size();
  if (count == 0) {
    fmt::print(
        "nobody would be told: the alert has no mail with a [mail] server, and no webhook\n");
  } else {
    fmt::print("{} on the way; see: nilo notices ls\n",
               count == 1 ? "1 sample is" : fmt::format("{} samples are", count));
  }
  return {};
}

using Options = std::shared_ptr<AlertOptions>;

std::vector<Option> options_of(const Options& options, std::vector<Option> own) {
  own.push_back({"--json", "the server's answer as it is", &options->json});
  return with_http_options(std::move(own), options->remote);
}

}  // namespace

Command alerts_ls_command() {
  const auto options = std::make_shared<AlertOptions>();
  return {"alerts ls",
          "Lists alerts: those that are open, or in a state.",
          {"nilo alerts ls", "nilo alerts ls --state all", "nilo alerts ls --json"},
          options_of(options, {{"--state",
                                "open, all, normal, pending, firing, acknowledged, snoozed or "
                                "resolved",
                                &options->state}}),
          [options] { return exit_code_of(list(*options)); }};
}

Command alerts_ack_command() {
  const auto options = std::make_shared<AlertOptions>();
  return {
      "alerts ack",
      "Acknowledges an alert: no reminders until it is over.",
      {"nilo alerts ack level~tank-2~low", "nilo alerts ack level~tank-2~low --note 'on my way'"},
      options_of(options, {{"ID", "as nilo alerts ls shows it", &options->name, true},
                           {"--note", "a word for the others", &options->note}}),
      [options] { return exit_code_of(act(*options, "acknowledge", "note", options->note)); }};
}

Command alerts_snooze_command() {
  const auto options = std::make_shared<AlertOptions>();
  return {"alerts snooze",
          "Keeps an alert quiet for a while.",
          {"nilo alerts snooze level~tank-2~low --for 8h", "nilo alerts snooze level~tank-2~low"},
          options_of(options,
                     {{"ID", "as nilo alerts ls shows it", &options->name, true},
                      {"--for", "1h, 8h, 2d (at most 30d), or until_fixed", &options->for_time}}),
          [options] { return exit_code_of(act(*options, "snooze", "for", options->for_time)); }};
}

Command alerts_resolve_command() {
  const auto options = std::make_shared<AlertOptions>();
  return {"alerts resolve",
          "Says that an alert is dealt with: quiet until it was normal again.",
          {"nilo alerts resolve level~tank-2~silent"},
          options_of(options, {{"ID", "as nilo alerts ls shows it", &options->name, true}}),
          [options] { return exit_code_of(act(*options, "resolve", "", "")); }};
}

Command alerts_test_command() {
  const auto options = std::make_shared<AlertOptions>();
  return {"alerts test",
          "Sends a sample of an alert to all who would be told.",
          {"nilo alerts test level"},
          options_of(options, {{"NAME", "as in [alert.NAME] of the stack", &options->name, true}}),
          [options] { return exit_code_of(test(*options)); }};
}

}  // namespace nilo::app
