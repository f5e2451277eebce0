#include "app/csv.h"

#include <gtest/gtest.h>

namespace nilo::app {
namespace {

TEST(Csv, IsReadAsItWasWritten) {
  const std::vector<std::string> cells = {"a", "", "b,c", "say \"hi\"", "two\nlines", " x "};
  const auto rows = read_csv(csv_line({"h"}) + csv_line(cells) + csv_line({"end"})).value();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[1].cells, cells);
  EXPECT_EQ(rows[1].line, 2u);
  EXPECT_EQ(rows[2].line, 4u);
}

TEST(Csv, TakesWhatSpreadsheetsWrite) {
  const auto rows = read_csv("\xef\xbb\xbfid,name\r\n\r\na,\"A\"\r\nb,").value();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].cells, (std::vector<std::string>{"id", "name"}));
  EXPECT_EQ(rows[2].cells, (std::vector<std::string>{"b", ""}));
  EXPECT_TRUE(read_csv("")->empty());
}

TEST(Csv, SaysWhereAMistakeIs) {
  EXPECT_EQ(read_csv("a\n\"b").error().message, "line 2: a quote that does not end");
  EXPECT_EQ(read_csv("a\nb,\"c\"d").error().message, "line 2: text behind a closing quote");
}

}  // namespace
}  // namespace nilo::app
