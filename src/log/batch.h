// log/batch.h: records on their way to the log, gathered by an event loop.
//
// A record is written straight to where the disk write will take it from: its 16-byte header is
// reserved in place and filled in by the log.
//
// Threads: one owner at a time: a loop, then the log, then its follower.
// Limits:  kRecordSizeMax a record. How many records to gather is the loop's choice; one turn of
//          the loop is right.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "log/format.h"
#include "value/record.h"

namespace nilo::log {

class Batch {
 public:
  // Starts a record: append its bytes to the returned buffer, which already holds others, then
  // call end_record() or cancel_record().
  std::string& begin_record();
  // too_large: more than kRecordSizeMax bytes; the record is cancelled.
  Result<void> end_record();
  void cancel_record();

  std::size_t count() const { return count_; }
  std::size_t size() const { return bytes_.size(); }  // bytes, headers included
  bool empty() const { return count_ == 0; }

  // Called once by the follower when the records are durable, or refused. `first`: the number of
  // the first record; without meaning when refused.
  std::function<void(const Result<void>&, Seq first)> done;

  // f(Seq, std::string_view record) for each record; the first one is number `first`.
  template <typename F>
  void for_each(Seq first, F&& f) const {
    std::string_view rest = bytes_;
    while (!rest.empty()) {
      const std::size_t size = record_length(rest);
      f(first++, rest.substr(kRecordHeaderSize, size));
      rest.remove_prefix(kRecordHeaderSize + size);
    }
  }

 private:
  friend class Log;
  // Fills in number and checksum of every record.
  void seal(Seq first);

  std::string bytes_;
  std::size_t begun_at_ = 0;
  std::size_t count_ = 0;
};

}  // namespace nilo::log
