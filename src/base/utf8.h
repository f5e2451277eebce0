// base/utf8.h: is this text?
// Source: Unicode 15 table 3-7; MQTT 5.0 section 1.5.4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nilo {

// Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view bytes);

// Well-formed and without U+0000, as MQTT wants its strings.
bool is_mqtt_text(std::string_view bytes);

// Not the first byte of a code point. Of UTF-8.
constexpr bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

// The front of `text`, which is UTF-8: at most `size_max` bytes, not cut inside of a code point.
std::string_view front_of(std::string_view text, std::size_t size_max);

// The first code point of `text`, which must not be empty, and takes it off; U+FFFD for a bad byte.
std::uint32_t take_code_point(std::string_view& text);

// `bytes` if it is UTF-8, otherwise with every bad byte shown as \xNN; cut to `size_max` bytes
// (then ending in "..."). Control characters are shown escaped. For log lines and error messages.
std::string printable(std::string_view bytes, std::size_t size_max);

}  // namespace nilo
