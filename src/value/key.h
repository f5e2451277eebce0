// value/key.h: the partition columns of a row as one text.
//
// The key text names a row's owner everywhere: in `$table/<table>/<key>`, in the REST API, in the
// keyed state. It is one topic level per column: "1", "barn/3".
#pragma once

#include <span>
#include <string>

#include "value/value.h"

namespace nilo {

// LMDB's keys end at 511 bytes, of which a table's number takes four.
inline constexpr std::size_t kKeySizeMax = 256;

// Appends the cells' texts with "/" between them. Bytes of text that a topic level or this text
// cannot hold ('%', '/', '+', '#' and control characters) become %XX, so that different cells of
// the same types never give the same text. Timestamps are microseconds. Cells must not be null.
void append_key_text(std::string& out, std::span<const Value> cells);

}  // namespace nilo
