// tables/scan.h: rows as blocks of columns, for SQL.
//
// The seam between what keeps rows and what asks for them: heads and latest rows today, history
// files later.
// Threads: one thread at a time per scan; the tables may change meanwhile, the scan does not see
// it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "value/schema.h"

namespace nilo::tables {

// What a cell of text looks like in a block; the others are int64, double, or a byte (boolean).
struct TextCell {
  const char* data;
  std::uint32_t size;
};

// `values` points at row_count cells of the column's type, `valid` at as many bytes: 1 = not null.
struct BlockColumn {
  const void* values;
  const std::uint8_t* valid;
};

class Scan {
 public:
  static constexpr std::size_t kBlockRowsMax = 2048;

  virtual ~Scan() = default;
  virtual const TableSchema& schema() const = 0;
  // At most so many rows follow, for planning.
  virtual std::size_t row_count() const = 0;
  // Number of rows in the next block, at most kBlockRowsMax; 0 at the end.
  virtual std::size_t next() = 0;
  // A column of the block: a column number, or columns.size() for `received`.
  virtual BlockColumn column(std::size_t number) const = 0;
};

}  // namespace nilo::tables
