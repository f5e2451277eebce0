// value/selector.h: which fields of which things? The short texts by which alerts, pages and
// requests name what they are about.
//
//   tank-1/percent      one field of one thing
//   tank-*/percent      of every thing whose id fits; `*` is any run of characters, also none
//   type:tank/percent   of every thing of this type
//   tank-1, type:tank   all fields; the same as tank-1/*
//   $thing/percent      of the thing that a page is about; for_thing() says which
//
// In/out:  text -> Selector -> yes or no.
// Threads: pure functions, values.
// Limits:  kSelectorSizeMax bytes; matching takes at most text times selector steps.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nilo {

inline constexpr std::size_t kSelectorSizeMax = 256;

struct Selector {
  bool is_type = false;  // `thing` is held against the type instead of the id
  std::string thing;     // with `*`; or "$thing"
  std::string field;     // with `*`; "*" alone is all fields

  bool matches_thing(std::string_view id, std::string_view type) const;
  bool matches_field(std::string_view name) const;

  // Does it name one thing and one field, so that there is at most one series?
  bool is_single() const;
  // Is it about the thing of a page, which only that page knows? Such a selector matches no thing.
  bool is_relative() const { return !is_type && thing == "$thing"; }
  // The same about `id`, if it is relative; otherwise a copy.
  Selector for_thing(std::string_view id) const;

  // The text it is made of, shortest form: without "/*".
  std::string text() const;

  bool operator==(const Selector&) const = default;
};

// invalid_argument, too_large, unsupported ("tag:", "sql:", "$thing.station"): names the part and
// the character at which it went wrong; the hint shows the form.
Result<Selector> parse_selector(std::string_view text);

// Does `text` fit `pattern`, in which each `*` stands for any run of bytes?
bool fits(std::string_view pattern, std::string_view text);

}  // namespace nilo
