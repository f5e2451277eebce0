// bus/topic_filter.h: which messages does a listener hear?
//
// In/out:  topic and filter text -> valid or why not; do they match?
// Threads: immutable after parse(); share freely.
// Limits:  kTopicSizeMax bytes, kTopicLevelsMax levels (value/message.h).
// Source:  MQTT 5.0 section 4.7 (the same rules as MQTT 3.1.1 section 4.7).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace nilo::bus {

// May a message be published here? Says nothing about rights: "$..." passes.
// invalid_argument: empty, not MQTT text, a wildcard, over a limit; the message says which.
Result<void> check_topic(std::string_view topic);

class TopicFilter {
 public:
  // invalid_argument: names the level, e.g. "level 2: '#' must be last". "$share/..." is parsed
  // like any other filter: share.h takes it apart before.
  static Result<TopicFilter> parse(std::string_view text);

  // `topic` has passed check_topic(). A wildcard does not stand for a first level that begins
  // with '$' [MQTT-4.7.2-1]. O(topic size), no allocation.
  bool matches(std::string_view topic) const;

  // Does it match every topic that `filter` matches? `filter` has passed parse().
  bool covers(std::string_view filter) const;

  const std::string& text() const { return text_; }
  bool has_wildcard() const { return wildcard_at_ != std::string::npos; }
  // The text before the first wildcard: every matching topic begins with it, except that "a/#"
  // also matches "a".
  std::string_view literal_prefix() const {
    return std::string_view(text_).substr(0, wildcard_at_);
  }

 private:
  TopicFilter(std::string_view text, std::size_t wildcard_at)
      : text_(text), wildcard_at_(wildcard_at) {}
  std::string text_;
  std::size_t wildcard_at_;  // npos: none
};

// Cuts the first level off `rest`. `rest` becomes what follows the '/'; `is_last` says that there
// was none (an empty last level is a level).
inline std::string_view take_level(std::string_view& rest, bool& is_last) {
  const std::size_t slash = rest.find('/');
  is_last = slash == std::string_view::npos;
  const std::string_view level = rest.substr(0, slash);
  rest.remove_prefix(is_last ? rest.size() : slash + 1);
  return level;
}

}  // namespace nilo::bus
