// What the vectors (rules_vectors_test.cc) cannot say: outputs as cells, limits, reuse.
#include "rules/statement.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "rules/context.h"
#include "rules/scratch.h"

namespace nilo::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Statement compiled(std::string_view sql) {
  auto out = Statement::compile(sql);
  if (const auto* mistakes = std::get_if<std::vector<Mistake>>(&out)) {
    ADD_FAILURE() << sql << ": " << mistakes->at(0).message;
    return std::get<Statement>(Statement::compile("SELECT *"));
  }
  return std::get<Statement>(out);
}
std::string first_mistake(std::string_view sql) {
  const auto out = Statement::compile(sql);
  const auto* mistakes = std::get_if<std::vector<Mistake>>(&out);
  return mistakes == nullptr ? "" : mistakes->at(0).message;
}

MessageView message(std::string_view topic, std::string_view payload) {
  MessageView out;
  out.topic = topic;
  out.payload = payload;
  return out;
}

// The cells as "name=json" in order; or the error.
std::vector<std::string> cells(Scratch& scratch) {
  const auto outputs = scratch.outputs();
  if (!outputs) return {outputs.error().message};
  std::vector<std::string> out;
  for (const Output& output : *outputs) {
    std::string text(output.name);
    text += '=';
    append_json(text, output.value);
    out.push_back(text);
  }
  return out;
}
std::vector<std::string> cells_of(std::string_view sql, std::string_view payload) {
  Scratch scratch;
  const Statement statement = compiled(sql);
  const MessageView given = message("a/b", payload);
  EXPECT_EQ(statement.evaluate(given, scratch), Outcome::matched) << scratch.error();
  return cells(scratch);
}
std::string result_of(std::string_view sql, std::string_view payload) {
  Scratch scratch;
  const Statement statement = compiled(sql);
  const MessageView given = message("a/b", payload);
  if (statement.evaluate(given, scratch) != Outcome::matched) return "failed: " + scratch.error();
  std::string out;
  const auto appended = scratch.append_json(out);
  return appended ? out : "failed: " + appended.error().message;
}

TEST(Statement, TellsItsFilterAndItsNames) {
  const Statement statement = compiled("SELECT a, b.c AS x.y, d AS x.z, upper(e) FROM 'water/+/#'");
  EXPECT_EQ(statement.filter(), "water/+/#");
  EXPECT_FALSE(statement.selects_all());
  EXPECT_THAT(statement.output_names(), ElementsAre("a", "x", "upper"));
  EXPECT_TRUE(compiled("SELECT *").selects_all());
  EXPECT_TRUE(compiled("SELECT *, 1 AS a").selects_all());
  EXPECT_TRUE(compiled("SELECT VALUE {'a': 1}").selects_all());
  EXPECT_EQ(compiled("SELECT a").filter(), "");
}

TEST(Outputs, HaveTheTypesOfTheirValues) {
  EXPECT_THAT(
      cells_of("SELECT i, d, w, big, t, b, n, m, a, o, sqrt(4) AS r, f",
               R"({"i":-5,"d":2.50,"w":10.0,"big":123456789012345678901,"t":"x\ny",)"
               R"("b":true,"n":null,"a":[1, 2.0],"o":{"k": 1},"f":1E5000})"),
      ElementsAre("i=-5", "d=2.5", "w=10", "big=123456789012345683968", R"(t="x\ny")", "b=true",
                  "n=null", "m=null", "a=[1,2.0]", R"(o={"k":1})", "r=2", "f=null"));
}

TEST(Outputs, AreInt64OnlyForInts) {
  Scratch scratch;
  const Statement statement = compiled("SELECT 7 AS i, 7.5 AS d, cast(7 AS Decimal) AS w");
  ASSERT_EQ(statement.evaluate(message("a", ""), scratch), Outcome::matched);
  const auto outputs = scratch.outputs().value();
  EXPECT_EQ(outputs[0].value, Value::int64(7));
  EXPECT_EQ(outputs[1].value, Value::float64(7.5));
  EXPECT_EQ(outputs[2].value, Value::float64(7));
}

TEST(Outputs, AreTheDoublesNearestToTheirDigits) {
  Scratch scratch;
  const Statement statement = compiled("SELECT d");
  std::mt19937_64 random(20'261'130);
  for (int i = 0; i < 20'000; ++i) {
    const auto places = random() % 18;
    const auto whole = random() % 1'000'000'000'000'000'000 >> random() % 60;
    std::string digits = fmt::format("{:018}", whole).insert(18 - places, ".");
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.find('.') - 1));
    if (digits.back() == '.') digits += '0';
    if (random() % 2 == 0) digits.insert(0, "-");
    const std::string payload = fmt::format(R"({{"d":{}}})", digits);
    ASSERT_EQ(statement.evaluate(message("a", payload), scratch), Outcome::matched) << payload;
    EXPECT_EQ(scratch.outputs().value()[0].value,
              Value::float64(std::strtod(digits.c_str(), nullptr)))
        << payload;
  }
}

TEST(Outputs, OfSelectAllAreTheMembersOfThePayload) {
  EXPECT_THAT(cells_of("SELECT *", R"({"a":1,"b":"x"})"), ElementsAre("a=1", R"(b="x")"));
  EXPECT_THAT(cells_of("SELECT *, 2 AS c", R"({"a":1})"), ElementsAre("a=1", "c=2"));
  EXPECT_THAT(cells_of("SELECT VALUE o", R"({"o":{"k":1}})"), ElementsAre("k=1"));
  EXPECT_THAT(cells_of("SELECT *", "[1]"), ElementsAre("the result is not a JSON object"));
  EXPECT_THAT(cells_of("SELECT *", "hello"),
              ElementsAre("payload is not JSON at byte 0: expected a value"));
  EXPECT_THAT(cells_of("SELECT VALUE 1", "{}"), ElementsAre("the result is not a JSON object"));
}

TEST(Outputs, WithPathsAreOneCellForEachFirstName) {
  EXPECT_THAT(cells_of("SELECT a AS x.y, 1 AS z, b AS x.w", R"({"a":1,"b":2})"),
              ElementsAre(R"(x={"y":1,"w":2})", "z=1"));
  EXPECT_THAT(cells_of("SELECT m AS x.y, 1 AS z", "{}"), ElementsAre("x=null", "z=1"));
}

TEST(Scratch, RemembersWhatATopicCameToAndNothingElse) {
  Scratch scratch;
  const Statement first =
      compiled("SELECT upper(topic(1)) AS t, a FROM 'x' WHERE endswith(topic(), 'b')");
  const Statement second = compiled("SELECT lower(topic(1)) AS t, a FROM 'x'");
  for (int round = 0; round < 3; ++round) {
    for (const char* topic : {"One/b", "two/b", "three/c"}) {
      for (const Statement* statement : {&first, &second}) {
        // A copy whose memory goes away, as a network buffer does.
        const std::string fleeting(topic);
        const std::string payload = fmt::format("{{\"a\":{}}}", round);
        const bool skipped = statement == &first && fleeting == "three/c";
        const auto wanted = skipped ? Outcome::no_match : Outcome::matched;
        ASSERT_EQ(statement->evaluate(message(fleeting, payload), scratch), wanted);
        if (skipped) continue;
        const bool is_one = fleeting == "One/b";
        const std::string name = statement == &first ? (is_one ? "ONE" : "TWO")
                                 : is_one            ? "one"
                                                     : fleeting.substr(0, fleeting.find('/'));
        EXPECT_THAT(cells(scratch),
                    ElementsAre(fmt::format("t=\"{}\"", name), fmt::format("a={}", round)));
      }
    }
  }
}

TEST(Scratch, KeepsTopicsApartWhenThereAreMoreThanItRemembers) {
  Scratch scratch;
  const Statement statement = compiled("SELECT concat(topic(1), '!') AS t");
  for (std::size_t i = 0; i < 2 * kTopicCacheSize; ++i) {
    const std::string topic = fmt::format("device-{}/data", i % (kTopicCacheSize + 1));
    ASSERT_EQ(statement.evaluate(message(topic, "{}"), scratch), Outcome::matched);
    ASSERT_THAT(cells(scratch),
                ElementsAre(fmt::format("t=\"{}!\"", topic.substr(0, topic.find('/')))));
  }
}

TEST(Scratch, LongTopicResultsAreComputedEachTime) {
  Scratch scratch;
  const Statement statement =
      compiled("SELECT lpad(topic(1), 1000) AS t, sqrt(length(topic())) AS r");
  for (int round = 0; round < 2; ++round) {
    ASSERT_EQ(statement.evaluate(message("abcd", "{}"), scratch), Outcome::matched);
    EXPECT_THAT(cells(scratch),
                ElementsAre(fmt::format("t=\"{}abcd\"", std::string(1000, ' ')), "r=2"));
  }
}

TEST(Limits, AStatementHasASize) {
  std::string sql = "SELECT 1 AS a FROM 'x'";
  sql.resize(kStatementSizeMax, ' ');
  EXPECT_EQ(first_mistake(sql), "");
  sql += ' ';
  EXPECT_EQ(first_mistake(sql), "65537 bytes of SQL, the limit is 65536");
}

TEST(Limits, ExpressionsNestToADepth) {
  const auto nested = [](std::size_t depth) {
    // The outermost expression is one level itself.
    return "SELECT VALUE " + std::string(depth - 1, '(') + "1" + std::string(depth - 1, ')');
  };
  EXPECT_EQ(first_mistake(nested(kNestingMax)), "");
  EXPECT_EQ(first_mistake(nested(kNestingMax + 1)), "nested more than 64 deep");
  EXPECT_EQ(first_mistake(nested(30'000)), "nested more than 64 deep");
  std::string calls;
  for (int i = 0; i < 5'000; ++i) calls += "abs(";
  EXPECT_EQ(first_mistake("SELECT VALUE " + calls), "nested more than 64 deep");
  std::string selects;
  for (int i = 0; i < 4'000; ++i) selects += "(SELECT VALUE ";
  EXPECT_EQ(first_mistake("SELECT VALUE " + selects), "nested more than 64 deep");
  std::string cases;
  for (int i = 0; i < 5'000; ++i) cases += "CASE ";
  EXPECT_EQ(first_mistake("SELECT VALUE " + cases), "nested more than 64 deep");
}

TEST(Limits, ChainsGrowToAHeight) {
  const auto chain = [](std::size_t height, std::string_view link) {
    std::string sql = "SELECT VALUE (a";
    for (std::size_t i = 1; i < height; ++i) sql += link;
    return sql + ")";
  };
  for (const char* link : {" + a", " AND a", " OR a", " = a", ".b"}) {
    EXPECT_EQ(first_mistake(chain(kChainMax, link)), "") << link;
    EXPECT_THAT(first_mistake(chain(kChainMax + 1, link)), HasSubstr("more than 1000 steps"))
        << link;
  }
  EXPECT_THAT(first_mistake("SELECT VALUE (" + std::string(30'000, '-') + "a)"), HasSubstr("`--`"));
  std::string negations;
  for (int i = 0; i < 15'000; ++i) negations += "NOT ";
  EXPECT_THAT(first_mistake("SELECT VALUE (" + negations + "a)"),
              HasSubstr("more than 1000 steps"));
  EXPECT_EQ(result_of(chain(kChainMax, " + a"), R"({"a":1})"), "1000");
}

TEST(Limits, MistakesAreCounted) {
  std::string sql = "SELECT abz(1) AS a0";
  for (int i = 1; i < 50; ++i) sql += fmt::format(", abz(1) AS a{}", i);
  const auto out = Statement::compile(sql);
  EXPECT_EQ(std::get<std::vector<Mistake>>(out).size(), kMistakesMax);
}

std::string numbers(std::size_t count) {
  std::string out = "{\"e\":[";
  for (std::size_t i = 0; i < count; ++i) out += i == 0 ? "1" : ",1";
  return out + "]}";
}

TEST(Limits, AnEvaluationHasSteps) {
  // Every get() walks the array, so this is quadratic.
  const std::string_view sql = "SET @e = e SELECT VALUE length((SELECT VALUE get(@e, 1) FROM e))";
  EXPECT_EQ(result_of(sql, numbers(100)), "201");
  EXPECT_EQ(result_of(sql, numbers(20'000)), "failed: took too many steps");
}

TEST(Limits, AnEvaluationHasMemory) {
  const std::string payload = fmt::format("{{\"t\":\"{}\"}}", std::string(1'000'000, 'x'));
  EXPECT_EQ(result_of("SELECT VALUE length(concat(t, t, t, t))", payload), "4000000");
  EXPECT_EQ(
      result_of("SELECT VALUE length(concat(t, t, t, t, t, t, t, t, t, t, t, t, t, t, t, t, t))",
                payload),
      "failed: needs more than 16 MiB of memory");
  EXPECT_EQ(
      result_of("SELECT VALUE length(replace(t, 'x', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'))", payload),
      "failed: needs more than 16 MiB of memory");
}

TEST(Limits, RegularExpressionsStayLinear) {
  const std::string payload = fmt::format("{{\"t\":\"{}\"}}", std::string(100'000, 'a'));
  EXPECT_EQ(result_of("SELECT VALUE regexp_matches(t + '!', '(a+)+$')", payload), "false");
  EXPECT_EQ(result_of("SELECT VALUE regexp_replace(t, 'a.*z|a', 'b')", payload),
            "failed: took too many steps");
  EXPECT_EQ(result_of("SELECT VALUE regexp_matches(t, '((a{1,30}){1,30}b)')", payload),
            "failed: took too many steps");
}

TEST(Limits, AResultHasASize) {
  const auto payload = [](std::size_t size) {
    return fmt::format("{{\"t\":\"{}\"}}", std::string(size, 'x'));
  };
  const std::size_t quotes = 2;
  EXPECT_EQ(result_of("SELECT VALUE t", payload(kResultSizeMax - quotes)).size(), kResultSizeMax);
  EXPECT_EQ(result_of("SELECT VALUE t", payload(kResultSizeMax - quotes + 1)),
            "failed: the result has 131073 bytes, the limit is 131072");
  // The untouched payload passes whatever its size.
  EXPECT_EQ(result_of("SELECT *", payload(kResultSizeMax)), payload(kResultSizeMax));
  EXPECT_EQ(result_of("SET @v = t SELECT VALUE length(@v)", payload(kResultSizeMax - quotes)),
            "131070");
  EXPECT_EQ(result_of("SET @v = t SELECT VALUE length(@v)", payload(kResultSizeMax - quotes + 1)),
            "failed: the SET variables are larger than 128 KiB");
}

TEST(Limits, APayloadMayBeAJsonBomb) {
  EXPECT_EQ(result_of("SELECT a", std::string(100'000, '[')),
            "failed: payload is not JSON at byte 128: nested too deeply, the limit is 128");
  std::string keys = "{\"k\":0";
  for (int i = 0; i < 60'000; ++i) keys += fmt::format(",\"k{}\":{}", i, i);
  keys += "}";
  keys = "{\"o\":" + keys + "}";
  EXPECT_EQ(result_of("SELECT VALUE o.k59999", keys), "59999");
  EXPECT_EQ(result_of("SELECT o = o AS same", keys), "failed: took too many steps");
  EXPECT_EQ(result_of("SELECT VALUE v", "{\"v\":" + std::string(100'000, '9') + "}").size(),
            100'000u);
}

TEST(Arena, GivesWhatThereIsAndNoMore) {
  Arena arena;
  EXPECT_NE(arena.allocate(kArenaSizeMax), nullptr);
  EXPECT_EQ(arena.allocate(1), nullptr);
  EXPECT_TRUE(arena.exhausted());
  arena.reset();
  EXPECT_EQ(arena.allocate(kArenaSizeMax + 1), nullptr);
  arena.reset();
  for (std::size_t i = 0; i < kArenaSizeMax / 65'536; ++i)
    ASSERT_NE(arena.allocate(65'536), nullptr);
  EXPECT_EQ(arena.allocate(1), nullptr);
}

}  // namespace
}  // namespace nilo::rules
