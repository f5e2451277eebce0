#include "rules/convert.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "rules/lexer.h"

namespace nilo::rules {

Datum finite(double number) {
  return std::isfinite(number) ? Datum::real(number) : Datum::undefined();
}

Datum resolved(Context& context, const Datum& value) {
  if (value.kind() != Kind::verbatim) return value;
  const std::string_view digits = value.as_text();
  const auto number = Decimal::parse(digits);
  if (!number) return {};
  const bool is_plain = digits.find_first_of(".eE") == std::string_view::npos;
  const bool may_be_int = is_plain || context.program->whole_decimals_are_ints;
  return may_be_int && number->is_int() ? context.make_int(*number) : context.make_decimal(*number);
}

namespace {

// -?digits[.digits][(E|e)[-]digits]: what a text must look like to be a number.
bool is_numeric(std::string_view text) {
  if (text.empty() || text[0] == '+' || text.find("E+") != std::string_view::npos ||
      text.find("e+") != std::string_view::npos) {
    return false;
  }
  return true;  // Decimal::parse() refuses the rest
}

}  // namespace

Datum to_number(Context& context, const Datum& value) {
  switch (value.kind()) {
    case Kind::integer:
    case Kind::wide_int:
    case Kind::decimal:
    case Kind::real:
      return value;
    case Kind::verbatim:
      return resolved(context, value);
    case Kind::text: {
      const std::string_view text = value.as_text();
      if (!context.spend_on(text) || !is_numeric(text)) return {};
      const auto number = Decimal::parse(text);
      return number ? context.make_decimal(*number) : Datum::undefined();
    }
    default:
      return {};
  }
}

bool is_int(const Datum& number) {
  return number.kind() == Kind::integer || number.kind() == Kind::wide_int;
}

Decimal decimal_of(const Datum& number) {
  switch (number.kind()) {
    case Kind::integer:
      return Decimal(number.as_integer());
    case Kind::real:
      return Decimal::of_double(number.as_real()).value_or(Decimal());
    default:
      return number.as_decimal();
  }
}

double double_of(const Datum& number) {
  switch (number.kind()) {
    case Kind::integer:
      return static_cast<double>(number.as_integer());
    case Kind::real:
      return number.as_real();
    default:
      return number.as_decimal().to_double();
  }
}

Datum to_int(Context& context, const Datum& value, Decimal::Rounding rounding) {
  const Datum number = to_number(context, value);
  if (number.is_undefined() || is_int(number)) return number;
  const Decimal whole = decimal_of(number).rounded(rounding);
  return whole.is_int() ? context.make_int(whole) : Datum::undefined();
}

namespace {

// Numbers beyond 64 bits become the largest or smallest there is.
std::optional<std::int64_t> limited(Context& context, const Datum& value,
                                    Decimal::Rounding rounding) {
  const Datum number = to_number(context, value);
  if (number.is_undefined()) return std::nullopt;
  if (number.kind() == Kind::integer) return number.as_integer();
  const Decimal exact = decimal_of(number);
  return exact.rounded(rounding).to_int64().value_or(exact.is_negative() ? INT64_MIN : INT64_MAX);
}

}  // namespace

std::optional<std::int64_t> to_count(Context& context, const Datum& value) {
  return limited(context, value, Decimal::Rounding::down);
}

std::optional<std::int64_t> to_index(Context& context, const Datum& value) {
  return limited(context, value,
                 value.is_text() ? Decimal::Rounding::cut : Decimal::Rounding::nearest);
}

std::optional<double> to_double(Context& context, const Datum& value) {
  const Datum number = to_number(context, value);
  if (number.is_undefined()) return std::nullopt;
  return double_of(number);
}

std::optional<bool> to_boolean(const Datum& value) {
  if (value.is_true()) return true;
  if (value.is_false()) return false;
  if (!value.is_text()) return std::nullopt;
  if (equals_word(value.as_text(), "true")) return true;
  if (equals_word(value.as_text(), "false")) return false;
  return std::nullopt;
}

std::optional<std::string_view> to_text(Context& context, const Datum& value) {
  switch (value.kind()) {
    case Kind::undefined:
    case Kind::null:
      return std::nullopt;
    case Kind::text:
      return value.as_text();
    case Kind::boolean:
      return value.is_true() ? "true" : "false";
    default:
      break;
  }
  const Datum number = resolved(context, value);
  // A Decimal of the payload reads as it was written.
  if (value.kind() == Kind::verbatim && !is_int(number)) return value.as_text();
  context.buffer.clear();
  append_json(context.buffer, number);
  if (!context.spend_on(context.buffer)) return std::nullopt;
  const Datum text = context.make_text(context.buffer);
  if (!text.is_text()) return std::nullopt;
  return text.as_text();
}

namespace {

int sign_of(std::strong_ordering order) { return order < 0 ? -1 : order > 0 ? 1 : 0; }

bool is_exact_double(const Datum& number) {
  constexpr std::int64_t kExactMax = std::int64_t{1} << 53;
  if (number.kind() == Kind::real) return true;
  return number.kind() == Kind::integer && number.as_integer() <= kExactMax &&
         number.as_integer() >= -kExactMax;
}

// Both are resolved numbers.
int compare_numbers(const Datum& a, const Datum& b) {
  if (a.kind() == Kind::integer && b.kind() == Kind::integer) {
    return sign_of(a.as_integer() <=> b.as_integer());
  }
  if (is_exact_double(a) && is_exact_double(b)) {
    const double x = double_of(a);
    const double y = double_of(b);
    return x < y ? -1 : x > y ? 1 : 0;
  }
  return sign_of(decimal_of(a) <=> decimal_of(b));
}

}  // namespace

std::optional<int> compare(Context& context, const Datum& a, const Datum& b) {
  const Datum x = to_number(context, a);
  const Datum y = to_number(context, b);
  if (x.is_undefined() || y.is_undefined()) return std::nullopt;
  return compare_numbers(x, y);
}

namespace {

bool equal_values(Context& context, const Datum& a, const Datum& b);

bool equal_arrays(Context& context, const Datum& a, const Datum& b) {
  if (a.size() != b.size()) return false;
  const std::span<Datum> items = context.make_array<Datum>(a.size());
  if (items.size() != a.size()) return false;
  std::size_t i = 0;
  for_each_item(a, [&](const Datum& item) { items[i++] = item; });
  bool same = true;
  i = 0;
  for_each_item(b, [&](const Datum& item) {
    same = same && equal_values(context, items[i], item);
    ++i;
  });
  return same;
}

bool equal_objects(Context& context, const Datum& a, const Datum& b) {
  if (a.size() != b.size()) return false;
  bool same = true;
  for_each_member(a, [&](std::string_view key, const Datum& value) {
    if (!same || !context.spend(b.size())) return;
    same = equal_values(context, value, b.member(key));
  });
  return same;
}

// Undefined equals nothing here: it only comes up where a key is missing.
bool equal_values(Context& context, const Datum& a, const Datum& b) {
  if (!context.spend(1)) return false;
  if (a.is_number() && b.is_number()) {
    const Datum x = resolved(context, a);
    const Datum y = resolved(context, b);
    if (x.is_undefined() || y.is_undefined())
      return a.kind() == b.kind() && a.as_text() == b.as_text();
    return compare_numbers(x, y) == 0;
  }
  if (a.is_text() && b.is_text())
    return context.spend_on(a.as_text()) && a.as_text() == b.as_text();
  if (a.is_array() && b.is_array()) return equal_arrays(context, a, b);
  if (a.is_object() && b.is_object()) return equal_objects(context, a, b);
  if (a.kind() != b.kind()) return false;
  return a.is_null() || (a.kind() == Kind::boolean && a.is_true() == b.is_true());
}

}  // namespace

Datum equals(Context& context, const Datum& a, const Datum& b) {
  if (a.is_undefined() || b.is_undefined()) return {};
  return Datum::boolean(equal_values(context, a, b));
}

namespace {

Datum joined(Context& context, const Datum& a, const Datum& b) {
  const auto x = to_text(context, a);
  const auto y = to_text(context, b);
  if (!x || !y || !context.spend_on(*x) || !context.spend_on(*y)) return {};
  const std::span<char> out = context.make_array<char>(x->size() + y->size());
  if (out.size() != x->size() + y->size()) return {};
  std::copy(y->begin(), y->end(), std::copy(x->begin(), x->end(), out.begin()));
  return Datum::text({out.data(), out.size()});
}

double compute_real(Op op, double a, double b) {
  switch (op) {
    case Op::add:
      return a + b;
    case Op::subtract:
      return a - b;
    case Op::multiply:
      return a * b;
    case Op::divide:
      return a / b;
    default:
      return std::fmod(a, b);
  }
}

// Nothing: beyond 64 bits, or a division by zero.
std::optional<std::int64_t> compute_integer(Op op, std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  switch (op) {
    case Op::add:
      if (__builtin_add_overflow(a, b, &out)) return std::nullopt;
      return out;
    case Op::subtract:
      if (__builtin_sub_overflow(a, b, &out)) return std::nullopt;
      return out;
    case Op::multiply:
      if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
      return out;
    default:
      if (b == 0 || (a == INT64_MIN && b == -1)) return std::nullopt;
      return op == Op::divide ? a / b : a % b;
  }
}

std::optional<Decimal> compute_decimal(Op op, const Decimal& a, const Decimal& b) {
  switch (op) {
    case Op::add:
      return Decimal::add(a, b);
    case Op::subtract:
      return Decimal::subtract(a, b);
    case Op::multiply:
      return Decimal::multiply(a, b);
    case Op::divide:
      return Decimal::divide(a, b);
    default:
      return Decimal::remainder(a, b);
  }
}

// The quotient of two Ints without its fraction. By way of the remainder, because a quotient
// rounded to 34 digits may have been rounded up to the next whole number.
std::optional<Decimal> whole_quotient(const Decimal& a, const Decimal& b) {
  const auto rest = Decimal::remainder(a, b);
  if (!rest) return std::nullopt;
  const auto multiple = Decimal::subtract(a, *rest);
  return multiple ? Decimal::divide(*multiple, b) : std::nullopt;
}

}  // namespace

Datum compute(Context& context, Op op, const Datum& a, const Datum& b) {
  if (op == Op::add && (a.is_text() || b.is_text())) return joined(context, a, b);
  const Datum x = to_number(context, a);
  const Datum y = to_number(context, b);
  if (x.is_undefined() || y.is_undefined()) return {};
  if (x.kind() == Kind::integer && y.kind() == Kind::integer) {
    if (const auto small = compute_integer(op, x.as_integer(), y.as_integer())) {
      return Datum::integer(*small);
    }
  }
  if (x.kind() == Kind::real || y.kind() == Kind::real) {
    return finite(compute_real(op, double_of(x), double_of(y)));
  }
  const bool ints = is_int(x) && is_int(y);
  const auto number = ints && op == Op::divide ? whole_quotient(decimal_of(x), decimal_of(y))
                                               : compute_decimal(op, decimal_of(x), decimal_of(y));
  if (!number) return {};
  return ints ? context.make_int(*number) : context.make_decimal(*number);
}

namespace {

// The common reading, "-12.75": at most 15 digits and no exponent. Such a coefficient and such a
// power of ten are exact, so that their quotient is rounded once, and right (Clinger 1990, "How to
// read floating point numbers accurately"): a third of from_chars()'s work.
std::optional<double> short_decimal(std::string_view digits) {
  constexpr std::size_t kDigitsMax = 15;
  constexpr double kPowers[kDigitsMax + 1] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                              1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  const bool is_negative = digits.front() == '-';
  if (is_negative) digits.remove_prefix(1);
  if (digits.size() > kDigitsMax + 1) return std::nullopt;
  std::int64_t coefficient = 0;
  std::size_t places = 0;
  bool is_fraction = false;
  for (const char c : digits) {
    if (c == '.') {
      is_fraction = true;
    } else if (c < '0' || c > '9') {
      return std::nullopt;
    } else {
      coefficient = coefficient * 10 + (c - '0');
      places += is_fraction ? 1 : 0;
    }
  }
  if (!is_fraction) return std::nullopt;
  const double number = static_cast<double>(coefficient) / kPowers[places];
  return is_negative ? -number : number;
}

// Too large for a double becomes infinite, which a table refuses with a reason.
Value decimal_cell(std::string_view digits) {
  if (const auto short_one = short_decimal(digits)) return Value::float64(*short_one);
  double number = 0;
  const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (wrong != std::errc::result_out_of_range) return Value::float64(number);
  const Decimal exact = Decimal::parse(digits).value_or(Decimal(1));
  const bool is_tiny = exact < Decimal(1) && Decimal(-1) < exact;
  return Value::float64(is_tiny ? 0.0 : digits[0] == '-' ? -HUGE_VAL : HUGE_VAL);
}

// Does a number of JSON have a fraction or an exponent? (find_first_of() calls memchr() for each
// character.)
bool is_decimal(std::string_view digits) {
  return std::any_of(digits.begin(), digits.end(),
                     [](char c) { return c == '.' || c == 'e' || c == 'E'; });
}

Value number_cell(Context& context, const Datum& value) {
  if (value.kind() == Kind::integer) return Value::int64(value.as_integer());
  if (value.kind() == Kind::verbatim && is_decimal(value.as_text())) {
    return decimal_cell(value.as_text());
  }
  const Datum number = resolved(context, value);
  if (number.kind() == Kind::integer) return Value::int64(number.as_integer());
  return Value::float64(number.is_undefined() ? HUGE_VAL : double_of(number));
}

}  // namespace

Value to_cell(Context& context, const Datum& value) {
  switch (value.kind()) {
    case Kind::undefined:
    case Kind::null:
      return Value::null();
    case Kind::boolean:
      return Value::boolean(value.is_true());
    case Kind::text:
      return Value::text(value.as_text());
    case Kind::array:
    case Kind::object:
    case Kind::json:
      return Value::json(to_text(context, value).value_or("null"));
    default:
      return number_cell(context, value);
  }
}

}  // namespace nilo::rules
