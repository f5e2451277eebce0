// rules/text_case.h: upper and lower case beyond ASCII.
//
// One character for one, without regard to language: Latin (Basic, Latin-1, Extended-A), Greek and
// Cyrillic. Other characters stay as they are.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace nilo::rules {

// Appends; `text` is UTF-8.
void append_lower(std::string& out, std::string_view text);
void append_upper(std::string& out, std::string_view text);

}  // namespace nilo::rules
