// What [[page]] becomes; its mistakes are in tests/stack/pages.txt.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/stack.h"
#include "value/json.h"

namespace nilo::stack {
namespace {

constexpr const char* kTanks = R"(
[things]
tank-1 = { type = "tank" }
[table.levels]
key = ["device_id int"]
columns = { distance = "double" }
thing = "tank-{device_id}"
)";

Loaded with_page(const std::string& text) {
  return parse({{"nilo.toml", kTanks}, {"pages/tanks.toml", text}});
}

TEST(Page, KnowsItsPanelsAndTheirLines) {
  const Loaded loaded = with_page(R"([[page]]
id = "tanks"
# a comment
  [[page.panel]]
  kind = "now"
  of = ["tank-*/distance"]
  lines = 1
  [[page.panel]]
  kind = "alerts"
)");
  ASSERT_EQ(loaded.diagnostics.size(), 1U);
  EXPECT_EQ(loaded.diagnostics[0].code, "C204");
  ASSERT_EQ(loaded.stack.pages.size(), 1U);
  const Page& page = loaded.stack.pages[0];
  EXPECT_EQ(page.title, "tanks") << "the id if there is no title";
  EXPECT_EQ(page.range, "24h");
  EXPECT_EQ(page.zone, "site");
  EXPECT_EQ(page.place.file, "pages/tanks.toml");
  EXPECT_EQ(page.place.line, 1U);
  ASSERT_EQ(page.panels.size(), 2U);
  EXPECT_EQ(page.panels[0].line, 4U);
  EXPECT_EQ(page.panels[0].of.at(0).text(), "tank-*/distance");
  EXPECT_EQ(page.panels[1].line, 8U);
  EXPECT_EQ(page.panels[1].kind, "alerts");
  EXPECT_EQ(page.panels[1].options_json, "{}");
}

TEST(Page, GivesOptionsAsJsonOfTheSameNames) {
  const Loaded loaded = with_page(R"([[page]]
id = "tanks"
  [[page.panel]]
  kind = "chart"
  of = ["tank-1/distance"]
  lines = [{at=20,label="a \"b\""}]
  y = {min=0.5}
  live = false
)");
  ASSERT_TRUE(loaded.ok()) << render(loaded.diagnostics, loaded.files, false);
  EXPECT_EQ(loaded.stack.pages.at(0).panels.at(0).options_json,
            R"({"of":["tank-1/distance"],"y":{"min":0.5},"lines":[{"at":20,"label":"a \"b\""}],)"
            R"("live":false})");
}

TEST(Page, HasSoManyPanelsAndNoMore) {
  const auto is_ok = [](std::size_t count) {
    std::string text = "[[page]]\nid = 'a'\n";
    for (std::size_t i = 0; i < count; ++i) text += "[[page.panel]]\nkind = 'alerts'\n";
    return with_page(text).ok();
  };
  EXPECT_TRUE(is_ok(100));
  EXPECT_FALSE(is_ok(101));
}

TEST(Page, HasSoManyItemsInAListAndNoMore) {
  const auto is_ok = [](std::size_t count) {
    std::string text = "[[page]]\nid = 'a'\n[[page.panel]]\nkind = 'alerts'\nof = [";
    for (std::size_t i = 0; i < count; ++i) text += fmt::format("'tank-{}',", i);
    return with_page(text + "]").ok();
  };
  EXPECT_TRUE(is_ok(100));
  EXPECT_FALSE(is_ok(101));
}

TEST(Page, IsOneOfAThousand) {
  const auto is_ok = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
      text += fmt::format("[[page]]\nid = 'p{}'\npanel = [{{ kind = 'alerts' }}]\n", i);
    }
    return with_page(text).ok();
  };
  EXPECT_TRUE(is_ok(1000));
  EXPECT_FALSE(is_ok(1001));
}

}  // namespace
}  // namespace nilo::stack
