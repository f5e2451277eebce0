// rules/digest.h: hashes and base64; the fence around nettle.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nilo::rules {

enum class Digest { md2, md5, sha1, sha224, sha256, sha384, sha512 };

// Appends the hash of `bytes` in lower-case hexadecimal.
void append_hex_digest(std::string& out, Digest digest, std::string_view bytes);

// RFC 4648 section 4, with padding.
void append_base64(std::string& out, std::string_view bytes);
// False: `text` is no base64 (white space is skipped, padding is needed).
bool append_decoded_base64(std::string& out, std::string_view text);

}  // namespace nilo::rules
