#include "stack/thing_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace nilo::stack {
namespace {

constexpr std::string_view kHeader = "[things]";
constexpr std::string_view kFirstLines =
    "# Things that were added while the server ran: a line for each. `nilo things` and the Things\n"
    "# page write here; edit it as you like.\n";

bool is_bare(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

// A basic string of TOML 1.0.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string value_of(const Property& property) {
  if (property.text == "true" || property.text == "false") return property.text;
  const bool is_number =
      property.number && property.unit.empty() && std::isfinite(*property.number);
  return is_number ? fmt::to_string(*property.number) : quoted(property.text);
}

// Where the table that begins at the first '{' of `line` ends, behind its '}'; nullopt: elsewhere.
std::optional<std::size_t> end_of_table(std::string_view line) {
  int depth = 0;
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != '\0') {
      if (quote == '"' && c == '\\') ++i;
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#') {
      return std::nullopt;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return std::nullopt;
}

struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;  // behind the line feed, if there is one
};

// `number` from 1.
std::optional<Span> find_line(std::string_view text, std::size_t number) {
  std::size_t begin = 0;
  for (std::size_t i = 1; i < number; ++i) {
    const std::size_t feed = text.find('\n', begin);
    if (feed == std::string_view::npos) return std::nullopt;
    begin = feed + 1;
  }
  const std::size_t feed = text.find('\n', begin);
  return Span{begin, feed == std::string_view::npos ? text.size() : feed + 1};
}

std::string_view without_feed(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// The line of a thing, which must be all of it.
Result<Span> thing_line(std::string_view text, std::size_t number) {
  const auto span = find_line(text, number);
  const std::string_view line =
      span ? without_feed(text.substr(span->begin, span->end - span->begin)) : std::string_view();
  if (span && end_of_table(line)) return *span;
  return Error{ErrorCode::unsupported,
               fmt::format("{}:{}: this thing is not written as one line", kThingsFile, number),
               "change it with an editor"};
}

// Behind the last line of the section that is neither empty nor a comment; nullopt: there is none.
std::optional<std::size_t> end_of_things(std::string_view text) {
  std::optional<std::size_t> end;
  bool is_inside = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = std::min(text.find('\n', at), text.size() - 1) + 1;
    std::string_view line = without_feed(text.substr(at, next - at));
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.starts_with('[')) is_inside = line.starts_with(kHeader);
    if (is_inside && !line.empty() && !line.starts_with('#')) end = next;
    at = next;
  }
  return end;
}

}  // namespace

std::string line_of(const Thing& thing) {
  std::string members;
  const auto add = [&](std::string_view key, const std::string& value) {
    members += fmt::format("{}{} = {}", members.empty() ? "" : ", ",
                           is_bare(key) ? std::string(key) : quoted(key), value);
  };
  if (!thing.type.empty()) add("type", quoted(thing.type));
  if (!thing.name.empty() && thing.name != thing.id) add("name", quoted(thing.name));
  for (const Property& property : thing.properties) add(property.name, value_of(property));
  return members.empty() ? quoted(thing.id) + " = {}"
                         : fmt::format("{} = {{ {} }}", quoted(thing.id), members);
}

Result<std::string> with_thing(std::string_view text, std::size_t line, const Thing& thing) {
  std::string out(text);
  if (line > 0) {
    const Span span = TRY(thing_line(text, line));
    const std::string_view old = text.substr(span.begin, span.end - span.begin);
    // What stands behind it: a comment, the line feed.
    const std::string behind(old.substr(*end_of_table(old)));
    return out.replace(span.begin, span.end - span.begin, line_of(thing) + behind);
  }
  if (out.empty()) out = kFirstLines;
  if (!out.ends_with('\n')) out += '\n';
  const auto end = end_of_things(out);
  if (!end) return out + fmt::format("{}\n{}\n", kHeader, line_of(thing));
  return out.insert(*end, line_of(thing) + "\n");
}

Result<std::string> without_thing(std::string_view text, std::size_t line) {
  const Span span = TRY(thing_line(text, line));
  std::string out(text);
  return out.erase(span.begin, span.end - span.begin);
}

}  // namespace nilo::stack
