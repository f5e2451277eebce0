#include "render/fonts.h"

// The assembler takes the files in; nothing is generated and nothing is parsed.
#define NILO_FONT(name, file)                                                     \
  __asm__(".section .rodata\n.global nilo_font_" name "\n.global nilo_font_" name \
          "_end\n"                                                                \
          "nilo_font_" name ":\n.incbin \"" NILO_FONTS "/source-sans-3-" file     \
          "-wght-normal.woff2\"\n"                                                \
          "nilo_font_" name "_end:\n.previous\n")

NILO_FONT("latin", "latin");
NILO_FONT("latin_ext", "latin-ext");
NILO_FONT("greek", "greek");
NILO_FONT("cyrillic", "cyrillic");

// NOLINTBEGIN(readability-identifier-naming): names of the assembler
extern "C" {
extern const char nilo_font_latin[], nilo_font_latin_end[];
extern const char nilo_font_latin_ext[], nilo_font_latin_ext_end[];
extern const char nilo_font_greek[], nilo_font_greek_end[];
extern const char nilo_font_cyrillic[], nilo_font_cyrillic_end[];
}
// NOLINTEND(readability-identifier-naming)

namespace nilo::render {

std::array<std::string_view, 4> fonts() {
  return {std::string_view(nilo_font_latin, nilo_font_latin_end),
          std::string_view(nilo_font_latin_ext, nilo_font_latin_ext_end),
          std::string_view(nilo_font_greek, nilo_font_greek_end),
          std::string_view(nilo_font_cyrillic, nilo_font_cyrillic_end)};
}

}  // namespace nilo::render
