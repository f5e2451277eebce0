#include "value/distinguished_name.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace nilo {
namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// What stands behind a backslash, taken off: two digits are a byte, anything else is itself.
char take_escaped(std::string_view& rest) {
  const int high = digit_of(rest[0]);
  const int low = rest.size() > 1 ? digit_of(rest[1]) : -1;
  const bool is_byte = high >= 0 && low >= 0;
  const char out = is_byte ? static_cast<char>(high * 16 + low) : rest[0];
  rest.remove_prefix(is_byte ? 2 : 1);
  return out;
}

// Up to the next separator, which is taken off, too.
std::string take_value(std::string_view& rest) {
  std::string out;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == ',' || c == '+') break;
    out += c == '\\' && !rest.empty() ? take_escaped(rest) : c;
  }
  return out;
}

bool is_plain_text(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return is_utf8(text) && std::none_of(text.begin(), text.end(), is_control);
}

}  // namespace

std::vector<NamePart> parts_of_name(std::string_view text) {
  std::vector<NamePart> parts;
  while (!text.empty()) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) break;
    NamePart part{std::string(text.substr(0, equals)), {}};
    text.remove_prefix(equals + 1);
    const bool is_text = !text.starts_with('#');
    part.value = take_value(text);
    if (is_text && is_plain_text(part.value)) parts.push_back(std::move(part));
  }
  std::reverse(parts.begin(), parts.end());
  if (parts.size() > kNamePartsMax) parts.resize(kNamePartsMax);
  return parts;
}

}  // namespace nilo
