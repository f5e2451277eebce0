// Any bytes as a selector, and as the id, type and field it is held against: no crash, one text for
// one meaning, and `*` fits what the plainest reading of it says.
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/utf8.h"
#include "value/selector.h"

namespace {

// One row of the table "does pattern[0, p) fit text[0, t)?" after the other.
bool fits_by_table(std::string_view pattern, std::string_view text) {
  std::vector<bool> row(text.size() + 1, false);
  row[0] = true;
  for (const char c : pattern) {
    std::vector<bool> next(text.size() + 1, false);
    if (c == '*') {
      bool any = false;
      for (std::size_t t = 0; t <= text.size(); ++t) next[t] = any = any || row[t];
    } else {
      for (std::size_t t = 0; t < text.size(); ++t) next[t + 1] = row[t] && text[t] == c;
    }
    row = std::move(next);
  }
  return row.back();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t line = bytes.find('\n');
  const std::string_view first = bytes.substr(0, line);
  const std::string_view rest = line == std::string_view::npos ? "" : bytes.substr(line + 1);
  if (first.size() <= 64 && rest.size() <= 64) {
    NILO_ASSERT(nilo::fits(first, rest) == fits_by_table(first, rest));
  }

  const auto selector = nilo::parse_selector(first);
  if (!selector) {
    NILO_ASSERT(nilo::is_utf8(selector.error().message));  // it is shown to people
    return 0;
  }
  const auto again = nilo::parse_selector(selector->text());
  NILO_ASSERT(again && *again == *selector);
  if (selector->is_single() && !selector->is_relative()) {
    NILO_ASSERT(selector->matches_thing(selector->thing, ""));
    NILO_ASSERT(selector->matches_field(selector->field));
  }
  NILO_ASSERT(!selector->matches_thing("", ""));
  (void)selector->matches_thing(rest, rest);
  (void)selector->matches_field(rest);
  NILO_ASSERT(!selector->is_relative() || selector->for_thing(rest).matches_thing(rest, "") ==
                                              (!rest.empty() && rest != "$thing"));
  return 0;
}
