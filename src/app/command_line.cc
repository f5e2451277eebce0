#include "app/command_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>

#include "base/nearest.h"
#include "base/utf8.h"
#include "stack/error_table.h"

namespace nilo::app {

namespace {

constexpr const char* kExitCodes =
    "Exit codes of nilo\n"
    "  0  done\n"
    "  1  failed\n"
    "  2  wrong usage\n"
    "  3  the stack has mistakes; nothing was changed\n"
    "  4  the server cannot be reached\n"
    "  5  not allowed\n"
    "  6  not found\n"
    "  7  conflict: exists already, or is in use\n";

void add_option(CLI::App& to, const Option& option) {
  const auto add = [&](auto* target) -> CLI::Option* {
    using T = std::remove_pointer_t<decltype(target)>;
    if constexpr (std::is_same_v<T, bool>) {
      return to.add_flag(option.flags, *target, option.help);
    } else if constexpr (std::is_arithmetic_v<T>) {
      return to.add_option(option.flags, *target, option.help)->capture_default_str();
    } else {
      return to.add_option(option.flags, *target, option.help);
    }
  };
  CLI::Option* added = std::visit(add, option.target);
  if (option.required) added->required();
}

// Examples stand before the options: they are what most people look for.
std::string description_of(const Command& command) {
  std::string text = command.summary + "\n";
  for (const std::string& example : command.examples) text += "\n  $ " + example;
  return command.examples.empty() ? text : text + "\n";
}

// "rules test" becomes `test` below `rules`, which is made when it is first needed.
CLI::App& subcommand_for(CLI::App& app, std::map<std::string, CLI::App*>& groups,
                         const Command& command) {
  const std::size_t space = command.name.find(' ');
  if (space == std::string::npos) {
    return *app.add_subcommand(command.name, description_of(command));
  }
  const std::string group = command.name.substr(0, space);
  CLI::App*& parent = groups[group];
  if (parent == nullptr) {
    parent = app.add_subcommand(group, "see `nilo " + group + " --help`");
    parent->require_subcommand(1);
  }
  return *parent->add_subcommand(command.name.substr(space + 1), description_of(command));
}

// The first word that is no command, with the nearest one that is.
std::string unknown_command(const std::vector<Command>& commands, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return "";
  const std::string_view word = argv[1];
  std::vector<std::string> names{"help"};
  for (const Command& command : commands) {
    names.push_back(command.name.substr(0, command.name.find(' ')));
  }
  for (const std::string& name : names) {
    if (name == word) return "";
  }
  const std::string_view near = nearest(word, names);
  std::string text = fmt::format("unknown command `{}`", printable(word, 40));
  if (!near.empty()) text += fmt::format("; did you mean `{}`?", near);
  return text;
}

int print_help(const std::string& topic, const std::string& overview) {
  const std::string_view explanation = stack::explain(topic);
  if (topic == "exit-codes") {
    std::fputs(kExitCodes, stdout);
  } else if (!explanation.empty()) {
    fmt::print("{}: {}\n", topic, explanation);
  } else if (topic.empty()) {
    std::fputs(overview.c_str(), stdout);
  } else {
    return report({ErrorCode::not_found, fmt::format("no help on `{}`", printable(topic, 40)),
                   "nilo help exit-codes, or a code such as C204"});
  }
  return kExitDone;
}

}  // namespace

int run_command_line(const std::vector<Command>& commands, int argc, char** argv) {
  CLI::App app{
      "nilo: a sensor back end in one program.\n\n"
      "  $ nilo serve examples/water-tanks --open\n"
      "  $ nilo pub -t water1/pub -m '{\"distance\": 47}'\n"
      "  $ nilo sql \"SELECT * FROM latest('tank_levels')\"\n"};
  app.name("nilo");
  app.require_subcommand(1);
  int exit_code = kExitUsage;
  std::map<std::string, CLI::App*> groups;
  for (const Command& command : commands) {
    CLI::App& sub = subcommand_for(app, groups, command);
    for (const Option& option : command.options) add_option(sub, option);
    sub.callback([&exit_code, &command] { exit_code = command.run(); });
  }
  std::string topic;
  CLI::App* help = app.add_subcommand("help",
                                      "More on a topic.\n\n  $ nilo help exit-codes\n"
                                      "  $ nilo help C204\n");
  help->add_option("TOPIC", topic, "exit-codes, or the code of a mistake in a stack");
  help->callback([&] { exit_code = print_help(topic, app.help()); });

  if (const std::string mistake = unknown_command(commands, argc, argv); !mistake.empty()) {
    fmt::print(stderr, "error: {}\n  help: nilo --help\n", mistake);
    return kExitUsage;
  }
  try {  // CLI11 reports by exceptions; they end here
    app.parse(argc, argv);
  } catch (const CLI::Success& request) {
    return app.exit(request);  // --help
  } catch (const CLI::ParseError& failure) {
    fmt::print(stderr, "error: {}\n  help: nilo {}--help\n", failure.what(),
               argc > 1 && argv[1][0] != '-' ? std::string(argv[1]) + " " : "");
    return kExitUsage;
  }
  return exit_code;
}

int exit_code_of(const Result<void>& outcome) {
  return outcome ? kExitDone : report(outcome.error());
}

int report(const Error& error) {
  fmt::print(stderr, "error: {}\n", error.message);
  if (!error.hint.empty()) fmt::print(stderr, "  help: {}\n", error.hint);
  switch (error.code) {
    case ErrorCode::unavailable:
      return kExitUnreachable;
    case ErrorCode::unauthenticated:
    case ErrorCode::permission_denied:
      return kExitNotAllowed;
    case ErrorCode::not_found:
      return kExitNotFound;
    case ErrorCode::conflict:
      return kExitConflict;
    default:
      return kExitFailed;
  }
}

}  // namespace nilo::app
