#include "net/public_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace nilo::net {

namespace {

struct Range4 {
  std::array<std::uint8_t, 4> network;
  int bits;
};
constexpr Range4 kNotPublic4[] = {
    {{0, 0, 0, 0}, 8},        // this network
    {{10, 0, 0, 0}, 8},       // private
    {{100, 64, 0, 0}, 10},    // shared by a carrier's customers
    {{127, 0, 0, 0}, 8},      // loopback
    {{169, 254, 0, 0}, 16},   // link-local; metadata of clouds
    {{172, 16, 0, 0}, 12},    // private
    {{192, 0, 0, 0}, 24},     // protocol assignments
    {{192, 0, 2, 0}, 24},     // documentation
    {{192, 88, 99, 0}, 24},   // 6to4 relays, withdrawn
    {{192, 168, 0, 0}, 16},   // private
    {{198, 18, 0, 0}, 15},    // benchmarks
    {{198, 51, 100, 0}, 24},  // documentation
    {{203, 0, 113, 0}, 24},   // documentation
    {{224, 0, 0, 0}, 3},      // multicast, reserved, broadcast
};

struct Range6 {
  std::array<std::uint8_t, 16> network;
  int bits;
};
constexpr Range6 kNat64 = {{0x00, 0x64, 0xff, 0x9b}, 96};
constexpr Range6 kMapped = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
constexpr Range6 k6to4 = {{0x20, 0x02}, 16};
constexpr Range6 kGlobalUnicast = {{0x20}, 3};
constexpr Range6 kNotPublic6[] = {
    {{0x20, 0x01}, 23},              // protocol assignments, Teredo among them
    {{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    {{0x3f, 0xff}, 20},              // documentation
};

template <std::size_t N>
bool is_in(const std::array<std::uint8_t, N>& address, const std::array<std::uint8_t, N>& network,
           int bits) {
  for (std::size_t i = 0; i < N && bits > 0; ++i, bits -= 8) {
    const int mask = bits >= 8 ? 0xff : 0xff << (8 - bits) & 0xff;
    if (((address[i] ^ network[i]) & mask) != 0) return false;
  }
  return true;
}

std::array<std::uint8_t, 4> v4_at(const std::array<std::uint8_t, 16>& bytes, std::size_t at) {
  return {bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]};
}

}  // namespace

bool is_public_v4(const std::array<std::uint8_t, 4>& bytes) {
  return std::none_of(std::begin(kNotPublic4), std::end(kNotPublic4),
                      [&](const Range4& range) { return is_in(bytes, range.network, range.bits); });
}

bool is_public_v6(const std::array<std::uint8_t, 16>& bytes) {
  const auto in = [&](const Range6& range) { return is_in(bytes, range.network, range.bits); };
  if (in(kMapped) || in(kNat64)) return is_public_v4(v4_at(bytes, 12));
  if (in(k6to4)) return is_public_v4(v4_at(bytes, 2));
  return in(kGlobalUnicast) && std::none_of(std::begin(kNotPublic6), std::end(kNotPublic6), in);
}

bool is_public(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return is_public_v4(bytes);
  }
  if (address.sa_family != AF_INET6) return false;
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof v6);
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return is_public_v6(bytes);
}

bool is_public(std::string_view ip) {
  const std::string text(ip);
  std::array<std::uint8_t, 4> v4{};
  if (::inet_pton(AF_INET, text.c_str(), v4.data()) == 1) return is_public_v4(v4);
  std::array<std::uint8_t, 16> v6{};
  return ::inet_pton(AF_INET6, text.c_str(), v6.data()) == 1 && is_public_v6(v6);
}

std::string network_of(std::string_view ip) {
  std::string text(ip);
  std::array<std::uint8_t, 16> bytes{};
  const bool is_v6 = ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
  if (!is_v6 || is_in(bytes, kMapped.network, kMapped.bits)) return text;
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> shown{};
  return std::string(::inet_ntop(AF_INET6, bytes.data(), shown.data(), shown.size())) + "/64";
}

}  // namespace nilo::net
