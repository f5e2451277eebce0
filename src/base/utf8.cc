#include "base/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace nilo {

namespace {

// Bytes of the well-formed sequence at the start of `text`, 0 when there is none.
std::size_t sequence_size(std::string_view text) {
  const auto byte = [&](std::size_t i) -> std::uint8_t {
    return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0;
  };
  const auto follows = [&](std::size_t i, std::uint8_t low, std::uint8_t high) {
    return byte(i) >= low && byte(i) <= high;
  };
  const auto tail = [&](std::size_t i) { return follows(i, 0x80, 0xbf); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return text.empty() ? 0 : 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const std::uint8_t low = first == 0xe0 ? 0xa0 : 0x80;
    const std::uint8_t high = first == 0xed ? 0x9f : 0xbf;
    return follows(1, low, high) && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const std::uint8_t low = first == 0xf0 ? 0x90 : 0x80;
    const std::uint8_t high = first == 0xf4 ? 0x8f : 0xbf;
    return follows(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

// How many leading bytes are ASCII, in steps of eight.
std::size_t ascii_prefix(std::string_view bytes) {
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    if ((word & 0x8080808080808080U) != 0) break;
  }
  return at;
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  std::size_t at = ascii_prefix(bytes);
  while (at < bytes.size()) {
    const std::size_t size = sequence_size(bytes.substr(at));
    if (size == 0) return false;
    at += size;
  }
  return true;
}

std::string_view front_of(std::string_view text, std::size_t size_max) {
  if (text.size() <= size_max) return text;
  while (size_max > 0 && is_continuation(text[size_max])) --size_max;
  return text.substr(0, size_max);
}

std::uint32_t take_code_point(std::string_view& text) {
  const std::size_t size = sequence_size(text);
  const auto first = static_cast<std::uint8_t>(text.front());
  std::uint32_t code_point = 0xfffd;
  if (size == 1) code_point = first;
  if (size > 1) code_point = first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    code_point = code_point << 6 | (static_cast<std::uint8_t>(text[i]) & 0x3fU);
  }
  text.remove_prefix(std::max<std::size_t>(size, 1));
  return code_point;
}

bool is_mqtt_text(std::string_view bytes) {
  return bytes.find('\0') == std::string_view::npos && is_utf8(bytes);
}

std::string printable(std::string_view bytes, std::size_t size_max) {
  std::string out;
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (out.size() >= size_max) return out + "...";
    const std::size_t size = sequence_size(bytes.substr(at));
    const auto byte = static_cast<std::uint8_t>(bytes[at]);
    if (size == 0 || byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
      ++at;
      continue;
    }
    out += bytes.substr(at, size);
    at += size;
  }
  return out;
}

}  // namespace nilo
