#include "app/stack_loading.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace nilo::app {

namespace {

// https://no-color.org, and a terminal that can.
bool wants_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  return (no_colour == nullptr || *no_colour == '\0') && !dumb && ::isatty(STDERR_FILENO) != 0;
}

}  // namespace

std::optional<LoadedStack> load_stack(const std::string& dir, bool json) {
  stack::Loaded loaded = stack::load(dir);
  Reactions reactions = compile(loaded);
  if (loaded.ok()) {
    return LoadedStack{std::move(loaded.stack), std::move(loaded.files), std::move(reactions)};
  }
  if (json) {
    std::fputs(stack::render_json(loaded.diagnostics, loaded.files).c_str(), stdout);
  } else {
    std::fputs(stack::render(loaded.diagnostics, loaded.files, wants_colour()).c_str(), stderr);
  }
  return std::nullopt;
}

}  // namespace nilo::app
