// Texts with places, forms, and the parameters of SQL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/forms.h"
#include "stack/parameters.h"
#include "stack/stack.h"

namespace nilo::stack {
namespace {

using testing::ElementsAre;

// The SQL of the only rule of a file.
Text sql_of(const std::string& toml) {
  Loaded loaded = parse({{"nilo.toml", toml}});
  EXPECT_TRUE(loaded.ok()) << render(loaded.diagnostics, loaded.files, false);
  return loaded.stack.rules.at(0).sql;
}

std::string place_in(const Text& text, std::size_t line, std::size_t column) {
  return to_string(text.place_of(line, column));
}

TEST(PlaceInSql, OfOneLine) {
  const Text sql = sql_of("[rule.r]\nrepublish = 'a'\nsql = \"SELECT x\"");
  EXPECT_EQ(place_in(sql, 1, 1), "nilo.toml:3:8");
  EXPECT_EQ(place_in(sql, 1, 8), "nilo.toml:3:15");
  EXPECT_EQ(place_in(sql, 1, 9), "nilo.toml:3:16") << "the end";
  EXPECT_EQ(place_in(sql, 7, 99), "nilo.toml:3:16") << "beyond the end";
  EXPECT_EQ(sql.place_of(1, 8, 5).size, 5U);
}

TEST(PlaceInSql, OfSeveralLines) {
  const Text sql = sql_of("[rule.r]\nrepublish = 'a'\nsql = '''\nSELECT x\nFROM 'a'\n'''");
  EXPECT_EQ(place_in(sql, 1, 1), "nilo.toml:4:1");
  EXPECT_EQ(place_in(sql, 2, 6), "nilo.toml:5:6");
}

TEST(PlaceInSql, ThatBeginsBehindItsQuotes) {
  const Text sql = sql_of("[rule.r]\nrepublish = 'a'\nsql = \"\"\"SELECT x\nFROM y\"\"\"");
  EXPECT_EQ(place_in(sql, 1, 1), "nilo.toml:3:10");
  EXPECT_EQ(place_in(sql, 2, 6), "nilo.toml:4:6");
}

TEST(PlaceInSql, WithEscapes) {
  const Text sql = sql_of("[rule.r]\nrepublish = 'a'\nsql = \"a\\tb\\u00e4\\U0001F4A7\\\"c\\nd\"");
  ASSERT_EQ(sql.value, "a\tb\xc3\xa4\xf0\x9f\x92\xa7\"c\nd");
  EXPECT_EQ(place_in(sql, 1, 2), "nilo.toml:3:9") << "the tab";
  EXPECT_EQ(place_in(sql, 1, 3), "nilo.toml:3:11") << "b";
  EXPECT_EQ(place_in(sql, 1, 5), "nilo.toml:3:18") << "the drop";
  EXPECT_EQ(place_in(sql, 1, 6), "nilo.toml:3:28") << "the quote";
  EXPECT_EQ(place_in(sql, 2, 1), "nilo.toml:3:33") << "d";
}

TEST(PlaceInSql, WithJoinedLinesAndCarriageReturns) {
  const Text sql = sql_of(
      "[rule.r]\r\nrepublish = 'a'\r\nsql = \"\"\"\r\nSELECT \\\r\n   x\r\nFROM \xc3\xa4 "
      "y\"\"\"\r\n");
  ASSERT_EQ(sql.value, "SELECT x\nFROM \xc3\xa4 y");
  EXPECT_EQ(place_in(sql, 1, 8), "nilo.toml:5:4") << "x";
  EXPECT_EQ(place_in(sql, 2, 8), "nilo.toml:6:8") << "y";
}

TEST(PlaceInSql, InAFileWithAByteOrderMark) {
  const Text sql = sql_of("\xef\xbb\xbfrule.r = { republish = 'a', sql = 'SELECT 1' }");
  EXPECT_EQ(place_in(sql, 1, 1), "nilo.toml:1:36");
}

TEST(Literal, EndsBehindItsQuotes) {
  EXPECT_EQ(literal_end("'a' b", 0), 3U);
  EXPECT_EQ(literal_end("x\"a\\\"b\" c", 1), 7U);
  EXPECT_EQ(literal_end("'a\\' b", 0), 4U);
  EXPECT_EQ(literal_end("\"\"\"a\"\"b\"\"\" c", 0), 10U);
  EXPECT_EQ(literal_end("'''a''''' c", 0), 9U) << "two quotes of the text before the closing ones";
  EXPECT_EQ(literal_end("'' c", 0), 2U);
  EXPECT_EQ(literal_end("'never", 0), 6U);
  EXPECT_EQ(literal_end("\"never\\", 0), 7U);
}

TEST(Duration, HasAUnitAndLimits) {
  EXPECT_EQ(parse_duration("1ms"), std::chrono::milliseconds(1));
  EXPECT_EQ(parse_duration("90s"), std::chrono::seconds(90));
  EXPECT_EQ(parse_duration("30m"), std::chrono::minutes(30));
  EXPECT_EQ(parse_duration("36h"), std::chrono::hours(36));
  EXPECT_EQ(parse_duration("2d"), std::chrono::hours(48));
  EXPECT_EQ(parse_duration("1w"), std::chrono::hours(7 * 24));
  EXPECT_EQ(parse_duration("5y"), std::chrono::hours(5 * 365 * 24));
  EXPECT_EQ(parse_duration("1000y"), kDurationMax);
  for (const char* text : {"", "5", "s", "0s", "-1s", "+1s", "1.5h", "5 s", " 5s", "5s ", "5S",
                           "1001y", "18446744073709551616ms", "18446744073709551615y"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Size, HasAUnitAndLimits) {
  EXPECT_EQ(parse_size("1B"), 1U);
  EXPECT_EQ(parse_size("2KB"), 2000U);
  EXPECT_EQ(parse_size("2KiB"), 2048U);
  EXPECT_EQ(parse_size("3MB"), 3'000'000U);
  EXPECT_EQ(parse_size("1MiB"), 1U << 20);
  EXPECT_EQ(parse_size("2GB"), 2'000'000'000U);
  EXPECT_EQ(parse_size("1GiB"), 1U << 30);
  EXPECT_EQ(parse_size("1TiB"), 1ULL << 40);
  EXPECT_EQ(parse_size("1000TB"), kSizeMax);
  for (const char* text : {"", "5", "GB", "0GB", "-1GB", "1.5GB", "1 GB", "1gb", "1G", "1001TB"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(Address, IsAHostOfNumbersAndAPort) {
  for (const char* text : {"127.0.0.1:1883", ":1883", "[::1]:0", "localhost:65535"}) {
    EXPECT_TRUE(is_address(text)) << text;
  }
  for (const char* text :
       {"", "1883", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "1.2.3:80", "::1:80", "[::1]",
        "[::g]:80", "example.org:80", "localhost:-1", "localhost:80 "}) {
    EXPECT_FALSE(is_address(text)) << text;
  }
}

TEST(Quantity, IsANumberAndAUnit) {
  EXPECT_EQ(parse_quantity("89 cm")->number, 89);
  EXPECT_EQ(parse_quantity("89 cm")->unit, "cm");
  EXPECT_EQ(parse_quantity("-4.5 kWh/m\xc2\xb2")->unit, "kWh/m\xc2\xb2");
  EXPECT_EQ(parse_quantity("89")->unit, "");
  for (const char* text : {"", "Barn", "3rd", "12 Barn Lane", "89 ", "89cm", "nan cm", "inf"}) {
    EXPECT_FALSE(parse_quantity(text).has_value()) << text;
  }
}

TEST(MailAddress, IsANameAndAServerOnOneLine) {
  for (const char* text : {"a@b", "first.last+tag@mail.example.org", "x@192.0.2.1"}) {
    EXPECT_TRUE(is_mail_address(text, false)) << text;
    EXPECT_TRUE(is_mail_address(text, true)) << text;
  }
  for (const char* text : {"", "a", "@b", "a@", "a@b@c", "a b@c", "a@b c", "a@b\r\nBcc: c@d",
                           "\"a\"@b", "<a@b>", "a@.b", "a@b..c", "a@-b"}) {
    EXPECT_FALSE(is_mail_address(text, true)) << text;
  }
  EXPECT_FALSE(is_mail_address("Tanks <a@b>", false));
  EXPECT_TRUE(is_mail_address("W\xc3\xa4ter tanks <a@b>", true));
  EXPECT_FALSE(is_mail_address("Tanks\n <a@b>", true));
  EXPECT_FALSE(is_mail_address(" <a@b>", true));
  const std::string domain = "@example.org";
  const std::string name(kMailAddressMax - domain.size(), 'a');
  EXPECT_TRUE(is_mail_address(name + domain, false));
  EXPECT_FALSE(is_mail_address("a" + name + domain, false));
}

TEST(Url, IsAnAddressOfTheWebWithoutAUser) {
  for (const char* text : {"http://a", "https://ntfy.sh/my-tanks", "http://[::1]:8080/x?y=z#w",
                           "http://192.0.2.1:1", "https://a_b.example/%20"}) {
    EXPECT_TRUE(is_url(text)) << text;
  }
  for (const char* text : {"", "http://", "ftp://a", "a.example", "http:///x", "http://a b",
                           "http://u:p@a/", "http://a:0", "http://a:65536", "http://a:x",
                           "http://[::g]/", "http://a\\b", "http://a/\r\nHost: b", "HTTP://a"}) {
    EXPECT_FALSE(is_url(text)) << text;
  }
  const std::string longest = "http://a/" + std::string(kUrlMax - 9, 'x');
  EXPECT_TRUE(is_url(longest));
  EXPECT_FALSE(is_url(longest + "x"));
}

TEST(ThisMachine, IsReachedByTheseNames) {
  for (const char* text : {"localhost", "::1", "127.0.0.1", "127.9.9.9"}) {
    EXPECT_TRUE(is_this_machine(text)) << text;
  }
  for (const char* text : {"127.example.org", "128.0.0.1", "mail.example.org", ""}) {
    EXPECT_FALSE(is_this_machine(text)) << text;
  }
}

TEST(Range, EndsNowOrNamesDays) {
  for (const char* text : {"15m", "7d", "1y", "today", "yesterday", "all", "1s",
                           "2026-07-01/2026-07-08", "2026-07-01/2026-07-01"}) {
    EXPECT_TRUE(is_range(text)) << text;
  }
  for (const char* text :
       {"", "7", "tomorrow", "2026-02-29/2026-03-01", "2026-07-01", "2000ms", "2026-7-1/2026-7-2",
        "2026-07-08/2026-07-01", "2026-07-01/", "-026-07-01", "2026-07-01/7d"}) {
    EXPECT_FALSE(is_range(text)) << text;
  }
}

TEST(Names, HaveALongestForm) {
  EXPECT_TRUE(is_name("a" + std::string(kNameSizeMax - 1, '_')));
  EXPECT_FALSE(is_name("a" + std::string(kNameSizeMax, '_')));
  EXPECT_TRUE(is_id(std::string(kThingIdSizeMax, '-'), kThingIdSizeMax));
  EXPECT_FALSE(is_id(std::string(kThingIdSizeMax + 1, '-'), kThingIdSizeMax));
  EXPECT_FALSE(is_id("", kThingIdSizeMax));
}

TEST(Topic, HasALongestForm) {
  EXPECT_EQ(topic_mistake(std::string(1024, 'a')), "");
  EXPECT_EQ(topic_mistake(std::string(1025, 'a')), "this is too long");
  EXPECT_EQ(topic_mistake(std::string(127, '/')), "");
  EXPECT_EQ(topic_mistake(std::string(128, '/')), "this has too many levels");
  EXPECT_EQ(topic_mistake(std::string_view("a\0b", 3)), "this has a NUL character");
}

std::vector<std::string> parameters_of(std::string_view sql) {
  std::vector<std::string> out;
  for (const ParameterUse& use : find_parameters(sql)) out.emplace_back(use.name);
  return out;
}

TEST(Parameters, AreFoundOutsideOfTextsNamesAndComments) {
  EXPECT_THAT(parameters_of("a = $b AND c=$d+$e"), ElementsAre("b", "d", "e"));
  EXPECT_THAT(parameters_of("'$a' \"$b\" -- $c\n/* $d */ $e"), ElementsAre("e"));
  EXPECT_THAT(parameters_of("'it''s $a' $b"), ElementsAre("b"));
  EXPECT_THAT(parameters_of("a$b $c"), ElementsAre("c")) << "a$b is one name";
  EXPECT_THAT(parameters_of("$1 $"), ElementsAre("1", ""));
  EXPECT_THAT(parameters_of("/* never closed $a"), ElementsAre());
}

TEST(Parameters, TablesAreMentionedAsWholeWords) {
  EXPECT_TRUE(mentions("SELECT 1 FROM latest('Tank_Levels')", "tank_levels"));
  EXPECT_FALSE(mentions("SELECT 1 FROM tank_levels2", "tank_levels"));
  EXPECT_FALSE(mentions("", "t"));
}

}  // namespace
}  // namespace nilo::stack
