// The engine against a naive model: no timers, no queue; whatever is due is looked for each time.
// Random alerts, readings, pauses, restarts and people's words. The seed is printed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <random>
#include <string>

#include "alerts/engine.h"

namespace nilo::alerts {
namespace {

constexpr std::int64_t kS = 1'000'000;

std::string line_of(Condition condition, State state, Event event) {
  return fmt::format("{} {} {}\n", word_of(condition), word_of(state), word_of(event));
}

class Model {
 public:
  Model(const Definition& limits, std::int64_t now_us) : limits_(limits), heard_us_(now_us) {}

  void restart(std::int64_t now_us) { heard_us_ = std::max(heard_us_, now_us); }

  void reading(double value, std::int64_t now_us) {
    come(now_us);
    if (at(Condition::invalid).state != State::normal) end(Condition::invalid);
    if (limits_.low) {
      level(Condition::low, value <= *limits_.low, value > *limits_.low + limits_.clear);
    }
    if (limits_.high) {
      level(Condition::high, value >= *limits_.high, value < *limits_.high - limits_.clear);
    }
  }

  void refused(std::int64_t now_us) {
    come(now_us);
    if (!limits_.invalid_us || at(Condition::invalid).state != State::normal) return;
    begin(Condition::invalid, *limits_.invalid_us);
  }

  bool person(Condition condition, State to, std::int64_t due_us, std::int64_t now_us) {
    advance(now_us);
    Instance& it = at(condition);
    if (!lasts(it.state)) return false;
    it.state = to;
    it.due_us = due_us;
    tell(condition, Event::none);
    return true;
  }

  void advance(std::int64_t now_us) {
    now_us_ = now_us;
    while (const auto next = next_due()) ring(next->second, next->first);
  }

  std::string take() { return std::exchange(told_, ""); }
  const Instance& instance(Condition condition) const {
    return instances_[static_cast<std::size_t>(condition)];
  }

 private:
  Instance& at(Condition condition) { return instances_[static_cast<std::size_t>(condition)]; }

  std::int64_t silence_due_us() const {
    const bool can = limits_.silent_us && instance(Condition::silent).state == State::normal;
    return can ? heard_us_ + *limits_.silent_us : kNeverUs;
  }

  // The earliest time at which something is due by now, silence first.
  std::optional<std::pair<std::int64_t, Condition>> next_due() const {
    std::optional<std::pair<std::int64_t, Condition>> next;
    for (const Condition condition :
         {Condition::silent, Condition::low, Condition::high, Condition::invalid}) {
      const Instance& it = instance(condition);
      std::int64_t due_us = std::min(it.due_us, it.calm_us);
      if (condition == Condition::silent) due_us = std::min(due_us, silence_due_us());
      if (due_us <= now_us_ && (!next || due_us < next->first)) next = {due_us, condition};
    }
    return next;
  }

  void ring(Condition condition, std::int64_t due_us) {
    Instance& it = at(condition);
    if (condition == Condition::silent && silence_due_us() <= due_us) {
      it.since_us = heard_us_;
      fire(Condition::silent);
      if (at(Condition::invalid).state == State::pending) end(Condition::invalid);
    }
    if (it.calm_us <= due_us) calm(condition);
    if (it.due_us <= due_us) due(condition);
  }

  void calm(Condition condition) {
    Instance& it = at(condition);
    it.is_flapping = false;
    it.calm_us = kNeverUs;
    it.changes = 0;
    if (it.state == State::firing) it.due_us = reminder_us();
    Event event = Event::none;
    if (it.state == State::firing) event = Event::firing;
    if (it.state == State::normal && limits_.recovery) event = Event::recovered;
    tell(condition, event);
  }

  void due(Condition condition) {
    Instance& it = at(condition);
    it.due_us = kNeverUs;
    if (it.state == State::pending) {
      if (!is_muted(condition)) fire(condition);
      return;
    }
    if (it.state != State::snoozed && it.state != State::firing) return;
    it.state = State::firing;
    it.due_us = reminder_us();
    tell(condition, is_muted(condition) || it.is_flapping ? Event::none : Event::reminder);
  }

  bool is_muted(Condition condition) const {
    if (condition == Condition::silent) return false;
    return instance(Condition::silent).state != State::normal ||
           (condition != Condition::invalid && instance(Condition::invalid).state != State::normal);
  }
  std::int64_t reminder_us() const {
    return limits_.remind_us ? now_us_ + *limits_.remind_us : kNeverUs;
  }

  void come(std::int64_t now_us) {
    advance(now_us);
    heard_us_ = now_us;
    if (at(Condition::silent).state != State::normal) end(Condition::silent);
  }

  void level(Condition condition, bool fires, bool is_over) {
    Instance& it = at(condition);
    if (it.state == State::normal) {
      if (fires) begin(condition, limits_.hold_us);
    } else if (it.state == State::pending) {
      if (!fires) return end(condition);
      if (now_us_ - it.since_us >= limits_.hold_us) fire(condition);
    } else if (is_over) {
      end(condition);
    }
  }

  void begin(Condition condition, std::int64_t hold_us) {
    at(condition).since_us = now_us_;
    if (hold_us == 0) return fire(condition);
    at(condition).state = State::pending;
    at(condition).due_us = now_us_ + hold_us;
    tell(condition, Event::none);
  }

  void fire(Condition condition) {
    at(condition).state = State::firing;
    at(condition).due_us = reminder_us();
    tell(condition, damped(condition, Event::firing));
  }

  void end(Condition condition) {
    Instance& it = at(condition);
    const State was = it.state;
    it.state = State::normal;
    it.since_us = now_us_;
    it.due_us = kNeverUs;
    Event event = lasts(was) ? damped(condition, Event::recovered) : Event::none;
    if (event == Event::recovered && (!limits_.recovery || was == State::resolved)) {
      event = Event::none;
    }
    tell(condition, event);
  }

  Event damped(Condition condition, Event event) {
    Instance& it = at(condition);
    if (it.is_flapping) {
      it.calm_us = now_us_ + limits_.flap_within_us;
      return Event::none;
    }
    if (it.changes == 0 || now_us_ >= it.window_us + limits_.flap_within_us) {
      it.window_us = now_us_;
      it.changes = 0;
    }
    ++it.changes;
    if (it.changes <= limits_.flap_changes) return event;
    it.is_flapping = true;
    it.calm_us = now_us_ + limits_.flap_within_us;
    return Event::flapping;
  }

  void tell(Condition condition, Event event) {
    told_ += line_of(condition, at(condition).state, event);
  }

  const Definition limits_;
  std::int64_t heard_us_;
  std::int64_t now_us_ = 0;
  std::array<Instance, kConditionCount> instances_{};
  std::string told_;
};

class Both {
 public:
  Both(const Definition& limits, std::mt19937_64& dice) : limits_(limits), dice_(dice) { start(0); }

  // One random step; false: they differ.
  bool step() {
    // Often little, sometimes across several deadlines, sometimes onto one exactly.
    constexpr std::array<std::int64_t, 8> kPauses{0, 1, 1, 5, 10, 30, 60, 400};
    now_us_ += kPauses[dice_() % kPauses.size()] * kS;
    const std::uint64_t what = dice_() % 20;
    bool agree = true;
    if (what < 10) {
      constexpr std::array<double, 8> kValues{5, 20, 21, 22.5, 50, 78.5, 80, 95};
      const double value = kValues[dice_() % kValues.size()];
      log_ += fmt::format("{} reading {}\n", now_us_ / kS, value);
      engine_->reading(0, value, now_us_);
      model_->reading(value, now_us_);
    } else if (what < 13) {
      log_ += fmt::format("{} refused\n", now_us_ / kS);
      engine_->refused(0, now_us_);
      model_->refused(now_us_);
    } else if (what < 16) {
      agree = person();
    } else if (what < 17) {
      log_ += fmt::format("{} restart\n", now_us_ / kS);
      restart();
    } else {
      log_ += fmt::format("{} nothing\n", now_us_ / kS);
      engine_->advance(now_us_);
      model_->advance(now_us_);
    }
    return agree && same();
  }
  const std::string& log() const { return log_; }

 private:
  void start(std::int64_t now_us) {
    engine_.emplace(std::vector<Definition>{limits_});
    engine_->watch(0, now_us);
    if (!model_) model_.emplace(limits_, now_us);
  }

  // What was due comes before: a program that ends has no time to tell, and tells it later.
  void restart() {
    engine_->advance(now_us_);
    model_->advance(now_us_);
    same();
    std::vector<Instance> kept;
    for (const Condition condition : kConditions) kept.push_back(engine_->instance(0, condition));
    start(now_us_);
    model_->restart(now_us_);
    for (const Condition condition : kConditions) {
      if (!limits_.has(condition)) continue;
      engine_->restore(0, condition, kept[static_cast<std::size_t>(condition)]);
    }
  }

  bool person() {
    const Condition condition = kConditions[dice_() % kConditionCount];
    if (!limits_.has(condition)) return true;
    const std::uint64_t verb = dice_() % 4;
    Result<void> done;
    State to = State::snoozed;
    std::int64_t due_us = kNeverUs;
    if (verb == 0) {
      to = State::acknowledged;
      done = engine_->acknowledge(0, condition, now_us_);
    } else if (verb == 1) {
      to = State::resolved;
      done = engine_->resolve(0, condition, now_us_);
    } else if (verb == 2) {
      due_us = now_us_ + 20 * kS;
      done = engine_->snooze(0, condition, 20 * kS, now_us_);
    } else {
      done = engine_->snooze(0, condition, std::nullopt, now_us_);
    }
    log_ += fmt::format("{} {} to {}\n", now_us_ / kS, word_of(condition), word_of(to));
    return bool(done) == model_->person(condition, to, due_us, now_us_);
  }

  bool same() {
    std::string told;
    for (const Transition& each : engine_->take()) {
      told += line_of(each.condition, each.instance.state, each.event);
    }
    const std::string expected = model_->take();
    log_ += "   engine: " + told + "   model: " + expected;
    bool agree = told == expected;
    for (const Condition condition : kConditions) {
      const Instance ours = engine_->instance(0, condition);
      const Instance& theirs = model_->instance(condition);
      agree = agree && ours.state == theirs.state && ours.since_us == theirs.since_us &&
              ours.due_us == theirs.due_us && ours.calm_us == theirs.calm_us &&
              ours.changes == theirs.changes && ours.is_flapping == theirs.is_flapping;
    }
    return agree;
  }

  const Definition limits_;
  std::mt19937_64& dice_;
  std::int64_t now_us_ = 0;
  std::optional<Engine> engine_;
  std::optional<Model> model_;
  std::string log_;
};

Definition random_alert(std::mt19937_64& dice) {
  const auto chance = [&] { return dice() % 2 == 0; };
  Definition limits;
  limits.low = 20;
  if (chance()) limits.high = 80;
  if (chance()) limits.clear = 2;
  if (chance()) limits.hold_us = 10 * kS;
  if (chance()) limits.remind_us = 60 * kS;
  if (chance()) limits.silent_us = 60 * kS;
  if (chance()) limits.invalid_us = 30 * kS;
  limits.recovery = chance();
  limits.flap_changes = chance() ? 4 : 1000;
  limits.flap_within_us = 120 * kS;
  return limits;
}

TEST(Engine, DoesWhatANaiveModelDoes) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 dice(seed);
  for (int round = 0; round < 2000; ++round) {
    Both both(random_alert(dice), dice);
    for (int step = 0; step < 100; ++step) ASSERT_TRUE(both.step()) << both.log();
  }
}

}  // namespace
}  // namespace nilo::alerts
