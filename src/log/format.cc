#include "log/format.h"

#include <isa-l/crc.h>

#include <charconv>

#include "base/assert.h"
#include "base/bytes.h"

namespace nilo::log {

namespace {

constexpr std::string_view kMagic("nilo-log", 8);
constexpr std::string_view kNameEnd = ".log";
constexpr std::size_t kNameDigits = 20;
constexpr std::uint32_t kCrcSeed = 0xffffffff;

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  NILO_ASSERT(bytes.size() <= INT32_MAX);
  // The library takes a plain pointer and only reads; it leaves the last inversion to us.
  auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
  return ~crc32_iscsi(data, static_cast<int>(bytes.size()), kCrcSeed);
}

std::string encode(const SegmentHeader& header) {
  std::string out(kMagic);
  put_fixed(out, header.first_seq);
  put_fixed(out, header.created_us);
  put_fixed(out, header.version);
  put_fixed(out, crc32c(out));
  NILO_ASSERT(out.size() == kSegmentHeaderSize);
  return out;
}

std::optional<SegmentHeader> decode_segment_header(std::string_view bytes) {
  ByteReader in(bytes);
  SegmentHeader header;
  const std::string_view magic = in.take(kMagic.size());
  header.first_seq = in.fixed<Seq>();
  header.created_us = in.fixed<TimeUs>();
  header.version = in.fixed<std::uint32_t>();
  const auto crc = in.fixed<std::uint32_t>();
  if (!in.ok() || magic != kMagic) return std::nullopt;
  if (crc != crc32c(bytes.substr(0, kSegmentHeaderSize - sizeof crc))) return std::nullopt;
  return header;
}

std::string segment_name(Seq first_seq) {
  const std::string digits = std::to_string(first_seq);
  return std::string(kNameDigits - digits.size(), '0') + digits + std::string(kNameEnd);
}

std::optional<Seq> first_seq_of(std::string_view name) {
  if (name.size() != kNameDigits + kNameEnd.size() || !name.ends_with(kNameEnd)) {
    return std::nullopt;
  }
  Seq seq = 0;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + kNameDigits, seq);
  const bool is_number = failure == std::errc() && end == name.data() + kNameDigits && seq > 0;
  return is_number ? std::optional(seq) : std::nullopt;
}

}  // namespace nilo::log
