// app/change_observer.h: somebody who follows what the tables take.
//
// In/out:  every applied row of the tables he watches, in the log's order, rows of private tables
//          too; then a call when a batch is through, or when he asked for one.
// Threads: the tables thread, all of it. What takes longer than microseconds belongs elsewhere:
//          the log waits for whoever is slow here.
#pragma once

#include <cstdint>
#include <limits>

#include "tables/tables.h"
#include "value/record.h"

namespace nilo::app {

inline constexpr std::int64_t kNeverDueUs = std::numeric_limits<std::int64_t>::max();

class ChangeObserver {
 public:
  virtual ~ChangeObserver() = default;

  // Asked once for each table, when he begins to observe. Rows of a table that nobody watches cost
  // nothing.
  virtual bool watches(const TableSchema& /*schema*/) const { return true; }
  // The row is in its table already. Views of `change` live for the call.
  virtual void on_change(const tables::Change& change) = 0;
  // Records up to `applied` are in the tables, and whoever waits for them has been answered. After
  // each durable batch, and when due_us() is reached though nothing happened.
  virtual void after_batch(Seq /*applied*/) {}
  // Clock::steady_us at which after_batch() is wanted.
  virtual std::int64_t due_us() const { return kNeverDueUs; }
};

}  // namespace nilo::app
