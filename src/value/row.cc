#include "value/row.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/bytes.h"
#include "base/utf8.h"
#include "value/key.h"

namespace nilo {

namespace {

// The largest magnitude below which every whole number is a double.
constexpr double kExactWholeMax = 9007199254740992.0;
constexpr std::size_t kShownSizeMax = 60;

std::string shown(const Value& value) {
  std::string json;
  append_json(json, value);
  return printable(json, kShownSizeMax);
}

Error refused(const Column& column, const Value& value, std::string_view why) {
  return {ErrorCode::invalid_argument, fmt::format("{} {} {}", column.name, shown(value), why)};
}

std::string with_unit(double number, const Column& column) {
  return column.unit.empty() ? fmt::format("{}", number)
                             : fmt::format("{} {}", number, column.unit);
}

Result<std::int64_t> whole_of(const Column& column, const Value& value, double number) {
  const bool exact = std::trunc(number) == number && std::abs(number) <= kExactWholeMax;
  if (!exact) return refused(column, value, "is not a whole number");
  return static_cast<std::int64_t>(number);
}

// Numeric text, all of it; nullopt otherwise.
std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = failure == std::errc() && end == text.data() + text.size() && !text.empty();
  return whole ? std::optional(number) : std::nullopt;
}

Result<double> number_of(const Column& column, const Value& value) {
  switch (value.type()) {
    case Type::int64:
      return static_cast<double>(value.as_int64());
    case Type::float64:
      return value.as_float64();
    case Type::text:
      if (const auto number = number_in(value.as_text())) return *number;
      break;
    default:
      break;
  }
  return refused(column, value, "is not a number");
}

Result<Value> timestamp_of(const Column& column, const Value& value) {
  if (value.type() == Type::text) {
    const auto us = parse_iso_time(value.as_text());
    if (us) return Value::timestamp(*us);
  }
  const std::int64_t scale = us_per(column.time_unit);
  if (value.type() == Type::int64) {
    std::int64_t us = 0;
    if (__builtin_mul_overflow(value.as_int64(), scale, &us)) {
      return refused(column, value, "is outside the range of a timestamp");
    }
    return Value::timestamp(us);
  }
  const double number = TRY(number_of(column, value)) * static_cast<double>(scale);
  if (!(std::abs(number) < 9.2e18)) {
    return refused(column, value, "is outside the range of a timestamp");
  }
  return Value::timestamp(static_cast<std::int64_t>(std::llround(number)));
}

// The size of text in a key: value/key.h.
Result<void> check_key(const TableLayout& layout, std::span<const Value> cells) {
  std::string key;
  append_key_text(key, cells);
  if (key.size() <= kKeySizeMax) return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("{} is a key of {} bytes, more than {}", layout.schema.columns[0].name,
                           key.size(), kKeySizeMax),
               fmt::format("see the key of table {}", layout.schema.name)};
}

bool is_allowed(const Column& column, double number) {
  if (!std::isfinite(number)) return false;
  if (column.min && number < *column.min) return false;
  if (column.max && number > *column.max) return false;
  return std::find(column.invalid.begin(), column.invalid.end(), number) == column.invalid.end();
}

// The common cell: a number that needs no conversion but to double. Nullopt: look closer.
std::optional<Value> plain_number(const Column& column, const Value& value) {
  const bool is_whole = value.type() == Type::int64;
  if (!is_whole && value.type() != Type::float64) return std::nullopt;
  const double number = is_whole ? static_cast<double>(value.as_int64()) : value.as_float64();
  if (column.type == Type::float64 && is_allowed(column, number)) return Value::float64(number);
  if (column.type == Type::int64 && is_whole && is_allowed(column, number)) return value;
  return std::nullopt;
}

constexpr std::size_t kNumberSizeMax = 1 + kVarintSizeMax;

// Type and value of a number or a time into memory with room for kNumberSizeMax; one past what was
// written. Nullptr: `cell` is something else.
char* write_number(char* at, const Value& cell) {
  *at++ = static_cast<char>(cell.type());
  switch (cell.type()) {
    case Type::int64:
      return write_varint(at, zigzag(cell.as_int64()));
    case Type::timestamp:
      return write_fixed(at, cell.as_int64());
    case Type::float64:
      return write_fixed(at, cell.as_float64());
    case Type::null:
    case Type::boolean:
    case Type::text:
    case Type::json:
      break;
  }
  return nullptr;
}

// Column number and cell; most of them in one append.
void put_cell(std::string& out, std::uint32_t column_id, const Value& cell) {
  char bytes[kVarintSizeMax + kNumberSizeMax];
  char* const at = write_varint(bytes, column_id);
  const char* const end = write_number(at, cell);
  out.append(bytes, static_cast<std::size_t>((end != nullptr ? end : at) - bytes));
  if (end == nullptr) put_value(out, cell);
}

}  // namespace

void put_value(std::string& out, const Value& cell) {
  char bytes[kNumberSizeMax];
  if (const char* const end = write_number(bytes, cell)) {
    out.append(bytes, static_cast<std::size_t>(end - bytes));
    return;
  }
  put_u8(out, static_cast<std::uint8_t>(cell.type()));
  if (cell.type() == Type::boolean) put_u8(out, cell.as_boolean() ? 1 : 0);
  if (cell.type() == Type::text || cell.type() == Type::json) put_bytes(out, cell.as_text());
}

bool get_value(ByteReader& in, Value& cell) {
  switch (static_cast<Type>(in.u8())) {
    case Type::null:
      cell = Value();
      return true;
    case Type::int64:
      cell = Value::int64(unzigzag(in.varint()));
      return true;
    case Type::timestamp:
      cell = Value::timestamp(in.fixed<std::int64_t>());
      return true;
    case Type::float64:
      cell = Value::float64(in.fixed<double>());
      return true;
    case Type::boolean:
      cell = Value::boolean(in.u8() != 0);
      return true;
    case Type::text:
      cell = Value::text(in.bytes());
      return true;
    case Type::json:
      cell = Value::json(in.bytes());
      return true;
  }
  return false;
}

RowWriter::RowWriter(const TableLayout& layout)
    : layout_(layout), cells_(layout.schema.stored_count()) {
  NILO_ASSERT(layout.column_ids.size() == cells_.size());
  const auto is_text = [](const Column& column) {
    return column.type == Type::text || column.type == Type::json;
  };
  const auto& columns = layout.schema.columns;
  const auto key_count = static_cast<std::ptrdiff_t>(layout.schema.partition_count);
  has_text_key_ = std::any_of(columns.begin(), columns.begin() + key_count, is_text);
}

void RowWriter::begin(TimeUs received_us) {
  received_us_ = received_us;
  std::fill(cells_.begin(), cells_.end(), Value());
}

Result<void> RowWriter::set(std::size_t column, const Value& value) {
  NILO_ASSERT(column < cells_.size());
  if (value.is_null()) return {};
  const Column& declared = layout_.schema.columns[column];
  if (const auto number = plain_number(declared, value)) {
    cells_[column] = *number;
    return {};
  }
  cells_[column] = TRY(converted(declared, value));
  return {};
}

Result<Value> RowWriter::converted(const Column& column, const Value& value) const {
  switch (column.type) {
    case Type::null:
      break;
    case Type::float64: {
      const double number = TRY(number_of(column, value));
      TRY(check_range(column, number));
      return Value::float64(number);
    }
    case Type::int64: {
      if (value.type() == Type::int64) {
        TRY(check_range(column, static_cast<double>(value.as_int64())));
        return value;
      }
      const double number = TRY(number_of(column, value));
      TRY(check_range(column, number));
      return Value::int64(TRY(whole_of(column, value, number)));
    }
    case Type::timestamp: {
      const Value time = value.type() == Type::timestamp ? value : TRY(timestamp_of(column, value));
      const bool is_key = layout_.schema.has_sort_key &&
                          &column == &layout_.schema.columns[layout_.schema.sort_column()];
      if (is_key) TRY(check_time(column, time.as_int64()));
      return time;
    }
    case Type::boolean:
      if (value.type() == Type::boolean) return value;
      return refused(column, value, "is not true or false");
    case Type::text:
      if (value.type() != Type::text) {
        return refused(column, value, "is not text; write cast(... AS String) in the rule");
      }
      if (value.as_text().size() > kTextCellSizeMax) {
        return refused(column, value, "is longer than 65536 bytes");
      }
      if (!is_utf8(value.as_text())) return refused(column, value, "is not UTF-8");
      return value;
    case Type::json:
      if (value.type() != Type::json) return refused(column, value, "is not JSON");
      if (value.as_text().size() > kTextCellSizeMax) {
        return refused(column, value, "is longer than 65536 bytes");
      }
      return value;
  }
  return refused(column, value, "has no column type");
}

Result<void> RowWriter::check_range(const Column& column, double number) const {
  const auto refuse = [&](std::string why) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("{} {} {}", column.name, with_unit(number, column), why),
                 fmt::format("limits of table {}, column {}", layout_.schema.name, column.name)};
  };
  if (is_allowed(column, number)) return {};
  if (!std::isfinite(number)) return refuse("is not a finite number");
  if (column.min && number < *column.min) {
    return refuse(fmt::format("is below min {}", with_unit(*column.min, column)));
  }
  if (column.max && number > *column.max) {
    return refuse(fmt::format("is above max {}", with_unit(*column.max, column)));
  }
  return refuse("is listed in `invalid`: a reading that is none");
}

Result<void> RowWriter::check_time(const Column& column, TimeUs us) const {
  const char* hint = "set the device's clock, or leave the time out: the server's is used then";
  if (us < kTimeMinUs) {
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("{} {} is before 2000: a clock that was never set", column.name, iso_time(us)),
        hint};
  }
  if (us > received_us_ + kClockAheadMaxUs) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("{} {} is more than 24 hours ahead of the server's clock {}",
                             column.name, iso_time(us), iso_time(received_us_)),
                 hint};
  }
  return {};
}

Result<void> RowWriter::finish(RecordWriter& record) {
  const TableSchema& schema = layout_.schema;
  for (std::size_t i = 0; i < schema.partition_count; ++i) {
    if (cells_[i].is_null()) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("{} is missing: it is the key of table {}", schema.columns[i].name,
                               schema.name),
                   "select it in the rule"};
    }
  }
  if (has_text_key_) TRY(check_key(layout_, std::span(cells_).first(schema.partition_count)));
  std::size_t first_value = schema.partition_count;
  if (schema.has_sort_key) {
    Value& time = cells_[schema.sort_column()];
    if (time.is_null()) time = Value::timestamp(received_us_);
    ++first_value;
  }
  std::size_t count = first_value;
  for (std::size_t i = first_value; i < cells_.size(); ++i) count += !cells_[i].is_null();
  if (count == first_value && first_value < cells_.size()) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("no value for any column of table {}", schema.name),
                 fmt::format("the message has no \"{}\", or it is not a number",
                             schema.columns[first_value].name)};
  }
  record.begin(EffectKind::row);
  std::string& out = record.out();
  put_varint(out, layout_.table_id);
  put_varint(out, count);
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    if (cells_[i].is_null()) continue;
    put_cell(out, layout_.column_ids[i], cells_[i]);
  }
  record.end();
  return {};
}

std::uint32_t table_id_of_row(std::string_view body) {
  ByteReader in(body);
  const auto id = static_cast<std::uint32_t>(in.varint());
  return in.ok() ? id : 0;
}

RowReader::RowReader(const TableLayout& layout) {
  for (std::size_t i = 0; i < layout.column_ids.size(); ++i) {
    const std::uint32_t id = layout.column_ids[i];
    if (column_of_id_.size() <= id) column_of_id_.resize(id + 1, kUnknownColumn);
    column_of_id_[id] = static_cast<std::uint8_t>(i);
    types_.push_back(layout.schema.columns[i].type);
  }
  static_assert(kColumnsMax < kUnknownColumn);
}

bool RowReader::read(std::string_view body, std::span<Value> cells) const {
  NILO_ASSERT(cells.size() == types_.size());
  std::fill(cells.begin(), cells.end(), Value());
  ByteReader in(body);
  in.varint();  // table id
  for (std::uint64_t count = in.varint(); count > 0 && in.ok(); --count) {
    const std::uint64_t id = in.varint();
    Value cell;
    if (!get_value(in, cell)) return false;
    if (id >= column_of_id_.size()) continue;
    const std::uint8_t column = column_of_id_[id];
    // A column whose type was changed in the stack no longer shows its old cells.
    if (column != kUnknownColumn && cell.type() == types_[column]) cells[column] = cell;
  }
  return in.ok();
}

}  // namespace nilo
