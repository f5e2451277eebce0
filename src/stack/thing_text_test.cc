#include "stack/thing_text.h"

#include <gtest/gtest.h>

namespace nilo::stack {
namespace {

// The things of a stack that has `text` as its file of things.
std::vector<Thing> things_in(const std::string& text) {
  Loaded loaded = parse({{"nilo.toml", ""}, {std::string(kThingsFile), text}});
  EXPECT_TRUE(loaded.ok()) << text << render(loaded.diagnostics, loaded.files, false);
  return loaded.stack.things;
}

Thing barn() {
  Thing thing;
  thing.id = "tank-1";
  thing.type = "tank";
  thing.name = "Barn";
  thing.properties = {
      {"depth", "89 cm", 89, "cm"}, {"lat", "48.25", 48.25, ""}, {"indoor", "true", {}, ""}};
  return thing;
}

TEST(ThingText, IsALineThatReadsBackAsTheThing) {
  EXPECT_EQ(line_of(barn()),
            R"("tank-1" = { type = "tank", name = "Barn", depth = "89 cm", lat = 48.25, )"
            R"(indoor = true })");
  Thing odd = barn();
  odd.name = "Quote \" slash \\ line\nfeed } # ]";
  odd.properties.push_back({"two words", "x", {}, ""});
  const auto things = things_in(with_thing("", 0, odd).value());
  ASSERT_EQ(things.size(), 1u);
  EXPECT_EQ(things[0].name, odd.name);
  EXPECT_EQ(things[0].type, odd.type);
  ASSERT_EQ(things[0].properties.size(), odd.properties.size());
  for (std::size_t i = 0; i < odd.properties.size(); ++i) {
    EXPECT_EQ(things[0].properties[i].name, odd.properties[i].name);
    EXPECT_EQ(things[0].properties[i].text, odd.properties[i].text);
    EXPECT_EQ(things[0].properties[i].number, odd.properties[i].number);
  }
}

TEST(ThingText, OnlyItsLineChanges) {
  const std::string text =
      "# mine\n[things]\n\"a\" = { name = \"A } #\" }  # the first } one\n# between\n"
      "\"b\" = {}\n\n[site]\nname = \"Here\"\n";
  Thing a;
  a.id = "a";
  a.name = "New";
  EXPECT_EQ(with_thing(text, 3, a).value(),
            "# mine\n[things]\n\"a\" = { name = \"New\" }  # the first } one\n# between\n"
            "\"b\" = {}\n\n[site]\nname = \"Here\"\n");
  EXPECT_EQ(without_thing(text, 3).value(),
            "# mine\n[things]\n# between\n\"b\" = {}\n\n[site]\nname = \"Here\"\n");
  Thing c;
  c.id = c.name = "c";
  EXPECT_EQ(with_thing(text, 0, c).value(),
            "# mine\n[things]\n\"a\" = { name = \"A } #\" }  # the first } one\n# between\n"
            "\"b\" = {}\n\"c\" = {}\n\n[site]\nname = \"Here\"\n");
}

TEST(ThingText, TheSectionIsMadeWhereThereIsNone) {
  const auto things = things_in(with_thing("[site]\nname = \"x\"", 0, barn()).value());
  ASSERT_EQ(things.size(), 1u);
  EXPECT_EQ(things[0].id, "tank-1");
}

TEST(ThingText, WhatIsWrittenOtherwiseIsLeftAlone) {
  const std::string text = "[things.\"a\"]\ntype = \"tank\"\n";
  EXPECT_EQ(with_thing(text, 1, barn()).error().code, ErrorCode::unsupported);
  EXPECT_EQ(without_thing(text, 1).error().code, ErrorCode::unsupported);
  EXPECT_EQ(without_thing("\"a\" = { x = \"\"\"\n}\"\"\" }\n", 1).error().code,
            ErrorCode::unsupported);
  EXPECT_EQ(without_thing("", 7).error().code, ErrorCode::unsupported);
}

}  // namespace
}  // namespace nilo::stack
