// app/command_line.h: the commands of `nilo`, described as data.
//
// A Command says what it is called, what it takes and how it is used; parsing, --help and the
// nearest name for a typing mistake come from that. CLI11 stays behind command_line.cc.
// Exit codes: kExit*, also printed by `nilo help exit-codes`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"

namespace nilo::app {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitConfig = 3;       // the stack has mistakes
inline constexpr int kExitUnreachable = 4;  // no server there
inline constexpr int kExitNotAllowed = 5;
inline constexpr int kExitNotFound = 6;
inline constexpr int kExitConflict = 7;

// Where an option's value goes; what stands there before parsing is the default.
using Target = std::variant<bool*, std::string*, std::int64_t*, double*, std::vector<std::string>*>;

struct Option {
  std::string flags;  // "-t,--topic", or "DIR" for a positional argument
  std::string help;
  Target target;
  bool required = false;
};

struct Command {
  std::string name;  // "serve", or "rules test"
  std::string summary;
  std::vector<std::string> examples;
  std::vector<Option> options;
  std::function<int()> run{};
};

// Parses and runs one of `commands`; the exit code.
int run_command_line(const std::vector<Command>& commands, int argc, char** argv);

// "error: message" and "  help: hint" on stderr; the exit code that goes with it.
int report(const Error& error);
// kExitDone, or the error reported.
int exit_code_of(const Result<void>& outcome);

}  // namespace nilo::app
