// base/bytes.h: little-endian integers and varints in byte strings, as all our formats use them.
//
// Varint: 7 bits a byte, least significant first, high bit = more follows (LEB128), at most 10
// bytes. Signed numbers go through zigzag. See docs/formats/README.md.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace nilo {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the formats are written for it");

inline void put_u8(std::string& out, std::uint8_t value) {
  out.push_back(static_cast<char>(value));
}

// Appends the object's bytes: for fixed-width integers and double.
template <typename T>
void put_fixed(std::string& out, T value) {
  static_assert(std::is_arithmetic_v<T>);
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

inline constexpr std::size_t kVarintSizeMax = 10;

// The same into memory with room for it; one past what was written.
template <typename T>
char* write_fixed(char* at, T value) {
  static_assert(std::is_arithmetic_v<T>);
  std::memcpy(at, &value, sizeof(T));
  return at + sizeof(T);
}

inline char* write_varint(char* at, std::uint64_t value) {
  while (value >= 0x80) {
    *at++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *at++ = static_cast<char>(value);
  return at;
}

inline void put_varint(std::string& out, std::uint64_t value) {
  char bytes[kVarintSizeMax];
  out.append(bytes, static_cast<std::size_t>(write_varint(bytes, value) - bytes));
}

constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// Varint length, then the bytes.
inline void put_bytes(std::string& out, std::string_view bytes) {
  put_varint(out, bytes.size());
  out.append(bytes);
}

// Reads what put_* wrote. Never reads past the end: a short input makes `ok()` false for good and
// every later value zero or empty, so check once at the end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return ok_; }
  bool at_end() const { return at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  std::uint8_t u8() {
    if (at_ == end_) return fail();
    return static_cast<std::uint8_t>(*at_++);
  }
  template <typename T>
  T fixed() {
    static_assert(std::is_arithmetic_v<T>);
    T value{};
    if (left() < sizeof(T)) {
      fail();
      return value;
    }
    std::memcpy(&value, at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) return fail();
      const auto byte = static_cast<std::uint8_t>(*at_++);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return fail();
  }
  // `size` raw bytes; the view lives as long as the input.
  std::string_view take(std::size_t size) {
    if (left() < size) {
      fail();
      return {};
    }
    const std::string_view out(at_, size);
    at_ += size;
    return out;
  }
  std::string_view bytes() {
    const std::uint64_t size = varint();
    if (size > left()) {
      fail();
      return {};
    }
    return take(static_cast<std::size_t>(size));
  }

 private:
  std::uint8_t fail() {
    ok_ = false;
    at_ = end_;
    return 0;
  }
  const char* at_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace nilo
