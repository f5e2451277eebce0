#include "stack/diagnostic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "stack/error_table.h"
#include "stack/stack.h"

namespace nilo::stack {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Errors, HaveDifferentCodesAndAllWords) {
  std::vector<std::string> codes;
  for (const ErrorText& text : error_texts()) {
    codes.push_back(to_string(text.code));
    EXPECT_FALSE(text.summary.empty()) << codes.back();
    EXPECT_EQ(explain(codes.back()), text.explanation);
    EXPECT_TRUE(text.explanation.ends_with('.')) << codes.back();
  }
  EXPECT_TRUE(std::is_sorted(codes.begin(), codes.end()));
  EXPECT_EQ(std::adjacent_find(codes.begin(), codes.end()), codes.end());
  EXPECT_EQ(explain("C999"), "");
}

// What the program adds to a list when the SQL of a rule cannot be compiled.
TEST(Render, ShowsTheMistakesOfRulesInTheirFile) {
  Loaded loaded =
      parse({{"nilo.toml",
              "[rule.store]\nput = 't'\nsql = \"\"\"\nSELECT cats(a AS Int)\nFROM 'a'\"\"\"\n"
              "[table.t]\nkey = ['id int']\n[table.t.derived]\nd = 'nosuch(id)'\n"}});
  ASSERT_TRUE(loaded.ok());
  const Rule& rule = loaded.stack.rules[0];
  loaded.diagnostics.push_back(diagnose(Code::rule_sql, rule.sql.place_of(1, 8, 4),
                                        "did you mean `cast`?", rule.name, "unknown function",
                                        "write cast(a AS Int)"));
  loaded.diagnostics.push_back(
      diagnose(Code::rule_table_mismatch, rule.put_place, "", rule.name, "t", "no column `a`", ""));
  loaded.diagnostics.push_back(diagnose(Code::derived_sql,
                                        loaded.stack.tables[0].derived[0].place_of(1, 1, 6), "",
                                        "d", "unknown function `nosuch`", ""));
  EXPECT_EQ(render(loaded.diagnostics, loaded.files, false),
            R"(error[C402]: rule `store` does not fit table `t`: no column `a`
  --> nilo.toml:2:7
   |
 2 | put = 't'
   |       ^^^
   |
error[C401]: rule `store`: unknown function
  --> nilo.toml:4:8
   |
 4 | SELECT cats(a AS Int)
   |        ^^^^ did you mean `cast`?
   = help: write cast(a AS Int)
error[C403]: derived column `d`: unknown function `nosuch`
  --> nilo.toml:9:6
   |
 9 | d = 'nosuch(id)'
   |      ^^^^^^
   |
3 errors. Nothing was changed.                     explain: nilo help C402
)");
}

TEST(Render, IsEmptyWithoutMistakes) {
  EXPECT_EQ(render({}, {}, false), "");
  EXPECT_EQ(render_json({}, {}), "");
}

TEST(Render, ColoursOnlyWhenAsked) {
  const Loaded loaded = parse({{"nilo.toml", "[sever]"}});
  EXPECT_THAT(render(loaded.diagnostics, loaded.files, false), Not(HasSubstr("\x1b")));
  EXPECT_THAT(render(loaded.diagnostics, loaded.files, true),
              HasSubstr("\x1b[1;31merror[C201]\x1b[0m: unknown section"));
}

TEST(Render, MarksAPlaceBehindTheEndOfALine) {
  const SourceFiles files{{"nilo.toml", "a =\n"}};
  EXPECT_THAT(render({{"C006", "no value", {"nilo.toml", 1, 5, kToLineEnd}}}, files, false),
              HasSubstr(" 1 | a =\n   |     ^\n"));
}

TEST(Render, ShowsUpToALimit) {
  std::string text = "[server]\n";
  for (std::size_t i = 0; i < kShownMax; ++i) text += fmt::format("k{} = 1\n", i);
  const Loaded full = parse({{"nilo.toml", text}});
  EXPECT_THAT(render(full.diagnostics, full.files, false),
              HasSubstr("20 errors. Nothing was changed."));
  const Loaded over = parse({{"nilo.toml", text + "more = 1\n"}});
  const std::string words = render(over.diagnostics, over.files, false);
  EXPECT_THAT(words, HasSubstr("21 errors (the first 20 are shown). Nothing was changed."));
  EXPECT_THAT(words, Not(HasSubstr("`more`")));
}

TEST(RenderJson, GivesOneObjectForEachMistake) {
  const Loaded loaded = parse({{"nilo.toml", "[things]\n\"\xc3\xa4\" = 1\n[server]\nmqtt = 5\n"}});
  EXPECT_EQ(render_json(loaded.diagnostics, loaded.files),
            R"({"severity":"error","code":"C101","summary":"`)"
            "\xc3\xa4"
            R"(` must be a table","detail":"this is an integer","range":{"file":"nilo.toml",)"
            R"("start":{"line":2,"column":7,"byte":16},"end":{"line":2,"column":8,"byte":17}},)"
            R"("snippet":"\")"
            "\xc3\xa4"
            R"(\" = 1","help":"write )"
            "\xc3\xa4"
            R"( = { type = \"tank\" }"})"
            "\n"
            R"({"severity":"error","code":"C119","summary":"`mqtt` must be an address and a port",)"
            R"("detail":"this is an integer","range":{"file":"nilo.toml",)"
            R"("start":{"line":4,"column":8,"byte":34},"end":{"line":4,"column":9,"byte":35}},)"
            R"("snippet":"mqtt = 5","help":"write mqtt = \"127.0.0.1:1883\""})"
            "\n");
}

TEST(RenderJson, HasNoRangeWithoutAPlace) {
  const Loaded loaded = load("/nowhere");
  EXPECT_THAT(render_json(loaded.diagnostics, loaded.files), HasSubstr(R"("range":null,)"));
}

TEST(Secrets, AreNotPrinted) {
  const Loaded loaded = parse({{"nilo.toml", "[server]\npassword = \"hunter2\"\n"}});
  ASSERT_EQ(loaded.diagnostics.size(), 1U);
  EXPECT_THAT(render(loaded.diagnostics, loaded.files, false), Not(HasSubstr("hunter2")));
  EXPECT_THAT(render_json(loaded.diagnostics, loaded.files), Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace nilo::stack
