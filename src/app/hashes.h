// app/hashes.h: random texts, and what is kept of a secret instead of the secret.
//
// libsodium stays behind hashes.cc. A random token is kept as BLAKE2b: it cannot be guessed, so a
// fast hash is enough. A password is kept as argon2id (RFC 9106), which is slow on purpose.
// Threads: safe to share, after start_hashes().
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nilo::app {

inline constexpr std::size_t kPasswordSizeMin = 8;
inline constexpr std::size_t kPasswordSizeMax = 256;

// internal: there is no source of randomness. May be called again.
Result<void> start_hashes();

// So many random bytes as letters, digits, '-' and '_'.
std::string random_text(std::size_t byte_count);
// `size` letters of `alphabet`, each equally likely.
std::string random_code(std::string_view alphabet, std::size_t size);

// 64 hexadecimal digits.
std::string hash_of(std::string_view secret);
// How long it takes says nothing about where they differ.
bool is_same_hash(std::string_view a, std::string_view b);

// invalid_argument: not 8 to 256 characters.
Result<void> check_password(std::string_view password);
// 0.1 s and 64 MiB. resource_exhausted: no memory.
Result<std::string> password_hash(std::string_view password);
bool password_fits(std::string_view hash, std::string_view password);

// A person's: 1 to 64 letters, digits, '-', '_', '.' or '@'.
bool is_account_name(std::string_view name);
// What a device logs in as. Every id of a thing is one, so that policies know it by its login: up
// to 128, and ':' besides.
bool is_device_name(std::string_view name);
inline constexpr const char* kDeviceNameHint =
    "1 to 128 letters, digits, '-', '_', '.', ':' or '@'";

}  // namespace nilo::app
