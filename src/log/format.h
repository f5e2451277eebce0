// log/format.h: the bytes of a segment file.
//
// Source: docs/formats/log.md.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "value/record.h"

namespace nilo::log {

inline constexpr std::size_t kSegmentHeaderSize = 32;
inline constexpr std::size_t kRecordHeaderSize = 16;
inline constexpr std::size_t kRecordSizeMax = 16 * 1024 * 1024;
inline constexpr std::uint32_t kFormatVersion = 1;

// CRC-32C (Castagnoli, RFC 3720 appendix B.4).
std::uint32_t crc32c(std::string_view bytes);

struct SegmentHeader {
  std::uint32_t version = kFormatVersion;
  Seq first_seq = 0;
  TimeUs created_us = 0;
};

std::string encode(const SegmentHeader& header);
// nullopt: damaged, or not a segment.
std::optional<SegmentHeader> decode_segment_header(std::string_view bytes);

// "00000000000000000001.log", and back; nullopt for any other name.
std::string segment_name(Seq first_seq);
std::optional<Seq> first_seq_of(std::string_view name);

// A record: u32 checksum of all that follows, u32 length, u64 number, then `length` bytes.

// `header`: at least kRecordHeaderSize bytes. The record's size, without its header; unchecked.
inline std::uint32_t record_length(std::string_view header) {
  std::uint32_t length = 0;
  std::memcpy(&length, header.data() + 4, sizeof length);
  return length;
}
inline Seq record_seq(std::string_view header) {
  Seq seq = 0;
  std::memcpy(&seq, header.data() + 8, sizeof seq);
  return seq;
}
inline void set_record_length(char* header, std::uint32_t length) {
  std::memcpy(header + 4, &length, sizeof length);
}
// `record`: header and bytes, exactly. Fills in number and checksum.
inline void seal_record(std::span<char> record, Seq seq) {
  std::memcpy(record.data() + 8, &seq, sizeof seq);
  const std::uint32_t crc = crc32c(std::string_view(record.data() + 4, record.size() - 4));
  std::memcpy(record.data(), &crc, sizeof crc);
}
// `record`: header and bytes, exactly.
inline bool is_intact(std::string_view record) {
  std::uint32_t stored = 0;
  std::memcpy(&stored, record.data(), sizeof stored);
  return stored == crc32c(record.substr(sizeof stored));
}

}  // namespace nilo::log
