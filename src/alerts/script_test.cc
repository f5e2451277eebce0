// The scripts of tests/alerts/*.txt: what a clock says, what comes in, and what comes of it. Each
// also runs with a restart after every step, and must tell the same. tests/alerts/README.md tells
// their format.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "alerts/engine.h"
#include "base/time_units.h"

namespace nilo::alerts {
namespace {

namespace fs = std::filesystem;

struct Step {
  std::int64_t at_us = 0;
  std::vector<std::string> words;
  std::string line;
  std::string expected;  // lines
};

struct Script {
  std::string name;
  Definition definition;
  std::vector<Step> steps;
};

void PrintTo(const Script& script, std::ostream* out) { *out << script.name; }

// "90s", "10m", "1h", "2d"
std::int64_t duration_us(const std::string& text) {
  const std::int64_t count = std::stoll(text);
  switch (text.back()) {
    case 's':
      return count * kSecondUs;
    case 'm':
      return count * 60 * kSecondUs;
    case 'h':
      return count * 3600 * kSecondUs;
    default:
      return count * 86400 * kSecondUs;
  }
}

// "12:30", "12:30:15", "1+00:10" (the next day)
std::int64_t time_us(const std::string& text) {
  int days = 0;
  int hours = 0;
  int minutes = 0;
  int seconds = 0;
  const std::size_t plus = text.find('+');
  if (plus != std::string::npos) days = std::stoi(text);
  const std::string clock = plus == std::string::npos ? text : text.substr(plus + 1);
  EXPECT_GE(std::sscanf(clock.c_str(), "%d:%d:%d", &hours, &minutes, &seconds), 2) << text;
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * kSecondUs;
}

void set(Definition& definition, const std::string& word) {
  const std::size_t at = word.find('=');
  const std::string name = word.substr(0, at);
  const std::string value = word.substr(at + 1);
  if (name == "low")
    definition.low = std::stod(value);
  else if (name == "high")
    definition.high = std::stod(value);
  else if (name == "clear")
    definition.clear = std::stod(value);
  else if (name == "hold")
    definition.hold_us = duration_us(value);
  else if (name == "remind")
    definition.remind_us = duration_us(value);
  else if (name == "silent" && value == "learned")
    definition.silent_learned = true;
  else if (name == "silent")
    definition.silent_us = duration_us(value);
  else if (name == "invalid")
    definition.invalid_us = duration_us(value);
  else if (name == "recovery")
    definition.recovery = value == "yes";
  else if (name == "flap") {
    definition.flap_changes = static_cast<std::uint32_t>(std::stoul(value));
    definition.flap_within_us = duration_us(value.substr(value.find('/') + 1));
  } else
    ADD_FAILURE() << "unknown: " << word;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word && word.front() != '#';) words.push_back(word);
  return words;
}

std::vector<Script> scripts_in(const fs::path& path) {
  std::vector<Script> scripts;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const std::vector<std::string> words = words_of(line);
    if (line.starts_with("=== ")) {
      scripts.push_back({path.stem().string() + ": " + line.substr(4), {}, {}});
    } else if (words.empty() || scripts.empty()) {
      continue;
    } else if (words.front() == "alert") {
      for (std::size_t i = 1; i < words.size(); ++i) set(scripts.back().definition, words[i]);
    } else if (line.front() == ' ') {
      std::string& expected = scripts.back().steps.back().expected;
      for (const std::string& word : words)
        expected += word + (&word == &words.back() ? "\n" : " ");
    } else {
      scripts.back().steps.push_back(
          {time_us(words[0]), {words.begin() + 1, words.end()}, line, {}});
    }
  }
  return scripts;
}

std::vector<Script> all_scripts() {
  std::vector<Script> scripts;
  for (const auto& entry : fs::directory_iterator(NILO_SOURCE_DIR "/tests/alerts")) {
    if (entry.path().extension() != ".txt") continue;
    for (Script& script : scripts_in(entry.path())) scripts.push_back(std::move(script));
  }
  std::sort(scripts.begin(), scripts.end(),
            [](const Script& a, const Script& b) { return a.name < b.name; });
  return scripts;
}

class Player {
 public:
  explicit Player(const Script& script) : script_(script), heard_us_(script.steps.front().at_us) {
    start(heard_us_);
  }

  // All that comes of a step; the state only where it changed, the event only if people hear of it.
  std::string play(const Step& step) {
    if (step.words.empty()) {
      engine_->advance(step.at_us);
    } else if (step.words[0] == "restart") {
      engine_->advance(step.at_us);
      restart(step.at_us);
    } else if (step.words[0] == "refused") {
      heard_us_ = step.at_us;
      engine_->refused(0, step.at_us);
    } else if (const auto condition = condition_of_word(step.words[0])) {
      const std::string refusal = person(step, *condition);
      return refusal + told();
    } else {
      heard_us_ = step.at_us;
      engine_->reading(0, std::stod(step.words[0]), step.at_us);
    }
    return told();
  }

  // What is kept is given to a new engine.
  void restart(std::int64_t now_us) {
    std::vector<Instance> kept;
    for (const Condition condition : kConditions) kept.push_back(engine_->instance(0, condition));
    const double value = engine_->value(0);
    start(now_us);
    engine_->restore_value(0, value);
    engine_->restore_heard(0, heard_us_, now_us);
    for (const Condition condition : kConditions) {
      if (!script_.definition.has(condition)) continue;
      engine_->restore(0, condition, kept[static_cast<std::size_t>(condition)]);
    }
  }

 private:
  void start(std::int64_t now_us) {
    engine_.emplace(std::vector<Definition>{script_.definition});
    engine_->watch(0, now_us);
  }

  std::string person(const Step& step, Condition condition) {
    const std::string& verb = step.words.at(1);
    Result<void> done;
    if (verb == "acknowledge") {
      done = engine_->acknowledge(0, condition, step.at_us);
    } else if (verb == "resolve") {
      done = engine_->resolve(0, condition, step.at_us);
    } else {
      std::optional<std::int64_t> for_us;
      if (step.words.size() > 2) for_us = duration_us(step.words[2]);
      done = engine_->snooze(0, condition, for_us, step.at_us);
    }
    return done ? "" : done.error().message + "\n";
  }

  std::string told() {
    std::string out;
    for (const Transition& each : engine_->take()) {
      std::string line(word_of(each.condition));
      if (each.was != each.instance.state) line += fmt::format(" {}", word_of(each.instance.state));
      if (each.event != Event::none) line += fmt::format(" tell:{}", word_of(each.event));
      // A reminder that is put off changes only when it is due.
      if (line != word_of(each.condition)) out += line + '\n';
    }
    return out;
  }

  const Script& script_;
  std::int64_t heard_us_;
  std::optional<Engine> engine_;
};

class Scripts : public testing::TestWithParam<Script> {};

TEST_P(Scripts, TellWhatIsWritten) {
  Player player(GetParam());
  for (const Step& step : GetParam().steps) {
    EXPECT_EQ(player.play(step), step.expected) << step.line;
  }
}

class RestartedScripts : public testing::TestWithParam<Script> {};

TEST_P(RestartedScripts, TellTheSameAfterEveryStep) {
  for (std::size_t at = 0; at < GetParam().steps.size(); ++at) {
    Player player(GetParam());
    for (std::size_t i = 0; i < GetParam().steps.size(); ++i) {
      const Step& step = GetParam().steps[i];
      EXPECT_EQ(player.play(step), step.expected) << step.line << ", restarted after step " << at;
      if (i == at) player.restart(step.at_us);
    }
  }
}

std::string name_of(const testing::TestParamInfo<Script>& info) {
  std::string name = info.param.name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

// Who is about to be silent at a start gets a little longer, so that scripts about it say
// themselves when there is one.
std::vector<Script> scripts_without_silence() {
  std::vector<Script> scripts = all_scripts();
  std::erase_if(scripts, [](const Script& each) { return each.definition.has(Condition::silent); });
  return scripts;
}

INSTANTIATE_TEST_SUITE_P(Alerts, Scripts, testing::ValuesIn(all_scripts()), name_of);
INSTANTIATE_TEST_SUITE_P(Alerts, RestartedScripts, testing::ValuesIn(scripts_without_silence()),
                         name_of);

}  // namespace
}  // namespace nilo::alerts
