#include "stack/panel_reader.h"

#include <algorithm>

#include "stack/forms.h"
#include "stack/panel_options.h"
#include "value/value.h"

namespace nilo::stack {
namespace {

constexpr std::size_t kItemsMax = 100;  // of a list in a panel

std::vector<std::string_view> words_of(std::string_view words) {
  std::vector<std::string_view> out;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    out.push_back(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return out;
}

void append_node(std::string& out, const Node& node) {
  const char* separator = "";
  switch (node.kind) {
    case Node::Kind::text:
      return append_json_string(out, node.text);
    case Node::Kind::integer:
      return append_json(out, Value::int64(node.integer));
    case Node::Kind::number:
      return append_json(out, Value::float64(node.number));
    case Node::Kind::boolean:
      return append_json(out, Value::boolean(node.boolean));
    case Node::Kind::list:
      out += '[';
      for (const Node& item : node.items) {
        append_node(out += separator, item);
        separator = ",";
      }
      out += ']';
      return;
    case Node::Kind::table:
      out += '{';
      for (const Member& member : node.members) {
        append_json_string(out += separator, member.key);
        append_node(out += ':', member.node);
        separator = ",";
      }
      out += '}';
      return;
    case Node::Kind::time:  // no option has this form
      out += "null";
      return;
  }
}

class PanelReader {
 public:
  PanelReader(const Node& node, const Page& page, Reading& reading)
      : node_(node),
        page_(page),
        reading_(reading),
        keys_(node, node.place, "this panel", reading) {}

  std::optional<Panel> read() {
    const PanelKind* kind = read_kind();
    if (kind == nullptr) return std::nullopt;
    where_ = fmt::format("panel `{}`", kind->name);
    panel_.kind = kind->name;
    panel_.line = node_.place.line;
    panel_.options_json = "{";
    Section keys(node_, node_.place, where_, reading_);
    keys.take("kind");
    for (const PanelOption& option : kind->options) read_option(option, keys);
    for (const PanelOption& option : common_panel_options()) read_option(option, keys);
    if (panel_.kind == "table") check_table();
    keys.finish();
    panel_.options_json += '}';
    return std::move(panel_);
  }

 private:
  const PanelKind* read_kind() {
    constexpr Key kKind{"kind", "\"now\""};
    keys_.require(kKind);
    const auto word = keys_.text(kKind);
    if (!word) return nullptr;
    std::vector<std::string_view> there;
    const PanelKind* found = nullptr;
    for (const PanelKind& kind : panel_kinds()) {
      if (kind.name == *word) found = &kind;
      if (!kind.options.empty()) there.push_back(kind.name);
    }
    const Place& place = keys_.place_of("kind");
    const std::string all = fmt::to_string(fmt::join(there, ", "));
    if (found == nullptr) {
      reading_.tell(Code::not_a_choice, place, did_you_mean(*word, there), "kind", *word, all);
    } else if (found->options.empty()) {
      reading_.tell(Code::not_available, place, "", found->name, "; there are " + all);
      return nullptr;
    }
    return found;
  }

  void read_option(const PanelOption& option, Section& keys) {
    const Key key{option.name, option.example};
    const Node* value = option.required ? keys.require(key) : keys.take(option.name);
    if (value == nullptr) return;
    if (option.form == Form::later) {
      return reading_.tell(Code::not_available, keys.place_of(option.name), "",
                           fmt::format("{}` of `{}", option.name, panel_.kind), "");
    }
    if (!check(option, *value, keys)) return;
    if (panel_.options_json.size() > 1) panel_.options_json += ',';
    append_json_string(panel_.options_json, option.name);
    append_node(panel_.options_json += ':', *value);
  }

  // Tells, and is false, if `value` does not have the option's form.
  bool check(const PanelOption& option, const Node& value, Section& keys) {
    const Key key{option.name, option.example};
    switch (option.form) {
      case Form::text:
        return keys.prose(key).has_value();
      case Form::boolean:
        return keys.boolean(key).has_value();
      case Form::number:
        return keys.number(key).has_value();
      case Form::integer:
        return keys.integer(key, option.min, option.max).has_value();
      case Form::duration:
        return keys.duration(key).has_value();
      case Form::range:
        return keys.range(key).has_value();
      case Form::link:
        return check_link(key, keys);
      case Form::choice:
        return check_word(option, value);
      case Form::faces:
        return value.kind == Node::Kind::table ? check_table(value, key, {"low", "high"}, {})
                                               : check_word(option, value);
      case Form::choices:
        return check_list(key, value, [&](const Node& item) { return check_word(option, item); });
      case Form::selectors:
      case Form::series:
        return check_selectors(option, value);
      case Form::lines:
        return check_list(key, value, [&](const Node& item) {
          return check_table(item, key, {"label"}, {"at"}) && need(item, "at", "20");
        });
      case Form::axis:
        return check_table(value, key, {}, {"min", "max"});
      case Form::column:
        return keys.text(key).has_value();
      case Form::columns:
        return check_list(key, value, [&](const Node& item) {
          return item.kind == Node::Kind::text ||
                 (check_table(item, key, {"name", "unit"}, {"decimals"}) &&
                  need(item, "name", "\"distance\""));
        });
      case Form::markdown:
        return check_markdown(key, keys);
      case Form::later:
        break;
    }
    return false;
  }

  bool check_word(const PanelOption& option, const Node& value) {
    if (value.kind != Node::Kind::text) {
      tell_wrong_type(reading_, {option.name, option.example}, "text", value);
      return false;
    }
    const auto words = words_of(option.words);
    const auto not_yet = words_of(option.not_yet);
    if (std::find(words.begin(), words.end(), value.text) != words.end()) return true;
    const std::string all = fmt::to_string(fmt::join(words, ", "));
    if (std::find(not_yet.begin(), not_yet.end(), value.text) != not_yet.end()) {
      reading_.tell(Code::not_available, value.place, "", value.text, "; there are " + all);
    } else {
      reading_.tell(Code::not_a_choice, value.place, did_you_mean(value.text, words), option.name,
                    value.text, all);
    }
    return false;
  }

  // One item, or a list of at most kItemsMax, each of which `check_item` takes.
  template <typename CheckItem>
  bool check_list(Key key, const Node& value, CheckItem check_item) {
    if (value.kind != Node::Kind::list) {
      tell_wrong_type(reading_, key, words_for(Node::Kind::list), value);
      return false;
    }
    if (value.items.size() > kItemsMax) {
      reading_.tell(Code::too_many_items, value.place, "", fmt::format("`{}`", key.name), kItemsMax,
                    "entries");
      return false;
    }
    bool all = true;
    for (const Node& item : value.items) all = check_item(item) && all;
    return all;
  }

  // A table with nothing but these texts and numbers.
  bool check_table(const Node& value, Key key, const std::vector<std::string_view>& texts,
                   const std::vector<std::string_view>& numbers) {
    if (value.kind != Node::Kind::table) {
      tell_wrong_type(reading_, key, words_for(Node::Kind::table), value);
      return false;
    }
    const std::string where = fmt::format("`{}` of {}", key.name, where_);
    const std::size_t before = reading_.diagnostics.size();
    Section keys(value, value.place, where, reading_);
    for (const std::string_view name : texts) keys.prose({name, "\"...\""});
    for (const std::string_view name : numbers) keys.number({name, "20"});
    keys.finish();
    return reading_.diagnostics.size() == before;
  }

  bool need(const Node& table, std::string_view name, std::string_view example) {
    Section keys(table, table.place, where_, reading_);
    return keys.require({name, example}) != nullptr;
  }

  bool check_selectors(const PanelOption& option, const Node& value) {
    const Key key{option.name, option.example};
    const auto check_one = [&](const Node& item) {
      const auto selector = read_selector(key, item, reading_);
      if (selector) use(*selector, item.place, option.form);
      return selector.has_value();
    };
    if (value.kind != Node::Kind::list) return check_one(value);
    if (option.required && value.items.empty()) {
      reading_.tell(Code::text_empty, value.place, "", key.name, key.example);
      return false;
    }
    return check_list(key, value, check_one);
  }

  void use(const Selector& selector, const Place& place, Form form) {
    panel_.of.push_back(selector);
    reading_.selectors.push_back({selector, place,
                                  form == Form::series ? FieldKind::number : FieldKind::any,
                                  page_.for_things});
  }

  bool check_link(Key key, Section& keys) {
    const auto link = keys.text(key);
    if (!link) return false;
    const bool is_ours = link->starts_with('/') && !link->starts_with("//") &&
                         std::all_of(link->begin(), link->end(),
                                     [](char c) { return c > ' ' && c < 0x7f && c != '\\'; });
    if (is_ours || is_url(*link)) return true;
    reading_.tell(Code::not_a_url, keys.place_of(key.name), "", *link,
                  "https://example.org, or a place of this server: /things");
    return false;
  }

  // Each {{selector}} in the text names something.
  bool check_markdown(Key key, Section& keys) {
    const auto text = keys.prose(key);
    if (!text) return false;
    const std::string_view value = text->value;
    std::size_t at = 0;
    while ((at = value.find("{{", at)) != std::string_view::npos) {
      const std::size_t end = value.find("}}", at);
      if (end == std::string_view::npos) break;
      const std::size_t first = std::min(value.find_first_not_of(' ', at + 2), end);
      const std::size_t last = std::max(value.find_last_not_of(' ', end - 1) + 1, first);
      const std::string_view inner = value.substr(first, last - first);
      const Place place = text->place_at(first, std::max<std::size_t>(count_characters(inner), 1));
      const auto selector = parse_selector(inner);
      if (selector) {
        use(*selector, place, Form::selectors);
      } else {
        reading_.tell(Code::bad_selector, place, "", selector.error().message,
                      selector.error().hint);
      }
      at = end + 2;
    }
    return true;
  }

  // What the rows of a table need; `rows` decides.
  void check_table() {
    const Node* rows = keys_.take("rows");
    if (rows == nullptr) return;
    check_sort(rows->text);
    if (rows->text == "intervals") {
      keys_.require({"of", "[\"tank-*/percent\"]"});
      keys_.require({"every", "\"1d\""});
    } else {
      for (const std::string_view name : {"every", "stats"}) refuse(name, "intervals");
    }
    if (rows->text != "things") refuse("columns", "things");
  }

  // `name` says nothing of these rows.
  void refuse(std::string_view name, std::string_view rows) {
    if (keys_.take(name) == nullptr) return;
    reading_.tell(Code::unknown_key, keys_.place_of(name), "", name, where_,
                  fmt::format("it belongs to rows = \"{}\": leave it out", rows));
  }

  // The columns that a table has, as far as its text says. Empty: any.
  std::vector<std::string_view> columns_of(std::string_view rows) {
    if (rows == "alerts") return {"since", "text", "name", "state"};
    std::vector<std::string_view> out;
    if (rows == "intervals") {
      out = {"start", "name"};
      const Node* stats = keys_.take("stats");
      if (stats == nullptr) return {"start", "name", "first", "last", "min", "max"};
      for (const Node& stat : stats->items) out.push_back(stat.text);
      return out;
    }
    if (const Node* columns = keys_.take("columns")) {
      for (const Node& column : columns->items) {
        for (const Member& member : column.members) {
          if (member.key == "name") out.push_back(member.node.text);
        }
        if (column.kind == Node::Kind::text) out.push_back(column.text);
      }
      return out;
    }
    out = {"name", "state", "age"};
    for (const Selector& selector : panel_.of) {
      if (selector.field.find('*') != std::string::npos) return {};
      out.push_back(selector.field);
    }
    return out;
  }

  void check_sort(std::string_view rows) {
    const Node* sort = keys_.take("sort");
    if (sort == nullptr || sort->kind != Node::Kind::text) return;
    const std::string_view word = std::string_view(sort->text).substr(sort->text.starts_with('-'));
    const auto columns = columns_of(rows);
    if (columns.empty() || std::find(columns.begin(), columns.end(), word) != columns.end()) return;
    reading_.tell(Code::not_a_choice, sort->place, did_you_mean(word, columns), "sort", sort->text,
                  fmt::to_string(fmt::join(columns, ", ")));
  }

  const Node& node_;
  const Page& page_;
  Reading& reading_;
  Section keys_;
  std::string where_{};
  Panel panel_{};
};

}  // namespace

std::optional<Panel> read_panel(const Node& node, const Page& page, Reading& reading) {
  return PanelReader(node, page, reading).read();
}

}  // namespace nilo::stack
