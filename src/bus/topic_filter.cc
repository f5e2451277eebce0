#include "bus/topic_filter.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "value/message.h"

namespace nilo::bus {

namespace {

Error refused(std::string message, std::string hint = {}) {
  return {ErrorCode::invalid_argument, std::move(message), std::move(hint)};
}

// What topics and filters have in common; `what` is "topic" or "filter".
Result<void> check_text(std::string_view text, std::string_view what) {
  if (text.empty()) return refused(fmt::format("empty {}", what));
  if (text.size() > kTopicSizeMax) {
    return refused(
        fmt::format("{} of {} bytes; the limit is {}", what, text.size(), kTopicSizeMax));
  }
  if (!is_mqtt_text(text)) return refused(fmt::format("{} is not UTF-8 without U+0000", what));
  const auto levels = static_cast<std::size_t>(std::count(text.begin(), text.end(), '/')) + 1;
  if (levels > kTopicLevelsMax) {
    return refused(fmt::format("{} of {} levels; the limit is {}", what, levels, kTopicLevelsMax));
  }
  return {};
}

Result<void> check_level(std::string_view level, std::size_t number, bool is_last) {
  if (level == "#" && !is_last) {
    return refused(fmt::format("level {}: '#' must be last", number));
  }
  if (level.size() == 1 || level.find_first_of("+#") == std::string_view::npos) return {};
  return refused(fmt::format("level {}: '{}' covers a whole level, not part of '{}'", number,
                             level[level.find_first_of("+#")], level),
                 "write + alone, and compare topic(n) in the rule's WHERE");
}

}  // namespace

Result<void> check_topic(std::string_view topic) {
  TRY(check_text(topic, "topic"));
  if (topic.find_first_of("+#") != std::string_view::npos) {
    return refused(fmt::format("topic '{}' has a wildcard", topic),
                   "+ and # are for filters; publish to one topic");
  }
  return {};
}

Result<TopicFilter> TopicFilter::parse(std::string_view text) {
  TRY(check_text(text, "filter"));
  std::string_view rest = text;
  bool is_last = false;
  for (std::size_t number = 1; !is_last; ++number) {
    const std::string_view level = take_level(rest, is_last);
    TRY(check_level(level, number, is_last));
  }
  return TopicFilter(text, text.find_first_of("+#"));
}

bool TopicFilter::matches(std::string_view topic) const {
  if (!has_wildcard()) return topic == text_;
  if (topic.starts_with('$') && wildcard_at_ == 0) return false;
  std::string_view filter = text_;
  for (bool filter_ends = false, topic_ends = false;;) {
    const std::string_view wanted = take_level(filter, filter_ends);
    if (wanted == "#") return true;
    const std::string_view level = take_level(topic, topic_ends);
    if (wanted != "+" && wanted != level) return false;
    if (topic_ends) return filter_ends || filter == "#";  // "a/#" also matches "a"
    if (filter_ends) return false;
  }
}

bool TopicFilter::covers(std::string_view filter) const {
  if (filter.starts_with('$') && wildcard_at_ == 0) return false;
  std::string_view own = text_;
  for (bool own_ends = false, filter_ends = false;;) {
    const std::string_view mine = take_level(own, own_ends);
    if (mine == "#") return true;
    const std::string_view level = take_level(filter, filter_ends);
    if (level == "#" || (mine != "+" && mine != level)) return false;
    if (filter_ends) return own_ends || own == "#";
    if (own_ends) return false;
  }
}

}  // namespace nilo::bus
