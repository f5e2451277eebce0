// app/scram_keys.h: the hashes that SCRAM is made of; the fence around nettle in this room.
// Threads: pure functions. Source: FIPS 180-4, RFC 2104, RFC 8018 section 5.2.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nilo::app {

inline constexpr std::size_t kSha256Size = 32;

// 32 bytes each.
std::string sha256(std::string_view text);
std::string hmac_sha256(std::string_view key, std::string_view text);
// `iterations`: at least 1. Slow in proportion.
std::string pbkdf2_sha256(std::string_view password, std::string_view salt,
                          std::uint32_t iterations);

}  // namespace nilo::app
