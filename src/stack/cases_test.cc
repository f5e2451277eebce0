// The cases of tests/stack/*.txt; tests/stack/README.md tells their format.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "stack/error_table.h"
#include "stack/stack.h"

namespace nilo::stack {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string name;
  SourceFiles files;
  std::string expected;
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<Case> cases_in(const fs::path& path) {
  std::vector<Case> out;
  std::string* text = nullptr;
  std::istringstream lines(content_of(path));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("=== ")) {
      out.push_back({path.stem().string() + ": " + line.substr(4), {}, {}});
      text = nullptr;
    } else if (line == "--- expect") {
      text = &out.back().expected;
    } else if (line.starts_with("--- ")) {
      out.back().files.push_back({line.substr(4), {}});
      text = &out.back().files.back().text;
    } else if (text != nullptr) {
      *text += line + '\n';
    }
  }
  // The empty line before the next case is not expected of this one.
  for (Case& each : out) {
    while (each.expected.ends_with("\n\n")) each.expected.pop_back();
  }
  return out;
}

std::vector<Case> all_cases() {
  std::vector<Case> out;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(NILO_SOURCE_DIR "/tests/stack")) {
    if (entry.path().extension() == ".txt") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) {
    for (Case& each : cases_in(path)) out.push_back(std::move(each));
  }
  return out;
}

class StackCase : public testing::TestWithParam<Case> {};

TEST_P(StackCase, IsAnsweredInTheseWords) {
  const Loaded loaded = parse(GetParam().files);
  const std::string words = render(loaded.diagnostics, loaded.files, false);
  EXPECT_EQ(words.empty() ? "ok\n" : words, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Text, StackCase, testing::ValuesIn(all_cases()), [](const auto& each) {
  std::string name = each.param.name;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
});

TEST(StackCases, ShowEveryMistakeThatCanBeInAFile) {
  std::string all;
  for (const Case& each : all_cases()) all += each.expected;
  for (const ErrorText& text : error_texts()) {
    if (text.code < Code::not_toml || text.code >= Code::rule_sql) continue;  // not from parse()
    if (text.code == Code::too_many_declared || text.code == Code::too_many_columns) continue;
    EXPECT_NE(all.find("error[" + to_string(text.code) + "]"), std::string::npos)
        << "no case in tests/stack shows " << to_string(text.code);
  }
}

}  // namespace
}  // namespace nilo::stack
