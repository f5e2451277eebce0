// render/fonts.h: Source Sans 3, the pages' own font, as bytes in the program.
//
// WOFF2, variable in weight; one file for each script. Licence: SIL Open Font License 1.1.
// Threads: constants.
#pragma once

#include <array>
#include <string_view>

namespace nilo::render {

// In the order in which a character is looked for.
std::array<std::string_view, 4> fonts();

}  // namespace nilo::render
