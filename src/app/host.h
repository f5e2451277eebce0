// app/host.h: what the server asks of the machine it runs on: cores, limits, private files.
//
// Threads: before any other is started; write_private_file() from any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/logger.h"
#include "base/result.h"

namespace nilo::app {

// How many cores this process may use: 1 to `most`.
int cores_allowed(int most);

// Lets this process open as many descriptors as the host allows. How many that are.
std::size_t raise_descriptors(Logger& logger);

// The process gets no more than `size` bytes of memory of its own (RLIMIT_DATA).
void limit_memory(std::uint64_t size, Logger& logger);

// Makes `path` with mode 0700, and the folders above it. One that was there keeps its mode: it may
// not be ours alone.
// permission_denied: it cannot be made, or not be written.
Result<void> make_private_dir(const std::string& path);

// Writes a file with mode 0600 in place of what was there; never through a link.
// unavailable: names the file and the reason.
Result<void> write_private_file(const std::string& path, std::string_view bytes);

// The addresses by which other machines may reach this one, as text: IPv4 first, without loopback
// and link-local ones, and without those of virtual networks (docker0, virbr0 ...).
std::vector<std::string> lan_addresses();

// The folder this program was started from.
std::string executable_dir();

}  // namespace nilo::app
