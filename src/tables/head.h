// tables/head.h: the readings of one table, in memory, in the order of arrival.
//
// Why not a column set for each key: rows of one key are found through a list of row numbers
// sorted by time (Series), which also finds the row that a repeated reading replaces. So rows can
// lie in one sequence of chunks: appending touches few cache lines however many keys there are, a
// snapshot is a list of chunks, the log's order is the rows' order, and trimming drops chunks from
// the front.
//
// Threads: none of its own; the table's mutex guards it. A HeadSnapshot may be read without it.
// Limits:  2^31 rows at a time; the memory budget ends long before.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "tables/chunk.h"

namespace nilo::tables {

// The rows of one key by time: the low halves of their row numbers.
using Series = std::vector<std::uint32_t>;

// Rows of a chunk that were replaced, ascending. Copied to change: snapshots keep the old one.
using DeadRows = std::vector<std::uint16_t>;

struct HeadSlot {
  std::shared_ptr<const Chunk> chunk;
  std::shared_ptr<const DeadRows> dead;  // nullptr: none
};

// One row, kept alive.
struct RowRef {
  std::shared_ptr<const Chunk> chunk;
  std::size_t row;
};

// What was there at one moment.
struct HeadSnapshot {
  std::vector<HeadSlot> slots;
  std::size_t first_row = 0;  // in the first slot
  std::size_t last_end = 0;   // one past the last row in the last slot

  std::size_t begin_of(std::size_t slot) const { return slot == 0 ? first_row : 0; }
  std::size_t end_of(std::size_t slot) const {
    return slot + 1 == slots.size() ? last_end : Chunk::kRowsMax;
  }
};

class SeriesPiece;  // tables/series.h

class Head {
 public:
  // Asserted: the schema has a sort key. `schema` must outlive the head.
  explicit Head(const TableSchema& schema);

  // Appends a row of the key `series` belongs to. A row of the same key and time is replaced.
  // `newest_us`: no row of the key is newer. The caller knows it; to look would touch an old row's
  // memory. O(1) if this one is the key's newest, else O(log rows of the key) plus a memmove of
  // its numbers.
  void append(Series& series, TimeUs newest_us, std::span<const Value> cells, TimeUs received_us,
              Seq seq);

  // Forgets rows before `oldest`; then every series must go through forget().
  void trim(Seq oldest);
  void forget(Series& series);

  HeadSnapshot snapshot() const;
  // The rows of `series` with from <= time < to: at most `limit` from either end, by time.
  std::vector<RowRef> find(const Series& series, TimeUs from_us, TimeUs to_us, std::size_t limit,
                           bool newest_first) const;

  // The first rows of `series` with from <= time < to, at most `limit`, into `out`, whose memory is
  // used again.
  void find_piece(const Series& series, TimeUs from_us, TimeUs to_us, std::size_t limit,
                  SeriesPiece& out) const;

  std::size_t row_count() const { return live_count_; }
  std::size_t size() const { return size_; }  // bytes allocated

 private:
  using RowNumber = std::uint64_t;  // counts appended rows since the start

  RowNumber full(std::uint32_t low) const {
    return begin_ + static_cast<std::uint32_t>(low - static_cast<std::uint32_t>(begin_));
  }
  const HeadSlot& slot_of(RowNumber row) const {
    return slots_[static_cast<std::size_t>((row - base_) / Chunk::kRowsMax)];
  }
  TimeUs time_of(std::uint32_t low) const;
  void kill(RowNumber row);
  Series::const_iterator lower_bound(const Series& series, TimeUs time_us) const;

  const std::size_t sort_column_;
  const ChunkFormat format_;
  std::deque<HeadSlot> slots_;
  std::shared_ptr<Chunk> last_;  // the same as slots_.back().chunk
  RowNumber base_ = 0;           // of the first row in the first slot
  RowNumber begin_ = 0;          // the first row not trimmed
  RowNumber end_ = 0;            // one past the last
  std::size_t live_count_ = 0;
  std::size_t size_ = 0;
};

}  // namespace nilo::tables
