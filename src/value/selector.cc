#include "value/selector.h"

#include <fmt/format.h>

#include "base/utf8.h"

namespace nilo {
namespace {

constexpr std::string_view kForms = "write tank-1/percent, tank-*/percent or type:tank/percent";
constexpr std::string_view kType = "type:";
constexpr std::string_view kThisThing = "$thing";
constexpr std::size_t kShownMax = 64;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

Error wrong(std::string_view text, const std::string& why,
            ErrorCode code = ErrorCode::invalid_argument, std::string_view hint = kForms) {
  return {code, fmt::format("selector `{}`: {}", printable(text, kShownMax), why),
          std::string(hint)};
}

// As thing_template.h makes them, and `*`.
constexpr std::string_view kInId = "-.:*%";
bool is_beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

// Nothing but letters, digits and `more`, at least one character; in ids letters of all languages,
// too. `begin`: where `part` stands in `text`.
Result<void> check_part(std::string_view text, std::string_view part, std::size_t begin,
                        std::string_view what, std::string_view more) {
  if (part.empty()) return wrong(text, fmt::format("there is no {} at {}", what, begin + 1));
  for (std::size_t at = 0; at < part.size(); ++at) {
    if (is_word(part[at]) || more.find(part[at]) != std::string_view::npos) continue;
    if (more == kInId && is_beyond_ascii(part[at])) continue;
    return wrong(text, fmt::format("character {} cannot stand in a {}", begin + at + 1, what));
  }
  return {};
}

// What belongs to the language of pages and is not in this version.
Result<void> check_available(std::string_view text) {
  for (const std::string_view later : {"tag:", "sql:"}) {
    if (text.starts_with(later)) {
      return wrong(text, fmt::format("`{}` is not available yet", later), ErrorCode::unsupported);
    }
  }
  if (text.starts_with("$thing.")) {
    return wrong(text, "relations are not available yet", ErrorCode::unsupported,
                 "write $thing/percent for the page's own thing");
  }
  return {};
}

}  // namespace

bool fits(std::string_view pattern, std::string_view text) {
  // Only the last `*` ever needs to be tried again: at most text times pattern steps.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool Selector::matches_thing(std::string_view id, std::string_view type) const {
  if (is_relative()) return false;
  const std::string_view held = is_type ? type : id;
  return !held.empty() && fits(thing, held);
}

bool Selector::matches_field(std::string_view name) const { return fits(field, name); }

bool Selector::is_single() const {
  return !is_type && thing.find('*') == std::string::npos && field.find('*') == std::string::npos;
}

Selector Selector::for_thing(std::string_view id) const {
  Selector out = *this;
  if (is_relative()) out.thing = id;
  return out;
}

std::string Selector::text() const {
  std::string out = is_type ? std::string(kType) + thing : thing;
  if (field != "*") out.append("/").append(field);
  return out;
}

Result<Selector> parse_selector(std::string_view text) {
  if (text.size() > kSelectorSizeMax) {
    return wrong(text, fmt::format("more than {} bytes", kSelectorSizeMax), ErrorCode::too_large);
  }
  if (text.empty()) return wrong(text, "this is empty");
  if (!is_utf8(text)) return wrong(text, "this is not UTF-8");
  TRY(check_available(text));

  Selector out;
  out.is_type = text.starts_with(kType);
  const std::size_t begin = out.is_type ? kType.size() : 0;
  const std::size_t slash = text.find('/');
  const std::string_view thing = text.substr(begin, slash - begin);
  const bool is_relative = !out.is_type && thing == kThisThing;
  if (!is_relative) {
    if (out.is_type) {
      TRY(check_part(text, thing, begin, "type", "-.:*"));
    } else {
      TRY(check_part(text, thing, begin, "thing's id", kInId));
    }
  }
  out.thing = thing;
  out.field = "*";
  if (slash != std::string_view::npos) {
    const std::string_view field = text.substr(slash + 1);
    TRY(check_part(text, field, slash + 1, "field's name", "*"));
    out.field = field;
  }
  return out;
}

}  // namespace nilo
