#include "log/segment.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "base/assert.h"

namespace nilo::log {

SegmentReader::SegmentReader(const File& file, Seq first_seq, std::size_t read_size)
    : file_(file), read_size_(read_size), next_seq_(first_seq) {}

SegmentReader::Step SegmentReader::next(std::uint64_t end) {
  if (offset_ >= end) return Step::end;
  if (!is_record_here(next_seq_, next_seq_, end)) {
    return error_ ? Step::failed : skip_damage(end);
  }
  const std::string_view here = buffered();
  const std::size_t size = record_length(here);
  seq_ = next_seq_++;
  bytes_ = here.substr(kRecordHeaderSize, size);
  offset_ += kRecordHeaderSize + size;
  return Step::record;
}

std::string_view SegmentReader::buffered() const {
  const auto skipped = static_cast<std::size_t>(offset_ - buffer_offset_);
  return {buffer_.get() + skipped, buffer_size_ - skipped};
}

// Brings `size` bytes from offset_ on into the buffer. False: `end` or the file is nearer, or the
// disk failed (error_).
bool SegmentReader::fetch(std::size_t size, std::uint64_t end) {
  const bool overlaps = buffer_offset_ <= offset_ && offset_ <= buffer_offset_ + buffer_size_;
  if (overlaps && buffered().size() >= size) return true;
  if (end - offset_ < size) return false;
  const std::uint64_t left = end - offset_;
  const auto room =
      std::max(size, static_cast<std::size_t>(std::min<std::uint64_t>(left, read_size_)));
  if (buffer_capacity_ < room) {
    buffer_capacity_ = room;
    buffer_ = std::make_unique_for_overwrite<char[]>(room);
  }
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer_capacity_));
  buffer_size_ = 0;
  buffer_offset_ = offset_;
  auto count = file_.read_at(offset_, std::span(buffer_.get(), wanted));
  if (!count) {
    error_ = std::move(count).error();
    return false;
  }
  buffer_size_ = *count;
  return buffer_size_ >= size;
}

// Is there an intact record at offset_, ending by `end`, with a number from `least` to `most`?
// Its bytes are then in the buffer.
bool SegmentReader::is_record_here(Seq least, Seq most, std::uint64_t end) {
  if (!fetch(kRecordHeaderSize, end)) return false;
  const Seq seq = record_seq(buffered());
  if (seq < least || seq > most) return false;
  const std::size_t size = record_length(buffered());
  if (size > kRecordSizeMax || end - offset_ < kRecordHeaderSize + size) return false;
  if (!fetch(kRecordHeaderSize + size, end)) return false;
  return is_intact(buffered().substr(0, kRecordHeaderSize + size));
}

// Finds the next intact record. Where only the bytes of a record are damaged its length leads to
// the next one; otherwise every byte may be the beginning of a record, if there is room for the
// missing numbers in what was skipped.
SegmentReader::Step SegmentReader::skip_damage(std::uint64_t end) {
  const Seq missing = next_seq_;
  seq_ = missing;
  damage_offset_ = offset_;
  if (fetch(kRecordHeaderSize, end)) {
    const std::size_t size = record_length(buffered());
    if (size <= kRecordSizeMax && end - offset_ > kRecordHeaderSize + size) {
      offset_ += kRecordHeaderSize + size;
      if (is_record_here(missing + 1, missing + 1, end)) {
        next_seq_ = missing + 1;
        return Step::damage;
      }
    }
  }
  for (offset_ = damage_offset_ + 1; !error_ && end - offset_ >= kRecordHeaderSize; ++offset_) {
    const Seq most = missing + (offset_ - damage_offset_) / kRecordHeaderSize;
    if (is_record_here(missing, most, end)) {
      next_seq_ = record_seq(buffered());
      return Step::damage;
    }
  }
  if (error_) return Step::failed;
  offset_ = end;
  return Step::damage;
}

}  // namespace nilo::log
