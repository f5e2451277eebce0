#include "alerts/template.h"

#include <gtest/gtest.h>

namespace nilo::alerts {
namespace {

std::string rendered(std::string_view text) {
  const auto made = Template::parse(text);
  if (!made) return made.error().message;
  return made->render([](std::string_view name) { return "<" + std::string(name) + ">"; });
}

TEST(Template, FillsInNames) {
  EXPECT_EQ(rendered("${thing.name} is at ${value} %."), "<thing.name> is at <value> %.");
  EXPECT_EQ(rendered("${a}${b}"), "<a><b>");
  EXPECT_EQ(rendered(""), "");
  EXPECT_EQ(rendered("no names"), "no names");
}

TEST(Template, SaysWhereItsNamesStand) {
  const auto made = Template::parse("a ${b} ${cd}").value();
  ASSERT_EQ(made.names().size(), 2U);
  EXPECT_EQ(made.names()[0].at, 4U);
  EXPECT_EQ(made.names()[1].text, "cd");
  EXPECT_EQ(made.names()[1].at, 9U);
}

TEST(Template, KeepsDollarsThatAreNone) {
  EXPECT_EQ(rendered("$5 and $"), "$5 and $");
  EXPECT_EQ(rendered("$${value}"), "${value}");
  EXPECT_EQ(rendered("}{"), "}{");
}

TEST(Template, DoesNotFillInWhatWasFilledIn) {
  const auto made = Template::parse("${x}").value();
  EXPECT_EQ(made.render([](std::string_view) { return "${x}"; }), "${x}");
}

TEST(Template, RefusesHalfANameAndSaysWhere) {
  EXPECT_EQ(rendered("abc ${value"), "a `${` without `}` at byte 4");
  EXPECT_EQ(rendered("${}"), "no name between `${` and `}` at byte 0");
}

TEST(Template, HasALimit) {
  EXPECT_EQ(rendered(std::string(kTemplateSizeMax, 'x')).size(), kTemplateSizeMax);
  EXPECT_EQ(rendered(std::string(kTemplateSizeMax + 1, 'x')), "the text is longer than 8192 bytes");
}

}  // namespace
}  // namespace nilo::alerts
