// rules/time_pattern.h: times as text, in the patterns of Joda-Time (writing) and java.time
// (reading).
//
// Letters: docs/rules.md, "Time". Names of months and days are English.
// Threads: immutable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "value/time_zone.h"

namespace nilo::rules {

class TimePattern {
 public:
  enum class Dialect { joda, java };

  // Nothing: a letter the dialect here does not have, or a quote without its end; `why` says it.
  static std::optional<TimePattern> parse(std::string_view text, Dialect dialect,
                                          std::string* why = nullptr);

  // Dialect joda. False: a year outside 1..9999.
  bool append(std::string& out, std::int64_t milliseconds, const TimeZone& zone) const;

  // Dialect java. Milliseconds since 1970. Without a zone in the text it is UTC; month and day are
  // the first, the time midnight, unless given. Nothing: another form, or no such day or time.
  std::optional<std::int64_t> read(std::string_view text) const;

 private:
  struct Part {
    char letter;  // '\0': `literal`
    int count;
    std::string literal;
  };
  friend class TimeReader;
  std::vector<Part> parts_;
};

}  // namespace nilo::rules
