// Runs the cases of tests/rules/*.txt; their format: tests/rules/README.md.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <variant>
#include <vector>

#include "rules/digest.h"
#include "rules/scratch.h"
#include "rules/statement.h"

namespace nilo::rules {
namespace {

// The message and version that `topic`, `payload` and so on build up.
struct Given {
  Message message;
  std::string version = "2016-03-23";
};

std::string described(const Mistake& mistake) {
  const std::string hint = mistake.hint.empty() ? "" : fmt::format(" ({})", mistake.hint);
  return fmt::format("mistake {}:{}+{}: {}{}", mistake.line, mistake.column, mistake.size,
                     mistake.message, hint);
}

// What `sql` comes to, as the cases write it: one line, or one for each mistake.
std::vector<std::string> outcome_of(const std::string& sql, const Given& given, Scratch& scratch) {
  const auto compiled = Statement::compile(sql, {.version = given.version});
  std::vector<std::string> lines;
  if (const auto* mistakes = std::get_if<std::vector<Mistake>>(&compiled)) {
    for (const Mistake& mistake : *mistakes) lines.push_back(described(mistake));
    return lines;
  }
  // An exact copy on the heap, so that a sanitizer sees any read past the end.
  const std::vector<char> payload(given.message.payload.begin(), given.message.payload.end());
  MessageView message = given.message.view();
  message.payload = {payload.data(), payload.size()};
  switch (std::get<Statement>(compiled).evaluate(message, scratch)) {
    case Outcome::no_match:
      return {"no match"};
    case Outcome::failed:
      return {"failed: " + scratch.error()};
    case Outcome::matched:
      break;
  }
  std::string json;
  const auto appended = scratch.append_json(json);
  if (!appended) return {"failed: " + appended.error().message};
  return {json.empty() ? "nothing" : json};
}

class VectorFile {
 public:
  explicit VectorFile(const std::filesystem::path& path) : path_(path), in_(path) {}

  // The number of cases.
  int run() {
    std::string line;
    while (next_line(line)) {
      const std::size_t space = line.find(' ');
      const std::string word = line.substr(0, space);
      const std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
      if (word == "expr") {
        expression(rest);
      } else if (word == "sql") {
        statement(rest);
      } else if (!line.empty() && line[0] != '#') {
        given(word, rest);
      }
    }
    return cases_;
  }

 private:
  bool next_line(std::string& line) {
    if (!std::getline(in_, line)) return false;
    ++line_number_;
    return true;
  }
  std::string place() const {
    return fmt::format("{}:{}", path_.filename().string(), line_number_);
  }

  void given(const std::string& word, const std::string& rest) {
    Message& message = given_.message;
    const std::string second = rest.substr(std::min(rest.find(' '), rest.size() - 1) + 1);
    const std::string first = rest.substr(0, rest.find(' '));
    if (word == "topic") {
      message.topic = rest;
    } else if (word == "payload") {
      message.payload = rest;
    } else if (word == "payload-base64") {
      message.payload.clear();
      EXPECT_TRUE(append_decoded_base64(message.payload, rest)) << place();
    } else if (word == "version") {
      given_.version = rest;
    } else if (word == "client") {
      message.client_id = rest;
    } else if (word == "principal") {
      message.principal = rest;
    } else if (word == "source") {
      message.source_ip = rest;
    } else if (word == "time") {
      message.received_us = std::stoll(rest) * 1000;
    } else if (word == "user") {
      if (rest.empty()) {
        message.properties.user.clear();
      } else {
        message.properties.user.emplace_back(first, second);
      }
    } else if (word == "property") {
      property(first, second);
    } else {
      ADD_FAILURE() << place() << ": `" << word << "` is not a word of this format";
    }
  }

  void property(const std::string& name, const std::string& value) {
    MessageProperties& properties = given_.message.properties;
    if (name == "content_type") properties.content_type = value;
    if (name == "response_topic") properties.response_topic = value;
    if (name == "correlation_data") properties.correlation_data = value;
    if (name == "format_indicator") properties.payload_is_utf8 = value == "UTF8_DATA";
  }

  void expression(const std::string& rest) {
    const std::size_t arrow = rest.rfind(" => ");
    if (arrow == std::string::npos) {
      ADD_FAILURE() << place() << ": no => in this line";
      return;
    }
    const std::string wanted = rest.substr(arrow + 4);
    const std::string sql = "SELECT VALUE (" + rest.substr(0, arrow) + ") FROM 'a/b'";
    expect(sql, {wanted == "undefined" ? "nothing" : wanted}, place());
  }

  void statement(std::string sql) {
    const std::string where = place();
    std::vector<std::string> wanted;
    std::string line;
    while (in_.peek() == ' ' && next_line(line)) sql += "\n" + line;
    while (in_.peek() == '=' && next_line(line)) wanted.push_back(line.substr(3));
    expect(sql, wanted, where);
  }

  void expect(const std::string& sql, const std::vector<std::string>& wanted,
              const std::string& where) {
    ++cases_;
    EXPECT_EQ(outcome_of(sql, given_, scratch_), wanted) << where << ": " << sql;
  }

  std::filesystem::path path_;
  std::ifstream in_;
  int line_number_ = 0;
  int cases_ = 0;
  Given given_;
  Scratch scratch_;
};

TEST(RuleVectors, ComeToWhatTheySay) {
  int files = 0;
  int cases = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(NILO_SOURCE_DIR) + "/tests/rules")) {
    if (entry.path().extension() != ".txt") continue;
    ++files;
    cases += VectorFile(entry.path()).run();
  }
  RecordProperty("cases", cases);
  EXPECT_GT(files, 5);
  EXPECT_GT(cases, 500);
}

}  // namespace
}  // namespace nilo::rules
