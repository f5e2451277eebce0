// tables/chunk.h: up to 2,048 rows of one table, column by column.
//
// Rows are only appended. A reader who learned (through the table's mutex) that n rows are there
// may read those n without a lock while more are appended behind them. Validity is a byte a cell,
// not a bit, so that neighbours never share one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tables/scan.h"
#include "tables/text_arena.h"
#include "value/record.h"
#include "value/schema.h"
#include "value/value.h"

namespace nilo::tables {

// Where each column of a table lies in the one memory block of a chunk.
class ChunkFormat {
 public:
  struct Field {
    Type type;
    std::size_t values_at;
    std::size_t valid_at;
  };
  explicit ChunkFormat(const TableSchema& schema);

  const std::vector<Field>& fields() const { return fields_; }  // in schema order
  std::size_t received_at() const { return received_at_; }
  std::size_t seq_at() const { return seq_at_; }
  std::size_t size() const { return size_; }

 private:
  std::vector<Field> fields_;
  std::size_t received_at_ = 0;
  std::size_t seq_at_ = 0;
  std::size_t size_ = 0;
};

class Chunk {
 public:
  static constexpr std::size_t kRowsMax = Scan::kBlockRowsMax;

  // `format` must outlive the chunk.
  explicit Chunk(const ChunkFormat& format)
      : format_(format), bytes_(std::make_unique_for_overwrite<std::byte[]>(format.size())) {}

  // Has the kernel give all memory at once: a fault for each page costs more than writing it.
  void fetch_pages();

  // The writer's count.
  std::size_t row_count() const { return row_count_; }
  bool is_full() const { return row_count_ == kRowsMax; }
  // Bytes allocated; the writer's view.
  std::size_t size() const { return sizeof(Chunk) + format_.size() + texts_.size(); }

  // One cell for each column, null or of its column's type (asserted); text is copied.
  void append(std::span<const Value> cells, TimeUs received_us, Seq seq);

  Value cell(std::size_t row, std::size_t column) const;
  TimeUs received_us(std::size_t row) const { return array<TimeUs>(format_.received_at())[row]; }
  Seq seq(std::size_t row) const { return array<Seq>(format_.seq_at())[row]; }
  // Column `number` from `row` on, as scans give it.
  BlockColumn column(std::size_t number, std::size_t row) const;

 private:
  template <typename T>
  T* array(std::size_t at) {
    return reinterpret_cast<T*>(bytes_.get() + at);
  }
  template <typename T>
  const T* array(std::size_t at) const {
    return reinterpret_cast<const T*>(bytes_.get() + at);
  }
  void set(const ChunkFormat::Field& field, const Value& cell);

  const ChunkFormat& format_;
  std::unique_ptr<std::byte[]> bytes_;
  TextArena texts_;
  std::size_t row_count_ = 0;
};

}  // namespace nilo::tables
