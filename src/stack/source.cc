#include "stack/source.h"

#include <fmt/format.h>

#include <algorithm>

namespace nilo::stack {
namespace {

// What one step through a string literal consumes there, and yields in the string's value.
struct Step {
  std::size_t literal_bytes;
  std::size_t value_bytes;
};

// Bytes of the UTF-8 character that begins with `first`.
std::size_t size_of_character(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

std::size_t size_of_code_point(unsigned long code_point) {
  return code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
}

// `rest` begins with a backslash. TOML 1.0, section String.
Step escape_step(std::string_view rest) {
  const char kind = rest.size() > 1 ? rest[1] : '\\';
  if (kind == 'u' || kind == 'U') {
    const std::string digits(rest.substr(2, kind == 'u' ? 4 : 8));
    return {2 + digits.size(), size_of_code_point(std::strtoul(digits.c_str(), nullptr, 16))};
  }
  if (kind == ' ' || kind == '\t' || kind == '\r' || kind == '\n') {  // joins two lines
    const std::size_t end = rest.find_first_not_of(" \t\r\n", 1);
    return {std::min(end, rest.size()), 0};
  }
  return {2, 1};
}

Step next_step(std::string_view rest, bool escapes) {
  if (escapes && rest[0] == '\\') return escape_step(rest);
  const std::size_t size = size_of_character(rest[0]);
  return {size, size};
}

}  // namespace

std::string to_string(const Place& place) {
  if (place.line == 0) return place.file;
  return fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

Place Text::place_of(std::size_t line, std::size_t column, std::size_t size) const {
  // The byte of `value` that is meant.
  std::size_t target = 0;
  for (std::size_t i = 1; i < line && target < value.size(); ++i) {
    const std::size_t newline = value.find('\n', target);
    target = newline == std::string::npos ? value.size() : newline + 1;
  }
  target = std::min(target + column - std::min<std::size_t>(column, 1), value.size());

  Place at = place;
  std::size_t value_at = 0;
  std::string_view rest = literal;
  while (!rest.empty()) {
    const Step step = next_step(rest, has_escapes);
    if (value_at + step.value_bytes > target) break;
    const std::string_view passed = rest.substr(0, step.literal_bytes);
    for (const char byte : passed) {
      if (byte == '\n') {
        ++at.line;
        at.column = 1;
      } else if ((static_cast<unsigned char>(byte) & 0xc0) != 0x80) {  // begins a character
        ++at.column;
      }
    }
    rest.remove_prefix(passed.size());
    value_at += step.value_bytes;
  }
  at.size = size;
  return at;
}

}  // namespace nilo::stack
