// stack/toml.h: one TOML file as a tree that knows where each key and value stands.
//
// The fence around toml++: only toml.cc includes it.
// Threads: pure functions, values.
// Limits:  kDepthMax levels of keys, lists and inline tables.
// Source:  TOML 1.0, toml.io.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stack/diagnostic.h"
#include "stack/source.h"

namespace nilo::stack {

inline constexpr std::size_t kDepthMax = 16;

struct Member;

struct Node {
  enum class Kind : std::uint8_t { table, list, text, integer, number, boolean, time };

  Kind kind = Kind::table;
  Place place{};  // of the value; of a table with a header: the header
  std::string text{};
  std::int64_t integer = 0;
  double number = 0;  // also of an integer
  bool boolean = false;
  std::vector<Member> members;  // of a table, in the order of the file
  std::vector<Node> items;      // of a list

  bool is_number() const { return kind == Kind::integer || kind == Kind::number; }
};

struct Member {
  std::string key;
  Place key_place;
  Node node;
};

// "an integer", "text", ...: what a person would call the node.
std::string_view words_for(Node::Kind kind);

// The root table of `file`; nothing if it is not TOML, is nested too deeply or exceeds
// kFileSizeMax: then one diagnostic is appended (parsing cannot go on behind a mistake).
std::optional<Node> parse_toml(const SourceFile& file, std::vector<Diagnostic>& diagnostics);

}  // namespace nilo::stack
