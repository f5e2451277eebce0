#include "value/json_text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace nilo {
namespace {

TEST(JsonText, PutsACommaOnlyBetweenMembers) {
  std::string out = "{";
  append_text(out, "a", "x\"y{");
  append_text(out, "b", "");
  append_key(out, "c") += "{";
  append_number(out, "d", 1);
  EXPECT_EQ(out + "}}", R"({"a":"x\"y{","b":"","c":{"d":1}})");
}

TEST(JsonText, PutsACommaOnlyBetweenElements) {
  std::string out = "[";
  append_comma(out);
  out += "1";
  append_comma(out);
  out += "2";
  EXPECT_EQ(out, "[1,2");
}

TEST(JsonText, SaysNullOfWhatIsNotThereAndOfWhatIsNoNumber) {
  std::string out = "{";
  append_number(out, "none", std::optional<std::int64_t>());
  append_number(out, "nan", std::numeric_limits<double>::quiet_NaN());
  append_number(out, "infinite", std::numeric_limits<double>::infinity());
  append_number(out, "yes", true);
  append_number(out, "half", 0.5);
  EXPECT_EQ(out, R"({"none":null,"nan":null,"infinite":null,"yes":true,"half":0.5)");
}

}  // namespace
}  // namespace nilo
