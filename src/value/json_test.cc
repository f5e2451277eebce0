#include "value/json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

namespace nilo {
namespace {

// The document minified, or the error's message.
std::string round_trip(std::string_view text) {
  JsonDocument document;
  // An exact copy on the heap, so that a sanitizer sees any read past the end.
  const std::vector<char> exact(text.begin(), text.end());
  const auto root = document.parse({exact.data(), exact.size()});
  if (!root) return root.error().message;
  std::string out;
  append_json(out, **root);
  return out;
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(Json, ComesBackMinified) {
  EXPECT_EQ(round_trip(" { \"a\" : [ 1 , true , false , null ] , \"b\" : { } } \n"),
            R"({"a":[1,true,false,null],"b":{}})");
  for (const char* scalar : {"0", "-1", "\"\"", "true", "false", "null", "[]", "{}"}) {
    EXPECT_EQ(round_trip(scalar), scalar);
  }
}

TEST(Json, KeepsEveryDigitOfANumber) {
  for (const char* number :
       {"1.50", "-0", "1E400", "1e+5", "0.1e-7", "1234567890123456789012345678901234.567890"}) {
    EXPECT_EQ(round_trip(number), number);
  }
}

TEST(Json, UnescapesStrings) {
  EXPECT_EQ(round_trip(R"("\"\\\/\b\f\n\r\t")"), R"("\"\\/\u0008\u000c\n\r\t")");
  EXPECT_EQ(round_trip(R"("\u00e9\u20AC\ud83d\ude00")"), "\"é€😀\"");
  EXPECT_EQ(round_trip(R"(["\u0041","a\u0042c","plain"])"), R"(["A","aBc","plain"])");
  JsonDocument document;
  const auto root = document.parse(R"("a\u0000b")");
  ASSERT_TRUE(root);
  EXPECT_EQ((*root)->text(), std::string_view("a\0b", 3));
}

TEST(Json, SaysWhatIsWrongAndWhere) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "not JSON at byte 0: the text ends too early"},
      {"hello", "not JSON at byte 0: expected a value"},
      {"{\"distance\":NaN}", "not JSON at byte 12: expected a value"},
      {"{\"a\":1,}", "not JSON at byte 7: expected '\"'"},
      {"{1}", "not JSON at byte 1: expected '\"' or '}'"},
      {"{\"a\" 1}", "not JSON at byte 5: expected ':'"},
      {"{\"a\":1 \"b\"}", "not JSON at byte 7: expected ',' or '}'"},
      {"{\"a\":1", "not JSON at byte 6: expected ',' or '}'"},
      {"[1,]", "not JSON at byte 3: expected a value"},
      {"[1 2]", "not JSON at byte 3: expected ',' or ']'"},
      {"[1}", "not JSON at byte 2: expected ',' or ']'"},
      {"1 2", "not JSON at byte 2: expected the end of the text"},
      {"01", "not JSON at byte 1: expected the end of the text"},
      {"-", "not JSON at byte 1: expected a digit"},
      {"+1", "not JSON at byte 0: expected a value"},
      {".5", "not JSON at byte 0: expected a value"},
      {"5.", "not JSON at byte 2: expected a digit"},
      {"5e", "not JSON at byte 2: expected a digit"},
      {"5e+", "not JSON at byte 3: expected a digit"},
      {"Infinity", "not JSON at byte 0: expected a value"},
      {"tru", "not JSON at byte 0: expected a value"},
      {"\"a", "not JSON at byte 2: the string has no end"},
      {"\"a\\", "not JSON at byte 2: the string has no end"},
      {"\"\\n", "not JSON at byte 3: the string has no end"},
      {"\"a\nb\"", "not JSON at byte 2: a control character must be escaped"},
      {"\"\\r\n\"", "not JSON at byte 3: a control character must be escaped"},
      {"\"\\x\"", "not JSON at byte 1: no such escape"},
      {"\"\\u12g4\"", "not JSON at byte 1: \\u needs four hexadecimal digits"},
      {"\"\\ud800\"", "not JSON at byte 1: half of a surrogate pair"},
      {"\"\\ude00\"", "not JSON at byte 1: half of a surrogate pair"},
      {"\"\\ud800\\u0041\"", "not JSON at byte 1: half of a surrogate pair"},
      {"\"\xff\"", "not JSON at byte 1: the string is not UTF-8"},
      {"\"\\n\xc3\"", "not JSON at byte 1: the string is not UTF-8"},
      {"\xef\xbb\xbf{}", "not JSON at byte 0: expected a value"},
  };
  for (const auto& [text, message] : cases) EXPECT_EQ(round_trip(text), message) << text;
}

TEST(Json, EveryPrefixOfADocumentIsRefused) {
  const std::string text = R"({"a":[1.5e-3,"x\u0041\n",{"b":null}],"c":true})";
  ASSERT_EQ(round_trip(text), R"({"a":[1.5e-3,"xA\n",{"b":null}],"c":true})");
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_TRUE(round_trip(text.substr(0, size)).starts_with("not JSON at byte")) << size;
  }
}

TEST(Json, NestsToTheLimitAndNoDeeper) {
  EXPECT_EQ(round_trip(nested(kJsonDepthMax)), nested(kJsonDepthMax));
  EXPECT_EQ(round_trip(nested(kJsonDepthMax + 1)),
            "not JSON at byte 128: nested too deeply, the limit is 128");
  EXPECT_EQ(round_trip(nested(100'000)),
            "not JSON at byte 128: nested too deeply, the limit is 128");
}

TEST(Json, TextOverTheSizeLimitIsRefused) {
  JsonDocument document;
  std::string text(kJsonSizeMax, ' ');
  text.back() = '1';
  EXPECT_TRUE(document.parse(text));
  text.push_back(' ');
  EXPECT_EQ(document.parse(text).error().code, ErrorCode::too_large);
}

TEST(Json, OfTwoEqualKeysTheLastCounts) {
  EXPECT_EQ(round_trip(R"({"a":1,"b":{"x":[1,2]},"a":3,"b":4})"), R"({"a":3,"b":4})");
  JsonDocument document;
  const auto root = document.parse(R"({"a":1,"\u0061":2})");
  ASSERT_TRUE(root);
  EXPECT_EQ((*root)->find("a")->text(), "2");
  EXPECT_EQ((*root)->size(), 1u);
}

TEST(Json, OfManyKeysTheLastCountsToo) {
  for (const int count : {11, 12, 13, 14, 1000}) {
    std::string text = "{";
    for (int i = 0; i < count; ++i) text += fmt::format("\"k{}\":{},", i % 7, i);
    text.back() = '}';
    JsonDocument document;
    const auto root = document.parse(text);
    ASSERT_TRUE(root) << text;
    EXPECT_EQ((*root)->size(), 7u);
    for (int i = count - 7; i < count; ++i) {
      EXPECT_EQ((*root)->find(fmt::format("k{}", i % 7))->text(), std::to_string(i));
    }
  }
}

TEST(Json, AMillionKeysAndATenMegabyteNumberAreRead) {
  JsonDocument document;
  std::string text = "{";
  for (int i = 0; i < 1'000'000; ++i) text += fmt::format("\"{}\":{},", i, i);
  text.back() = '}';
  const auto root = document.parse(text);
  ASSERT_TRUE(root);
  EXPECT_EQ((*root)->size(), 1'000'000u);
  const std::string number(10'000'000, '7');
  EXPECT_EQ((*document.parse(number))->text(), number);
}

TEST(Json, MembersAndElementsAreWalkedInOrder) {
  JsonDocument document;
  const auto root = document.parse(R"({"z":[[1,2],{"q":0},3],"a":"x"})");
  ASSERT_TRUE(root);
  std::string keys;
  for (const JsonMember& member : (*root)->members()) keys += member.key;
  EXPECT_EQ(keys, "za");
  std::string elements;
  for (const JsonNode& element : (*root)->find("z")->elements()) append_json(elements, element);
  EXPECT_EQ(elements, R"([1,2]{"q":0}3)");
  EXPECT_EQ((*root)->find("b"), nullptr);
  EXPECT_EQ((*root)->find("a")->find("x"), nullptr);
  EXPECT_EQ((*root)->find("a")->size(), 0u);
}

TEST(Json, ADocumentIsReused) {
  JsonDocument document;
  ASSERT_TRUE(document.parse(R"(["a\tb",{"c":[1,2,3]}])"));
  ASSERT_FALSE(document.parse("[1,"));
  const auto root = document.parse(R"({"k":"\u0031"})");
  ASSERT_TRUE(root);
  EXPECT_EQ((*root)->find("k")->text(), "1");
}

}  // namespace
}  // namespace nilo
