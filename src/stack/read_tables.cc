#include <algorithm>
#include <map>

#include "stack/forms.h"
#include "stack/read.h"
#include "value/thing_template.h"

namespace nilo::stack {
namespace {

constexpr int kDecimalsMax = 15;  // a double has no more

// Reads one [table.NAME]: first the key, then the other columns, then what refers to them.
class TableReader {
 public:
  TableReader(const Member& member, Reading& reading)
      : reading_(reading),
        keys_(member.node, member.key_place, fmt::format("[table.{}]", member.key), reading) {
    table_.schema.name = member.key;
    table_.place = member.key_place;
  }

  void read() {
    if (lower_case(table_.schema.name).starts_with("sys_")) {
      reading_.tell(Code::reserved_name, table_.place, "", table_.schema.name);
    }
    read_key();
    if (const Node* columns = keys_.table({"columns", "{ distance = \"double\" }"})) {
      for (const Member& member : columns->members) read_column(member);
    }
    if (const Node* derived = keys_.table({"derived", "{ percent = \"distance / 100\" }"})) {
      for (const Member& member : derived->members) read_derived(member);
    }
    read_thing();
    table_.keep = keys_.duration({"keep", "\"5y\""});
    const std::size_t columns = table_.schema.columns.size();
    if (columns > kColumnsMax) {
      reading_.tell(Code::too_many_columns, table_.place, "", keys_.where(), columns, kColumnsMax);
    }
    keys_.finish();
    reading_.stack.tables.push_back(std::move(table_));
  }

 private:
  // The new column, or null, and told, if it cannot have this name.
  Column* add_column(std::string_view name, const Place& place) {
    if (!is_name(name)) {
      reading_.tell(Code::bad_name, place, "", name, "a column", kNameForm);
      return nullptr;
    }
    if (lower_case(name) == kReceivedColumn) {
      reading_.tell(Code::reserved_name, place, "", name);
      return nullptr;
    }
    const std::string what = fmt::format("column `{}` of {}", lower_case(name), keys_.where());
    if (!reading_.declare(what, place)) return nullptr;
    Column column{};
    column.name = name;
    table_.schema.columns.push_back(std::move(column));
    return &table_.schema.columns.back();
  }

  void read_key() {
    table_.schema.partition_count = 0;
    constexpr Key kKey{"key", "[\"device_id int\", \"time timestamp\"]"};
    if (keys_.require(kKey) == nullptr) return;
    const Node* list = keys_.list(kKey);
    if (list == nullptr) return;
    TableSchema& schema = table_.schema;
    for (const Node& entry : list->items) {
      if (entry.kind != Node::Kind::text) {
        tell_wrong_type(reading_, kKey, "a list of texts", entry);
      } else {
        read_key_entry(entry, &entry == &list->items.back());
      }
    }
    key_size_ = schema.columns.size();
    if (schema.partition_count == 0 && (schema.has_sort_key || list->items.empty())) {
      reading_.tell(Code::key_without_partition, list->place, "", keys_.where());
    }
  }

  // "device_id int".
  void read_key_entry(const Node& entry, bool is_last) {
    const std::size_t space = std::min(entry.text.find(' '), entry.text.size());
    const std::string_view name = std::string_view(entry.text).substr(0, space);
    const std::size_t word_at = entry.text.find_first_not_of(' ', space);
    if (name.empty() || word_at == std::string::npos) {
      reading_.tell(Code::bad_key_entry, entry.place, "", entry.text);
      return;
    }
    const auto type =
        read_type(std::string_view(entry.text).substr(word_at), entry.place, reading_);
    Column* column = add_column(name, entry.place);
    if (!type || column == nullptr) return;
    column->type = *type;
    if (*type == Type::int64 || *type == Type::text) {
      ++table_.schema.partition_count;
    } else if (*type == Type::timestamp && is_last) {
      table_.schema.has_sort_key = true;
    } else {
      const char* why = *type == Type::timestamp ? "the time comes last" : "";
      reading_.tell(Code::bad_key_type, entry.place, why, name);
    }
  }

  // distance = "double", or distance = { type = "double", unit = "cm", ... }. A key column may be
  // listed again for its options.
  void read_column(const Member& member) {
    Column* column = key_column(member.key);
    const bool in_key = column != nullptr;
    if (!in_key) column = add_column(member.key, member.key_place);
    if (column == nullptr) return;

    const Node& node = member.node;
    if (node.kind == Node::Kind::text) {
      set_type(*column, in_key, node.text, node.place);
      return;
    }
    if (node.kind != Node::Kind::table) {
      tell_wrong_type(reading_, {member.key, "\"double\""}, "a type or a table", node);
      return;
    }
    Section options(node, member.key_place,
                    fmt::format("column `{}` of {}", member.key, keys_.where()), reading_);
    constexpr Key kType{"type", "\"double\""};
    if (!in_key) options.require(kType);
    bool has_type = in_key;
    if (const auto word = options.text(kType)) {
      has_type = set_type(*column, in_key, *word, options.place_of("type"));
    }
    read_options(options, *column, has_type);
    options.finish();
  }

  Column* key_column(std::string_view name) {
    auto& columns = table_.schema.columns;
    const auto end = columns.begin() + static_cast<std::ptrdiff_t>(key_size_);
    const auto at = std::find_if(columns.begin(), end,
                                 [&](const Column& column) { return column.name == name; });
    return at == end ? nullptr : &*at;
  }

  // False, and told, if `word` is no type, or not that of the key.
  bool set_type(Column& column, bool in_key, std::string_view word, const Place& place) {
    const auto type = read_type(word, place, reading_);
    if (!type) return false;
    if (in_key && column.type != *type) {
      reading_.tell(Code::type_differs, place, "", column.name, word_of(column.type));
      return false;
    }
    column.type = *type;
    return true;
  }

  // `has_type`: the column's type is right, so options can be held against it.
  void read_options(Section& options, Column& column, bool has_type) {
    column.unit = options.text({"unit", "\"cm\""}).value_or("");
    column.min = options.number({"min", "0"});
    column.max = options.number({"max", "89"});
    read_invalid(options, column);
    if (const auto word = options.text({"number", "\"ms\""})) {
      if (*word == "us" || *word == "ms" || *word == "s") {
        column.time_unit = *word == "us"   ? TimeUnit::us
                           : *word == "ms" ? TimeUnit::ms
                                           : TimeUnit::s;
      } else {
        reading_.tell(Code::bad_time_unit, options.place_of("number"), "", *word);
      }
    }
    if (column.min && column.max && *column.min > *column.max) {
      reading_.tell(Code::min_above_max, options.place_of("min"),
                    fmt::format("max is {}", *column.max));
    }
    if (!has_type) return;
    const bool is_number = column.type == Type::int64 || column.type == Type::float64;
    for (const std::string_view key : {"min", "max", "invalid"}) {
      if (!is_number && options.take(key) != nullptr) {
        reading_.tell(Code::option_needs_type, options.place_of(key), "", key, "int or double");
      }
    }
    if (column.type != Type::timestamp && options.take("number") != nullptr) {
      reading_.tell(Code::option_needs_type, options.place_of("number"), "", "number", "timestamp");
    }
  }

  void read_invalid(Section& options, Column& column) {
    constexpr Key kInvalid{"invalid", "[0]"};
    const Node* list = options.list(kInvalid);
    if (list == nullptr) return;
    for (const Node& item : list->items) {
      if (item.is_number()) {
        column.invalid.push_back(item.number);
      } else {
        tell_wrong_type(reading_, kInvalid, "a list of numbers", item);
      }
    }
  }

  // percent = "100 * ...", or percent = { sql = "100 * ...", unit = "%", decimals = 2 }.
  void read_derived(const Member& member) {
    Column* column = add_column(member.key, member.key_place);
    if (column == nullptr) return;
    const Node& node = member.node;
    std::optional<Text> sql;
    if (node.kind == Node::Kind::text) {
      sql = read_sql({member.key, "\"distance / 100\""}, node, reading_);
    } else if (node.kind == Node::Kind::table) {
      Section options(node, member.key_place,
                      fmt::format("derived `{}` of {}", member.key, keys_.where()), reading_);
      sql = options.sql({"sql", "\"distance / 100\""});
      column->unit = options.text({"unit", "\"%\""}).value_or("");
      column->decimals =
          static_cast<int>(options.integer({"decimals", "2"}, 0, kDecimalsMax).value_or(-1));
      options.finish();
    } else {
      tell_wrong_type(reading_, {member.key, "\"distance / 100\""}, "SQL or a table", node);
    }
    if (!sql) {  // without SQL it would pass for a stored column
      table_.schema.columns.pop_back();
      return;
    }
    column->derived_sql = sql->value;
    table_.derived.push_back(std::move(*sql));
  }

  // thing = "tank-{device_id}".
  void read_thing() {
    const auto pattern = keys_.text({"thing", "\"tank-{device_id}\""});
    if (!pattern) return;
    const Place& place = keys_.place_of("thing");
    std::string fixed;  // what stands outside of the braces
    bool are_columns_known = key_size_ > 0;
    for (std::size_t at = 0; at < pattern->size();) {
      if ((*pattern)[at] != '{') {
        fixed += (*pattern)[at++];
        continue;
      }
      const std::size_t end = std::min(pattern->find('}', at), pattern->size());
      are_columns_known &= is_thing_column(pattern->substr(at + 1, end - at - 1), place);
      fixed += end < pattern->size() ? "x" : "{";
      at = end + 1;
    }
    if (!is_id(fixed, kThingIdSizeMax)) {
      reading_.tell(Code::bad_thing_pattern, place, "", *pattern);
    } else if (are_columns_known) {
      const auto made = ThingTemplate::parse(*pattern, table_.schema);
      if (!made) reading_.tell(Code::bad_thing_pattern, place, made.error().message, *pattern);
    }
    table_.schema.thing = *pattern;
  }

  // No: told, if there is a key at all.
  bool is_thing_column(const std::string& name, const Place& place) {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < key_size_; ++i) {
      const Column& column = table_.schema.columns[i];
      if (column.type != Type::timestamp) names.push_back(column.name);
    }
    if (names.empty()) return false;  // told of the key
    if (std::find(names.begin(), names.end(), name) != names.end()) return true;
    const std::string meant = did_you_mean(name, names);
    reading_.tell(Code::unknown_column, place, meant, table_.schema.name, name,
                  meant.empty() ? fmt::format("its key columns: {}", fmt::join(names, ", ")) : "");
    return false;
  }

  Reading& reading_;
  Section keys_;
  Table table_{};
  std::size_t key_size_ = 0;  // columns that the key names
};

}  // namespace

void read_tables(const Member& section, Reading& reading) {
  for (const Member& member : section.node.members) {
    if (declares("table", member, reading.stack.tables.size(), reading)) {
      TableReader(member, reading).read();
    }
  }
}

}  // namespace nilo::stack
