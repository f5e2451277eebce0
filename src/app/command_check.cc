// nilo check: finds every mistake of a stack, and changes nothing. nilo openapi: its API.
#include <fmt/format.h>

#include <memory>
#include <string>

#include "app/commands.h"
#include "app/endpoint_specs.h"
#include "app/stack_loading.h"

namespace nilo::app {

namespace {

struct CheckOptions {
  std::string dir = ".";
  bool json = false;
};

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

int check(const CheckOptions& options) {
  const auto loaded = load_stack(options.dir, options.json);
  if (!loaded) return kExitConfig;
  if (options.json) return kExitDone;
  const stack::Stack& stack = loaded->stack;
  fmt::print("ok: {}, {}, {}, {}, {}, {}\n", counted(stack.things.size(), "thing"),
             counted(stack.tables.size(), "table"), counted(stack.rules.size(), "rule"),
             counted(stack.endpoints.size(), "endpoint"), counted(stack.alerts.size(), "alert"),
             counted(stack.pages.size(), "page"));
  return kExitDone;
}

int print_openapi(const CheckOptions& options) {
  const auto loaded = load_stack(options.dir);
  if (!loaded) return kExitConfig;
  fmt::print("{}\n", openapi_of(loaded->stack));
  return kExitDone;
}

}  // namespace

Command check_command() {
  const auto options = std::make_shared<CheckOptions>();
  return {"check",
          "Finds every mistake in a stack's files; changes nothing. Exit code 3 if there is one.",
          {"nilo check examples/water-tanks"},
          {{"DIR", "folder with nilo.toml; default: this one", &options->dir},
           {"--json", "one JSON object for each mistake", &options->json}},
          [options] { return check(*options); }};
}

Command openapi_command() {
  const auto options = std::make_shared<CheckOptions>();
  return {"openapi",
          "Prints the OpenAPI 3.1 document of what a server with this stack answers.",
          {"nilo openapi examples/water-tanks > openapi.json"},
          {{"DIR", "folder with nilo.toml; default: this one", &options->dir}},
          [options] { return print_openapi(*options); }};
}

}  // namespace nilo::app
