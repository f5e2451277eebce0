// nilo things: the things there are, and what is written about them.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>

#include "app/commands.h"
#include "app/csv.h"
#include "app/remote.h"
#include "base/utf8.h"
#include "net/http.h"
#include "value/json.h"
#include "value/value.h"

namespace nilo::app {

namespace {

constexpr std::int64_t kPage = 500;

struct ThingsOptions {
  RemoteOptions remote;
  std::string thing{};
  std::string type{};
  std::string name{};
  std::string search{};
  std::string state{};
  std::string file = "-";
  std::vector<std::string> properties{};
  bool json = false;
};

struct NamedThing {
  std::string id;
  std::string type;
  std::string name;
  std::map<std::string, std::string> properties;
};

std::string path_of(const std::string& thing) {
  return "/api/v1/things/" + net::percent_encode(thing);
}

NamedThing thing_in(const JsonNode& node) {
  NamedThing thing{text_in(node, "id"), text_in(node, "type"), text_in(node, "name"), {}};
  if (thing.name == thing.id) thing.name.clear();
  const JsonNode* const properties = node.find("properties");
  if (properties == nullptr) return thing;
  for (const JsonMember& member : properties->members()) {
    if (member.value.is_string()) thing.properties[std::string(member.key)] = member.value.text();
  }
  return thing;
}

// Each thing of the list, page by page.
Result<void> for_each_thing(const ThingsOptions& options,
                            const std::function<void(const JsonNode&)>& f) {
  std::string cursor;
  do {
    std::string path = fmt::format("/api/v1/things?limit={}", kPage);
    const auto add = [&](std::string_view key, const std::string& value) {
      if (!value.empty()) path += fmt::format("&{}={}", key, net::percent_encode(value));
    };
    add("type", options.type);
    add("search", options.search);
    add("state", options.state);
    add("cursor", cursor);
    const auto answer = TRY(call(options.remote, "GET", path));
    JsonDocument document;
    const JsonNode* const root = TRY(document.parse(answer.body));
    const JsonNode* const things = root->find("things");
    if (things == nullptr) {
      return Error{ErrorCode::internal, "the server's answer has no things", ""};
    }
    for (const JsonNode& thing : things->elements()) f(thing);
    cursor = text_in(*root, "next");
  } while (!cursor.empty());
  return {};
}

// All that is written about it, without its id.
std::string members_of(const NamedThing& thing) {
  std::string out = "\"type\":";
  append_json_string(out, thing.type);
  append_json_string(out += ",\"name\":", thing.name);
  out += ",\"properties\":{";
  for (const auto& [name, text] : thing.properties) {
    append_json_string(out.back() == '{' ? out : out += ',', name);
    append_json_string(out += ':', text);
  }
  return out + "}";
}

std::string json_of(const NamedThing& thing) {
  std::string out = "{\"id\":";
  append_json_string(out, thing.id);
  return out + "," + members_of(thing) + "}";
}

Result<void> list(const ThingsOptions& options) {
  return for_each_thing(options, [&](const JsonNode& node) {
    if (options.json) {
      fmt::print("{}\n", json_of(thing_in(node)));
      return;
    }
    const auto shown = [&](std::string_view key) { return printable(text_in(node, key), 80); };
    const std::string ms = text_in(node, "seen");
    const std::string seen =
        ms.empty() ? "never" : iso_time(std::strtoll(ms.c_str(), nullptr, 10) * 1000).substr(0, 19);
    fmt::print("{:<24} {:<8} {:<12} {:<19} {}\n", shown("id"), shown("state"), shown("type"), seen,
               shown("name"));
  });
}

Result<NamedThing> fetch_one(const ThingsOptions& options) {
  const auto answer = TRY(call(options.remote, "GET", path_of(options.thing)));
  JsonDocument document;
  return thing_in(*TRY(document.parse(answer.body)));
}

Result<void> get(const ThingsOptions& options) {
  if (options.json) {
    fmt::print("{}\n", TRY(call(options.remote, "GET", path_of(options.thing))).body);
    return {};
  }
  const NamedThing thing = TRY(fetch_one(options));
  fmt::print("id = {}\ntype = {}\nname = {}\n", thing.id, printable(thing.type, 200),
             printable(thing.name, 200));
  for (const auto& [name, text] : thing.properties) {
    fmt::print("{} = {}\n", printable(name, 80), printable(text, 1024));
  }
  return {};
}

Result<void> put(const RemoteOptions& remote, const NamedThing& thing) {
  TRY(call(remote, "PUT", path_of(thing.id), "{" + members_of(thing) + "}"));
  return {};
}

// What is given changes, what is not stays; `key=` takes a property away.
Result<void> set(const ThingsOptions& options) {
  NamedThing thing{options.thing, {}, {}, {}};
  if (auto known = fetch_one(options)) {
    thing = std::move(*known);
  } else if (known.error().code != ErrorCode::not_found) {
    return known.error();
  }
  if (!options.type.empty()) thing.type = options.type;
  if (!options.name.empty()) thing.name = options.name;
  for (const std::string& given : options.properties) {
    const std::size_t equals = given.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("`{}` is no property", printable(given, 80)),
                   "write key=value, such as depth='89 cm' or lat=48.25"};
    }
    const std::string key = given.substr(0, equals);
    thing.properties.erase(key);
    if (equals + 1 < given.size()) thing.properties[key] = given.substr(equals + 1);
  }
  TRY(put(options.remote, thing));
  fmt::print("{} is written in nilo.d/things.toml.\n", thing.id);
  return {};
}

Result<void> remove(const ThingsOptions& options) {
  TRY(call(options.remote, "DELETE", path_of(options.thing)));
  fmt::print("{} is written there no more. Its rows stay, and its token or certificate.\n",
             options.thing);
  return {};
}

Result<void> print_csv(const ThingsOptions& options) {
  std::vector<NamedThing> things;
  std::map<std::string, bool> names;
  TRY(for_each_thing(options, [&](const JsonNode& node) {
    things.push_back(thing_in(node));
    for (const auto& [name, text] : things.back().properties) names[name] = true;
  }));
  std::vector<std::string> head = {"id", "type", "name"};
  for (const auto& [name, is_there] : names) head.push_back(name);
  fmt::print("{}", csv_line(head));
  for (const NamedThing& thing : things) {
    std::vector<std::string> cells = {thing.id, thing.type, thing.name};
    for (const auto& [name, is_there] : names) {
      const auto at = thing.properties.find(name);
      cells.push_back(at == thing.properties.end() ? "" : at->second);
    }
    fmt::print("{}", csv_line(cells));
  }
  return {};
}

Result<std::string> text_of_file(const std::string& file) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error{ErrorCode::not_found, fmt::format("cannot read {}", file), ""};
  return std::string(std::istreambuf_iterator<char>(in), {});
}

Result<NamedThing> thing_of_row(const CsvRow& head, const CsvRow& row) {
  NamedThing thing;
  if (row.cells.size() > head.cells.size()) {
    return Error{ErrorCode::invalid_argument, "more cells than the first line has", ""};
  }
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    const std::string& key = head.cells[i];
    if (key == "id") {
      thing.id = row.cells[i];
    } else if (key == "type") {
      thing.type = row.cells[i];
    } else if (key == "name") {
      thing.name = row.cells[i];
    } else if (!row.cells[i].empty()) {
      thing.properties[key] = row.cells[i];
    }
  }
  if (thing.id.empty()) return Error{ErrorCode::invalid_argument, "no id", ""};
  return thing;
}

// Every row that can be taken is taken; the others are told, with their line.
Result<void> import_csv(const ThingsOptions& options) {
  const auto rows = TRY(read_csv(TRY(text_of_file(options.file))));
  const bool has_ids = !rows.empty() && std::find(rows[0].cells.begin(), rows[0].cells.end(),
                                                  "id") != rows[0].cells.end();
  if (!has_ids) {
    return Error{ErrorCode::invalid_argument, "the first line names no column `id`",
                 "id,type,name and properties: nilo things export shows the form"};
  }
  std::size_t taken = 0;
  std::size_t refused = 0;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto thing = thing_of_row(rows[0], rows[i]);
    Result<void> done = thing ? put(options.remote, *thing) : Result<void>(thing.error());
    if (done) {
      ++taken;
      continue;
    }
    ++refused;
    fmt::print(stderr, "line {}: {}\n", rows[i].line, done.error().message);
    if (done.error().code == ErrorCode::unavailable) return done;
  }
  fmt::print("{} written, {} refused\n", taken, refused);
  if (refused == 0) return {};
  return Error{ErrorCode::invalid_argument, fmt::format("{} lines were refused", refused),
               "put them right and import again: what was written is written once more"};
}

using Options = std::shared_ptr<ThingsOptions>;
constexpr const char* kThingHelp = "its id, such as tank-1";

}  // namespace

std::vector<Command> things_commands() {
  const Options options = std::make_shared<ThingsOptions>();
  const Option thing{"THING", kThingHelp, &options->thing, true};
  const Option json{"--json", "JSON instead of words", &options->json};
  const Option type{"--type", "only things of this type", &options->type};
  const Option search{"--search", "only with this in id, name or type", &options->search};
  const Option state{"--state", "only ok, silent, invalid or never", &options->state};
  const auto with = [&](std::vector<Option> own) {
    return with_http_options(std::move(own), options->remote);
  };
  return {
      {"things ls",
       "Lists things: id, state, type, last seen (UTC), name.",
       {"nilo things ls", "nilo things ls --state silent"},
       with({search, type, state, json}),
       [options] { return exit_code_of(list(*options)); }},
      {"things get",
       "Shows what is written about a thing.",
       {"nilo things get tank-1", "nilo things get tank-1 --json"},
       with({thing, json}),
       [options] { return exit_code_of(get(*options)); }},
      {"things set",
       "Adds a thing or changes it: a line of nilo.d/things.toml. What is not given stays.",
       {"nilo things set tank-4 --type tank --name Meadow depth='89 cm' lat=48.25 lon=16.37",
        "nilo things set s-7 tags='north, roof' next=s-8 station=roof"},
       with({thing,
             {"--type", "what kind of thing it is", &options->type},
             {"--name", "for people", &options->name},
             {"PROPERTY", "key=value, several; key= takes one away", &options->properties}}),
       [options] { return exit_code_of(set(*options)); }},
      {"things rm",
       "Takes a thing out of nilo.d/things.toml; its rows stay.",
       {"nilo things rm tank-4"},
       with({thing}),
       [options] { return exit_code_of(remove(*options)); }},
      {"things export",
       "Prints all things as CSV: id, type, name, then a column for each property.",
       {"nilo things export > things.csv"},
       with({search, type}),
       [options] { return exit_code_of(print_csv(*options)); }},
      {"things import",
       "Adds or changes the things of a CSV file with a column `id`.",
       {"nilo things import things.csv", "nilo things import - < things.csv"},
       with({{"FILE", "the file; -: standard input", &options->file, true}}),
       [options] { return exit_code_of(import_csv(*options)); }},
  };
}

}  // namespace nilo::app
