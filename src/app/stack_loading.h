// app/stack_loading.h: reads and compiles a stack folder, telling its mistakes on stderr.
#pragma once

#include <optional>
#include <string>

#include "app/reactions.h"
#include "stack/stack.h"

namespace nilo::app {

struct LoadedStack {
  stack::Stack stack;
  stack::SourceFiles files;
  Reactions reactions;
};

// nullopt: there are mistakes, and they have been printed (as JSON lines on stdout if `json`).
std::optional<LoadedStack> load_stack(const std::string& dir, bool json = false);

}  // namespace nilo::app
