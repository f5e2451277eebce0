// The cases of tests/policies/*.txt; tests/policies/README.md tells their format.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "stack/stack.h"

namespace nilo::stack {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string name;
  std::map<std::string, std::string> parts;  // "policy.json", "subject", ...
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

std::vector<Case> cases_in(const fs::path& path) {
  std::vector<Case> out;
  std::string* text = nullptr;
  std::ifstream lines(path, std::ios::binary);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("=== ")) {
      out.push_back({path.stem().string() + ": " + line.substr(4), {}});
      text = nullptr;
    } else if (line.starts_with("--- ")) {
      text = &out.back().parts[line.substr(4)];
    } else if (text != nullptr) {
      *text += line + '\n';
    }
  }
  // The empty line before the next case is not expected of this one.
  for (Case& each : out) {
    std::string& expected = each.parts["expect"];
    while (expected.ends_with("\n\n")) expected.pop_back();
  }
  return out;
}

std::vector<Case> all_cases() {
  std::vector<Case> out;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(NILO_SOURCE_DIR "/tests/policies")) {
    if (entry.path().extension() == ".txt") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) {
    for (Case& each : cases_in(path)) out.push_back(std::move(each));
  }
  return out;
}

PolicySubject subject_of(const std::string& text) {
  PolicySubject subject;
  PolicyThing thing;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find(" = ");
    const std::string key = line.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : line.substr(equals + 3);
    if (key == "client_id") {
      subject.client_id = value;
    } else if (key == "user") {
      subject.user = value;
    } else if (key == "source_ip") {
      subject.source_ip = value;
    } else if (key == "certificate_id") {
      subject.certificate_id = value;
    } else if (key.starts_with("certificate ")) {
      subject.certificate.emplace_back(key.substr(12), value);
    } else if (key == "persistent") {
      subject.is_persistent = true;
    } else if (key == "will") {
      subject.has_will = true;
    } else if (key == "thing") {
      thing.id = value;
    } else if (key == "type") {
      thing.type = value;
    } else {
      thing.properties.emplace_back(key, value);
    }
  }
  if (!thing.id.empty()) subject.thing = std::make_shared<PolicyThing>(thing);
  return subject;
}

// "publish a/b" -> "publish a/b: yes".
std::string answer_of(const PolicySet& set, const std::string& question) {
  const std::size_t blank = question.find(' ');
  for (const PolicyAction action :
       {PolicyAction::connect, PolicyAction::publish, PolicyAction::subscribe,
        PolicyAction::receive, PolicyAction::retain}) {
    if (word_of(action) != question.substr(0, blank)) continue;
    const PolicySet::Verdict verdict = set.decide(action, question.substr(blank + 1));
    if (verdict.denied_by != nullptr)
      return question + ": no, " + verdict.denied_by->name + " denies\n";
    return question + (verdict.is_allowed ? ": yes\n" : ": no\n");
  }
  return question + ": this is no question\n";
}

std::string answers_of(const Case& each) {
  SourceFiles files;
  for (const auto& [name, text] : each.parts) {
    if (name == "nilo.toml") files.push_back({name, text});
    if (name != "policy.json") continue;
    files.push_back({"nilo.toml", "[policy.p]\naws = \"policies/policy.json\"\n"});
    files.push_back({"policies/policy.json", text});
  }
  const Loaded loaded = parse(files);
  if (!loaded.ok()) return render(loaded.diagnostics, loaded.files, false);
  const auto subject = each.parts.find("subject");
  const PolicySet set({loaded.stack.policies.at(0).rules},
                      subject_of(subject == each.parts.end() ? "" : subject->second));
  std::string out;
  std::istringstream lines(each.parts.at("expect"));
  for (std::string line; std::getline(lines, line);) {
    out += answer_of(set, line.substr(0, line.rfind(": ")));
  }
  return out;
}

class PolicyCase : public testing::TestWithParam<Case> {};

TEST_P(PolicyCase, IsAnsweredSo) {
  EXPECT_EQ(answers_of(GetParam()), GetParam().parts.at("expect"));
}

INSTANTIATE_TEST_SUITE_P(Text, PolicyCase, testing::ValuesIn(all_cases()), [](const auto& each) {
  std::string name = each.param.name;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
});

TEST(AwsPolicy, HasALimitOfStatements) {
  const auto policy_of = [](int count) {
    std::string text = R"({"Version":"2012-10-17","Statement":[)";
    for (int i = 0; i < count; ++i) {
      text += i == 0 ? "" : ",";
      text += R"({"Effect":"Allow","Action":"iot:Publish","Resource":"*"})";
    }
    return parse({{"nilo.toml", "[policy.p]\naws = \"policies/p.json\"\n"},
                  {"policies/p.json", text + "]}"}});
  };
  EXPECT_TRUE(policy_of(100).ok());
  EXPECT_FALSE(policy_of(101).ok());
}

TEST(AwsPolicy, HasALimitOfEntries) {
  const auto policy_of = [](int count) {
    std::string text =
        R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":[)";
    for (int i = 0; i < count; ++i) text += i == 0 ? "\"*\"" : ",\"*\"";
    return parse({{"nilo.toml", "[policy.p]\naws = \"policies/p.json\"\n"},
                  {"policies/p.json", text + "]}}"}});
  };
  EXPECT_TRUE(policy_of(1999).ok());  // and one action
  EXPECT_FALSE(policy_of(2000).ok());
}

}  // namespace
}  // namespace nilo::stack
