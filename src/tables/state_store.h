// tables/state_store.h: the keyed state on disk.
//
// In/out:  latest rows and catalog entries -> one LMDB environment; back again at start.
// Threads: reading: one thread, before the first transaction. One transaction at a time, begun
//          and ended on one thread.
// Limits:  `size_max` bytes of file.
// Errors:  resource_exhausted: size_max or the disk is full; corrupt: not what was written;
//          unavailable: the rest (permissions, read-only, I/O). Each names the folder.
// Format:  docs/formats/state.md.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "value/record.h"

namespace nilo::tables {

struct StoredRow {
  std::string_view key;
  Seq seq;
  TimeUs received_us;
  std::string_view body;  // value/row.h
};

// Changes nothing until commit(); destroyed before, it never was.
class StateTransaction {
 public:
  virtual ~StateTransaction() = default;
  virtual Result<void> put_catalog(std::uint32_t table_id, std::uint32_t column_id,
                                   std::string_view body) = 0;
  virtual Result<void> put_latest(std::uint32_t table_id, const StoredRow& row) = 0;
  // `seq`: everything up to this record is in.
  virtual Result<void> commit(Seq seq) = 0;
};

class StateStore {
 public:
  // Makes the folder if it is missing.
  static Result<std::unique_ptr<StateStore>> open(const std::string& dir, std::size_t size_max);
  virtual ~StateStore() = default;

  // What the last committed transaction covers; 0 in a new store.
  virtual Seq seq() const = 0;
  virtual Result<void> read_catalog(const std::function<void(std::string_view body)>& each) = 0;
  virtual Result<void> read_latest(std::uint32_t table_id,
                                   const std::function<void(const StoredRow&)>& each) = 0;

  virtual Result<std::unique_ptr<StateTransaction>> begin() = 0;
};

}  // namespace nilo::tables
