// rules/statement.h: one rule's SQL, compiled once, evaluated for every message.
//
// The language is the one of AWS IoT rules; docs/rules.md is its reference.
// In/out:  SQL text -> Statement or all its mistakes; message -> no match, a result, or a failure.
// Threads: a Statement is immutable: share and copy it freely. Each thread has its own Scratch.
// Limits:  kStatementSizeMax, kNestingMax, kChainMax, kVariablesMax here; kStepsMax and
//          kResultSizeMax in scratch.h. Beyond them: a mistake, or Outcome::failed.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "value/message.h"

namespace nilo::rules {

class Scratch;
struct Program;

inline constexpr std::size_t kStatementSizeMax = 64 * 1024;
inline constexpr std::size_t kNestingMax = 64;    // parentheses, calls, nested SELECTs
inline constexpr std::size_t kChainMax = 1000;    // height of the tree: a + b + c + ...
inline constexpr std::size_t kVariablesMax = 10;  // SET @a = ..., @b = ...
inline constexpr std::size_t kVariableNameSizeMax = 64;
inline constexpr std::size_t kMistakesMax = 20;

// Something in the SQL text that keeps it from being a statement.
struct Mistake {
  std::size_t line = 1;    // of the marked word, counting from 1
  std::size_t column = 1;  // likewise, in characters
  std::size_t size = 0;    // of the marked word, in characters
  std::string message;
  std::string hint;  // what to write instead; may be empty
};

struct CompileOptions {
  // "2016-03-23" or "2015-10-08".
  std::string_view version = "2016-03-23";
};

enum class Outcome : std::uint8_t {
  no_match,  // WHERE was not true
  matched,   // the result is in the Scratch
  failed,    // Scratch::error() says why, e.g. "payload is not JSON at byte 0: ..."
};

class Statement {
 public:
  // Never both: a statement, or at least one mistake (at most kMistakesMax), in text order.
  static std::variant<Statement, std::vector<Mistake>> compile(std::string_view sql,
                                                               const CompileOptions& options = {});

  // FROM's topic filter; "" if the statement has no FROM.
  const std::string& filter() const;
  // True if the names of the outputs are known only with the message: SELECT * (with or without
  // further items) and SELECT VALUE.
  bool selects_all() const;
  // Top-level names in the order of the statement. Empty if selects_all().
  const std::vector<std::string>& output_names() const;

  // Whether the topic matches the filter is the caller's affair. Pure but for rand(), newuuid()
  // and traceid(). The result in `scratch` points into the message.
  Outcome evaluate(const MessageView& message, Scratch& scratch) const;

 private:
  explicit Statement(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

}  // namespace nilo::rules
