// app/things.h: the things there are: those of the stack, and those that rows are about though
// nobody named them.
//
// In/out:  the stack, the tables' latest rows at the start, then every applied row -> for each
//          thing when it was last heard, how often it reports, and how it is. Values stay in the
//          tables; they are read from there when somebody asks.
//
//   never    nothing was ever heard of it
//   silent   nothing for the `silent` of an alert about it; without one, for three of its learned
//            intervals (value/rhythm.h) and at least a minute
//   invalid  its newest report was refused (invalid_reading.h)
//   ok       none of these
//
// Silence is measured on the clock that never jumps, and while this server was not running nobody
// was silent: a restart after a night does not call every thing silent, but what was dead before
// is silent at once.
//
// Threads: on_change: the tables thread. Everything else: any thread.
// Limits:  kThingsMax things; rows about more are kept as ever, but their things are not listed,
//          which is logged once. A question holds the index for about 50 ns a thing.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/change_observer.h"
#include "app/invalid_reading.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/logger.h"
#include "stack/stack.h"
#include "tables/tables.h"
#include "value/rhythm.h"
#include "value/selector.h"
#include "value/thing_template.h"

namespace nilo::app {

inline constexpr std::size_t kThingsMax = 200'000;

enum class ThingState : std::uint8_t { ok, silent, invalid, never };
inline constexpr std::size_t kThingStates = 4;
std::string_view to_string(ThingState state);
std::optional<ThingState> thing_state_of(std::string_view word);

// A table whose rows are about things.
struct ThingTable {
  const TableSchema* schema;
  ThingTemplate pattern;
  std::vector<std::size_t> fields;  // columns to show: all but the key, times and JSON
};

// Where rows about a thing are.
struct ThingRows {
  const ThingTable* table;
  std::string key;
  std::optional<std::int64_t> interval_us;  // learned
};

struct ThingInfo {
  std::string id;
  std::string name;
  std::string type;                     // may be empty
  const stack::Thing* named = nullptr;  // nullptr: found in a table
  ThingState state = ThingState::never;
  std::optional<TimeUs> seen_us;  // server's clock
  std::optional<std::int64_t> interval_us;
  std::optional<InvalidReading> invalid;  // if that is its newest report
  std::vector<ThingRows> rows;            // before there are any: where they would be
};

// One field of one thing.
struct ThingField {
  const ThingInfo* thing;
  const ThingRows* rows;
  std::size_t column;
  const Column& schema() const { return rows->table->schema->columns[column]; }
};
// All of a thing; where two tables have a column of the same name, the first one counts.
std::vector<ThingField> fields_of(const ThingInfo& thing);

using ThingCounts = std::array<std::size_t, kThingStates>;  // by ThingState

struct ThingFilter {
  std::string search{};  // part of id, name or type; letter case of ASCII is ignored
  std::optional<std::string> type{};
  std::optional<ThingState> state{};
  std::size_t limit = 50;
  std::string cursor{};  // ThingPage::next of the page before
};

struct ThingPage {
  std::vector<ThingInfo> things;  // by id, numbers in it by their size: tank-2 before tank-10
  std::string next;               // empty: the end
  std::size_t total = 0;          // that pass the filter
  ThingCounts counts{};           // of those that pass it but for `state`
};

class Things final : public ChangeObserver {
 public:
  struct Rooms {  // all must outlive the Things
    const stack::Stack& stack;
    const tables::Tables& tables;
    const Clock& clock;
    Logger& logger;
  };
  // The tables are declared.
  explicit Things(const Rooms& rooms);

  // What the tables hold already. Once, when the replay is through.
  void load();

  bool watches(const TableSchema& schema) const override;
  void on_change(const tables::Change& change) override;

  // Somebody wrote down a thing, or something else about it. From any thread.
  void set_named(stack::Thing thing);
  // Nothing is written about it any more; it is listed as long as rows are about it.
  void remove_named(std::string_view id);
  // What is written about a thing; nullptr: nothing. Valid as long as this.
  const stack::Thing* named(std::string_view id) const;

  std::optional<ThingInfo> find(std::string_view id) const;
  ThingPage page(const ThingFilter& filter) const;
  ThingCounts counts() const;
  // "no thing 'tonk-1'", with the nearest one.
  Error no_such(const Selector& selector) const;

  // The things that `selector` names, at most `limit`, by id.
  // not_found: it names one thing, or a type, that is not there; with the nearest one.
  // resource_exhausted: more than `limit`.
  Result<std::vector<ThingInfo>> select(const Selector& selector, std::size_t limit) const;

 private:
  static constexpr std::size_t kNoThing = static_cast<std::size_t>(-1);

  struct Source {
    std::size_t table;
    std::string key;
    Rhythm rhythm{};
    bool has_rows = false;
  };
  struct Thing {
    std::string id;
    std::string search;  // id, name, type in small letters
    const stack::Thing* named = nullptr;
    std::vector<Source> sources{};
    std::optional<std::int64_t> silent_after_us{};  // of an alert
    std::int64_t silence_us = kSilenceMinUs;
    bool was_heard = false;
    TimeUs seen_us = 0;  // wall
    std::int64_t seen_steady_us = 0;
    Seq good_seq = 0;
    Seq invalid_seq = 0;
    InvalidReading invalid{};
    // Neither written down nor ever heard of.
    bool is_gone() const { return named == nullptr && !was_heard; }
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  struct Place {
    std::size_t thing;
    std::size_t source;
  };
  using Places = boost::unordered_flat_map<std::string, Place, TextHash, std::equal_to<>>;
  struct State {
    std::deque<Thing> things;
    // Written down since the start. What was replaced stays: whoever asked may still look at it.
    std::deque<stack::Thing> written;
    std::vector<std::uint32_t> order;  // by id
    boost::unordered_flat_map<std::string_view, std::size_t> by_id;
    std::vector<Places> by_key;  // for each table, its key texts
    bool is_sorted = true;       // `order` is; false while many are added
    bool told_too_many = false;
  };

  void describe(Thing& thing, const stack::Thing* named) const;
  std::size_t add_thing(State& state, std::string id, const stack::Thing* named);
  Place place_of(State& state, std::size_t table, const tables::Change& change);
  void take_row(State& state, std::size_t table, const tables::Change& change,
                std::int64_t steady_us);
  void take_invalid(State& state, const tables::Change& change, std::int64_t steady_us);
  void learn_from_tables(Thing& thing) const;
  std::int64_t steady_of(TimeUs wall_us) const;
  ThingInfo info_of(const Thing& thing, std::int64_t steady_us) const;

  static void hear(Thing& thing, TimeUs wall_us, std::int64_t steady_us);
  static void learn(Thing& thing, std::size_t source, std::int64_t steady_us);
  static std::optional<std::int64_t> interval_of(const Thing& thing);
  static ThingState state_of(const Thing& thing, std::int64_t steady_us);

  Rooms rooms_;
  std::vector<ThingTable> tables_;
  const TableSchema* invalid_table_ = nullptr;
  std::int64_t loaded_us_ = 0;  // steady
  TimeUs last_alive_us_ = 0;    // wall: the newest row at the start
  Guarded<State> state_;
};

}  // namespace nilo::app
