// value/thing_template.h: which thing is a row about? `thing = "tank-{device_id}"` says that the
// row with device_id 2 is about the thing tank-2.
//
// In/out:  key cells -> id of the thing, and back to the key text (value/key.h).
// Threads: immutable once made; share freely.
// Limits:  ids of 1 to kThingIdSizeMax bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "value/schema.h"

namespace nilo {

inline constexpr std::size_t kThingIdSizeMax = 128;

// Ids hold ASCII letters and digits, `_-.:`, and everything beyond ASCII; other bytes of a text
// cell are %XX, so that an id can stand in a selector, an address and a mail as it is.
class ThingTemplate {
 public:
  // `text`: partition columns of `schema` in braces, every one of them once, so that a thing has
  // one key and a key one thing. Not empty.
  // invalid_argument: a brace without its partner, no such column, one that is missing or twice.
  static Result<ThingTemplate> parse(std::string_view text, const TableSchema& schema);

  // The id of the thing that a row is about. `cells`: by column number, the partition columns at
  // least, none of them null (asserted). Empty: longer than an id may be.
  std::string id_of(std::span<const Value> cells) const;

  // The key text of the thing `id`; nothing if no row could be about it: the words around the
  // columns differ, or "tank-007", which is not how an int is written. Where two text columns could
  // be divided in several ways, the first one is as short as it can be.
  std::optional<std::string> key_of(std::string_view id) const;

 private:
  struct Part {
    std::string before;  // the words in front of the column
    std::size_t column;
    Type type;
  };
  std::vector<Part> parts_;
  std::string after_;
};

}  // namespace nilo
