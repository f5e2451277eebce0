// stack/stack.h: what a user declares in nilo.toml and nilo.d/*.toml, read and checked.
//
// In/out:  a folder, or its files in memory -> plain structures and every mistake found.
// Threads: values and pure functions; load() reads the disk.
// Limits:  kFilesMax files of kFileSizeMax bytes, keys nested kKeyDepthMax deep (toml.h).
// Source:  docs/stack.md describes every key.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stack/diagnostic.h"
#include "stack/source.h"
#include "value/schema.h"

namespace nilo::stack {

using Duration = std::chrono::milliseconds;

// A thing's own property: `depth = "89 cm"` has number 89 and unit "cm"; `colour = "red"` has only
// its text.
struct Property {
  std::string name;
  std::string text;
  std::optional<double> number{};
  std::string unit{};
};

struct Thing {
  std::string id;
  std::string type;  // "tank", or empty
  std::string name;  // for people; the id if none is given
  std::vector<Property> properties;
  Place place;
};

struct Table {
  TableSchema schema;
  // One for each derived column, in the order of schema.columns from schema.stored_count() on.
  std::vector<Text> derived;
  std::optional<Duration> keep{};  // rows older than this may go
  Place place;
};

struct Republish {
  std::string topic;  // no wildcards
  int qos = 0;        // 0, 1
};

struct Rule {
  std::string name;
  Text sql;
  std::string version = "2016-03-23";  // or "2015-10-08"
  std::string put{};                   // a table of the stack, or empty
  Place put_place{};
  std::optional<Republish> republish{};
  bool disabled = false;
  Place place;
};

struct Parameter {
  std::string name;  // without the `$`
  Type type;
};

struct Endpoint {
  std::string name;
  std::string path;  // "/prod/data"
  Text sql;
  std::vector<Parameter> parameters;  // every `$name` of the SQL, in order of appearance
  bool many = false;                  // always answer a list
  bool open = false;                  // answer without a token
  Place place;
};

// Empty: the program's default, which the command line may also overrule.
struct Settings {
  std::optional<std::string> mqtt_listen{};  // "127.0.0.1:1883"
  std::optional<std::string> http_listen{};
  std::optional<std::uint64_t> tables_memory_bytes{};
  std::optional<Duration> sql_time{};
  std::optional<std::uint64_t> sql_memory_bytes{};
};

struct Stack {
  std::vector<Thing> things;
  std::vector<Table> tables;
  std::vector<Rule> rules;
  std::vector<Endpoint> endpoints;
  Settings settings;

  const Table* find_table(std::string_view name) const;
};

// `stack` may be used only when `ok()`. Otherwise it holds what could be read, so that a further
// check (of the rules' SQL) can add its mistakes to the same list.
struct Loaded {
  Stack stack;
  std::vector<Diagnostic> diagnostics;
  SourceFiles files;

  bool ok() const { return diagnostics.empty(); }
};

// Reads `folder`/nilo.toml, then `folder`/nilo.d/*.toml in the order of their names.
// Never fails: a folder or file that cannot be read is a diagnostic.
Loaded load(const std::string& folder);

// The same from memory. TOML that cannot be parsed is reported once per file, at the first place.
Loaded parse(SourceFiles files);

}  // namespace nilo::stack
