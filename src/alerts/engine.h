// alerts/engine.h: whom to tell, once: what becomes of a condition that comes, lasts and goes.
//
// One watch is one alert held against one thing. It has up to four conditions, each an instance
// with a state of its own:
//
//   low, high   a reading at the limit or beyond; over only past the limit by `clear`
//   silent      nothing came for a while
//   invalid     what came was no reading, for a while
//
//   normal -> pending -> firing -> acknowledged, snoozed, resolved (by a person) -> normal
//
// In/out:  readings, refused readings, time and people's words -> transitions. No I/O: what is
//          stored and who is told is up to the caller, who gets every transition from take().
// Time:    microseconds of a clock that never goes back (Clock::steady_us). A wall clock that jumps
//          fires nothing.
// Threads: one.
// Limits:  40 bytes a watch, 48 more if its silence is learned; an instance that ever left normal
//          takes about 100 more. A reading that changes nothing allocates nothing; the timers hold
//          about one entry an instance.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <queue>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "value/rhythm.h"

namespace nilo::alerts {

inline constexpr std::int64_t kNeverUs = std::numeric_limits<std::int64_t>::max();

enum class Condition : std::uint8_t { low, high, silent, invalid };
inline constexpr std::uint32_t kConditionCount = 4;
inline constexpr std::array<Condition, kConditionCount> kConditions{
    Condition::low, Condition::high, Condition::silent, Condition::invalid};

enum class State : std::uint8_t { normal, pending, firing, acknowledged, snoozed, resolved };
inline constexpr std::array<State, 6> kStates{State::normal,       State::pending, State::firing,
                                              State::acknowledged, State::snoozed, State::resolved};
// It lasts, and somebody was told or would have been.
constexpr bool lasts(State state) { return state >= State::firing; }
// It lasts, and nobody has closed it: what people see counted and listed.
constexpr bool is_open(State state) { return lasts(state) && state != State::resolved; }

// What people are told of a transition.
enum class Event : std::uint8_t { none, firing, reminder, recovered, flapping };

// "low", "firing", "recovered"; and back. invalid_argument: lists the words.
std::string_view word_of(Condition condition);
std::string_view word_of(State state);
std::string_view word_of(Event event);
Result<Condition> condition_of_word(std::string_view word);
Result<State> state_of_word(std::string_view word);

// After a start the clients have this long to come back.
inline constexpr std::int64_t kReturnUs = 60'000'000;

struct Definition {
  std::optional<double> low{};   // fires at or below; over above low + clear
  std::optional<double> high{};  // fires at or above; over below high - clear
  double clear = 0;
  std::int64_t hold_us = 0;                     // of low and high
  std::optional<std::int64_t> remind_us{};      // told again while it fires
  std::optional<std::int64_t> silent_us{};      // nothing came for so long
  bool silent_learned = false;                  // silent_us is learned from each thing
  std::optional<std::int64_t> invalid_us{};     // nothing but refused readings for so long
  bool recovery = true;                         // tell that it is over
  std::uint32_t flap_changes = 6;               // more than so many changes
  std::int64_t flap_within_us = 3'600'000'000;  // within so long of the first one: told once

  bool has(Condition condition) const;
};

using WatchId = std::uint32_t;  // 0, 1, 2, ...

// All that must survive a restart, and what is shown. Without a transition yet: as below.
struct Instance {
  State state = State::normal;
  bool is_flapping = false;
  std::uint32_t flaps = 0;    // how often it began to flap
  std::uint32_t changes = 0;  // of the window that began at:
  std::int64_t window_us = 0;
  std::int64_t since_us = 0;        // when the condition came, or went
  std::int64_t due_us = kNeverUs;   // end of the hold or snooze, or the next reminder
  std::int64_t calm_us = kNeverUs;  // when it counts as steady again, if it flaps
};

struct Transition {
  WatchId watch;
  Condition condition;
  State was;
  Event event;
  Instance instance;  // as it is now
  double value;       // the newest reading; NaN: none yet
  std::int64_t at_us;
};

class Engine {
 public:
  explicit Engine(std::vector<Definition> definitions);

  // A thing that an alert is about; `definition`: its position. Silence counts from `now_us`.
  WatchId watch(std::uint32_t definition, std::int64_t now_us);
  const Definition& definition(WatchId watch) const;
  std::size_t watch_count() const { return watches_.size(); }

  // What was known before a restart. Without transitions: it was told already.
  void restore(WatchId watch, Condition condition, const Instance& instance);
  void restore_value(WatchId watch, double value) { watches_[watch].value = value; }
  // Silence counts from `heard_us` already, but it may take kReturnUs from now to report again, or
  // as long as silence is if that is shorter. After what there is to learn().
  void restore_heard(WatchId watch, std::int64_t heard_us, std::int64_t now_us);
  // A report of the past, oldest first; only `silent_learned` learns from it.
  void learn(WatchId watch, std::int64_t us);

  // The time of each call is at least that of the one before; what was due earlier comes first.
  // `value` is finite.
  void reading(WatchId watch, double value, std::int64_t now_us);
  // Something came that says nothing about a level, and is in order.
  void report(WatchId watch, std::int64_t now_us);
  // Something came that is about another field: it is not silent, and that is all.
  void contact(WatchId watch, std::int64_t now_us);
  // Something came that is no reading: a time-out, out of range, not a number, missing.
  void refused(WatchId watch, std::int64_t now_us);
  void advance(std::int64_t now_us);
  // When advance() has something to do; kNeverUs: not before something happens.
  std::int64_t due_us() const { return timers_.empty() ? kNeverUs : timers_.top().due_us; }

  // conflict: it is not open, so there is nothing to acknowledge.
  Result<void> acknowledge(WatchId watch, Condition condition, std::int64_t now_us);
  // Quiet for `for_us`, or until it is over.
  Result<void> snooze(WatchId watch, Condition condition, std::optional<std::int64_t> for_us,
                      std::int64_t now_us);
  // A person says it is dealt with: quiet until it has been normal again.
  Result<void> resolve(WatchId watch, Condition condition, std::int64_t now_us);

  Instance instance(WatchId watch, Condition condition) const;
  double value(WatchId watch) const { return watches_[watch].value; }
  std::size_t count(State state) const { return counts_[static_cast<std::size_t>(state)]; }
  // What happened since the last call, in order.
  std::vector<Transition> take();

 private:
  struct Watch {
    double value;
    std::int64_t heard_us;          // the newest report, refused ones too
    std::int64_t silence_timer_us;  // the earliest timer of its silence; kNeverUs: none
    std::uint32_t definition;
    std::uint32_t rhythm;  // in rhythms_, if its silence is learned
    std::array<State, kConditionCount> states{};
  };
  struct Details {  // of an instance that left normal once
    Instance instance;
    std::int64_t timer_us = kNeverUs;  // its earliest timer
    State told = State::normal;        // of the last transition
  };
  struct Timer {
    std::int64_t due_us;
    std::uint32_t key;
    // Silence comes first: what is silent too is not told of as invalid.
    bool operator>(const Timer& other) const;
  };

  static std::uint32_t key_of(WatchId watch, Condition condition) {
    return watch * kConditionCount + static_cast<std::uint32_t>(condition);
  }
  State state(WatchId watch, Condition condition) const {
    return watches_[watch].states[static_cast<std::size_t>(condition)];
  }
  Details& details(WatchId watch, Condition condition);
  void set_state(WatchId watch, Condition condition, State to);

  void heard(WatchId watch, std::int64_t now_us);
  std::optional<std::int64_t> silence_us(const Watch& watch) const;
  bool is_muted(WatchId watch, Condition condition) const;
  void level(WatchId watch, Condition condition, bool fires, bool is_over, std::int64_t now_us);
  void begin(WatchId watch, Condition condition, std::int64_t hold_us, std::int64_t now_us);
  void fire(WatchId watch, Condition condition, std::int64_t now_us);
  void end(WatchId watch, Condition condition, std::int64_t now_us);
  Event damped(WatchId watch, Condition condition, Event event, std::int64_t now_us);
  Result<void> by_person(WatchId watch, Condition condition, State to, std::int64_t due_us,
                         std::int64_t now_us);

  void arm(WatchId watch, Condition condition);
  void arm_silence(WatchId watch);
  void ring(const Timer& timer, std::int64_t now_us);
  void ring_silence(WatchId watch, std::int64_t due_us, std::int64_t now_us);
  void ring_due(WatchId watch, Condition condition, std::int64_t now_us);
  void ring_calm(WatchId watch, Condition condition, std::int64_t now_us);
  void tell(WatchId watch, Condition condition, Event event, std::int64_t now_us);

  const std::vector<Definition> definitions_;
  std::vector<Watch> watches_;
  std::vector<Rhythm> rhythms_;
  std::unordered_map<std::uint32_t, Details> details_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::array<std::size_t, kStates.size()> counts_{};
  std::vector<Transition> transitions_;
};

}  // namespace nilo::alerts
