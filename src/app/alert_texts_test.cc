#include "app/alert_texts.h"

#include <gtest/gtest.h>

namespace nilo::app {
namespace {

std::string mistakes_of(const std::string& text) {
  stack::Loaded loaded = stack::parse({{"nilo.toml", R"([things]
tank-1 = { type = "tank", depth = "89 cm" }
[table.levels]
key = ["device_id int"]
columns = { distance = "double" }
thing = "tank-{device_id}"
[mail]
server = "localhost"
from = "a@b"
[alert.level]
of = "tank-1/distance"
low = 20
)" + text}});
  EXPECT_TRUE(loaded.ok()) << render(loaded.diagnostics, loaded.files, false);
  check_alert_texts(loaded);
  std::string out;
  for (const stack::Diagnostic& found : loaded.diagnostics) {
    out +=
        found.code + " " + to_string(found.place) + " " + found.summary + " " + found.detail + "\n";
  }
  return out;
}

TEST(AlertTexts, MayNameTheThingItsPropertiesAndItsNewestRow) {
  EXPECT_EQ(
      mistakes_of(R"(mail = { to = "a@b", subject = "${thing.name} ${state} ${thing.depth}", )"
                  R"(text = "${value} ${unit} ${distance} ${limit} ${since} ${link} $5" })"),
      "");
  EXPECT_EQ(mistakes_of(R"(mail = { to = "a@b" })"), "") << "the program's own words";
}

TEST(AlertTexts, NameNothingElse) {
  EXPECT_EQ(mistakes_of(R"(mail = { to = "a@b", subject = "Tank ${thing.nmae}" })"),
            "C404 nilo.toml:13:38 `${thing.nmae}` is not known did you mean `thing.name`?\n");
  EXPECT_NE(mistakes_of(R"(mail = { to = "a@b", text = "${" })"), "");
  EXPECT_NE(mistakes_of(R"(webhook = { url = "http://a", headers = { Title = "${nobody}" } })"),
            "");
  EXPECT_NE(mistakes_of(R"(webhook = { url = "http://a", body = "${nobody}" })"), "");
}

}  // namespace
}  // namespace nilo::app
