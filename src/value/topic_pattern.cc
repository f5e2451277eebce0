#include "value/topic_pattern.h"

#include <fmt/format.h>

namespace nilo {

namespace {

constexpr PolicyText::Language kLanguage{short_policy_variable, false};

// Cuts the first level off `rest`; false: there is none left.
bool take_level(std::string_view& rest, bool& has_more, std::string_view& level) {
  if (!has_more) return false;
  const std::size_t slash = rest.find('/');
  level = rest.substr(0, slash);
  has_more = slash != std::string_view::npos;
  rest.remove_prefix(has_more ? slash + 1 : rest.size());
  return true;
}

}  // namespace

Result<TopicPattern> TopicPattern::parse(std::string_view text) {
  if (text.empty()) return Error{ErrorCode::invalid_argument, "empty"};
  TopicPattern out;
  std::string_view level;
  bool has_more = true;
  while (take_level(text, has_more, level)) {
    if (level == "#" && has_more) return Error{ErrorCode::invalid_argument, "`#` must be last"};
    if (level == "#" || level == "+") {
      out.levels_.push_back({level == "#" ? Level::Kind::rest : Level::Kind::one, {}});
      continue;
    }
    if (level.find_first_of("+#") != std::string_view::npos) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("+ and # cover a whole level, not part of `{}`", level)};
    }
    out.levels_.push_back({Level::Kind::text, TRY(PolicyText::parse(level, kLanguage))});
  }
  return out;
}

// The levels of `text` may be wildcards themselves: then only a wildcard of ours reaches as far.
bool TopicPattern::reaches(std::string_view text, const PolicySubject& subject) const {
  const bool is_hidden = text.starts_with('$') && levels_.front().kind != Level::Kind::text;
  if (is_hidden) return false;
  std::string_view level;
  bool has_more = true;
  for (const Level& own : levels_) {
    // "a/#" also reaches "a".
    if (!take_level(text, has_more, level)) return own.kind == Level::Kind::rest;
    if (own.kind == Level::Kind::rest) return true;
    if (level == "#") return false;
    if (own.kind == Level::Kind::one) continue;
    if (level == "+") return false;
    if (!own.text.matches({}, level, subject, PolicyText::Values::topic_safe)) return false;
  }
  return !has_more;
}

bool TopicPattern::matches(std::string_view topic, const PolicySubject& subject) const {
  return reaches(topic, subject);
}

bool TopicPattern::covers(std::string_view filter, const PolicySubject& subject) const {
  return reaches(filter, subject);
}

}  // namespace nilo
