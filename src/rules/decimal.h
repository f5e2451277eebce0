// rules/decimal.h: decimal numbers of 34 significant digits, computed exactly.
//
// value = +-coefficient * 10^exponent with a coefficient below 10^34 (113 bits), so one number fits
// in two words and a half. Results are rounded to 34 digits, half to even; magnitudes reach from
// 1E-999 to 9.99...E999: smaller becomes zero, larger has no value.
// Why not cpp_dec_float: it neither rounds correctly nor says when it had to.
// Threads: values.
// Source:  the arithmetic of IEEE 754-2008 decimal128, with another exponent range.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nilo::rules {

class Decimal {
 public:
  __extension__ using Coefficient = unsigned __int128;
  static constexpr int kDigitsMax = 34;
  static constexpr int kMagnitudeMax = 999;
  enum class Rounding { down, up, nearest, cut };  // towards -inf, +inf, half away from 0, 0

  Decimal() = default;
  Decimal(std::int64_t whole);
  // `text`: -?digits[.digits][(e|E)[+|-]digits], as JSON writes numbers (leading zeros allowed).
  // Nothing: another form, or too large.
  static std::optional<Decimal> parse(std::string_view text);
  // The shortest decimal that reads back as `number`. Nothing: NaN, infinite.
  static std::optional<Decimal> of_double(double number);

  // Nothing: too large, or a division by zero. The remainder has the sign of `a`.
  static std::optional<Decimal> add(const Decimal& a, const Decimal& b);
  static std::optional<Decimal> subtract(const Decimal& a, const Decimal& b);
  static std::optional<Decimal> multiply(const Decimal& a, const Decimal& b);
  static std::optional<Decimal> divide(const Decimal& a, const Decimal& b);
  static std::optional<Decimal> remainder(const Decimal& a, const Decimal& b);

  std::strong_ordering operator<=>(const Decimal& other) const;
  bool operator==(const Decimal& other) const { return (*this <=> other) == 0; }

  bool is_zero() const { return coefficient_ == 0; }
  bool is_negative() const { return negative_; }
  bool is_whole() const;
  // Whole, and written without an exponent at most kDigitsMax digits long.
  bool is_int() const;
  Decimal negated() const;
  // With at most `places` digits after the point, places >= 0.
  Decimal rounded(Rounding rounding, int places = 0) const;
  // Nothing: not whole or beyond 64 bits.
  std::optional<std::int64_t> to_int64() const;
  double to_double() const;

  // Whole numbers as "-12"; asserted: is_int().
  void append_int(std::string& out) const;
  // With a point and no needless zeros ("0.5", "32.0"), from 1E-6 to below 1E21; otherwise
  // scientific ("1.5E-7", "2.0E30").
  void append_decimal(std::string& out) const;

 private:
  Decimal(bool negative, Coefficient coefficient, int exponent)
      : coefficient_(coefficient), exponent_(exponent), negative_(negative && coefficient != 0) {}
  static std::optional<Decimal> checked(bool negative, Coefficient coefficient, int exponent);
  friend struct Wide;

  Coefficient coefficient_ = 0;
  int exponent_ = 0;
  bool negative_ = false;
};

}  // namespace nilo::rules
