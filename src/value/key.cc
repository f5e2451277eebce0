#include "value/key.h"

#include <charconv>

namespace nilo {

namespace {

bool needs_escape(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f || c == '%' || c == '/' || c == '+' || c == '#';
}

void append_escaped(std::string& out, std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (needs_escape(c)) {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    } else {
      out += c;
    }
  }
}

template <typename T>
void append_number(std::string& out, T number) {
  char digits[40];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

}  // namespace

void append_key_text(std::string& out, std::span<const Value> cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += '/';
    const Value& cell = cells[i];
    switch (cell.type()) {
      case Type::null:
        NILO_ASSERT(false);
        break;
      case Type::int64:
      case Type::timestamp:
        append_number(out, cell.as_int64());
        break;
      case Type::float64:
        append_number(out, cell.as_float64());
        break;
      case Type::boolean:
        out += cell.as_boolean() ? "true" : "false";
        break;
      case Type::text:
      case Type::json:
        append_escaped(out, cell.as_text());
        break;
    }
  }
}

}  // namespace nilo
