#include "mqtt/codec.h"
#include "mqtt/wire.h"

namespace nilo::mqtt {

Framing read_frame(std::string_view bytes, std::size_t size_max, Frame& frame,
                   std::size_t& needed) {
  std::size_t length = 0;
  std::size_t at = 1;
  // Some small clients pad the length with zero groups; nothing is gained by refusing them.
  for (unsigned shift = 0;; shift += 7, ++at) {
    if (at >= bytes.size()) {
      needed = at + 1;
      return Framing::partial;
    }
    if (shift == 28) return Framing::malformed;
    const auto byte = static_cast<std::uint8_t>(bytes[at]);
    length |= static_cast<std::size_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  const std::size_t head = at + 1;
  if (head + length > size_max) return Framing::too_large;
  if (bytes.size() < head + length) {
    needed = head + length;
    return Framing::partial;
  }
  const auto first = static_cast<std::uint8_t>(bytes[0]);
  frame = {static_cast<PacketType>(first >> 4), static_cast<std::uint8_t>(first & 0x0f),
           bytes.substr(head, length), head + length};
  return Framing::complete;
}

std::optional<std::string_view> peek_client_id(std::string_view bytes) {
  constexpr std::size_t kSizeMax = 64 * 1024;
  Frame frame;
  std::size_t needed = 0;
  const auto is_connect = [&] {
    return static_cast<std::uint8_t>(bytes[0]) >> 4 == static_cast<int>(PacketType::connect);
  };
  if (!bytes.empty() && !is_connect()) return std::string_view();
  switch (read_frame(bytes, kSizeMax, frame, needed)) {
    case Framing::partial:
      return std::nullopt;
    case Framing::malformed:
    case Framing::too_large:
      return std::string_view();
    case Framing::complete:
      break;
  }
  Connect connect;
  if (decode(frame, connect)) return std::string_view();
  return connect.client_id;
}

std::uint32_t home_loop(std::string_view client_id, std::uint32_t loop_count) {
  std::uint32_t hash = 2'166'136'261;  // FNV-1a
  for (const char c : client_id) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16'777'619;
  return loop_count == 0 ? 0 : hash % loop_count;
}

}  // namespace nilo::mqtt
