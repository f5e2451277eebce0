#include "stack/toml.h"

#include <toml++/toml.h>

#include <algorithm>
#include <tuple>

#include "stack/error_table.h"

namespace nilo::stack {
namespace {

// Where keys, lists and inline tables are first nested deeper than kDepthMax; toml++ recurses on
// each level when it frees a tree, so this is asked before it sees the text. Reads just enough of
// TOML for that: strings, comments, brackets, dots.
std::optional<Place> find_too_deep(const SourceFile& file) {
  const std::string_view text = file.text;
  std::size_t line = 1;
  std::size_t line_start = 0;
  std::size_t brackets = 0;
  std::size_t dots = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t next = at + 1;
    switch (text[at]) {
      case '"':
      case '\'':
        next = std::min(literal_end(text, at), text.size());
        break;
      case '#':
        next = std::min(text.find('\n', at), text.size());
        break;
      case '[':
      case '{':
        ++brackets;
        dots = 0;
        break;
      case ']':
      case '}':
        brackets -= std::min<std::size_t>(brackets, 1);
        break;
      case '.':
        ++dots;
        break;
      case '=':
      case ',':
      case '\n':
        dots = 0;
        break;
      default:
        break;
    }
    if (brackets + dots > kDepthMax) {
      const std::string_view before = text.substr(line_start, at - line_start);
      return Place{file.name, line, count_characters(before) + 1, 1};
    }
    for (; at < next; ++at) {
      if (text[at] == '\n') {
        ++line;
        line_start = at + 1;
      }
    }
  }
  return std::nullopt;
}

Place place_of(const std::string& file, const toml::source_region& region) {
  const bool one_line = region.begin.line == region.end.line;
  return {
      file, region.begin.line, region.begin.column,
      one_line ? std::max<std::size_t>(1, region.end.column - region.begin.column) : kToLineEnd};
}

Node node_of(const std::string& file, const toml::node& from);

void add_members(const std::string& file, const toml::table& from, Node& out) {
  out.members.reserve(from.size());
  for (const auto& [key, value] : from) {
    out.members.push_back(
        {std::string(key.str()), place_of(file, key.source()), node_of(file, value)});
  }
  // toml++ keeps them by name.
  std::sort(out.members.begin(), out.members.end(), [](const Member& a, const Member& b) {
    return std::tie(a.key_place.line, a.key_place.column) <
           std::tie(b.key_place.line, b.key_place.column);
  });
}

Node node_of(const std::string& file, const toml::node& from) {
  Node out;
  out.place = place_of(file, from.source());
  if (const auto* table = from.as_table()) {
    out.kind = Node::Kind::table;
    add_members(file, *table, out);
  } else if (const auto* list = from.as_array()) {
    out.kind = Node::Kind::list;
    out.items.reserve(list->size());
    for (const toml::node& item : *list) out.items.push_back(node_of(file, item));
  } else if (const auto* text = from.as_string()) {
    out.kind = Node::Kind::text;
    out.text = text->get();
  } else if (const auto* integer = from.as_integer()) {
    out.kind = Node::Kind::integer;
    out.integer = integer->get();
    out.number = static_cast<double>(integer->get());
  } else if (const auto* number = from.as_floating_point()) {
    out.kind = Node::Kind::number;
    out.number = number->get();
  } else if (const auto* boolean = from.as_boolean()) {
    out.kind = Node::Kind::boolean;
    out.boolean = boolean->get();
  } else {
    out.kind = Node::Kind::time;
  }
  return out;
}

// What toml++ says, shorter, and in the words of a person where its own mislead.
Diagnostic syntax_mistake(const std::string& file, const toml::parse_error& error) {
  std::string_view words = error.description();
  constexpr std::string_view kOpening = "Error while parsing ";
  if (words.starts_with(kOpening)) words.remove_prefix(kOpening.size());
  std::string_view help = "texts stand in quotes: name = \"Barn\"";
  if (words.find("redefine") != std::string_view::npos) {
    help = "a section, and a key in it, may stand only once in a file";
  } else if (words.find("control characters") != std::string_view::npos) {
    words = "text without its closing quote";
    help = "close it on this line, or use \"\"\" for a text of several lines";
  }
  return diagnose(Code::not_toml, place_of(file, error.source()), {}, words, help);
}

}  // namespace

std::string_view words_for(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::table:
      return "a table";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::text:
      return "text";
    case Node::Kind::integer:
      return "an integer";
    case Node::Kind::number:
      return "a number";
    case Node::Kind::boolean:
      return "true or false";
    case Node::Kind::time:
      return "a date or time";
  }
  return "";
}

std::optional<Node> parse_toml(const SourceFile& file, std::vector<Diagnostic>& diagnostics) {
  if (file.text.size() > kFileSizeMax) {
    diagnostics.push_back(
        diagnose(Code::file_too_large, {file.name}, {}, file.name, kFileSizeMax / 1024 / 1024));
    return std::nullopt;
  }
  if (const auto place = find_too_deep(file)) {
    diagnostics.push_back(diagnose(Code::nested_too_deep, *place, {}, kDepthMax));
    return std::nullopt;
  }
  try {
    return node_of(file.name, toml::parse(std::string_view(file.text), file.name));
  } catch (const toml::parse_error& error) {
    diagnostics.push_back(syntax_mistake(file.name, error));
    return std::nullopt;
  }
}

}  // namespace nilo::stack
