// app/whole_file.h: small files that are there whole or not at all, also after a crash.
//
// Threads: any; blocks, and syncs the disk.
// Limits:  kSmallFileSizeMax bytes are read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nilo::app {

inline constexpr std::size_t kSmallFileSizeMax = 1024 * 1024;
inline constexpr unsigned kPrivateMode = 0600;
inline constexpr unsigned kPublicMode = 0644;

// not_found: there is none. too_large. unavailable: names the file and the reason.
Result<std::string> read_small_file(const std::string& path);

// Written aside, synced, renamed.
Result<void> replace_file(const std::string& path, std::string_view bytes, unsigned mode);
// Likewise, but conflict if there is such a file.
Result<void> create_file(const std::string& path, std::string_view bytes, unsigned mode);

}  // namespace nilo::app
