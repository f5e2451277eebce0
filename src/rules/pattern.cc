#include "rules/pattern.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/assert.h"
#include "base/utf8.h"

namespace nilo::rules {

struct Pattern::Compiled {
  re2::RE2 expression;
};

namespace {

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const re2::StringPiece& text) { return {text.data(), text.size()}; }

}  // namespace

Pattern::Pattern(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Pattern::~Pattern() = default;

std::shared_ptr<const Pattern> Pattern::compile(std::string_view expression, std::string& why) {
  if (expression.size() > kPatternSizeMax) {
    why = "it is longer than 4096 bytes";
    return nullptr;
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternMemoryMax);
  auto compiled = std::unique_ptr<Compiled>(new Compiled{re2::RE2(piece(expression), options)});
  if (!compiled->expression.ok()) {
    why = compiled->expression.error();
    return nullptr;
  }
  return std::shared_ptr<const Pattern>(new Pattern(std::move(compiled)));
}

// RE2 falls back from an automaton to a simulation of all its states when memory is short.
std::size_t Pattern::steps_for(std::size_t size) const {
  constexpr std::size_t kSimulatedPerStep = 64;
  const auto states = static_cast<std::size_t>(compiled_->expression.ProgramSize());
  return size * states / kSimulatedPerStep + 1;
}

bool Pattern::is_in(std::string_view text) const {
  return re2::RE2::PartialMatch(piece(text), compiled_->expression);
}

std::optional<std::string_view> Pattern::find(std::string_view text) const {
  re2::StringPiece match;
  const bool found =
      compiled_->expression.Match(piece(text), 0, text.size(), re2::RE2::UNANCHORED, &match, 1);
  if (!found) return std::nullopt;
  return view(match);
}

bool Pattern::is_replacement(std::string_view replacement) const {
  const int groups = compiled_->expression.NumberOfCapturingGroups();
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    if (replacement[i] != '$' && replacement[i] != '\\') continue;
    const bool is_group = replacement[i] == '$';
    if (++i == replacement.size()) return false;
    const bool is_known =
        replacement[i] >= '0' && replacement[i] <= '9' && replacement[i] - '0' <= groups;
    if (is_group && !is_known) return false;
  }
  return true;
}

bool Pattern::replace(std::string_view text, std::string_view replacement, std::size_t size_max,
                      std::size_t steps_max, std::string& out) const {
  NILO_ASSERT(is_replacement(replacement));
  re2::StringPiece groups[kReplacementGroupsMax + 1];
  const int group_count =
      1 + std::min(compiled_->expression.NumberOfCapturingGroups(), int{kReplacementGroupsMax});
  std::size_t at = 0;
  while (at <= text.size() && out.size() <= size_max) {
    const std::size_t steps = steps_for(text.size() - at);
    if (steps > steps_max) return false;
    steps_max -= steps;
    const bool found = compiled_->expression.Match(piece(text), at, text.size(),
                                                   re2::RE2::UNANCHORED, groups, group_count);
    if (!found) break;
    const std::string_view match = view(groups[0]);
    const auto begin = static_cast<std::size_t>(match.data() - text.data());
    out.append(text, at, begin - at);
    for (std::size_t i = 0; i < replacement.size(); ++i) {
      const char c = replacement[i];
      if (c == '$') {
        const std::string_view group = view(groups[replacement[++i] - '0']);
        out.append(group);
      } else {
        out += c == '\\' ? replacement[++i] : c;
      }
    }
    at = begin + match.size();
    if (!match.empty()) continue;
    // An empty match: go on behind the next character (all its UTF-8 bytes).
    do {
      if (at < text.size()) out += text[at];
      ++at;
    } while (at < text.size() && is_continuation(text[at]));
  }
  if (at < text.size()) out.append(text, at);
  return out.size() <= size_max;
}

}  // namespace nilo::rules
