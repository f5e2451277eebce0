// mqtt/wire.h: the data types of the protocol, for the codec's own use.
// Source: MQTT 5.0 section 1.5. Integers are big-endian here, unlike in our own formats.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/bytes.h"

namespace nilo::mqtt {

inline constexpr std::size_t kTextSizeMax = 65'535;

inline std::uint16_t read_u16(ByteReader& in) {
  return __builtin_bswap16(in.fixed<std::uint16_t>());
}
inline std::uint32_t read_u32(ByteReader& in) {
  return __builtin_bswap32(in.fixed<std::uint32_t>());
}
// A text or binary data: two bytes of length, then the bytes.
inline std::string_view read_text(ByteReader& in) {
  const std::uint16_t size = read_u16(in);
  return in.take(size);
}
// Everything that is left.
inline std::string_view read_rest(ByteReader& in) { return in.take(in.left()); }

// A variable byte integer, 1 to 4 bytes, as short as possible [MQTT-1.5.5-1]; false if it is not.
inline bool read_varint(ByteReader& in, std::uint32_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 28; shift += 7) {
    const std::uint8_t byte = in.u8();
    value |= static_cast<std::uint32_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return in.ok() && (byte != 0 || shift == 0);
  }
  return false;
}

inline void put_u16(std::string& out, std::uint16_t value) {
  put_fixed(out, __builtin_bswap16(value));
}
inline void put_u32(std::string& out, std::uint32_t value) {
  put_fixed(out, __builtin_bswap32(value));
}
inline void put_text(std::string& out, std::string_view text) {
  NILO_ASSERT(text.size() <= kTextSizeMax);
  put_u16(out, static_cast<std::uint16_t>(text.size()));
  out.append(text);
}

// A length that is known only when what it counts has been appended. One byte is set aside; the
// rare longer one moves what follows.
class LengthPrefix {
 public:
  explicit LengthPrefix(std::string& out) : out_(out), at_(out.size()) { out_.push_back(0); }
  void finish() {
    const std::size_t size = out_.size() - at_ - 1;
    if (size < 0x80) [[likely]] {
      out_[at_] = static_cast<char>(size);
      return;
    }
    std::string length;
    put_varint(length, size);
    out_.replace(at_, 1, length);
  }

 private:
  std::string& out_;
  std::size_t at_;
};

}  // namespace nilo::mqtt
