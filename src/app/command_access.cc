// nilo access: what devices were allowed by hand, on the Live page.
#include <fmt/format.h>

#include <memory>

#include "app/commands.h"
#include "app/remote.h"
#include "base/utf8.h"
#include "net/http.h"
#include "value/json.h"

namespace nilo::app {

namespace {

struct AccessOptions {
  RemoteOptions remote;
  std::string login{};
  std::string act{};
  std::string topic{};
  bool json = false;
};

Result<void> list(const AccessOptions& options) {
  const auto answer = TRY(call(options.remote, "GET", "/api/v1/grants"));
  if (options.json) {
    fmt::print("{}\n", answer.body);
    return {};
  }
  JsonDocument document;
  const JsonNode* const root = TRY(document.parse(answer.body));
  const JsonNode* const grants = root->find("grants");
  if (grants == nullptr) return Error{ErrorCode::internal, "the server's answer has no grants", ""};
  for (const JsonNode& grant : grants->elements()) {
    const auto shown = [&](std::string_view key) { return printable(text_in(grant, key), 300); };
    fmt::print("{:<24} {:<9} {:<40} {}\n", shown("login"), shown("act"), shown("topic"),
               shown("granted").substr(0, 10));
  }
  return {};
}

Result<void> revoke(const AccessOptions& options) {
  TRY(call(
      options.remote, "DELETE",
      fmt::format("/api/v1/grants?login={}&act={}&topic={}", net::percent_encode(options.login),
                  net::percent_encode(options.act), net::percent_encode(options.topic))));
  fmt::print("{} may not {} {} any more, unless its policies and its token allow it.\n",
             printable(options.login, 80), printable(options.act, 20),
             printable(options.topic, 300));
  return {};
}

}  // namespace

Command access_ls_command() {
  const auto options = std::make_shared<AccessOptions>();
  return {"access ls",
          "Lists what devices were allowed by hand, beyond their policies and tokens: login, "
          "publish or subscribe, topic, day.",
          {"nilo access ls"},
          with_http_options({{"--json", "the server's answer as it is", &options->json}},
                            options->remote),
          [options] { return exit_code_of(list(*options)); }};
}

Command access_revoke_command() {
  const auto options = std::make_shared<AccessOptions>();
  return {"access revoke",
          "Takes back what a device was allowed by hand; its subscriptions that live by that end.",
          {"nilo access revoke tank-1 publish water1/pub",
           "nilo access revoke tank-1 subscribe 'water1/#'"},
          with_http_options(
              {{"LOGIN", "the name of its token or certificate", &options->login, true},
               {"ACT", "publish or subscribe", &options->act, true},
               {"TOPIC", "the topic or filter, as nilo access ls shows it", &options->topic, true}},
              options->remote),
          [options] { return exit_code_of(revoke(*options)); }};
}

}  // namespace nilo::app
