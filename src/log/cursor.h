// log/cursor.h: reads the log from a number on, good or damaged.
//
// In/out:  segment files -> records in order, and what is damaged.
// Threads: a Cursor belongs to one thread; the log may be written meanwhile.
// Limits:  kDamagesListedMax damages are listed, all are counted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/disk.h"
#include "log/segment.h"
#include "value/record.h"

namespace nilo::log {

class Log;

inline constexpr std::size_t kDamagesListedMax = 100;
// The log remembers where a record begins for about each so many bytes, which is 0.1 % of them in
// memory; after seek() a cursor reads so much at a time.
inline constexpr std::size_t kMarkEvery = 64 * 1024;

// A stretch of a segment that is not what was written.
struct Damage {
  std::string file;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  Seq first_seq = 0;  // the first record that is missing
};

struct ReplayReport {
  std::uint64_t record_count = 0;
  std::uint64_t byte_count = 0;  // without headers
  std::uint64_t damage_count = 0;
  std::vector<Damage> damages;  // the first kDamagesListedMax
};

struct Record {
  Seq seq = 0;
  std::string_view bytes;
};

// Reads on from a number, while the log is being written; sees what is synced. One thread; must
// not outlive the log.
class Cursor {
 public:
  // The next record, valid until the next call; nullopt: nothing more yet. Records that are
  // damaged or were dropped by a limit are left out: look at `seq`.
  // Errors: the disk's.
  Result<std::optional<Record>> next();

  // Goes on with record `seq`, forwards or back. Costs about kMarkEvery bytes of reading, not a
  // segment.
  void seek(Seq seq);

  std::uint64_t damage_count() const { return damage_count_; }
  const std::vector<Damage>& damages() const { return damages_; }  // the first kDamagesListedMax

 private:
  friend class Log;
  Cursor(const Log& log, Seq from) : log_(log), next_seq_(from) {}
  Result<bool> advance();
  Result<bool> open(Seq first_seq, std::uint64_t size);
  void note(std::uint64_t offset, std::uint64_t size, Seq first_seq);

  const Log& log_;
  Seq next_seq_;
  Seq segment_first_seq_ = 0;  // of the open segment; 0 = none was opened yet
  std::uint64_t end_ = 0;      // its durable bytes, when we last looked
  std::uint64_t marked_ = 0;   // where in it the last mark is
  std::size_t read_size_ = kReadSize;
  std::unique_ptr<File> file_;
  std::unique_ptr<SegmentReader> reader_;
  std::uint64_t damage_count_ = 0;
  Seq noted_seq_ = 0;  // where the last damage begins
  std::vector<Damage> damages_;
};

}  // namespace nilo::log
