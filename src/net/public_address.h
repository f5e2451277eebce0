// net/public_address.h: is this address somewhere on the internet, or on our side of the router,
// and whose is it?
//
// A URL that somebody may choose must not reach what only this machine or its network can reach:
// the router's pages, a cloud's metadata, our own API.
// Threads: pure functions.
// Source:  IANA special-purpose address registries (RFC 6890 and updates): not public is what they
//          do not call globally reachable, and multicast. An IPv6 address that carries an IPv4 one
//          (mapped, NAT64, 6to4) is as public as that.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

struct sockaddr;

namespace nilo::net {

bool is_public_v4(const std::array<std::uint8_t, 4>& bytes);
bool is_public_v6(const std::array<std::uint8_t, 16>& bytes);

// Any other family is not public.
bool is_public(const sockaddr& address);
// "203.0.113.7", "::1"; what is no address in numbers is not public.
bool is_public(std::string_view ip);

// Whose address it is, for counting what somebody tries: of IPv6 everybody has at least a /64, so
// "2001:db8::1" is "2001:db8::/64". IPv4, also inside IPv6, and what is no address: as it is.
std::string network_of(std::string_view ip);

}  // namespace nilo::net
