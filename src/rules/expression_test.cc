#include "rules/expression.h"

#include <gtest/gtest.h>

#include <cmath>

namespace nilo::rules {
namespace {

const std::vector<std::string> kColumns = {"distance", "count", "name", "ok", "time", "extra"};

// The value as JSON, or the first mistake.
std::string value_of(std::string_view sql, const Value& distance = Value::float64(75)) {
  const auto compiled = Expression::compile(sql, kColumns);
  if (const auto* mistakes = std::get_if<std::vector<Mistake>>(&compiled)) {
    const Mistake& first = mistakes->at(0);
    return first.message + (first.hint.empty() ? "" : " (" + first.hint + ")");
  }
  Scratch scratch;
  const Value cells[] = {distance,
                         Value::int64(7),
                         Value::text("Barn"),
                         Value::boolean(true),
                         Value::timestamp(1'450'396'800'123'456),
                         Value::json("[1,2]")};
  std::string out;
  append_json(out, std::get<Expression>(compiled).evaluate(cells, scratch));
  return out;
}

TEST(Expression, ComputesADerivedColumn) {
  EXPECT_EQ(value_of("100 * (89 - distance) / 89"), "15.730337078651685");
  EXPECT_EQ(value_of("100 * (89 - distance) / 89", Value::float64(89)), "0");
  EXPECT_EQ(value_of("100 * (89 - distance) / 89", Value::null()), "null");
  EXPECT_EQ(value_of("100 * (89 - distance) / 89", Value::float64(std::nan(""))), "null");
}

TEST(Expression, TakesEveryTypeOfColumn) {
  EXPECT_EQ(value_of("count / 2"), "3");
  EXPECT_EQ(value_of("count / 2.0"), "3");
  EXPECT_EQ(value_of("count / cast(2 AS Decimal)"), "3.5");
  EXPECT_EQ(value_of("name + '!'"), "\"Barn!\"");
  EXPECT_EQ(value_of("NOT ok"), "false");
  EXPECT_EQ(value_of("time"), "1450396800123");
  EXPECT_EQ(value_of("extra"), "\"[1,2]\"");
  EXPECT_EQ(value_of("CASE distance WHEN 75 THEN 'here' END"), "\"here\"");
  EXPECT_EQ(value_of("round(distance / 10)"), "8");
  EXPECT_EQ(value_of("distance / 0"), "null");
  EXPECT_EQ(value_of("isNull(distance)", Value::null()), "true");
}

TEST(Expression, RefusesWhatIsNotInARow) {
  EXPECT_EQ(value_of("100 * distnace"), "there is no column `distnace` (did you mean `distance`?)");
  EXPECT_EQ(value_of("topic(1)"), "topic() asks about a message, and there is none here");
  EXPECT_EQ(value_of("timestamp()"), "timestamp() asks about a message, and there is none here");
  EXPECT_EQ(value_of("rand()"), "rand() asks about a message, and there is none here");
  EXPECT_EQ(value_of("length(*)"),
            "there is no message here, so `*` means nothing (name a column)");
  EXPECT_EQ(value_of("distance distance"),
            "nothing may come after the expression; this is `distance`");
  EXPECT_EQ(value_of(""), "expected an expression; the text ends");
}

TEST(Expression, OfConstantsNeedsNoColumns) {
  EXPECT_EQ(value_of("1 + 2 * 3"), "7");
  EXPECT_EQ(value_of("md5('hello')"), "\"5d41402abc4b2a76b9719d911017c592\"");
}

}  // namespace
}  // namespace nilo::rules
