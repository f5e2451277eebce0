// Any bytes as a segment: opening and replaying never crashes, and whatever is served stands in
// the file with a right checksum.
//
// Input: the first byte says what the rest is: 0 = the segment itself; otherwise records of sizes
// taken from it, written well, and then damaged by the (place, value) pairs that follow.
#include <algorithm>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/metrics.h"
#include "log/fake_disk.h"
#include "log/log.h"

namespace {

using namespace nilo;
using namespace nilo::log;

constexpr std::size_t kRecordsMax = 8;

std::string damaged_segment(ByteReader& in) {
  std::string segment = encode(SegmentHeader{kFormatVersion, 1, 0});
  for (Seq seq = 1; seq <= kRecordsMax && in.left() > 0; ++seq) {
    const std::size_t size = in.u8();
    std::string record(kRecordHeaderSize, '\0');
    record += in.take(std::min(size, in.left()));
    set_record_length(record.data(), static_cast<std::uint32_t>(record.size() - kRecordHeaderSize));
    seal_record(record, seq);
    segment += record;
  }
  while (in.left() >= 3) {
    const std::size_t place = in.fixed<std::uint16_t>() % segment.size();
    segment[place] = static_cast<char>(segment[place] ^ in.u8());
  }
  return segment;
}

void check_served(const std::string& segment, Seq seq, std::string_view bytes) {
  std::string record(kRecordHeaderSize, '\0');
  record += bytes;
  set_record_length(record.data(), static_cast<std::uint32_t>(bytes.size()));
  seal_record(record, seq);
  NILO_ASSERT(segment.find(record) != std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader in({reinterpret_cast<const char*>(data), size});
  const bool is_raw = in.u8() == 0;
  const std::string segment = is_raw ? std::string(in.take(in.left())) : damaged_segment(in);
  FakeDisk disk;
  disk.set_contents("/log/00000000000000000001.log", segment);
  const FakeClock clock(0);
  const auto logger = make_silent_logger();
  Metrics metrics;
  LogOptions options;
  options.dir = "/log";
  const auto log = Log::open(disk, clock, *logger, metrics, options);
  if (!log) return 0;
  Seq last = 0;
  const auto report = (*log)->replay(1, [&](Seq seq, std::string_view bytes) {
    NILO_ASSERT(seq > last);
    last = seq;
    check_served(segment, seq, bytes);
  });
  NILO_ASSERT(report.has_value());
  NILO_ASSERT((*log)->next_seq() > last);
  return 0;
}
