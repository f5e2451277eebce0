#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/utf8.h"

namespace nilo {
namespace {

Result<int> half_of(int number) {
  if (number % 2 != 0) return Error{ErrorCode::invalid_argument, "odd", "double it"};
  return number / 2;
}
Result<int> quarter_of(int number) { return TRY(half_of(TRY(half_of(number)))); }

TEST(Result, TryReturnsTheFirstError) {
  EXPECT_EQ(quarter_of(12).value(), 3);
  EXPECT_EQ(quarter_of(6).error().message, "odd");
}

TEST(Bytes, VarintsAndZigzagComeBack) {
  for (const std::int64_t number : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{127},
                                    std::int64_t{128}, INT64_MAX, INT64_MIN}) {
    std::string bytes;
    put_varint(bytes, zigzag(number));
    ByteReader in(bytes);
    EXPECT_EQ(unzigzag(in.varint()), number);
    EXPECT_TRUE(in.ok() && in.at_end());
  }
}

TEST(Bytes, AShortInputFailsForGood) {
  std::string bytes;
  put_bytes(bytes, "hello");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ByteReader in(std::string_view(bytes).substr(0, size));
    EXPECT_EQ(in.bytes(), "");
    EXPECT_FALSE(in.ok());
    EXPECT_EQ(in.u8(), 0);
  }
}

TEST(Utf8, IsNotCutInsideOfALetter) {
  const std::string_view text = "a\xc3\xa4\xf0\x9f\x98\x80z";  // 1, 2, 4 and 1 bytes
  const std::size_t sizes[] = {0, 1, 1, 3, 3, 3, 3, 7, 8, 8};
  for (std::size_t max = 0; max < std::size(sizes); ++max) {
    EXPECT_EQ(front_of(text, max), text.substr(0, sizes[max])) << max;
  }
}

TEST(Utf8, RefusesOverlongFormsSurrogatesAndTruncation) {
  EXPECT_TRUE(is_utf8("plain ascii, longer than eight"));
  EXPECT_TRUE(is_utf8("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"));
  for (const char* bad : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"}) {
    EXPECT_FALSE(is_utf8(bad)) << printable(bad, 20);
  }
  EXPECT_TRUE(is_mqtt_text(std::string_view()));
  EXPECT_FALSE(is_mqtt_text(std::string_view("a\0b", 3)));
  EXPECT_EQ(printable("a\r\n\xff", 20), "a\\x0d\\x0a\\xff");
}

// The examples of RFC 4648 section 10.
TEST(Base64, GoesBothWays) {
  const std::pair<std::string, std::string> examples[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"},
                                                          {"\xff\xfe", "//4="}};
  for (const auto& [bytes, text] : examples) {
    EXPECT_EQ(base64_encoded(bytes), text);
    EXPECT_EQ(base64_decoded(text), bytes);
  }
  EXPECT_EQ(base64_decoded("Zg"), "f");
  EXPECT_EQ(base64_decoded("Z-=="), std::nullopt);
}

TEST(Metrics, ArePrintedOncePerName) {
  Metrics metrics;
  metrics.counter("nilo_messages_total", R"(dir="in")", "Messages.").add(2);
  metrics.counter("nilo_messages_total", R"(dir="out")", "Messages.").add();
  metrics.gauge("nilo_clients", "Connections.", [] { return 3.0; });
  EXPECT_EQ(metrics.prometheus_text(),
            "# HELP nilo_messages_total Messages.\n# TYPE nilo_messages_total counter\n"
            "nilo_messages_total{dir=\"in\"} 2\nnilo_messages_total{dir=\"out\"} 1\n"
            "# HELP nilo_clients Connections.\n# TYPE nilo_clients gauge\nnilo_clients 3\n");
}

}  // namespace
}  // namespace nilo
