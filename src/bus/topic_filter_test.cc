#include "bus/topic_filter.h"

#include <gtest/gtest.h>

#include <string>

#include "value/message.h"

namespace nilo::bus {
namespace {

struct MatchCase {
  const char* filter;
  const char* topic;
  bool matches;
};

// The examples of MQTT 5.0 section 4.7, and what follows from its rules.
constexpr MatchCase kMatchCases[] = {
    // 4.7.1.2 multi-level wildcard
    {"sport/tennis/player1/#", "sport/tennis/player1", true},
    {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
    {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
    {"sport/tennis/player1/#", "sport/tennis/player10", false},
    {"sport/tennis/player1/#", "sport/tennis", false},
    {"sport/#", "sport", true},
    {"sport/#", "sport/", true},
    {"#", "sport", true},
    {"#", "/", true},
    {"#", "a/b/c", true},
    {"sport/tennis/#", "sport/tennis/", true},
    // 4.7.1.3 single-level wildcard
    {"sport/tennis/+", "sport/tennis/player1", true},
    {"sport/tennis/+", "sport/tennis/player2", true},
    {"sport/tennis/+", "sport/tennis/player1/ranking", false},
    {"sport/+", "sport", false},
    {"sport/+", "sport/", true},
    {"+", "sport", true},
    {"+", "/finance", false},
    {"+/tennis/#", "sport/tennis", true},
    {"+/tennis/#", "sport/tennis/x/y", true},
    {"sport/+/player1", "sport/tennis/player1", true},
    {"sport/+/player1", "sport/tennis/player2", false},
    {"sport/+/player1", "sport//player1", true},
    {"+/+", "/finance", true},
    {"/+", "/finance", true},
    {"+/+/#", "/", true},
    {"+/+/+", "/", false},
    // 4.7.2 topics beginning with $
    {"#", "$SYS/monitor", false},
    {"+/monitor/Clients", "$SYS/monitor/Clients", false},
    {"+/#", "$SYS/monitor", false},
    {"+", "$SYS", false},
    {"$SYS/#", "$SYS/monitor/Clients", true},
    {"$SYS/#", "$SYS", true},
    {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
    {"$SYS/+/Clients", "$SYS/$monitor/Clients", true},
    {"a/+", "a/$b", true},
    // 4.7.3 semantics
    {"ACCOUNTS", "Accounts", false},
    {"Accounts payable", "Accounts payable", true},
    {"/finance", "finance", false},
    {"a/b", "a/b/", false},
    {"a/b/", "a/b", false},
    {"a", "ab", false},
    {"ab", "a", false},
};

TEST(TopicFilter, MatchesAsTheSpecificationSays) {
  for (const MatchCase& each : kMatchCases) {
    const auto filter = TopicFilter::parse(each.filter);
    ASSERT_TRUE(filter) << each.filter;
    ASSERT_TRUE(check_topic(each.topic)) << each.topic;
    EXPECT_EQ(filter->matches(each.topic), each.matches) << each.filter << " : " << each.topic;
  }
}

TEST(TopicFilter, NamesTheLevelThatIsWrong) {
  const auto message_for = [](std::string_view text) {
    const auto filter = TopicFilter::parse(text);
    return filter ? std::string("accepted") : filter.error().message;
  };
  EXPECT_EQ(message_for("sport/#/ranking"), "level 2: '#' must be last");
  EXPECT_EQ(message_for("#/"), "level 1: '#' must be last");
  EXPECT_EQ(message_for("sport/tennis#"),
            "level 2: '#' covers a whole level, not part of 'tennis#'");
  EXPECT_EQ(message_for("sport+"), "level 1: '+' covers a whole level, not part of 'sport+'");
  EXPECT_EQ(message_for("a/++/b"), "level 2: '+' covers a whole level, not part of '++'");
  EXPECT_EQ(message_for("a/##"), "level 2: '#' covers a whole level, not part of '##'");
  EXPECT_EQ(message_for(""), "empty filter");
  EXPECT_EQ(message_for(std::string_view("a\0b", 3)), "filter is not UTF-8 without U+0000");
  EXPECT_EQ(message_for("a/\xff"), "filter is not UTF-8 without U+0000");
  EXPECT_EQ(message_for("+/#"), "accepted");
}

TEST(Topic, HasNoWildcards) {
  EXPECT_TRUE(check_topic("water1/pub"));
  EXPECT_TRUE(check_topic("/"));
  EXPECT_TRUE(check_topic("$table/tank_levels/1"));
  for (const char* topic : {"", "a/+", "a/#", "a+b", "#", "\xc3\x28"}) {
    const auto outcome = check_topic(topic);
    ASSERT_FALSE(outcome) << topic;
    EXPECT_EQ(outcome.error().code, ErrorCode::invalid_argument);
  }
}

TEST(Topic, HasAtMostTopicSizeMaxBytes) {
  EXPECT_TRUE(check_topic(std::string(kTopicSizeMax, 'a')));
  EXPECT_FALSE(check_topic(std::string(kTopicSizeMax + 1, 'a')));
  EXPECT_TRUE(TopicFilter::parse(std::string(kTopicSizeMax, 'a')));
  EXPECT_FALSE(TopicFilter::parse(std::string(kTopicSizeMax + 1, 'a')));
}

TEST(Topic, HasAtMostTopicLevelsMaxLevels) {
  EXPECT_TRUE(check_topic(std::string(kTopicLevelsMax - 1, '/')));
  EXPECT_FALSE(check_topic(std::string(kTopicLevelsMax, '/')));
  EXPECT_TRUE(TopicFilter::parse(std::string(kTopicLevelsMax - 1, '/')));
  EXPECT_FALSE(TopicFilter::parse(std::string(kTopicLevelsMax, '/')));
}

TEST(TopicFilter, KnowsItsLiteralPrefix) {
  EXPECT_EQ(TopicFilter::parse("a/b/+/c")->literal_prefix(), "a/b/");
  EXPECT_EQ(TopicFilter::parse("#")->literal_prefix(), "");
  EXPECT_EQ(TopicFilter::parse("a/b")->literal_prefix(), "a/b");
  EXPECT_FALSE(TopicFilter::parse("a/b")->has_wildcard());
  EXPECT_TRUE(TopicFilter::parse("a/#")->has_wildcard());
}

TEST(TopicFilter, CoversWhatItMatchesWhateverTheTopic) {
  const auto covers = [](const char* mine, const char* other) {
    return TopicFilter::parse(mine)->covers(other);
  };
  EXPECT_TRUE(covers("water1/#", "water1/pub"));
  EXPECT_TRUE(covers("water1/#", "water1"));
  EXPECT_TRUE(covers("water1/#", "water1/+/#"));
  EXPECT_TRUE(covers("+/pub", "water1/pub"));
  EXPECT_TRUE(covers("+/pub", "+/pub"));
  EXPECT_TRUE(covers("#", "#"));
  EXPECT_TRUE(covers("a/+", "a/"));
  EXPECT_FALSE(covers("water1/#", "water2/pub"));
  EXPECT_FALSE(covers("water1/#", "#"));
  EXPECT_FALSE(covers("water1/#", "+/pub"));
  EXPECT_FALSE(covers("water1/+", "water1/#"));
  EXPECT_FALSE(covers("+/pub", "#"));
  EXPECT_FALSE(covers("a/+", "a"));
  EXPECT_FALSE(covers("a/b", "a/+"));
  EXPECT_FALSE(covers("#", "$table/#")) << "a wildcard does not stand for $";
  EXPECT_FALSE(covers("+/x", "$table/x"));
  EXPECT_TRUE(covers("$table/#", "$table/a"));
}

}  // namespace
}  // namespace nilo::bus
