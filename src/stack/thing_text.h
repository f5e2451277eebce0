// stack/thing_text.h: a thing as a line of [things], put into a file's text or taken out of it.
//
// Only that line changes: comments, order and what else stands in the file stay as they are. A
// thing that somebody wrote in another form (over several lines, say) is not touched.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "stack/stack.h"

namespace nilo::stack {

// The file that a running server writes things into.
inline constexpr std::string_view kThingsFile = "nilo.d/things.toml";

// `"tank-1" = { type = "tank", name = "Barn", depth = "89 cm" }`
std::string line_of(const Thing& thing);

// `text` with the line of `thing`: in place of the one at `line` (from 1), or, with 0, behind the
// last line of [things]; the section is made if there is none.
// unsupported: the thing at `line` is not a line of its own.
Result<std::string> with_thing(std::string_view text, std::size_t line, const Thing& thing);

// `text` without the thing at `line`, likewise.
Result<std::string> without_thing(std::string_view text, std::size_t line);

}  // namespace nilo::stack
