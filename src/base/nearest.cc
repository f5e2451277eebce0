#include "base/nearest.h"

#include <array>

#include "base/assert.h"

namespace nilo {
namespace {

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  NILO_ASSERT(a.size() <= kNearestSizeMax && b.size() <= kNearestSizeMax);
  // Three rows of the usual table: a swap looks back two.
  std::array<std::array<std::size_t, kNearestSizeMax + 1>, 3> rows;
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    const auto& above = rows[(i - 1) % 3];
    auto& row = rows[i % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0U : 1U)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        row[j] = std::min(row[j], rows[(i - 2) % 3][j - 2] + 1);
      }
    }
  }
  return rows[a.size() % 3][b.size()];
}

bool is_near(std::string_view word, std::string_view candidate) {
  if (word.size() > kNearestSizeMax || candidate.size() > kNearestSizeMax) return false;
  if (word.empty() || word == candidate) return false;
  const std::size_t allowed = std::max<std::size_t>(1, word.size() / 3);
  const std::size_t difference = word.size() > candidate.size() ? word.size() - candidate.size()
                                                                : candidate.size() - word.size();
  if (difference > allowed) return false;
  // Nothing of a very short word would be left.
  if (word.size() == 1 || candidate.size() == 1) return lower(word[0]) == lower(candidate[0]);
  return edit_distance(word, candidate) <= allowed;
}

}  // namespace nilo
