#include "alerts/engine.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "base/assert.h"

namespace nilo::alerts {

namespace {

constexpr std::array<std::string_view, kConditionCount> kConditionWords{"low", "high", "silent",
                                                                        "invalid"};
constexpr std::array<std::string_view, kStates.size()> kStateWords{
    "normal", "pending", "firing", "acknowledged", "snoozed", "resolved"};
constexpr std::array<std::string_view, 5> kEventWords{"", "firing", "reminder", "recovered",
                                                      "flapping"};
template <typename T, std::size_t N>
Result<T> of_word(const std::array<std::string_view, N>& words, std::string_view word,
                  std::string_view what) {
  const auto* const at = std::find(words.begin(), words.end(), word);
  if (at != words.end()) return static_cast<T>(at - words.begin());
  std::string known;
  for (const std::string_view each : words)
    known += (known.empty() ? "" : ", ") + std::string(each);
  return Error{ErrorCode::invalid_argument,
               "'" + std::string(word) + "' is no " + std::string(what), "one of: " + known};
}

std::int64_t after(std::int64_t now_us, std::optional<std::int64_t> by_us) {
  return by_us ? now_us + *by_us : kNeverUs;
}

}  // namespace

std::string_view word_of(Condition condition) {
  return kConditionWords[static_cast<std::size_t>(condition)];
}
std::string_view word_of(State state) { return kStateWords[static_cast<std::size_t>(state)]; }
std::string_view word_of(Event event) { return kEventWords[static_cast<std::size_t>(event)]; }
Result<Condition> condition_of_word(std::string_view word) {
  return of_word<Condition>(kConditionWords, word, "condition");
}
Result<State> state_of_word(std::string_view word) {
  return of_word<State>(kStateWords, word, "state of an alert");
}

bool Definition::has(Condition condition) const {
  switch (condition) {
    case Condition::low:
      return low.has_value();
    case Condition::high:
      return high.has_value();
    case Condition::silent:
      return silent_learned || silent_us.has_value();
    case Condition::invalid:
      return invalid_us.has_value();
  }
  return false;
}

bool Engine::Timer::operator>(const Timer& other) const {
  const auto rank = [](std::uint32_t instance) {
    const bool is_silence =
        instance % kConditionCount == static_cast<std::uint32_t>(Condition::silent);
    return is_silence ? 0 : 1;
  };
  if (due_us != other.due_us) return due_us > other.due_us;
  if (rank(key) != rank(other.key)) return rank(key) > rank(other.key);
  return key > other.key;
}

Engine::Engine(std::vector<Definition> definitions) : definitions_(std::move(definitions)) {}

WatchId Engine::watch(std::uint32_t definition, std::int64_t now_us) {
  NILO_ASSERT(definition < definitions_.size());
  const auto id = static_cast<WatchId>(watches_.size());
  watches_.push_back({.value = std::numeric_limits<double>::quiet_NaN(),
                      .heard_us = now_us,
                      .silence_timer_us = kNeverUs,
                      .definition = definition,
                      .rhythm = static_cast<std::uint32_t>(rhythms_.size())});
  if (definitions_[definition].silent_learned) rhythms_.emplace_back();
  for (const Condition condition : kConditions) {
    if (definitions_[definition].has(condition)) ++counts_[0];
  }
  arm_silence(id);
  return id;
}

const Definition& Engine::definition(WatchId watch) const {
  return definitions_[watches_[watch].definition];
}

void Engine::restore(WatchId watch, Condition condition, const Instance& instance) {
  set_state(watch, condition, instance.state);
  Details& at = details(watch, condition);
  at.instance = instance;
  at.told = instance.state;
  arm(watch, condition);
}

void Engine::restore_heard(WatchId id, std::int64_t heard_us, std::int64_t now_us) {
  Watch& watch = watches_[id];
  const std::int64_t wait_us = silence_us(watch).value_or(0);
  const std::int64_t earliest_us = now_us - wait_us + std::min(wait_us, kReturnUs);
  watch.heard_us = std::max(heard_us, earliest_us);
  arm_silence(id);
}

Instance Engine::instance(WatchId watch, Condition condition) const {
  const auto at = details_.find(key_of(watch, condition));
  return at == details_.end() ? Instance{} : at->second.instance;
}

std::vector<Transition> Engine::take() { return std::exchange(transitions_, {}); }

Engine::Details& Engine::details(WatchId watch, Condition condition) {
  return details_[key_of(watch, condition)];
}

void Engine::set_state(WatchId watch, Condition condition, State to) {
  State& state = watches_[watch].states[static_cast<std::size_t>(condition)];
  --counts_[static_cast<std::size_t>(state)];
  ++counts_[static_cast<std::size_t>(to)];
  state = to;
  details(watch, condition).instance.state = to;
}

// --- What comes in ---

void Engine::reading(WatchId watch, double value, std::int64_t now_us) {
  NILO_ASSERT(std::isfinite(value));
  advance(now_us);
  watches_[watch].value = value;
  report(watch, now_us);
  const Definition& limits = definition(watch);
  if (limits.low) {
    level(watch, Condition::low, value <= *limits.low, value > *limits.low + limits.clear, now_us);
  }
  if (limits.high) {
    level(watch, Condition::high, value >= *limits.high, value < *limits.high - limits.clear,
          now_us);
  }
}

void Engine::report(WatchId watch, std::int64_t now_us) {
  contact(watch, now_us);
  if (state(watch, Condition::invalid) != State::normal) end(watch, Condition::invalid, now_us);
}

void Engine::contact(WatchId watch, std::int64_t now_us) {
  advance(now_us);
  heard(watch, now_us);
}

void Engine::refused(WatchId watch, std::int64_t now_us) {
  advance(now_us);
  heard(watch, now_us);
  const Definition& limits = definition(watch);
  const bool begins = limits.invalid_us && state(watch, Condition::invalid) == State::normal;
  if (begins) begin(watch, Condition::invalid, *limits.invalid_us, now_us);
}

void Engine::heard(WatchId id, std::int64_t now_us) {
  // Changes from before a start may be told after it, when restore_heard() knows better.
  watches_[id].heard_us = std::max(watches_[id].heard_us, now_us);
  if (!definition(id).has(Condition::silent)) return;
  learn(id, now_us);
  if (state(id, Condition::silent) != State::normal) end(id, Condition::silent, now_us);
  arm_silence(id);
}

void Engine::learn(WatchId watch, std::int64_t us) {
  if (definition(watch).silent_learned) rhythms_[watches_[watch].rhythm].hear(us);
}

std::optional<std::int64_t> Engine::silence_us(const Watch& watch) const {
  const Definition& limits = definitions_[watch.definition];
  if (!limits.silent_learned) return limits.silent_us;
  const auto interval_us = rhythms_[watch.rhythm].interval_us();
  return interval_us ? std::optional(silence_of(interval_us)) : std::nullopt;
}

// --- The state machine ---

// While nobody knows how it is, nobody is reminded of how it was.
bool Engine::is_muted(WatchId watch, Condition condition) const {
  if (condition == Condition::silent) return false;
  if (state(watch, Condition::silent) != State::normal) return true;
  return condition != Condition::invalid && state(watch, Condition::invalid) != State::normal;
}

void Engine::level(WatchId watch, Condition condition, bool fires, bool is_over,
                   std::int64_t now_us) {
  switch (state(watch, condition)) {
    case State::normal:
      if (fires) begin(watch, condition, definition(watch).hold_us, now_us);
      return;
    case State::pending:
      if (!fires) return end(watch, condition, now_us);
      // Its hold ended while nothing could be read.
      if (now_us - details(watch, condition).instance.since_us >= definition(watch).hold_us) {
        fire(watch, condition, now_us);
      }
      return;
    default:
      if (is_over) end(watch, condition, now_us);
  }
}

void Engine::begin(WatchId watch, Condition condition, std::int64_t hold_us, std::int64_t now_us) {
  details(watch, condition).instance.since_us = now_us;
  if (hold_us == 0) return fire(watch, condition, now_us);
  set_state(watch, condition, State::pending);
  details(watch, condition).instance.due_us = now_us + hold_us;
  arm(watch, condition);
  tell(watch, condition, Event::none, now_us);
}

void Engine::fire(WatchId watch, Condition condition, std::int64_t now_us) {
  set_state(watch, condition, State::firing);
  details(watch, condition).instance.due_us = after(now_us, definition(watch).remind_us);
  const Event event = damped(watch, condition, Event::firing, now_us);
  arm(watch, condition);
  tell(watch, condition, event, now_us);
}

void Engine::end(WatchId watch, Condition condition, std::int64_t now_us) {
  const State was = state(watch, condition);
  set_state(watch, condition, State::normal);
  Instance& instance = details(watch, condition).instance;
  instance.since_us = now_us;
  instance.due_us = kNeverUs;
  Event event = Event::none;
  if (lasts(was)) event = damped(watch, condition, Event::recovered, now_us);
  // Whoever said that it is dealt with need not be told.
  const bool is_wanted = definition(watch).recovery && was != State::resolved;
  if (event == Event::recovered && !is_wanted) event = Event::none;
  arm(watch, condition);
  tell(watch, condition, event, now_us);
}

// Counts a change between normal and firing. What is told of it: `event`, unless it flaps.
Event Engine::damped(WatchId watch, Condition condition, Event event, std::int64_t now_us) {
  const Definition& limits = definition(watch);
  Instance& instance = details(watch, condition).instance;
  if (instance.is_flapping) {
    instance.calm_us = now_us + limits.flap_within_us;
    return Event::none;
  }
  if (instance.changes == 0 || now_us - instance.window_us >= limits.flap_within_us) {
    instance.window_us = now_us;
    instance.changes = 0;
  }
  if (++instance.changes <= limits.flap_changes) return event;
  instance.is_flapping = true;
  ++instance.flaps;
  instance.calm_us = now_us + limits.flap_within_us;
  return Event::flapping;
}

Result<void> Engine::by_person(WatchId watch, Condition condition, State to, std::int64_t due_us,
                               std::int64_t now_us) {
  advance(now_us);
  const State was = state(watch, condition);
  if (!lasts(was)) {
    return Error{ErrorCode::conflict,
                 "the alert is " + std::string(word_of(was)) + ": nothing lasts",
                 "look at its history: GET /api/v1/alerts/{id}"};
  }
  set_state(watch, condition, to);
  details(watch, condition).instance.due_us = due_us;
  arm(watch, condition);
  tell(watch, condition, Event::none, now_us);
  return {};
}

Result<void> Engine::acknowledge(WatchId watch, Condition condition, std::int64_t now_us) {
  return by_person(watch, condition, State::acknowledged, kNeverUs, now_us);
}

Result<void> Engine::snooze(WatchId watch, Condition condition, std::optional<std::int64_t> for_us,
                            std::int64_t now_us) {
  return by_person(watch, condition, State::snoozed, after(now_us, for_us), now_us);
}

Result<void> Engine::resolve(WatchId watch, Condition condition, std::int64_t now_us) {
  return by_person(watch, condition, State::resolved, kNeverUs, now_us);
}

void Engine::tell(WatchId watch, Condition condition, Event event, std::int64_t now_us) {
  Details& at = details(watch, condition);
  transitions_.push_back({watch, condition, std::exchange(at.told, at.instance.state), event,
                          at.instance, watches_[watch].value, now_us});
}

// --- Time ---
//
// A timer is a wake-up, not a deadline: when it rings, the instance says what is due. So nothing is
// ever taken out of the queue, and one is put in only if it is to ring before the instance's next.

void Engine::arm(WatchId watch, Condition condition) {
  Details& at = details(watch, condition);
  const std::int64_t due_us = std::min(at.instance.due_us, at.instance.calm_us);
  if (due_us >= at.timer_us) return;
  at.timer_us = due_us;
  timers_.push({due_us, key_of(watch, condition)});
}

void Engine::arm_silence(WatchId id) {
  Watch& watch = watches_[id];
  const auto wait_us = silence_us(watch);
  if (!wait_us || watch.heard_us + *wait_us >= watch.silence_timer_us) return;
  watch.silence_timer_us = watch.heard_us + *wait_us;
  timers_.push({watch.silence_timer_us, key_of(id, Condition::silent)});
}

void Engine::advance(std::int64_t now_us) {
  while (!timers_.empty() && timers_.top().due_us <= now_us) {
    const Timer timer = timers_.top();
    timers_.pop();
    ring(timer, now_us);
  }
}

// Late is once: a reminder that was due three times while nothing ran is one. And in order: what is
// due after this timer waits for its own, because others may come before.
void Engine::ring(const Timer& timer, std::int64_t now_us) {
  const WatchId watch = timer.key / kConditionCount;
  const auto condition = static_cast<Condition>(timer.key % kConditionCount);
  if (condition == Condition::silent && watches_[watch].silence_timer_us == timer.due_us) {
    ring_silence(watch, timer.due_us, now_us);
  }
  const auto at = details_.find(timer.key);
  if (at == details_.end()) return;
  if (at->second.timer_us == timer.due_us) at->second.timer_us = kNeverUs;
  if (at->second.instance.calm_us <= timer.due_us) ring_calm(watch, condition, now_us);
  if (at->second.instance.due_us <= timer.due_us) ring_due(watch, condition, now_us);
  arm(watch, condition);
}

void Engine::ring_silence(WatchId id, std::int64_t due_us, std::int64_t now_us) {
  Watch& watch = watches_[id];
  watch.silence_timer_us = kNeverUs;
  if (state(id, Condition::silent) != State::normal) return;  // until something comes
  const auto wait_us = silence_us(watch);
  if (!wait_us || watch.heard_us + *wait_us > due_us) return arm_silence(id);
  details(id, Condition::silent).instance.since_us = watch.heard_us;
  fire(id, Condition::silent, now_us);
  // It is silent now: that it was about to be invalid is not told as well.
  if (state(id, Condition::invalid) == State::pending) end(id, Condition::invalid, now_us);
}

void Engine::ring_due(WatchId watch, Condition condition, std::int64_t now_us) {
  Instance& instance = details(watch, condition).instance;
  const bool is_muted_now = is_muted(watch, condition);
  switch (instance.state) {
    case State::pending:
      // What cannot be read does not begin to fire; level() sees to it when something comes.
      instance.due_us = kNeverUs;
      if (!is_muted_now) fire(watch, condition, now_us);
      return;
    case State::snoozed:
      set_state(watch, condition, State::firing);
      break;
    case State::firing:
      break;
    default:
      instance.due_us = kNeverUs;
      return;
  }
  instance.due_us = after(now_us, definition(watch).remind_us);
  const bool is_quiet = is_muted_now || instance.is_flapping;
  tell(watch, condition, is_quiet ? Event::none : Event::reminder, now_us);
}

void Engine::ring_calm(WatchId watch, Condition condition, std::int64_t now_us) {
  Instance& instance = details(watch, condition).instance;
  instance.is_flapping = false;
  instance.calm_us = kNeverUs;
  instance.changes = 0;
  Event event = Event::none;
  if (instance.state == State::firing) {
    event = Event::firing;
    instance.due_us = after(now_us, definition(watch).remind_us);
  }
  if (instance.state == State::normal && definition(watch).recovery) event = Event::recovered;
  tell(watch, condition, event, now_us);
}

}  // namespace nilo::alerts
