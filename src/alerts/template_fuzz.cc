// Any bytes as the text of a notice: no crash, its names stand where it says, and what is filled in
// is not read a second time.
#include <cstdint>
#include <string>
#include <string_view>

#include "alerts/template.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto made = nilo::alerts::Template::parse(text);
  if (!made) return 0;
  for (const auto& name : made->names()) {
    NILO_ASSERT(!name.text.empty() && text.substr(name.at, name.text.size()) == name.text);
    NILO_ASSERT(text.substr(name.at - 2, 2) == "${");
  }
  std::size_t asked = 0;
  const auto filled_with = [&](std::string_view value) {
    return made->render([&, value](std::string_view name) {
      NILO_ASSERT(name == made->names()[asked++ % made->names().size()].text);
      return std::string(value);
    });
  };
  const std::string empty = filled_with("");
  const std::string full = filled_with("${state}$$");
  NILO_ASSERT(asked == 2 * made->names().size());
  NILO_ASSERT(full.size() == empty.size() + 10 * made->names().size());
  NILO_ASSERT(made->empty() == text.empty());
  return 0;
}
