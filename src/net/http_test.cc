#include "net/http.h"

#include <gtest/gtest.h>

namespace nilo::net {
namespace {

TEST(HttpTarget, SplitsPathAndQuery) {
  const HttpTarget target = parse_target("/prod/data?device_id=2&x=").value();
  EXPECT_EQ(target.path, "/prod/data");
  EXPECT_EQ(target.query, (NameValues{{"device_id", "2"}, {"x", ""}}));
}

TEST(HttpTarget, DecodesPercentEverywhereAndPlusInTheQueryOnly) {
  const HttpTarget target = parse_target("/a+b%20c%C3%BC?a+b%3D=c+d%26").value();
  EXPECT_EQ(target.path, "/a+b c\xC3\xBC");
  EXPECT_EQ(target.query, (NameValues{{"a b=", "c d&"}}));
}

TEST(HttpTarget, KeepsAFurtherQuestionMarkAndEqualsSign) {
  EXPECT_EQ(parse_target("/?a=b=c?d").value().query, (NameValues{{"a", "b=c?d"}}));
}

TEST(HttpTarget, SkipsEmptyPairs) {
  EXPECT_EQ(parse_target("/?&&a&").value().query, (NameValues{{"a", ""}}));
  EXPECT_TRUE(parse_target("/?").value().query.empty());
}

TEST(HttpTarget, RefusesWhatCouldBeReadInTwoWays) {
  for (const char* text : {"", "a", "http://host/", "/%", "/%2", "/%zz", "/a%2Fb", "/a%2fb",
                           "/a%00b", "/%ff", "/\xff", "/?a=%", "/?%ff=1"}) {
    const auto target = parse_target(text);
    ASSERT_FALSE(target) << text;
    EXPECT_EQ(target.error().code, ErrorCode::invalid_argument);
  }
}

TEST(HttpTarget, CountsItsParameters) {
  std::string text = "/?";
  for (std::size_t count = 0; count < kQueryParametersMax; ++count) text += "a&";
  EXPECT_TRUE(parse_target(text));
  EXPECT_FALSE(parse_target(text + "a"));
}

TEST(HttpTarget, EncodingSurvivesTheWayBack) {
  std::string all;
  for (int byte = 1; byte < 128; ++byte) all.push_back(static_cast<char>(byte));
  EXPECT_EQ(percent_encode("a b&\xC3\xBC"), "a%20b%26%C3%BC");
  EXPECT_EQ(parse_target("/?x=" + percent_encode(all)).value().query[0].second, all);
}

TEST(HttpRequest, FindsTheLastOfEqualNames) {
  const NameValues pairs{{"a", "1"}, {"b", "2"}, {"a", "3"}};
  EXPECT_EQ(find_value(pairs, "a"), "3");
  EXPECT_EQ(find_value(pairs, "c"), std::nullopt);
}

}  // namespace
}  // namespace nilo::net
