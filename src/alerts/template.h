// alerts/template.h: what a person is told, with names to be filled in.
//
//   ${thing.name} is at ${value} % (${distance} cm).
//
// In/out:  text -> Template -> text. `$$` is a dollar sign; a `$` before anything else but `{` is
//          itself.
// Threads: immutable once made.
// Limits:  kTemplateSizeMax bytes of text.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nilo::alerts {

inline constexpr std::size_t kTemplateSizeMax = 8 * 1024;

class Template {
 public:
  struct Name {
    std::string text;  // "thing.name"
    std::size_t at;    // where it stands in the template, in bytes
  };

  // invalid_argument: a `${` without `}`, nothing between them; too_large. The message says at
  // which byte.
  static Result<Template> parse(std::string_view text);

  // All names, in order; whether they are known is for whoever fills them in to say.
  const std::vector<Name>& names() const { return names_; }
  bool empty() const { return names_.empty() && texts_.front().empty(); }

  std::string render(const std::function<std::string(std::string_view name)>& value_of) const;

 private:
  std::vector<Name> names_;
  std::vector<std::string> texts_{""};  // before, between and after the names
};

}  // namespace nilo::alerts
