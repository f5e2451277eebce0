// nilo notices: what somebody was to be told, and what became of it.
#include <fmt/format.h>

#include <memory>

#include "app/commands.h"
#include "app/remote.h"
#include "base/utf8.h"
#include "net/http.h"
#include "value/json.h"
#include "value/value.h"

namespace nilo::app {

namespace {

constexpr std::size_t kAnswerShownMax = 100;

struct NoticesOptions {
  RemoteOptions remote;
  std::string id{};
  std::string state{};
  std::int64_t limit = 100;
  bool all = false;
  bool json = false;
};

// Milliseconds since 1970 as UTC.
std::string time_in(const JsonNode& object, std::string_view key) {
  const std::string ms = text_in(object, key);
  return ms.empty() ? "" : iso_time(std::strtoll(ms.c_str(), nullptr, 10) * 1000).substr(0, 19);
}

Result<const JsonNode*> notices_in(JsonDocument& document, const std::string& body) {
  const JsonNode* const root = TRY(document.parse(body));
  const JsonNode* const notices = root->find("notices");
  if (notices == nullptr) {
    return Error{ErrorCode::internal, "the server's answer has no notices", ""};
  }
  return notices;
}

Result<net::HttpResponse> ask(const NoticesOptions& options, const std::string& state) {
  std::string path = fmt::format("/api/v1/notices?limit={}", options.limit);
  if (!state.empty()) path += "&state=" + net::percent_encode(state);
  return call(options.remote, "GET", path);
}

Result<void> list(const NoticesOptions& options) {
  const auto answer = TRY(ask(options, options.state));
  if (options.json) {
    fmt::print("{}\n", answer.body);
    return {};
  }
  JsonDocument document;
  for (const JsonNode& notice : TRY(notices_in(document, answer.body))->elements()) {
    // Names and answers are strangers' words: shown without their control characters.
    const auto shown = [&](std::string_view key) {
      return printable(text_in(notice, key), kAnswerShownMax);
    };
    fmt::print("{:<24} {:<19} {:<8} {:<8} {:<28} {}\n", shown("id"), time_in(notice, "created"),
               shown("state"), shown("channel"), shown("to"), shown("subject"));
    if (text_in(notice, "state") == "sent" || shown("answer").empty()) continue;
    const std::string tries = text_in(notice, "tries");
    fmt::print("{:<24} after {} {}: {}\n", "", tries, tries == "1" ? "try" : "tries",
               shown("answer"));
  }
  return {};
}

Result<void> retry_one(const NoticesOptions& options, const std::string& id) {
  const std::string path = "/api/v1/notices/" + net::percent_encode(id) + "/retry";
  const auto answer = TRY(call(options.remote, "POST", path));
  fmt::print("{}\n", options.json ? answer.body : printable(id, kAnswerShownMax) + " is tried now");
  return {};
}

Result<void> retry(const NoticesOptions& options) {
  if (options.all != options.id.empty()) {
    return Error{ErrorCode::invalid_argument, "which one? an ID, or --all parked ones", ""};
  }
  if (!options.all) return retry_one(options, options.id);
  const auto answer = TRY(ask(options, "parked"));
  JsonDocument document;
  std::size_t count = 0;
  for (const JsonNode& notice : TRY(notices_in(document, answer.body))->elements()) {
    TRY(retry_one(options, text_in(notice, "id")));
    ++count;
  }
  if (count == 0) fmt::print(stderr, "No notice is parked.\n");
  return {};
}

}  // namespace

Command notices_ls_command() {
  const auto options = std::make_shared<NoticesOptions>();
  return {"notices ls",
          "Lists what was to be told, to whom, and what became of it; newest first, times in UTC.",
          {"nilo notices ls", "nilo notices ls --state parked"},
          with_http_options({{"--state", "only waiting, sent or parked ones", &options->state},
                             {"--limit", "at most so many", &options->limit},
                             {"--json", "the server's answer as it is", &options->json}},
                            options->remote),
          [options] { return exit_code_of(list(*options)); }};
}

Command notices_retry_command() {
  const auto options = std::make_shared<NoticesOptions>();
  return {"notices retry",
          "Tries a waiting or parked notice again, now.",
          {"nilo notices retry 1042-64a1c9e5d3f10", "nilo notices retry --all"},
          with_http_options({{"ID", "which one", &options->id},
                             {"--all", "all that are parked", &options->all},
                             {"--limit", "with --all: at most so many", &options->limit},
                             {"--json", "the server's answer as it is", &options->json}},
                            options->remote),
          [options] { return exit_code_of(retry(*options)); }};
}

}  // namespace nilo::app
