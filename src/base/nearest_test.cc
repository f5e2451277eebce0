#include "base/nearest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace nilo {
namespace {

TEST(EditDistance, CountsInsertionDeletionReplacementAndSwap) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("put", "pud"), 1U);
  EXPECT_EQ(edit_distance("cooldwon", "cooldown"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("PUT", "put"), 0U);
}

TEST(EditDistance, TakesWordsUpToTheLimit) {
  const std::string longest(kNearestSizeMax, 'a');
  EXPECT_EQ(edit_distance(longest, ""), kNearestSizeMax);
  EXPECT_EQ(edit_distance(longest, longest), 0U);
  EXPECT_FALSE(is_near(longest + 'a', longest));
}

TEST(Nearest, FindsTheClosestWordOrNone) {
  const std::vector<std::string> words{"memory", "mqtt", "http"};
  EXPECT_EQ(nearest("memroy", words), "memory");
  EXPECT_EQ(nearest("htpp", words), "http");
  EXPECT_EQ(nearest("colour", words), "");
  EXPECT_EQ(nearest("", words), "");
  EXPECT_EQ(nearest("Memory", words), "memory");
}

TEST(Nearest, IsNeverTheWordItself) {
  EXPECT_EQ(nearest("http", std::vector<std::string>{"http"}), "");
}

TEST(Nearest, ShortWordsKeepALetter) {
  EXPECT_FALSE(is_near("a", "b"));
  EXPECT_TRUE(is_near("t", "ts"));
}

}  // namespace
}  // namespace nilo
