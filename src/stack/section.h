// stack/section.h: takes the keys out of one TOML table and tells of what does not fit.
//
//   Section rule(member.node, member.key_place, "[rule.store]", reading);
//   const auto put = rule.text({"put", "\"tank_levels\""});
//   rule.finish();   // every key not asked for is unknown; the nearest asked-for one is offered
//
// A key that is absent, or whose value has the wrong form (told), gives nothing.
// Threads: one.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/nearest.h"
#include "stack/error_table.h"
#include "stack/stack.h"
#include "stack/toml.h"

namespace nilo::stack {

enum class FieldKind : std::uint8_t { any, number };

// A selector, to be held against things and tables when all files are read.
struct SelectorUse {
  Selector selector;
  Place place;
  FieldKind fields = FieldKind::any;
  std::optional<Selector> page_things{};  // `for` of the page it stands in
};

// A name in a policy, likewise.
struct PolicyWord {
  enum class Kind : std::uint8_t { thing, type, property };
  Kind kind;
  std::string text;
  Place place;
};

// A file of policies/, to be read by the section that names it.
struct PolicyFile {
  const SourceFile* file;
  bool is_used = false;
};

// What the readers of all sections share while a stack is read.
struct Reading {
  Stack stack{};
  std::vector<SelectorUse> selectors{};
  std::vector<PolicyWord> policy_words{};
  std::vector<PolicyFile> policy_files{};
  std::vector<Diagnostic> diagnostics{};
  const SourceFile* file = nullptr;  // the one being read

  template <typename... Arguments>
  void tell(Code code, const Place& place, std::string detail, const Arguments&... arguments) {
    if (diagnostics.size() >= kDiagnosticsMax) return;
    diagnostics.push_back(diagnose(code, place, std::move(detail), arguments...));
  }

  // False, and told, if `what` ("table `tank_levels`") was declared before, in any file.
  bool declare(const std::string& what, const Place& place);

 private:
  std::map<std::string, Place> declared_;
};

// "did you mean `cooldown`?", or empty.
template <typename Range>
std::string did_you_mean(std::string_view word, const Range& candidates) {
  const std::string_view found = nearest(word, candidates);
  return found.empty() ? std::string() : fmt::format("did you mean `{}`?", found);
}

// The same with the three nearest: "did you mean `a`, `b` or `c`?".
std::string did_you_mean_one_of(std::string_view word, std::vector<std::string_view> candidates);

struct Key {
  std::string_view name;
  std::string_view example;  // a value as it would be written
};

class Section {
 public:
  // `table`: a table node. `place`: its name in the file. `where`: its name in messages. All must
  // outlive this.
  Section(const Node& table, const Place& place, std::string where, Reading& reading)
      : table_(table), place_(place), where_(std::move(where)), reading_(reading) {}

  const Node* take(std::string_view key);
  // Tells if the key is absent.
  const Node* require(Key key);

  std::optional<std::string> text(Key key);
  std::optional<bool> boolean(Key key);
  std::optional<double> number(Key key);  // finite
  std::optional<std::int64_t> integer(Key key, std::int64_t min, std::int64_t max);
  std::optional<Duration> duration(Key key);
  std::optional<std::uint64_t> size(Key key);
  std::optional<std::string> address(Key key);
  const Node* table(Key key);
  const Node* list(Key key);
  std::optional<Text> sql(Key key);    // required
  std::optional<Text> prose(Key key);  // for people, with its places; not blank
  // One of `choices`.
  std::optional<std::string> choice(Key key, std::span<const std::string_view> choices);
  std::optional<Selector> selector(Key key);
  std::optional<std::string> zone(Key key);
  std::optional<std::string> range(Key key);
  // {file|env|cred = "..."}; `key.example` is the name of a variable.
  std::optional<Secret> secret(Key key);

  // The place of the value, or of the section if the key is absent.
  const Place& place_of(std::string_view key) const;
  const Place& place() const { return place_; }
  const std::string& where() const { return where_; }

  void finish();

 private:
  const Node* find(std::string_view key) const;
  // take(), and tells if the value is of another kind.
  const Node* take(Key key, Node::Kind kind);
  // `parse` of the text; tells `code` if there is no text or nothing comes of it.
  template <typename T, typename Parse>
  std::optional<T> formed(Key key, Code code, Parse parse);

  const Node& table_;
  const Place& place_;
  std::string where_;
  Reading& reading_;
  std::vector<std::string_view> taken_;
};

// `node`, the value of `key`, as a text with its places. Tells, and is nothing, if it is no text or
// blank.
std::optional<Text> read_sql(Key key, const Node& node, Reading& reading);

// `node`, the value of `key`, as a selector. Tells, and is nothing, if it is none.
std::optional<Selector> read_selector(Key key, const Node& node, Reading& reading);

// The type called `word`. Tells, and is nothing, if there is none.
std::optional<Type> read_type(std::string_view word, const Place& place, Reading& reading);

// Tells that `node`, the value of `key`, is not `wanted` ("text", "a list").
void tell_wrong_type(Reading& reading, Key key, std::string_view wanted, const Node& node);

}  // namespace nilo::stack
