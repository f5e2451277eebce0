// value/row.h: a row on its way into the log, and out of it again.
//
// RowWriter checks and converts what a rule or a person gives; what it refuses never reaches the
// log. RowReader trusts what it wrote, but never reads outside its bytes.
// Format: docs/formats/record.md, effect `row`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "value/record.h"
#include "value/schema.h"
#include "value/value.h"

namespace nilo {

// A schema with the numbers its table and columns have on disk. Numbers are given once and stay
// with the name for ever (tables/catalog.h), so old rows stay readable when a stack changes.
struct TableLayout {
  TableSchema schema;
  std::uint32_t table_id = 0;
  std::vector<std::uint32_t> column_ids;  // one per stored column, in schema order
};

// How far a device's clock may be ahead of ours before its rows are refused.
inline constexpr std::int64_t kClockAheadMaxUs = std::int64_t{24} * 3600 * 1'000'000;
// Rows older than 2000-01-01T00:00:00Z come from a clock that was never set.
inline constexpr TimeUs kTimeMinUs = std::int64_t{946'684'800} * 1'000'000;
inline constexpr std::size_t kTextCellSizeMax = 64 * 1024;

class RowWriter {
 public:
  // `layout` must outlive the writer.
  explicit RowWriter(const TableLayout& layout);

  // Forgets the cells of the last row.
  void begin(TimeUs received_us);

  // `column`: a stored column's number. Text is kept as a view until finish(). Numbers convert
  // where nothing is lost; numeric text becomes a number; timestamps take numbers in the column's
  // time unit, or ISO text.
  // invalid_argument: wrong type, outside min..max, one of `invalid`, NaN, text too long, a clock
  // that is off; the message names column, value and limit.
  Result<void> set(std::size_t column, const Value& value);

  // What was set, by stored column; null where nothing was, or was refused.
  std::span<const Value> cells() const { return cells_; }

  // Appends the row effect. A missing sort key becomes the receive time.
  // invalid_argument: a partition column without a value, a key longer than kKeySizeMax, or no
  // other column with a value.
  Result<void> finish(RecordWriter& record);

 private:
  Result<Value> converted(const Column& column, const Value& value) const;
  Result<void> check_range(const Column& column, double number) const;
  Result<void> check_time(const Column& column, TimeUs us) const;

  const TableLayout& layout_;
  TimeUs received_us_ = 0;
  std::vector<Value> cells_;
  bool has_text_key_ = false;
};

// One cell as rows hold it: its type's byte, then the value.
void put_value(std::string& out, const Value& cell);
// False for a type number we do not know; short input shows in `in`.
bool get_value(ByteReader& in, Value& cell);

// The table number at the start of a row effect's body; 0 (never used) if the bytes are damaged.
std::uint32_t table_id_of_row(std::string_view body);

class RowReader {
 public:
  // `layout` must outlive the reader.
  explicit RowReader(const TableLayout& layout);

  // Fills `cells` (stored_count() of them; null where the row has none or the column is unknown
  // now). Views into `body`. False: damaged bytes.
  bool read(std::string_view body, std::span<Value> cells) const;

 private:
  static constexpr std::uint8_t kUnknownColumn = 0xff;
  std::vector<std::uint8_t> column_of_id_;
  std::vector<Type> types_;
};

}  // namespace nilo
