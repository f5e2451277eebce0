#include "stack/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace nilo::stack {
namespace {

// What one step through a string literal consumes there, and yields in the string's value.
struct Step {
  std::size_t literal_bytes;
  std::size_t value_bytes;
};

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

// Bytes of the first character of `rest`, which is not empty.
std::size_t size_of_character(std::string_view rest) {
  std::size_t size = 1;
  while (size < rest.size() && !begins_character(rest[size])) ++size;
  return size;
}

std::size_t size_in_utf8(unsigned long code_point) {
  if (code_point < 0x80) return 1;
  if (code_point < 0x800) return 2;
  return code_point < 0x10000 ? 3 : 4;
}

// `rest` begins with a backslash. Source: TOML 1.0, section String.
Step escape_step(std::string_view rest) {
  const char kind = rest.size() > 1 ? rest[1] : '\\';
  if (kind == 'u' || kind == 'U') {
    const std::string digits(rest.substr(2, kind == 'u' ? 4 : 8));
    return {2 + digits.size(), size_in_utf8(std::strtoul(digits.c_str(), nullptr, 16))};
  }
  if (kind == ' ' || kind == '\t' || kind == '\r' || kind == '\n') {  // joins lines
    return {std::min(rest.find_first_not_of(" \t\r\n", 1), rest.size()), 0};
  }
  return {std::min<std::size_t>(2, rest.size()), 1};
}

Step next_step(std::string_view rest, bool has_escapes) {
  if (has_escapes && rest[0] == '\\') return escape_step(rest);
  if (rest.starts_with("\r\n")) return {2, 1};
  const std::size_t size = size_of_character(rest);
  return {size, size};
}

}  // namespace

std::string to_string(const Place& place) {
  if (place.line == 0) return place.file;
  return fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::size_t byte_of(std::string_view text, std::size_t line, std::size_t column) {
  std::size_t at = 0;
  for (std::size_t i = 1; i < line; ++i) {
    const std::size_t newline = text.find('\n', at);
    if (newline == std::string_view::npos) return text.size();
    at = newline + 1;
  }
  for (std::size_t i = 1; i < column && at < text.size() && text[at] != '\n'; ++i) {
    at += size_of_character(text.substr(at));
  }
  return at;
}

std::size_t literal_end(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string tripled(3, quote);
  const bool is_tripled = text.substr(at).starts_with(tripled);
  const std::string_view closing = std::string_view(tripled).substr(0, is_tripled ? 3 : 1);
  at += closing.size();
  while (at < text.size()) {
    if (text.substr(at).starts_with(closing)) {
      at += closing.size();
      // Up to two quotes may stand directly before the closing three.
      for (int i = 0; i < 2 && is_tripled && at < text.size() && text[at] == quote; ++i) ++at;
      return at;
    }
    if (!is_tripled && text[at] == '\n') return at;
    at += quote == '"' && text[at] == '\\' ? 2 : 1;
  }
  return text.size();
}

Place Text::place_of(std::size_t line, std::size_t column, std::size_t size) const {
  return place_at(byte_of(value, line, column), size);
}

Place Text::place_at(std::size_t byte, std::size_t size) const {
  Place out = place;
  out.size = size;
  std::size_t value_at = 0;
  std::string_view rest = literal;
  while (!rest.empty()) {
    const Step step = next_step(rest, has_escapes);
    if (value_at + step.value_bytes > byte) break;
    for (const char passed : rest.substr(0, step.literal_bytes)) {
      if (passed == '\n') {
        ++out.line;
        out.column = 1;
      } else if (begins_character(passed)) {
        ++out.column;
      }
    }
    rest.remove_prefix(step.literal_bytes);
    value_at += step.value_bytes;
  }
  return out;
}

Text text_at(const SourceFile& file, const Place& place, std::string value) {
  const std::string_view text = file.text;
  const std::size_t begin = byte_of(text, place.line, place.column);
  const std::string_view whole = text.substr(begin, literal_end(text, begin) - begin);

  Text out{std::move(value), place, {}, whole.starts_with('"')};
  const bool is_tripled = whole.starts_with("\"\"\"") || whole.starts_with("'''");
  const std::size_t quotes = is_tripled ? 3 : 1;
  out.place.column += quotes;
  std::string_view inner = whole.substr(quotes, whole.size() - 2 * quotes);
  if (is_tripled) {  // a line break directly behind the opening quotes is none of the value
    const std::size_t skip = inner.starts_with("\r\n") ? 2 : inner.starts_with('\n') ? 1 : 0;
    inner.remove_prefix(skip);
    if (skip > 0) {
      ++out.place.line;
      out.place.column = 1;
    }
  }
  out.literal = inner;
  return out;
}

}  // namespace nilo::stack
