// Do the selectors of alerts and pages name something? Asked when all files are read, since things,
// tables and what is about them may stand in different ones.
#include <algorithm>

#include "stack/read.h"

namespace nilo::stack {
namespace {

constexpr std::size_t kNamedMax = 5;  // names offered when none is near

using Names = std::vector<std::string_view>;

// Is there a text that fits both patterns?
bool overlap(std::string_view a, std::string_view b) {
  // below[j]: do a[i+1..] and b[j..] overlap? A row for each i, from behind.
  std::vector<bool> below(b.size() + 1);
  for (std::size_t i = a.size() + 1; i-- > 0;) {
    std::vector<bool> row(b.size() + 1);
    for (std::size_t j = b.size() + 1; j-- > 0;) {
      const bool a_ends = i == a.size();
      const bool b_ends = j == b.size();
      if (a_ends && b_ends) {
        row[j] = true;
      } else if ((!a_ends && a[i] == '*') || (!b_ends && b[j] == '*')) {
        row[j] = (!a_ends && (a[i] == '*' || !b_ends) && below[j]) || (!b_ends && row[j + 1]);
      } else {
        row[j] = !a_ends && !b_ends && a[i] == b[j] && below[j + 1];
      }
    }
    below = std::move(row);
  }
  return below[0];
}

// "tank-{device_id}" -> "tank-*".
std::string pattern_of(std::string_view thing) {
  std::string out;
  for (std::size_t at = 0; at < thing.size(); ++at) {
    if (thing[at] == '{') {
      at = std::min(thing.find('}', at), thing.size());
      out += '*';
    } else {
      out += thing[at];
    }
  }
  return out;
}

// Can rows of `table` be about a thing that `selector` means?
bool is_about(const Table& table, const Selector& selector, const Stack& stack) {
  if (table.schema.thing.empty()) return false;
  const std::string pattern = pattern_of(table.schema.thing);
  if (!selector.is_type) return overlap(pattern, selector.thing);
  return std::any_of(stack.things.begin(), stack.things.end(), [&](const Thing& thing) {
    return selector.matches_thing(thing.id, thing.type) && fits(pattern, thing.id);
  });
}

// The columns of `table` that are fields of its things.
Names fields_of(const Table& table, FieldKind wanted) {
  Names out;
  const TableSchema& schema = table.schema;
  const std::size_t key_size = schema.partition_count + (schema.has_sort_key ? 1 : 0);
  for (std::size_t i = key_size; i < schema.columns.size(); ++i) {
    const Type type = schema.columns[i].type;
    const bool is_number = type == Type::int64 || type == Type::float64;
    if (is_number || wanted == FieldKind::any) out.push_back(schema.columns[i].name);
  }
  return out;
}

// The three nearest, or else some of what there is.
std::string offer(std::string_view what, const std::string& meant, Names names) {
  if (!meant.empty()) return {};
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (names.empty()) return fmt::format("there are no {} yet", what);
  const bool cut = names.size() > kNamedMax;
  if (cut) names.resize(kNamedMax);
  return fmt::format("there are {}{}", fmt::join(names, ", "), cut ? ", ..." : "");
}

void tell_no_thing(const SelectorUse& use, const Selector& selector, Reading& reading) {
  Names names;
  for (const Thing& thing : reading.stack.things) {
    if (!selector.is_type || !thing.type.empty()) {
      names.push_back(selector.is_type ? thing.type : thing.id);
    }
  }
  const std::string meant = did_you_mean_one_of(selector.thing, names);
  reading.tell(Code::no_such_thing, use.place, meant, use.selector.text(),
               offer(selector.is_type ? "types" : "things", meant, names));
}

}  // namespace

void check_selector(const SelectorUse& use, Reading& reading) {
  if (use.selector.is_relative() && !use.page_things) {
    return reading.tell(Code::thing_without_page, use.place, "", use.selector.text());
  }
  Selector selector = use.selector;
  if (selector.is_relative()) {
    selector.is_type = use.page_things->is_type;
    selector.thing = use.page_things->thing;
  }
  const Stack& stack = reading.stack;
  Names fields;
  bool is_known = std::any_of(stack.things.begin(), stack.things.end(), [&](const Thing& thing) {
    return selector.matches_thing(thing.id, thing.type);
  });
  for (const Table& table : stack.tables) {
    if (!is_about(table, selector, stack)) continue;
    is_known = true;
    const Names more = fields_of(table, use.fields);
    fields.insert(fields.end(), more.begin(), more.end());
  }
  if (!is_known) return tell_no_thing(use, selector, reading);
  const auto matches = [&](std::string_view name) { return selector.matches_field(name); };
  if (std::any_of(fields.begin(), fields.end(), matches)) return;
  const std::string meant = did_you_mean_one_of(selector.field, fields);
  const bool is_number = use.fields == FieldKind::number;
  reading.tell(Code::no_such_field, use.place, meant, use.selector.text(),
               is_number ? "field with numbers" : "field",
               fields.empty() ? "its rows need a table with `thing`, as in [table.tank_levels]"
                              : offer("fields", meant, fields));
}

}  // namespace nilo::stack
