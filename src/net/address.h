// net/address.h: where a door is: "127.0.0.1:1883", ":1883" (every interface), "[::1]:1883".
//
// Threads: values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nilo::net {

struct Address {
  std::string host;        // name or number without brackets; empty = every interface
  std::uint16_t port = 0;  // 0 = any free one (listening only)

  // "[::1]:1883"; an empty host stays empty.
  std::string text() const;
  // Only this machine can reach it.
  bool is_loopback() const;
};

// `default_port`: taken when the text names none; without it a missing port is a mistake.
// invalid_argument: not such a text, or the port is not 0..65535.
Result<Address> parse_address(std::string_view text, int default_port = -1);

// Connects, waiting at most `timeout`, and returns a non-blocking descriptor with TCP_NODELAY that
// the caller owns. Blocks: for the command line and load generators, never on a loop.
// unavailable: no such host, refused, or too late; the message names the address.
Result<int> connect_tcp(const Address& address, std::chrono::milliseconds timeout);

}  // namespace nilo::net
