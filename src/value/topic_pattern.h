// value/topic_pattern.h: a topic filter with variables, as a policy of a stack has it:
// "water${thing.number}/pub", "${thing}/#".
//
// In/out:  text -> levels, once; levels, subject and a topic or filter -> yes or no.
// Threads: immutable after parse(); share freely.
// Limits:  kPolicyTextSizeMax bytes; a match takes time linear in the texts, allocates nothing.
// Source:  MQTT 5.0 section 4.7 for the wildcards.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "value/policy_text.h"

namespace nilo {

class TopicPattern {
 public:
  // invalid_argument: a variable that is not known, a wildcard that is not a whole level, "#" that
  // is not last, an empty text.
  static Result<TopicPattern> parse(std::string_view text);

  // `topic` has no wildcards. A wildcard does not stand for a first level that begins with '$'.
  bool matches(std::string_view topic, const PolicySubject& subject) const;
  // Does it match every topic that `filter` matches?
  bool covers(std::string_view filter, const PolicySubject& subject) const;

 private:
  struct Level {
    enum class Kind : std::uint8_t { text, one, rest };
    Kind kind = Kind::text;
    PolicyText text{};
  };
  bool reaches(std::string_view text, const PolicySubject& subject) const;
  std::vector<Level> levels_;
};

}  // namespace nilo
