#include "log/batch.h"

#include <fmt/format.h>

#include "base/assert.h"

namespace nilo::log {

std::string& Batch::begin_record() {
  begun_at_ = bytes_.size();
  bytes_.resize(begun_at_ + kRecordHeaderSize);
  return bytes_;
}

Result<void> Batch::end_record() {
  const std::size_t size = bytes_.size() - begun_at_ - kRecordHeaderSize;
  if (size > kRecordSizeMax) {
    cancel_record();
    return Error{ErrorCode::too_large,
                 fmt::format("record of {} bytes; the limit is {}", size, kRecordSizeMax)};
  }
  set_record_length(bytes_.data() + begun_at_, static_cast<std::uint32_t>(size));
  ++count_;
  return {};
}

void Batch::cancel_record() { bytes_.resize(begun_at_); }

void Batch::seal(Seq first) {
  char* record = bytes_.data();
  for (std::size_t i = 0; i < count_; ++i) {
    const std::size_t size =
        kRecordHeaderSize + record_length(std::string_view(record, kRecordHeaderSize));
    seal_record({record, size}, first + i);
    record += size;
  }
  NILO_ASSERT(record == bytes_.data() + bytes_.size());
}

}  // namespace nilo::log
