#include "app/things.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/own_row.h"
#include "base/nearest.h"

namespace nilo::app {

namespace {

// Of these many newest rows of a thing the rhythm is learned at the start.
constexpr std::size_t kLearnedRows = 16;
constexpr std::string_view kStateWords[kThingStates] = {"ok", "silent", "invalid", "never"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string small_letters(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Takes the digits at the front of `text`, without zeros in front of them.
std::string_view take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

// By bytes, but runs of digits by their number; what is the same so, by bytes.
bool comes_before(std::string_view a, std::string_view b) {
  std::string_view left = a;
  std::string_view right = b;
  while (!left.empty() && !right.empty()) {
    if (is_digit(left[0]) && is_digit(right[0])) {
      const std::string_view x = take_digits(left);
      const std::string_view y = take_digits(right);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
      continue;
    }
    if (left[0] != right[0]) {
      return static_cast<unsigned char>(left[0]) < static_cast<unsigned char>(right[0]);
    }
    left.remove_prefix(1);
    right.remove_prefix(1);
  }
  if (left.empty() != right.empty()) return left.empty();
  return a < b;
}

std::vector<std::size_t> shown_columns(const TableSchema& schema) {
  std::vector<std::size_t> out;
  const std::size_t first = schema.partition_count + (schema.has_sort_key ? 1 : 0);
  for (std::size_t i = first; i < schema.columns.size(); ++i) {
    const Type type = schema.columns[i].type;
    if (type != Type::timestamp && type != Type::json) out.push_back(i);
  }
  return out;
}

bool passes(std::string_view search, std::string_view wanted) {
  return wanted.empty() || search.find(wanted) != std::string_view::npos;
}

std::string_view type_of(const stack::Thing* named) {
  return named == nullptr ? std::string_view() : std::string_view(named->type);
}

}  // namespace

std::string_view to_string(ThingState state) {
  return kStateWords[static_cast<std::size_t>(state)];
}

std::optional<ThingState> thing_state_of(std::string_view word) {
  for (std::size_t i = 0; i < kThingStates; ++i) {
    if (kStateWords[i] == word) return static_cast<ThingState>(i);
  }
  return std::nullopt;
}

std::vector<ThingField> fields_of(const ThingInfo& thing) {
  std::vector<ThingField> out;
  for (const ThingRows& rows : thing.rows) {
    for (const std::size_t column : rows.table->fields) {
      const ThingField field{&thing, &rows, column};
      const bool is_known = std::any_of(out.begin(), out.end(), [&](const ThingField& other) {
        return other.schema().name == field.schema().name;
      });
      if (!is_known) out.push_back(field);
    }
  }
  return out;
}

Things::Things(const Rooms& rooms) : rooms_(rooms) {
  for (const stack::Table& table : rooms.stack.tables) {
    if (table.schema.thing.empty()) continue;
    const TableLayout* layout = rooms.tables.layout(table.schema.name);
    NILO_ASSERT(layout != nullptr);
    auto pattern = ThingTemplate::parse(table.schema.thing, layout->schema);
    NILO_ASSERT(pattern.has_value());  // the stack's check
    tables_.push_back({&layout->schema, std::move(*pattern), shown_columns(layout->schema)});
  }
  if (const TableLayout* layout = rooms.tables.layout(kInvalidTable)) {
    invalid_table_ = &layout->schema;
  }
  state_.with([&](State& state) {
    state.by_key.resize(tables_.size());
    state.is_sorted = false;  // once, behind them all
    for (const stack::Thing& thing : rooms.stack.things) add_thing(state, thing.id, &thing);
  });
}

// What is written about it: its words to search for, and when an alert calls it silent.
void Things::describe(Thing& thing, const stack::Thing* named) const {
  thing.named = named;
  thing.search = small_letters(thing.id);
  if (named != nullptr) thing.search += '\n' + small_letters(named->name + '\n' + named->type);
  thing.silent_after_us.reset();
  for (const stack::Alert& alert : rooms_.stack.alerts) {
    if (!alert.silent || !alert.of.matches_thing(thing.id, type_of(named))) continue;
    const std::int64_t us = alert.silent->count() * 1000;
    thing.silent_after_us = std::min(thing.silent_after_us.value_or(us), us);
  }
  thing.silence_us = thing.silent_after_us.value_or(silence_of(interval_of(thing)));
}

void Things::set_named(stack::Thing thing) {
  state_.with([&](State& state) {
    const stack::Thing& written = state.written.emplace_back(std::move(thing));
    const auto known = state.by_id.find(written.id);
    if (known != state.by_id.end()) return describe(state.things[known->second], &written);
    add_thing(state, written.id, &written);
  });
}

void Things::remove_named(std::string_view id) {
  state_.with([&](State& state) {
    const auto known = state.by_id.find(id);
    if (known != state.by_id.end()) describe(state.things[known->second], nullptr);
  });
}

const stack::Thing* Things::named(std::string_view id) const {
  return state_.with([&](const State& state) -> const stack::Thing* {
    const auto known = state.by_id.find(id);
    return known == state.by_id.end() ? nullptr : state.things[known->second].named;
  });
}

// Asserted: there is no such thing yet. kNoThing: there are enough.
std::size_t Things::add_thing(State& state, std::string id, const stack::Thing* named) {
  if (state.things.size() >= kThingsMax) {
    if (!std::exchange(state.told_too_many, true)) {
      rooms_.logger.warn("things.too_many", {{"limit", kThingsMax}, {"not_listed", id}});
    }
    return kNoThing;
  }
  const std::size_t at = state.things.size();
  Thing& thing = state.things.emplace_back();
  thing.id = std::move(id);
  describe(thing, named);
  for (std::size_t table = 0; table < tables_.size(); ++table) {
    auto key = tables_[table].pattern.key_of(thing.id);
    if (!key) continue;
    state.by_key[table].try_emplace(*key, Place{at, thing.sources.size()});
    thing.sources.push_back({table, std::move(*key)});
  }
  const bool is_new = state.by_id.emplace(thing.id, at).second;
  NILO_ASSERT(is_new);
  auto place = state.order.end();
  if (state.is_sorted) {
    place = std::lower_bound(state.order.begin(), state.order.end(), thing.id,
                             [&](std::uint32_t other, const std::string& wanted) {
                               return comes_before(state.things[other].id, wanted);
                             });
  }
  state.order.insert(place, static_cast<std::uint32_t>(at));
  return at;
}

bool Things::watches(const TableSchema& schema) const {
  return &schema == invalid_table_ ||
         std::any_of(tables_.begin(), tables_.end(),
                     [&](const ThingTable& table) { return table.schema == &schema; });
}

Things::Place Things::place_of(State& state, std::size_t table, const tables::Change& change) {
  if (const auto at = state.by_key[table].find(change.key); at != state.by_key[table].end()) {
    return at->second;
  }
  std::string id = tables_[table].pattern.id_of(change.cells);
  if (id.empty()) return {kNoThing, 0};
  const auto known = state.by_id.find(id);
  const std::size_t at =
      known != state.by_id.end() ? known->second : add_thing(state, std::move(id), nullptr);
  if (at == kNoThing) return {kNoThing, 0};
  // Only where key_of() divided the id in another way.
  if (!state.by_key[table].contains(change.key)) {
    Thing& thing = state.things[at];
    state.by_key[table].emplace(change.key, Place{at, thing.sources.size()});
    thing.sources.push_back({table, std::string(change.key)});
  }
  return state.by_key[table].find(change.key)->second;
}

void Things::hear(Thing& thing, TimeUs wall_us, std::int64_t steady_us) {
  // Not in order at the start, where one table is read after the other.
  if (thing.was_heard && steady_us < thing.seen_steady_us) return;
  thing.was_heard = true;
  thing.seen_us = wall_us;
  thing.seen_steady_us = steady_us;
}

std::optional<std::int64_t> Things::interval_of(const Thing& thing) {
  std::optional<std::int64_t> least_us;
  for (const Source& source : thing.sources) {
    const auto us = source.rhythm.interval_us();
    if (us) least_us = std::min(least_us.value_or(*us), *us);
  }
  return least_us;
}

void Things::learn(Thing& thing, std::size_t source, std::int64_t steady_us) {
  thing.sources[source].rhythm.hear(steady_us);
  thing.silence_us = thing.silent_after_us.value_or(silence_of(interval_of(thing)));
}

void Things::take_row(State& state, std::size_t table, const tables::Change& change,
                      std::int64_t steady_us) {
  const Place place = place_of(state, table, change);
  if (place.thing == kNoThing) return;
  Thing& thing = state.things[place.thing];
  hear(thing, change.received_us, steady_us);
  thing.good_seq = std::max(thing.good_seq, change.seq);
  thing.sources[place.source].has_rows = true;
  if (state.is_sorted) learn(thing, place.source, steady_us);  // else from several rows, later
}

void Things::take_invalid(State& state, const tables::Change& change, std::int64_t steady_us) {
  std::string id = text_in(change.cells[0]);
  const auto known = state.by_id.find(id);
  const std::size_t at =
      known != state.by_id.end() ? known->second : add_thing(state, std::move(id), nullptr);
  if (at == kNoThing) return;
  Thing& thing = state.things[at];
  hear(thing, change.received_us, steady_us);
  thing.invalid_seq = std::max(thing.invalid_seq, change.seq);
  thing.invalid = invalid_reading_of(change.cells);
}

void Things::on_change(const tables::Change& change) {
  const std::int64_t now_us = rooms_.clock.steady_us();
  const auto table = std::find_if(tables_.begin(), tables_.end(), [&](const ThingTable& candidate) {
    return candidate.schema == &change.schema;
  });
  state_.with([&](State& state) {
    if (table == tables_.end()) return take_invalid(state, change, now_us);
    take_row(state, static_cast<std::size_t>(table - tables_.begin()), change, now_us);
  });
}

// On the clock that does not jump, as if this server had run on since its last row.
std::int64_t Things::steady_of(TimeUs wall_us) const {
  return loaded_us_ - std::max<std::int64_t>(0, last_alive_us_ - wall_us);
}

void Things::load() {
  loaded_us_ = rooms_.clock.steady_us();
  const auto for_each = [&](const auto& f) {
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      rooms_.tables.each_latest(tables_[i].schema->name,
                                [&](const tables::Change& change) { f(i, change); });
    }
    if (invalid_table_ == nullptr) return;
    rooms_.tables.each_latest(kInvalidTable,
                              [&](const tables::Change& change) { f(tables_.size(), change); });
  };
  for_each([this](std::size_t /*table*/, const tables::Change& change) {
    last_alive_us_ = std::max(last_alive_us_, change.received_us);
  });
  for_each([this](std::size_t table, const tables::Change& change) {
    const std::int64_t us = steady_of(change.received_us);
    state_.with([&](State& state) {
      if (table == tables_.size()) return take_invalid(state, change, us);
      take_row(state, table, change, us);
    });
  });
  state_.with([this](State& state) {
    for (Thing& thing : state.things) learn_from_tables(thing);
    std::sort(state.order.begin(), state.order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return comes_before(state.things[a].id, state.things[b].id);
    });
    state.is_sorted = true;
  });
}

void Things::learn_from_tables(Thing& thing) const {
  for (std::size_t i = 0; i < thing.sources.size(); ++i) {
    const ThingTable& table = tables_[thing.sources[i].table];
    if (!table.schema->has_sort_key || !thing.was_heard) continue;
    const auto page = rooms_.tables.rows({.table = table.schema->name,
                                          .key = thing.sources[i].key,
                                          .limit = kLearnedRows,
                                          .newest_first = true});
    if (!page) continue;
    for (std::size_t row = page->rows.row_count(); row > 0; --row) {
      const Value& received = page->rows.cell(row - 1, page->rows.columns().size() - 1);
      learn(thing, i, steady_of(received.as_int64()));
    }
  }
}

ThingState Things::state_of(const Thing& thing, std::int64_t steady_us) {
  if (!thing.was_heard) return ThingState::never;
  if (steady_us - thing.seen_steady_us > thing.silence_us) return ThingState::silent;
  // A message of which one row was taken and another refused is refused.
  const bool is_invalid = thing.invalid_seq > 0 && thing.invalid_seq >= thing.good_seq;
  return is_invalid ? ThingState::invalid : ThingState::ok;
}

ThingInfo Things::info_of(const Thing& thing, std::int64_t steady_us) const {
  ThingInfo out;
  out.id = thing.id;
  out.name = thing.named == nullptr ? thing.id : thing.named->name;
  out.type = type_of(thing.named);
  out.named = thing.named;
  out.state = state_of(thing, steady_us);
  out.interval_us = interval_of(thing);
  if (thing.was_heard) out.seen_us = thing.seen_us;
  if (thing.invalid_seq > 0 && thing.invalid_seq >= thing.good_seq) out.invalid = thing.invalid;
  const bool has_rows = std::any_of(thing.sources.begin(), thing.sources.end(),
                                    [](const Source& source) { return source.has_rows; });
  for (const Source& source : thing.sources) {
    if (has_rows && !source.has_rows) continue;  // a template such as "{name}" fits every id
    out.rows.push_back({&tables_[source.table], source.key, source.rhythm.interval_us()});
  }
  return out;
}

std::optional<ThingInfo> Things::find(std::string_view id) const {
  const std::int64_t now_us = rooms_.clock.steady_us();
  return state_.with([&](const State& state) -> std::optional<ThingInfo> {
    const auto at = state.by_id.find(id);
    if (at == state.by_id.end() || state.things[at->second].is_gone()) return std::nullopt;
    return info_of(state.things[at->second], now_us);
  });
}

ThingPage Things::page(const ThingFilter& filter) const {
  const std::int64_t now_us = rooms_.clock.steady_us();
  const std::string wanted = small_letters(filter.search);
  ThingPage page;
  state_.with([&](const State& state) {
    for (const std::uint32_t at : state.order) {
      const Thing& thing = state.things[at];
      if (thing.is_gone()) continue;
      if (filter.type && *filter.type != type_of(thing.named)) continue;
      if (!passes(thing.search, wanted)) continue;
      const ThingState is = state_of(thing, now_us);
      ++page.counts[static_cast<std::size_t>(is)];
      if (filter.state && *filter.state != is) continue;
      ++page.total;
      const bool is_behind = !filter.cursor.empty() && !comes_before(filter.cursor, thing.id);
      if (is_behind) continue;
      if (page.things.size() < filter.limit) {
        page.things.push_back(info_of(thing, now_us));
      } else if (page.next.empty() && !page.things.empty()) {
        page.next = page.things.back().id;
      }
    }
  });
  return page;
}

ThingCounts Things::counts() const { return page({.limit = 0}).counts; }

Result<std::vector<ThingInfo>> Things::select(const Selector& selector, std::size_t limit) const {
  const std::int64_t now_us = rooms_.clock.steady_us();
  std::vector<ThingInfo> out;
  bool is_too_many = false;
  const bool is_one = !selector.is_type && selector.thing.find('*') == std::string::npos;
  state_.with([&](const State& state) {
    const auto take = [&](const Thing& thing) {
      is_too_many = out.size() == limit;
      if (!is_too_many) out.push_back(info_of(thing, now_us));
    };
    if (is_one) {
      const auto at = state.by_id.find(selector.thing);
      const bool is_there = at != state.by_id.end() && !state.things[at->second].is_gone();
      if (is_there) take(state.things[at->second]);
      return;
    }
    for (const std::uint32_t at : state.order) {
      const Thing& thing = state.things[at];
      if (thing.is_gone()) continue;
      if (selector.matches_thing(thing.id, type_of(thing.named))) take(thing);
      if (is_too_many) return;
    }
  });
  if (is_too_many) {
    return Error{ErrorCode::resource_exhausted,
                 fmt::format("'{}' names more than {} things", selector.text(), limit),
                 "name fewer at a time"};
  }
  const bool names_a_type = selector.is_type && selector.thing.find('*') == std::string::npos;
  if (out.empty() && (is_one || names_a_type)) return no_such(selector);
  return out;
}

Error Things::no_such(const Selector& selector) const {
  return state_.with([&](const State& state) {
    std::vector<std::string_view> names;
    for (const Thing& thing : state.things) {
      if (thing.is_gone()) continue;
      names.push_back(selector.is_type ? type_of(thing.named) : std::string_view(thing.id));
    }
    const std::string_view near = nearest(selector.thing, names);
    return Error{
        ErrorCode::not_found,
        fmt::format("no {} '{}'", selector.is_type ? "things of type" : "thing", selector.thing),
        near.empty() ? "all things are at /api/v1/things"
                     : fmt::format("did you mean '{}'?", near)};
  });
}

}  // namespace nilo::app
