// base/nearest.h: which known word was probably meant?
//
// Distance: Damerau-Levenshtein (optimal string alignment), ASCII letter case ignored; a word
// counts as near if at most a third of its characters, and always one, must change. Threads: pure
// functions. Limits:  words over kNearestSizeMax bytes are near to nothing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace nilo {

inline constexpr std::size_t kNearestSizeMax = 64;

// Insertions, deletions, replacements and swaps of neighbours that make `b` of `a`.
// Asserted: both at most kNearestSizeMax bytes.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Is `candidate` near enough to `word` to ask "did you mean"? Never the word itself.
bool is_near(std::string_view word, std::string_view candidate);

// The nearest of `candidates` (a range of things that convert to string_view), the first of equally
// near ones; empty if none is near. The view is into the candidate.
template <typename Range>
std::string_view nearest(std::string_view word, const Range& candidates) {
  std::string_view best;
  std::size_t best_distance = kNearestSizeMax;
  for (const auto& candidate : candidates) {
    const std::string_view text(candidate);
    if (!is_near(word, text)) continue;
    const std::size_t distance = edit_distance(word, text);
    if (distance < best_distance) {
      best = text;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace nilo
