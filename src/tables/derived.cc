#include "tables/derived.h"

#include <cmath>

namespace nilo::tables {

namespace {

constexpr double kInt64Limit = 9223372036854775808.0;  // 2^63
// Beyond this a double has no digits left to round.
constexpr int kDecimalsMax = 15;

double rounded(double number, int decimals) {
  if (decimals < 0 || decimals > kDecimalsMax) return number;
  const double scale = std::pow(10.0, decimals);
  const double scaled = number * scale;
  // + 0.0 turns a negative zero into zero.
  return std::isfinite(scaled) ? std::round(scaled) / scale + 0.0 : number;
}

Value number_cell(const Column& column, double number) {
  const double value = rounded(number, column.decimals);
  if (!std::isfinite(value)) return Value::null();
  if (column.type == Type::float64) return Value::float64(value);
  const double scale =
      column.type == Type::timestamp ? static_cast<double>(us_per(column.time_unit)) : 1;
  const double whole = std::round(value * scale);
  if (std::abs(whole) >= kInt64Limit) return Value::null();
  const auto integer = static_cast<std::int64_t>(whole);
  return column.type == Type::timestamp ? Value::timestamp(integer) : Value::int64(integer);
}

}  // namespace

Value derived_cell(const Column& column, const Value& value) {
  const bool takes_number =
      column.type == Type::float64 || column.type == Type::int64 || column.type == Type::timestamp;
  switch (value.type()) {
    case Type::float64:
      return takes_number ? number_cell(column, value.as_float64()) : Value::null();
    case Type::int64:
      if (column.type == Type::int64) return value;
      return takes_number ? number_cell(column, static_cast<double>(value.as_int64()))
                          : Value::null();
    case Type::json:  // expressions read json columns as text; they make none
      return Value::null();
    default:
      return value.type() == column.type ? value : Value::null();
  }
}

}  // namespace nilo::tables
