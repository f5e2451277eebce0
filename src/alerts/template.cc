#include "alerts/template.h"

namespace nilo::alerts {

namespace {

Error mistake(std::string what, std::size_t at) {
  return {ErrorCode::invalid_argument, std::move(what) + " at byte " + std::to_string(at),
          "write ${thing.name}; a dollar sign before a brace is $$"};
}

}  // namespace

Result<Template> Template::parse(std::string_view text) {
  if (text.size() > kTemplateSizeMax) {
    return Error{ErrorCode::too_large,
                 "the text is longer than " + std::to_string(kTemplateSizeMax) + " bytes"};
  }
  Template made;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("$$")) {
      made.texts_.back() += '$';
      ++at;
    } else if (rest.starts_with("${")) {
      const std::size_t size = rest.find('}');
      if (size == std::string_view::npos) return mistake("a `${` without `}`", at);
      const std::string_view name = rest.substr(2, size - 2);
      if (name.empty()) return mistake("no name between `${` and `}`", at);
      made.names_.push_back({std::string(name), at + 2});
      made.texts_.emplace_back();
      at += size;
    } else {
      made.texts_.back() += text[at];
    }
  }
  return made;
}

std::string Template::render(
    const std::function<std::string(std::string_view name)>& value_of) const {
  std::string out = texts_.front();
  for (std::size_t i = 0; i < names_.size(); ++i) out += value_of(names_[i].text) + texts_[i + 1];
  return out;
}

}  // namespace nilo::alerts
