// Section Numeric of docs/rules.md. "num" arguments are numbers and numeric texts; everything else
// makes the result Undefined, as does a result that is infinite or no number.
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "rules/convert.h"
#include "rules/functions.h"

namespace nilo::rules {

namespace {

template <double (*Function)(double)>
Datum real_function(const Call& call) {
  const auto x = to_double(call.context, call[0]);
  return x ? finite(Function(*x)) : Datum::undefined();
}

template <double (*Function)(double, double)>
Datum real_function_of_two(const Call& call) {
  const auto x = to_double(call.context, call[0]);
  const auto y = to_double(call.context, call[1]);
  return x && y ? finite(Function(*x, *y)) : Datum::undefined();
}

Datum abs_of(const Call& call) {
  const Datum number = to_number(call.context, call[0]);
  if (number.kind() == Kind::real) return Datum::real(std::fabs(number.as_real()));
  const bool is_negative = !number.is_undefined() && decimal_of(number).is_negative();
  return is_negative ? compute(call.context, Op::subtract, Datum::integer(0), number) : number;
}

template <Decimal::Rounding rounding>
Datum rounded(const Call& call) {
  return to_int(call.context, call[0], rounding);
}

// Whole numbers of 64 bits; Decimals and texts rounded down.
std::optional<std::int64_t> to_bits(const Call& call, std::size_t i) {
  const Datum number = to_int(call.context, call[i], Decimal::Rounding::down);
  if (number.kind() != Kind::integer) return std::nullopt;
  return number.as_integer();
}

template <typename Combine>
Datum of_bits(const Call& call, Combine combine) {
  const auto a = to_bits(call, 0);
  const auto b = to_bits(call, 1);
  return a && b ? Datum::integer(combine(*a, *b)) : Datum::undefined();
}

Datum bitand_of(const Call& call) {
  return of_bits(call, [](std::int64_t a, std::int64_t b) { return a & b; });
}
Datum bitor_of(const Call& call) {
  return of_bits(call, [](std::int64_t a, std::int64_t b) { return a | b; });
}
Datum bitxor_of(const Call& call) {
  return of_bits(call, [](std::int64_t a, std::int64_t b) { return a ^ b; });
}

// The vendor's bitnot(13) is 2: only the bits that the number has are flipped. Negative numbers
// have them all.
Datum bitnot_of(const Call& call) {
  const auto a = to_bits(call, 0);
  if (!a) return {};
  if (*a < 0) return Datum::integer(~*a);
  const auto bits = static_cast<std::uint64_t>(*a);
  const int width = bits == 0 ? 1 : 64 - __builtin_clzll(bits);
  return Datum::integer(static_cast<std::int64_t>(bits ^ ((std::uint64_t{1} << width) - 1)));
}

Datum remainder_of(const Call& call) {
  return compute(call.context, Op::remainder, call[0], call[1]);
}

Datum nanvl(const Call& call) {
  return to_number(call.context, call[0]).is_undefined() ? call[1] : call[0];
}

Datum random_number(const Call&) {
  std::uint64_t bits = 0;
  if (getentropy(&bits, sizeof bits) != 0) return {};
  return Datum::real(static_cast<double>(bits >> 11) * 0x1p-53);
}

Datum sign_of(const Call& call) {
  const auto order = compare(call.context, call[0], Datum::integer(0));
  return order ? Datum::integer(*order) : Datum::undefined();
}

Datum trunc_of(const Call& call) {
  constexpr std::int64_t kPlacesMax = 34;
  const Datum number = to_number(call.context, call[0]);
  const auto places = to_count(call.context, call[1]);
  if (number.is_undefined() || !places) return {};
  if (is_int(number)) return number;
  const int kept = static_cast<int>(std::clamp<std::int64_t>(*places, 0, kPlacesMax));
  const Decimal cut = decimal_of(number).rounded(Decimal::Rounding::cut, kept);
  return cut.is_int() ? call.context.make_int(cut) : call.context.make_decimal(cut);
}

double abs_power(double base, double exponent) { return std::pow(base, exponent); }

constexpr FunctionInfo number(std::string_view name, Datum (*run)(const Call&),
                              std::size_t count = 1) {
  return {.name = name, .run = run, .count_min = count, .count_max = count};
}

constexpr FunctionInfo kFunctions[] = {
    number("abs", abs_of),
    number("acos", real_function<std::acos>),
    number("asin", real_function<std::asin>),
    number("atan", real_function<std::atan>),
    number("atan2", real_function_of_two<std::atan2>, 2),
    number("bitand", bitand_of, 2),
    number("bitnot", bitnot_of),
    number("bitor", bitor_of, 2),
    number("bitxor", bitxor_of, 2),
    number("ceil", rounded<Decimal::Rounding::up>),
    number("cos", real_function<std::cos>),
    number("cosh", real_function<std::cosh>),
    number("exp", real_function<std::exp>),
    number("floor", rounded<Decimal::Rounding::down>),
    number("ln", real_function<std::log>),
    number("log", real_function<std::log10>),
    number("mod", remainder_of, 2),
    number("nanvl", nanvl, 2),
    number("power", real_function_of_two<abs_power>, 2),
    {.name = "rand", .run = random_number, .depends = Depends::kMessage},
    number("remainder", remainder_of, 2),
    number("round", rounded<Decimal::Rounding::nearest>),
    number("sign", sign_of),
    number("sin", real_function<std::sin>),
    number("sinh", real_function<std::sinh>),
    number("sqrt", real_function<std::sqrt>),
    number("tan", real_function<std::tan>),
    number("tanh", real_function<std::tanh>),
    number("trunc", trunc_of, 2),
};

}  // namespace

std::span<const FunctionInfo> numeric_functions() { return kFunctions; }

}  // namespace nilo::rules
