#include "rules/decimal.h"

#include <array>
#include <boost/multiprecision/cpp_int.hpp>
#include <charconv>
#include <cmath>

#include "base/assert.h"

namespace nilo::rules {

namespace {

using Coefficient = Decimal::Coefficient;
// Wide enough for the product of two coefficients (68 digits, 226 bits).
using Product = boost::multiprecision::uint256_t;

constexpr auto kPowers = [] {
  std::array<Coefficient, 39> powers{};
  powers[0] = 1;
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();
constexpr Coefficient power_of_10(int n) { return kPowers[static_cast<std::size_t>(n)]; }

// Every sum of a coefficient and another one shifted by this many digits stays below 10^34.
constexpr Coefficient kShort = power_of_10(17);
constexpr int kShortShiftMax = 16;

// n <= 76: 10^77 may not fit.
Product wide_power_of_10(int n) {
  constexpr int kStep = 38;
  Product out = power_of_10(n % kStep);
  for (n /= kStep; n > 0; --n) out *= Product(power_of_10(kStep));
  return out;
}

int digits_of(Coefficient coefficient) {
  if (coefficient < 10) return 1;
  const auto high = static_cast<std::uint64_t>(coefficient >> 64);
  const auto low = static_cast<std::uint64_t>(coefficient);
  const int bits = high != 0 ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll(low);
  const int estimate = bits * 1233 >> 12;  // log10(2) = 1233/4096, at most one too small
  return estimate + (coefficient >= power_of_10(estimate) ? 1 : 0);
}

// How a quotient is rounded: compares what was cut off with one half.
bool rounds_away(Decimal::Rounding rounding, bool negative, bool odd, int cut_against_half,
                 bool cut_anything, bool half_even) {
  switch (rounding) {
    case Decimal::Rounding::down:
      return negative && cut_anything;
    case Decimal::Rounding::up:
      return !negative && cut_anything;
    case Decimal::Rounding::nearest:
      return cut_against_half > 0 || (cut_against_half == 0 && (odd || !half_even));
    case Decimal::Rounding::cut:
      return false;
  }
  return false;
}

}  // namespace

// The slow path: anything that may need more than 34 digits on the way.
struct Wide {
  // `inexact`: something non-zero was lost below `product` already.
  static std::optional<Decimal> rounded(bool negative, const Product& product, int exponent,
                                        bool inexact) {
    if (product == 0) return Decimal();
    const auto bits = static_cast<int>(boost::multiprecision::msb(product)) + 1;
    const int estimate = bits * 1233 >> 12;  // as in digits_of()
    const int digits = estimate + (product >= wide_power_of_10(estimate) ? 1 : 0);
    const int cut = digits - Decimal::kDigitsMax;
    if (cut <= 0) return Decimal::checked(negative, static_cast<Coefficient>(product), exponent);
    const Product unit = wide_power_of_10(cut);
    Product quotient;
    Product rest;
    boost::multiprecision::divide_qr(product, unit, quotient, rest);
    const Product twice = rest * 2;
    int against_half = twice > unit ? 1 : twice == unit ? 0 : -1;
    if (against_half == 0 && inexact) against_half = 1;
    auto coefficient = static_cast<Coefficient>(quotient);
    if (rounds_away(Decimal::Rounding::nearest, negative, (coefficient & 1) != 0, against_half,
                    true, true)) {
      ++coefficient;
    }
    return Decimal::checked(negative, coefficient, exponent + cut);
  }

  // high.exponent_ >= low.exponent_.
  static std::optional<Decimal> add(const Decimal& high, const Decimal& low) {
    constexpr int kGuarded = Decimal::kDigitsMax + 2;
    if (high.is_zero()) return low;
    if (low.is_zero()) return high;
    const int digits = digits_of(high.coefficient_);
    const int shift = high.exponent_ - low.exponent_;
    if (shift + digits - digits_of(low.coefficient_) > kGuarded) {
      // `low` is less than one unit of the last guard digit: that it is not zero is all it says.
      Product guarded = Product(high.coefficient_) * wide_power_of_10(kGuarded - digits);
      if (high.negative_ != low.negative_) guarded -= 1;
      return rounded(high.negative_, guarded, high.exponent_ - (kGuarded - digits), true);
    }
    const Product a = Product(high.coefficient_) * wide_power_of_10(shift);
    const Product b = low.coefficient_;
    if (high.negative_ == low.negative_) {
      return rounded(high.negative_, a + b, low.exponent_, false);
    }
    return a >= b ? rounded(high.negative_, a - b, low.exponent_, false)
                  : rounded(low.negative_, b - a, low.exponent_, false);
  }

  static std::optional<Decimal> divide(const Decimal& a, const Decimal& b) {
    // Scaled so that the quotient has 35 or 36 digits.
    const int shift =
        Decimal::kDigitsMax + 1 + digits_of(b.coefficient_) - digits_of(a.coefficient_);
    const int scale = shift > 0 ? shift : 0;
    const Product numerator = Product(a.coefficient_) * wide_power_of_10(scale);
    Product quotient;
    Product rest;
    boost::multiprecision::divide_qr(numerator, Product(b.coefficient_), quotient, rest);
    return rounded(a.negative_ != b.negative_, quotient, a.exponent_ - b.exponent_ - scale,
                   rest != 0);
  }

  static std::optional<Decimal> remainder(const Decimal& a, const Decimal& b) {
    const Product divisor = b.coefficient_;
    if (a.exponent_ >= b.exponent_) {
      // a * 10^shift mod b, by squaring, so that a shift of 2000 digits stays small.
      Product result = Product(a.coefficient_) % divisor;
      Product factor = Product(10) % divisor;
      for (int shift = a.exponent_ - b.exponent_; shift > 0; shift >>= 1) {
        if ((shift & 1) != 0) result = result * factor % divisor;
        factor = factor * factor % divisor;
      }
      return rounded(a.negative_, result, b.exponent_, false);
    }
    const int shift = b.exponent_ - a.exponent_;
    if (shift > Decimal::kDigitsMax) return a;  // |b| > |a|
    const Product rest = Product(a.coefficient_) % (divisor * wide_power_of_10(shift));
    return rounded(a.negative_, rest, a.exponent_, false);
  }
};

Decimal::Decimal(std::int64_t whole)
    : coefficient_(whole < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(whole)
                             : static_cast<std::uint64_t>(whole)),
      negative_(whole < 0) {}

// Applies the range of magnitudes to a coefficient of at most 34 digits (or exactly 10^34).
std::optional<Decimal> Decimal::checked(bool negative, Coefficient coefficient, int exponent) {
  if (coefficient == 0) return Decimal();
  if (coefficient == power_of_10(kDigitsMax)) {
    coefficient /= 10;
    ++exponent;
  }
  const int magnitude = exponent + digits_of(coefficient) - 1;
  if (magnitude > kMagnitudeMax) return std::nullopt;
  if (magnitude < -kMagnitudeMax) return Decimal();
  return Decimal(negative, coefficient, exponent);
}

std::optional<Decimal> Decimal::parse(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const bool negative = at != end && *at == '-';
  if (negative) ++at;
  Coefficient coefficient = 0;
  int exponent = 0;
  int kept = 0;           // significant digits in `coefficient`
  int first_cut = -1;     // the first digit that did not fit
  bool cut_more = false;  // and whether anything but zeros came after it
  const auto take_digits = [&](bool fraction) {
    const char* const first = at;
    for (; at != end && *at >= '0' && *at <= '9'; ++at) {
      const int digit = *at - '0';
      if (kept < kDigitsMax) {
        coefficient = coefficient * 10 + static_cast<unsigned>(digit);
        if (coefficient != 0) ++kept;
        if (fraction) --exponent;
      } else {
        if (first_cut < 0) {
          first_cut = digit;
        } else if (digit != 0) {
          cut_more = true;
        }
        if (!fraction && exponent < 1'000'000'000) ++exponent;
      }
    }
    return at != first;
  };
  if (!take_digits(false)) return std::nullopt;
  if (at != end && *at == '.') {
    ++at;
    if (!take_digits(true)) return std::nullopt;
  }
  if (at != end && (*at == 'e' || *at == 'E')) {
    ++at;
    const bool minus = at != end && *at == '-';
    if (at != end && (*at == '-' || *at == '+')) ++at;
    if (at == end) return std::nullopt;
    int power = 0;
    for (; at != end && *at >= '0' && *at <= '9'; ++at) {
      if (power < 100'000'000) power = power * 10 + (*at - '0');
    }
    exponent += minus ? -power : power;
  }
  if (at != end) return std::nullopt;
  if (first_cut > 5 || (first_cut == 5 && (cut_more || (coefficient & 1) != 0))) ++coefficient;
  return checked(negative, coefficient, exponent);
}

std::optional<Decimal> Decimal::of_double(double number) {
  if (!std::isfinite(number)) return std::nullopt;
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, number, std::chars_format::scientific);
  return parse({text, static_cast<std::size_t>(end.ptr - text)});
}

std::optional<Decimal> Decimal::add(const Decimal& a, const Decimal& b) {
  const Decimal& high = a.exponent_ >= b.exponent_ ? a : b;
  const Decimal& low = a.exponent_ >= b.exponent_ ? b : a;
  const int shift = high.exponent_ - low.exponent_;
  const bool short_enough =
      shift <= kShortShiftMax && high.coefficient_ < kShort && low.coefficient_ < kShort;
  if (!short_enough) return Wide::add(high, low);
  const Coefficient x = high.coefficient_ * power_of_10(shift);
  const Coefficient y = low.coefficient_;
  if (high.negative_ == low.negative_) return checked(high.negative_, x + y, low.exponent_);
  return x >= y ? Decimal(high.negative_, x - y, low.exponent_)
                : Decimal(low.negative_, y - x, low.exponent_);
}

std::optional<Decimal> Decimal::subtract(const Decimal& a, const Decimal& b) {
  return add(a, b.negated());
}

std::optional<Decimal> Decimal::multiply(const Decimal& a, const Decimal& b) {
  const bool negative = a.negative_ != b.negative_;
  const int exponent = a.exponent_ + b.exponent_;
  if (a.coefficient_ < kShort && b.coefficient_ < kShort) {
    return checked(negative, a.coefficient_ * b.coefficient_, exponent);
  }
  return Wide::rounded(negative, Product(a.coefficient_) * Product(b.coefficient_), exponent,
                       false);
}

std::optional<Decimal> Decimal::divide(const Decimal& a, const Decimal& b) {
  if (b.is_zero()) return std::nullopt;
  if (a.is_zero()) return Decimal();
  if (a.coefficient_ < kShort) {
    // Most quotients of everyday numbers end soon.
    constexpr int kScale = 17;
    const Coefficient scaled = a.coefficient_ * power_of_10(kScale);
    if (scaled % b.coefficient_ == 0) {
      return checked(a.negative_ != b.negative_, scaled / b.coefficient_,
                     a.exponent_ - b.exponent_ - kScale);
    }
  }
  return Wide::divide(a, b);
}

std::optional<Decimal> Decimal::remainder(const Decimal& a, const Decimal& b) {
  if (b.is_zero()) return std::nullopt;
  if (a.is_zero()) return Decimal();
  return Wide::remainder(a, b);
}

std::strong_ordering Decimal::operator<=>(const Decimal& other) const {
  if (negative_ != other.negative_) {
    return negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  const auto signed_order = [this](std::strong_ordering order) {
    return negative_ ? 0 <=> order : order;
  };
  if (exponent_ == other.exponent_) return signed_order(coefficient_ <=> other.coefficient_);
  if (is_zero() || other.is_zero()) return signed_order(other.is_zero() <=> is_zero());
  const int magnitude = exponent_ + digits_of(coefficient_);
  const int other_magnitude = other.exponent_ + digits_of(other.coefficient_);
  if (magnitude != other_magnitude) return signed_order(magnitude <=> other_magnitude);
  // Of the same magnitude, so the longer exponent gap is at most 33 digits and fits.
  const int shift = exponent_ - other.exponent_;
  const Coefficient mine = shift > 0 ? coefficient_ * power_of_10(shift) : coefficient_;
  const Coefficient theirs =
      shift < 0 ? other.coefficient_ * power_of_10(-shift) : other.coefficient_;
  return signed_order(mine <=> theirs);
}

bool Decimal::is_whole() const {
  if (exponent_ >= 0 || is_zero()) return true;
  return -exponent_ < kDigitsMax + 1 && coefficient_ % power_of_10(-exponent_) == 0;
}

bool Decimal::is_int() const {
  return is_whole() && (is_zero() || exponent_ + digits_of(coefficient_) <= kDigitsMax);
}

Decimal Decimal::negated() const { return {!negative_, coefficient_, exponent_}; }

Decimal Decimal::rounded(Rounding rounding, int places) const {
  const int cut = -exponent_ - places;
  if (cut <= 0 || is_zero()) return *this;
  // Cutting all digits and more: what remains is less than one half.
  const bool all = cut > kDigitsMax;
  const Coefficient unit = all ? 0 : power_of_10(cut);
  Coefficient quotient = all ? 0 : coefficient_ / unit;
  const Coefficient rest = all ? coefficient_ : coefficient_ % unit;
  const Coefficient half = all ? 0 : unit / 2;
  const int against_half = all || rest < half ? -1 : rest == half ? 0 : 1;
  if (rounds_away(rounding, negative_, (quotient & 1) != 0, against_half, rest != 0, false)) {
    ++quotient;
  }
  return {negative_, quotient, -places};
}

std::optional<std::int64_t> Decimal::to_int64() const {
  if (!is_int()) return std::nullopt;
  const Coefficient whole = exponent_ >= 0 ? coefficient_ * power_of_10(exponent_)
                                           : coefficient_ / power_of_10(-exponent_);
  const Coefficient limit = (Coefficient{1} << 63) - (negative_ ? 0 : 1);
  if (whole > limit) return std::nullopt;
  const auto bits = static_cast<std::uint64_t>(whole);
  return static_cast<std::int64_t>(negative_ ? std::uint64_t{0} - bits : bits);
}

namespace {

// The decimal digits of `coefficient`, most significant first.
std::string_view write_digits(Coefficient coefficient, char (&buffer)[40]) {
  char* at = buffer + sizeof buffer;
  do {
    *--at = static_cast<char>('0' + static_cast<int>(coefficient % 10));
    coefficient /= 10;
  } while (coefficient != 0);
  return {at, static_cast<std::size_t>(buffer + sizeof buffer - at)};
}

}  // namespace

double Decimal::to_double() const {
  char buffer[40];
  std::string text(negative_ ? "-" : "");
  text.append(write_digits(coefficient_, buffer)).append("e").append(std::to_string(exponent_));
  double out = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (wrong != std::errc::result_out_of_range) return out;
  if (exponent_ < 0) return 0.0;
  return negative_ ? -HUGE_VAL : HUGE_VAL;
}

void Decimal::append_int(std::string& out) const {
  NILO_ASSERT(is_int());
  char buffer[40];
  const Coefficient whole = exponent_ >= 0 ? coefficient_ * (is_zero() ? 1 : power_of_10(exponent_))
                            : is_zero()    ? 0
                                           : coefficient_ / power_of_10(-exponent_);
  if (negative_) out += '-';
  out += write_digits(whole, buffer);
}

void Decimal::append_decimal(std::string& out) const {
  constexpr int kPlainMin = -6;
  constexpr int kPlainMax = 21;
  char buffer[40];
  std::string_view digits = write_digits(coefficient_, buffer);
  const int magnitude = is_zero() ? 0 : exponent_ + static_cast<int>(digits.size()) - 1;
  digits = digits.substr(0, digits.find_last_not_of('0') + 1);
  if (digits.empty()) digits = "0";
  if (negative_) out += '-';
  // `whole` digits stand before the point.
  const auto put = [&](std::size_t whole) {
    out += digits.substr(0, whole);
    if (whole > digits.size()) out.append(whole - digits.size(), '0');
    out += '.';
    out += whole < digits.size() ? digits.substr(whole) : "0";
  };
  if (magnitude < kPlainMin || magnitude >= kPlainMax) {
    put(1);
    out.append("E").append(std::to_string(magnitude));
  } else if (magnitude >= 0) {
    put(static_cast<std::size_t>(magnitude) + 1);
  } else {
    out.append("0.").append(static_cast<std::size_t>(-magnitude - 1), '0').append(digits);
  }
}

}  // namespace nilo::rules
