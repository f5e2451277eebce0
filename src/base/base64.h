// base/base64.h: bytes as letters, with the standard alphabet and padding.
// Threads: pure functions. Source: RFC 4648 section 4.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nilo {

std::string base64_encoded(std::string_view bytes);

// With or without the padding. Nothing if a letter is none of the alphabet.
std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace nilo
