// rules/scratch.h: the memory one thread evaluates rules in, and the result of the last evaluation.
//
// Reused from message to message: once warm, evaluating allocates nothing on the common path. It
// also remembers, for the topics seen most recently, what expressions that depend on nothing but
// the topic came to (kTopicCacheSize entries; a newer topic displaces an older one).
// Threads: one per thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "value/value.h"

namespace nilo::rules {

struct Context;

// Work one evaluation may do: expressions evaluated, plus one for each kStepBytes bytes of text
// that functions go through. Then: failed, "took too many steps".
inline constexpr std::size_t kStepsMax = 1'000'000;
inline constexpr std::size_t kStepBytes = 64;
// Memory one evaluation may fill with texts and containers it builds. Then: failed.
inline constexpr std::size_t kArenaSizeMax = 16 * 1024 * 1024;
// A result as JSON, unless it is the untouched payload (SELECT *). Then: too_large.
inline constexpr std::size_t kResultSizeMax = 128 * 1024;
inline constexpr std::size_t kTopicCacheSize = 4096;

// One top-level output of a statement, as a cell for a table.
struct Output {
  std::string_view name;
  Value value;  // Int -> int64 (float64 beyond 64 bits), Decimal -> float64, containers -> json,
                // Null and Undefined -> null
};

class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(Scratch&&) noexcept;
  Scratch& operator=(Scratch&&) noexcept;

  // The three below speak of the last evaluate() in this Scratch. Views live until the next one,
  // and as long as the message does.

  // Asserted: the outcome was matched. Without selects_all() position i is output_names()[i].
  // invalid_argument: the payload (SELECT *) or the value (SELECT VALUE) is no JSON object.
  // too_large: a container cell does not fit.
  Result<std::span<const Output>> outputs();

  // Appends the result as one JSON text; for a lone `SELECT *` the payload's bytes as they came.
  // A lone Undefined appends nothing. Asserted: the outcome was matched.
  // too_large: over kResultSizeMax; nothing was appended.
  Result<void> append_json(std::string& out);

  // Why the last evaluation failed; empty if it did not.
  const std::string& error() const;

 private:
  friend class Statement;
  friend class Expression;
  std::unique_ptr<Context> context_;
};

}  // namespace nilo::rules
