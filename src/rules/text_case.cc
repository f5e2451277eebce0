#include "rules/text_case.h"

#include <cstdint>

namespace nilo::rules {

namespace {

// Upper case letters first..last whose lower case lies `to_lower` further. With to_lower == 1 the
// two cases alternate, beginning with the upper one.
struct Range {
  std::uint32_t first;
  std::uint32_t last;
  std::uint32_t to_lower;
};
constexpr Range kRanges[] = {
    {0x41, 0x5a, 0x20},   {0xc0, 0xd6, 0x20},   {0xd8, 0xde, 0x20},   {0x100, 0x12e, 1},
    {0x132, 0x136, 1},    {0x139, 0x147, 1},    {0x14a, 0x176, 1},    {0x179, 0x17d, 1},
    {0x391, 0x3a1, 0x20}, {0x3a3, 0x3ab, 0x20}, {0x400, 0x40f, 0x50}, {0x410, 0x42f, 0x20},
};

std::uint32_t mapped(std::uint32_t code, bool to_upper) {
  for (const Range& range : kRanges) {
    const std::uint32_t offset = to_upper ? range.to_lower : 0;
    if (code < range.first + offset || code > range.last + offset) continue;
    const std::uint32_t upper = code - offset;
    if (range.to_lower == 1 && (upper - range.first) % 2 != 0) continue;
    return to_upper ? upper : upper + range.to_lower;
  }
  return code;
}

// All letters above are of one or two bytes, before and after.
void append_mapped(std::string& out, std::string_view text, bool to_upper) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_pair = byte >= 0xc2 && byte <= 0xdf && i + 1 < text.size();
    if (byte >= 0x80 && !is_pair) {
      out += text[i];
      continue;
    }
    std::uint32_t code = byte;
    if (is_pair) code = (code & 0x1f) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f);
    code = mapped(code, to_upper);
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else {
      out += static_cast<char>(0xc0 | code >> 6);
      out += static_cast<char>(0x80 | (code & 0x3f));
    }
  }
}

}  // namespace

void append_lower(std::string& out, std::string_view text) { append_mapped(out, text, false); }
void append_upper(std::string& out, std::string_view text) { append_mapped(out, text, true); }

}  // namespace nilo::rules
