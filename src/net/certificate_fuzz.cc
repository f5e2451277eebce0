// Any bytes: no certificate, or one whose description holds what its header promises.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "base/utf8.h"
#include "net/certificate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto read = nilo::net::read_certificate(bytes);
  if (!read) return 0;
  NILO_ASSERT(nilo::net::read_fingerprint(read->fingerprint).has_value());
  NILO_ASSERT(nilo::is_mqtt_text(read->common_name));
  NILO_ASSERT(nilo::is_utf8(read->subject) && nilo::is_utf8(read->issuer));
  return 0;
}
