// log/segment.h: reads one segment file, good or damaged.
//
// In/out:  the bytes of a segment -> its records with a right checksum and number, and the
//          stretches that are not what was written.
// Threads: one.
// Limits:  a buffer of kReadSize at most, or the largest record (kRecordSizeMax).
// Source:  docs/formats/log.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "log/disk.h"
#include "log/format.h"

namespace nilo::log {

inline constexpr std::size_t kReadSize = 1024 * 1024;

class SegmentReader {
 public:
  enum class Step : std::uint8_t {
    record,  // seq() and bytes()
    damage,  // damage_offset(), damage_size() and seq(): the first record missing
    end,     // nothing more before `end`
    failed,  // error()
  };

  // Reads the records of `file`, which must outlive the reader; the first one is `first_seq`.
  // `read_size`: bytes to read at a time.
  SegmentReader(const File& file, Seq first_seq, std::size_t read_size = kReadSize);
  // Before the first next(): begins with record `seq`, which is at `offset`.
  void start_at(Seq seq, std::uint64_t offset) {
    next_seq_ = seq;
    offset_ = offset;
  }

  // `end`: how many bytes of the file are known to be written; may grow from call to call.
  Step next(std::uint64_t end);

  Seq seq() const { return seq_; }
  std::string_view bytes() const { return bytes_; }  // until the next call
  std::uint64_t damage_offset() const { return damage_offset_; }
  std::uint64_t damage_size() const { return offset_ - damage_offset_; }
  std::uint64_t offset() const { return offset_; }  // where the next record begins
  Seq next_seq() const { return next_seq_; }        // its number, if nothing is missing
  const Error& error() const { return *error_; }

 private:
  bool fetch(std::size_t size, std::uint64_t end);
  bool is_record_here(Seq least, Seq most, std::uint64_t end);
  Step skip_damage(std::uint64_t end);
  std::string_view buffered() const;

  const File& file_;
  const std::size_t read_size_;
  std::uint64_t offset_ = kSegmentHeaderSize;
  Seq next_seq_;
  Seq seq_ = 0;
  std::string_view bytes_;
  std::uint64_t damage_offset_ = 0;
  std::optional<Error> error_;
  std::unique_ptr<char[]> buffer_;
  std::size_t buffer_capacity_ = 0;
  std::size_t buffer_size_ = 0;
  std::uint64_t buffer_offset_ = 0;  // in the file
};

}  // namespace nilo::log
