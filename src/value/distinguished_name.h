// value/distinguished_name.h: the parts of what a certificate says of its subject or issuer.
//
// In/out:  "CN=tank-1,OU=b,OU=a,O=Water" -> {"O", "Water"}, {"OU", "a"}, ...
// Limits:  kNamePartsMax; parts beyond are left out.
// Source:  RFC 2253, as OpenSSL writes it: the last part first, values not in quotes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nilo {

inline constexpr std::size_t kNamePartsMax = 64;

struct NamePart {
  std::string type;   // as it is written: "CN", "serialNumber"
  std::string value;  // UTF-8 without control characters
};

// In the order of the certificate. Left out: what is no text (`#04...`), not UTF-8, or has control
// characters.
std::vector<NamePart> parts_of_name(std::string_view text);

}  // namespace nilo
