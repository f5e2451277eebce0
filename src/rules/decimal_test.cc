#include "rules/decimal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

namespace nilo::rules {
namespace {

Decimal of(std::string_view text) {
  const auto number = Decimal::parse(text);
  EXPECT_TRUE(number) << text;
  return number.value_or(Decimal());
}
std::string text_of(const std::optional<Decimal>& number) {
  if (!number) return "none";
  std::string out;
  number->append_decimal(out);
  return out;
}

const std::string kNines(34, '9');

TEST(Decimal, ReadsWhatJsonWrites) {
  EXPECT_EQ(text_of(Decimal::parse("0")), "0.0");
  EXPECT_EQ(text_of(Decimal::parse("-0.0")), "0.0");
  EXPECT_EQ(text_of(Decimal::parse("12.50")), "12.5");
  EXPECT_EQ(text_of(Decimal::parse("1e3")), "1000.0");
  EXPECT_EQ(text_of(Decimal::parse("1E+3")), "1000.0");
  EXPECT_EQ(text_of(Decimal::parse("-1.5E-3")), "-0.0015");
  for (const char* wrong : {"", "-", ".5", "5.", "1e", "1e-", "x", "1x", "+1", " 1"}) {
    EXPECT_FALSE(Decimal::parse(wrong)) << wrong;
  }
}

TEST(Decimal, KeepsThirtyFourDigitsAndRoundsTheNext) {
  EXPECT_EQ(text_of(Decimal::parse("0." + kNines)), "0." + kNines);
  EXPECT_EQ(text_of(Decimal::parse("0." + kNines + "4")), "0." + kNines);
  EXPECT_EQ(text_of(Decimal::parse("0." + kNines + "5")), "1.0");
  const std::string even = "1.000000000000000000000000000000002";
  EXPECT_EQ(text_of(Decimal::parse(even + "5")), even);
  EXPECT_EQ(text_of(Decimal::parse(even + "50001")), "1.000000000000000000000000000000003");
  EXPECT_EQ(text_of(Decimal::parse(kNines + "999")), "1.0E37");
}

TEST(Decimal, HasALargestAndASmallestMagnitude) {
  EXPECT_EQ(text_of(Decimal::parse("9.9E999")), "9.9E999");
  EXPECT_EQ(text_of(Decimal::parse("99E998")), "9.9E999");
  EXPECT_FALSE(Decimal::parse("1E1000"));
  EXPECT_FALSE(Decimal::parse("1E99999999999999999999"));
  EXPECT_EQ(text_of(Decimal::parse("1E-999")), "1.0E-999");
  EXPECT_EQ(text_of(Decimal::parse("9E-1000")), "0.0");
  EXPECT_EQ(text_of(Decimal::parse("1E-99999999999999999999")), "0.0");
  EXPECT_EQ(text_of(Decimal::multiply(of("9.9E999"), of("10"))), "none");
  EXPECT_EQ(text_of(Decimal::multiply(of("1E-999"), of("0.1"))), "0.0");
  EXPECT_EQ(text_of(Decimal::add(of("9.9E999"), of("9.9E999"))), "none");
}

TEST(Decimal, ChoosesPlainNotationForOrdinaryNumbers) {
  EXPECT_EQ(text_of(of("0.000001")), "0.000001");
  EXPECT_EQ(text_of(of("0.00000099")), "9.9E-7");
  EXPECT_EQ(text_of(of("999999999999999999999")), "999999999999999999999.0");
  EXPECT_EQ(text_of(of("1000000000000000000000")), "1.0E21");
  EXPECT_EQ(text_of(of("-1.5E30")), "-1.5E30");
}

TEST(Decimal, AddsNumbersFarApart) {
  EXPECT_EQ(text_of(Decimal::add(of("1E40"), of("1"))), "1.0E40");
  EXPECT_EQ(text_of(Decimal::add(of("1E33"), of("0.5"))), "1.0E33");
  EXPECT_EQ(text_of(Decimal::add(of("1E33"), of("0.51"))),
            "1.000000000000000000000000000000001E33");
  EXPECT_EQ(text_of(Decimal::subtract(of("1E34"), of("0.1"))), "1.0E34");
  EXPECT_EQ(text_of(Decimal::subtract(of("1E33"), of("0.1"))),
            "9.999999999999999999999999999999999E32");
  EXPECT_EQ(text_of(Decimal::subtract(of("1E900"), of("1E-900"))), "1.0E900");
  // One digit far below a long number, and a long one far below one digit.
  EXPECT_EQ(text_of(Decimal::add(of("1E70"), of(kNines))), "1.0E70");
  EXPECT_EQ(text_of(Decimal::add(of("1E34"), of(kNines))), "2.0E34");
}

TEST(Decimal, ComparesAcrossExponents) {
  EXPECT_TRUE(of("1.0") == of("1"));
  EXPECT_TRUE(of("1E3") == of("1000.000"));
  EXPECT_TRUE(of("0") == of("0E5"));
  EXPECT_TRUE(of("-1") < of("0.1"));
  EXPECT_TRUE(of("-2") < of("-1.5"));
  EXPECT_TRUE(of("0.1") < of("0.1000000000000000000000000000000001"));
  EXPECT_TRUE(of("1E900") > of("9E899"));
  EXPECT_TRUE(of("0") > of("-1E-999"));
  EXPECT_TRUE(of("0") < of("1E-999"));
}

TEST(Decimal, RoundsInEveryDirection) {
  const auto rounded = [](const char* text, Decimal::Rounding rounding, int places = 0) {
    return text_of(of(text).rounded(rounding, places));
  };
  EXPECT_EQ(rounded("2.5", Decimal::Rounding::nearest), "3.0");
  EXPECT_EQ(rounded("-2.5", Decimal::Rounding::nearest), "-3.0");
  EXPECT_EQ(rounded("2.4999", Decimal::Rounding::nearest), "2.0");
  EXPECT_EQ(rounded("-2.1", Decimal::Rounding::down), "-3.0");
  EXPECT_EQ(rounded("-2.9", Decimal::Rounding::up), "-2.0");
  EXPECT_EQ(rounded("-2.9", Decimal::Rounding::cut), "-2.0");
  EXPECT_EQ(rounded("1E-500", Decimal::Rounding::up), "1.0");
  EXPECT_EQ(rounded("1E-500", Decimal::Rounding::nearest), "0.0");
  EXPECT_EQ(rounded("-1E-500", Decimal::Rounding::down), "-1.0");
  EXPECT_EQ(rounded("2.345", Decimal::Rounding::cut, 2), "2.34");
  EXPECT_EQ(rounded("1E20", Decimal::Rounding::down), "100000000000000000000.0");
}

TEST(Decimal, GoesThroughInt64AndDouble) {
  EXPECT_EQ(of("9223372036854775807").to_int64(), INT64_MAX);
  EXPECT_EQ(of("-9223372036854775808").to_int64(), INT64_MIN);
  EXPECT_FALSE(of("9223372036854775808").to_int64());
  EXPECT_FALSE(of("-9223372036854775809").to_int64());
  EXPECT_FALSE(of("0.5").to_int64());
  EXPECT_EQ(of("12.00").to_int64(), 12);
  EXPECT_TRUE(Decimal(INT64_MIN) == of("-9223372036854775808"));
  EXPECT_EQ(of("0.1").to_double(), 0.1);
  EXPECT_EQ(of("1E-999").to_double(), 0.0);
  EXPECT_TRUE(std::isinf(of("1E999").to_double()));
  EXPECT_EQ(text_of(Decimal::of_double(0.1)), "0.1");
  EXPECT_EQ(text_of(Decimal::of_double(5e-324)), "5.0E-324");
  EXPECT_FALSE(Decimal::of_double(std::nan("")));
  EXPECT_FALSE(Decimal::of_double(HUGE_VAL));
}

TEST(Decimal, TakesRemaindersOfAnyDistance) {
  EXPECT_EQ(text_of(Decimal::remainder(of("1E900"), of("7"))), "1.0");
  EXPECT_EQ(text_of(Decimal::remainder(of("-8.5"), of("3"))), "-2.5");
  EXPECT_EQ(text_of(Decimal::remainder(of("7"), of("1E900"))), "7.0");
  EXPECT_EQ(text_of(Decimal::remainder(of("7"), of("0"))), "none");
}

// The identities hold for any numbers: a short cut taken wrongly would show.
TEST(Decimal, FastAndSlowPathsAgree) {
  std::mt19937_64 random(20261122);
  const auto number = [&random] {
    std::string text = random() % 2 == 0 ? "-" : "";
    const auto digits = 1 + random() % 16;
    for (std::size_t i = 0; i < digits; ++i) text += static_cast<char>('0' + random() % 10);
    return text + "E" + std::to_string(static_cast<int>(random() % 30) - 15);
  };
  for (int i = 0; i < 20'000; ++i) {
    const Decimal a = of(number());
    const Decimal b = of(number());
    const Decimal sum = Decimal::add(a, b).value();
    const Decimal product = Decimal::multiply(a, b).value();
    EXPECT_TRUE(sum == Decimal::add(b, a).value());
    EXPECT_TRUE(product == Decimal::multiply(b, a).value());
    EXPECT_EQ(a < b, Decimal::subtract(a, b)->is_negative());
    if (b.is_zero()) continue;
    EXPECT_TRUE(Decimal::divide(product, b).value() == a);
    const Decimal rest = Decimal::remainder(a, b).value();
    EXPECT_TRUE((rest.is_negative() ? rest.negated() : rest) < (b.is_negative() ? b.negated() : b));
  }
}

}  // namespace
}  // namespace nilo::rules
