// rules/syntax.h: a statement as a tree; the parser builds it, the checker completes it, the
// evaluator walks it.
//
// Threads: immutable once checked.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/datum.h"
#include "rules/lexer.h"

namespace nilo::rules {

struct FunctionInfo;
class Pattern;
struct Select;

enum class Op : std::uint8_t {
  literal,      // value
  payload,      // *: what FROM gives, or an element of a nested FROM
  raw,          // the payload's bytes: the * of encode(*, 'base64')
  name,         // text: a member of that
  column,       // of an Expression: `index`
  member,       // children[0].text
  variable,     // `index` of the SET variables
  negate,       // children[0]
  logical_not,  // children[0]
  logical_and,  // children[0], children[1]
  logical_or,
  equal,
  unequal,
  less,
  less_equal,
  greater,
  greater_equal,
  add,
  subtract,
  multiply,
  divide,
  remainder,
  choose,  // CASE children[0] WHEN [1] THEN [2] ... [ELSE last]
  object,  // keys[i] : children[i]
  array,   // children
  cast,    // children[0] to `cast_type`
  call,    // function(children)
  nested,  // select
};

enum class CastType : std::uint8_t { text, integer, decimal, boolean };

// What a value depends on, besides the statement: bits.
struct Depends {
  static constexpr std::uint8_t kNothing = 0;
  static constexpr std::uint8_t kTopic = 1;
  static constexpr std::uint8_t kMessage = 2;  // who sent it and when, or chance
  static constexpr std::uint8_t kPayload = 4;  // its content, or a nested FROM's element
};

struct Node;
using NodePtr = std::unique_ptr<Node>;

struct Node {
  static constexpr std::uint16_t kNoSlot = 0xffff;

  Op op = Op::literal;
  CastType cast_type = CastType::text;
  std::uint8_t depends = Depends::kNothing;
  std::uint16_t slot = kNoSlot;  // of the topic cache
  std::uint16_t index = 0;       // of a variable or column
  std::uint32_t height = 1;      // of the tree from here down
  Place place;

  Datum value;                    // literal: points into `text` or at `number`
  std::string text;               // literal, name, member; call: the name as written
  std::optional<Decimal> number;  // literal
  std::vector<NodePtr> children;
  std::vector<std::string> keys;  // object
  const FunctionInfo* function = nullptr;
  std::shared_ptr<const Pattern> pattern;  // call: its regular expression, if that is a literal
  std::unique_ptr<Select> select;
};

struct Item {
  bool is_all = false;            // *
  NodePtr value;                  // unless is_all
  std::vector<std::string> path;  // AS a.b, or the default name
  Place place;
};

struct Select {
  bool is_value = false;  // SELECT VALUE items[0]
  std::vector<Item> items;
  NodePtr from;        // nested only
  std::string filter;  // outermost only
  Place filter_place;
  NodePtr where;  // may be null
  // How the names of the items merge into one object.
  bool has_all = false;
  bool has_paths = false;  // some name has more than one level
};

struct Variable {
  std::string name;
  NodePtr value;
  Place place;
};

// A compiled statement, or a compiled Expression (then only `select.items[0].value` is used).
struct Program {
  bool whole_decimals_are_ints = true;  // version 2016-03-23
  std::string version;
  std::vector<Variable> variables;
  Select select;
  std::vector<std::string> output_names;  // empty if not known before the message
  bool selects_all = false;
  bool is_verbatim = false;  // SELECT * alone: the payload as it came
  std::size_t slot_count = 0;
};

}  // namespace nilo::rules
