#include "value/selector.h"

#include <gtest/gtest.h>

namespace nilo {
namespace {

Selector made(std::string_view text) {
  auto parsed = parse_selector(text);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? *parsed : Selector{};
}

std::string mistake(std::string_view text) {
  const auto parsed = parse_selector(text);
  return parsed ? "none" : parsed.error().message;
}

TEST(Selector, NamesOneFieldOfOneThing) {
  const Selector one = made("tank-1/percent");
  EXPECT_TRUE(one.matches_thing("tank-1", "tank"));
  EXPECT_FALSE(one.matches_thing("tank-10", "tank"));
  EXPECT_FALSE(one.matches_thing("", "tank-1"));
  EXPECT_TRUE(one.matches_field("percent"));
  EXPECT_FALSE(one.matches_field("distance"));
  EXPECT_TRUE(one.is_single());
}

TEST(Selector, NamesManyThingsByAStar) {
  const Selector many = made("tank-*/percent");
  EXPECT_TRUE(many.matches_thing("tank-1", ""));
  EXPECT_TRUE(many.matches_thing("tank-", ""));
  EXPECT_FALSE(many.matches_thing("pump-1", "tank-1"));
  EXPECT_FALSE(many.is_single());
}

TEST(Selector, NamesAllThingsOfAType) {
  const Selector tanks = made("type:tank/percent");
  EXPECT_TRUE(tanks.matches_thing("anything", "tank"));
  EXPECT_FALSE(tanks.matches_thing("tank", "pump"));
  EXPECT_FALSE(made("type:*").matches_thing("tank-1", "")) << "a thing without a type has none";
  EXPECT_FALSE(tanks.is_single());
}

TEST(Selector, WithoutAFieldMeansAllOfThem) {
  EXPECT_EQ(made("type:tank"), made("type:tank/*"));
  EXPECT_TRUE(made("tank-1").matches_field("anything"));
  EXPECT_FALSE(made("tank-1").is_single());
  EXPECT_TRUE(made("tank-1/per*").matches_field("percent"));
}

TEST(Selector, OfAPagesThingMatchesOnlyWhenThatIsKnown) {
  const Selector relative = made("$thing/percent");
  EXPECT_TRUE(relative.is_relative());
  EXPECT_FALSE(relative.matches_thing("$thing", "tank"));
  EXPECT_EQ(relative.for_thing("tank-2"), made("tank-2/percent"));
  EXPECT_EQ(made("tank-1/percent").for_thing("tank-2"), made("tank-1/percent"));
}

TEST(Selector, NamesEveryThingThatATemplateCanMake) {
  for (const std::string_view id : {"tank-水位", "tank-%3Cb%3E", "tank-Bäßlé:1.2_3"}) {
    const auto selector = parse_selector(std::string(id) + "/percent");
    ASSERT_TRUE(selector) << selector.error().message;
    EXPECT_TRUE(selector->matches_thing(id, ""));
    EXPECT_TRUE(selector->is_single());
  }
  EXPECT_EQ(mistake("tank-\xff/a"), "selector `tank-\\xff/a`: this is not UTF-8");
}

TEST(Selector, GivesItsTextBack) {
  for (const char* text : {"tank-1/percent", "type:tank", "$thing/a*", "a.b:c_d-*"}) {
    EXPECT_EQ(made(text).text(), text);
  }
  EXPECT_EQ(made("tank-1/*").text(), "tank-1");
}

TEST(Selector, TellsWhereItIsWrong) {
  EXPECT_EQ(mistake(""), "selector ``: this is empty");
  EXPECT_EQ(mistake("/percent"), "selector `/percent`: there is no thing's id at 1");
  EXPECT_EQ(mistake("type:/percent"), "selector `type:/percent`: there is no type at 6");
  EXPECT_EQ(mistake("tank-1/"), "selector `tank-1/`: there is no field's name at 8");
  EXPECT_EQ(mistake("tank 1/percent"),
            "selector `tank 1/percent`: character 5 cannot stand in a thing's id");
  EXPECT_EQ(mistake("tank-1/per-cent"),
            "selector `tank-1/per-cent`: character 11 cannot stand in a field's name");
  EXPECT_EQ(mistake("a/b/c"), "selector `a/b/c`: character 4 cannot stand in a field's name");
  EXPECT_EQ(mistake("$other/a"), "selector `$other/a`: character 1 cannot stand in a thing's id");
}

TEST(Selector, TellsWhatComesLater) {
  EXPECT_EQ(mistake("tag:north/temp"), "selector `tag:north/temp`: `tag:` is not available yet");
  EXPECT_EQ(mistake("$thing.station/temp"),
            "selector `$thing.station/temp`: relations are not available yet");
}

TEST(Selector, HasALongestText) {
  EXPECT_TRUE(parse_selector(std::string(kSelectorSizeMax, 'a')));
  EXPECT_FALSE(parse_selector(std::string(kSelectorSizeMax + 1, 'a')));
}

TEST(Fits, TriesNoStarTwice) {
  EXPECT_TRUE(fits("", ""));
  EXPECT_TRUE(fits("**", ""));
  EXPECT_FALSE(fits("", "a"));
  EXPECT_TRUE(fits("*a*b", "xaxxbab"));
  EXPECT_FALSE(fits("*a*b", "xaxxbaba"));
  EXPECT_FALSE(fits("*a*a*a*a*a*a*a*a*b", std::string(10'000, 'a')));
}

}  // namespace
}  // namespace nilo
