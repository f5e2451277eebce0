// rules/pattern.h: regular expressions in linear time; the fence around RE2.
//
// Limits:  kPatternSizeMax bytes of expression, kPatternMemoryMax bytes compiled. Linear in the
//          text, but with a factor that grows with the expression: ask steps_for() before.
// Threads: a Pattern is immutable: share freely.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace nilo::rules {

inline constexpr std::size_t kPatternSizeMax = 4096;
inline constexpr std::int64_t kPatternMemoryMax = 1 << 20;
inline constexpr std::size_t kReplacementGroupsMax = 9;

class Pattern {
 public:
  // nullptr: `expression` is none (or needs too much memory); `why` says in which way.
  static std::shared_ptr<const Pattern> compile(std::string_view expression, std::string& why);
  ~Pattern();

  // What one search through `size` bytes costs at worst, in steps of kStepsMax.
  std::size_t steps_for(std::size_t size) const;

  bool is_in(std::string_view text) const;
  // The first match.
  std::optional<std::string_view> find(std::string_view text) const;

  // "$1", "\$" and so on are right for this expression.
  bool is_replacement(std::string_view replacement) const;
  // Appends `text` with all matches replaced. `replacement`: $0 to $9 stand for groups, \x for x.
  // False: stopped, because `out` exceeded `size_max` or the searches `steps_max` (every match
  // starts a new search, which may look at all the rest). Asserted: is_replacement(replacement).
  bool replace(std::string_view text, std::string_view replacement, std::size_t size_max,
               std::size_t steps_max, std::string& out) const;

 private:
  struct Compiled;
  explicit Pattern(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace nilo::rules
