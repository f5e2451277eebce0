// Any bytes as what a certificate says of its subject: no crash, no more parts than there may be,
// and nothing but text in them.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "base/utf8.h"
#include "value/distinguished_name.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parts = nilo::parts_of_name({reinterpret_cast<const char*>(data), size});
  NILO_ASSERT(parts.size() <= nilo::kNamePartsMax);
  for (const nilo::NamePart& part : parts) {
    NILO_ASSERT(nilo::is_utf8(part.value));
    NILO_ASSERT(std::none_of(part.value.begin(), part.value.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    }));
  }
  return 0;
}
