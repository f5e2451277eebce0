#include "rules/checker.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/nearest.h"
#include "base/utf8.h"
#include "bus/topic_filter.h"
#include "rules/check_arguments.h"
#include "rules/context.h"
#include "rules/evaluate.h"
#include "rules/functions.h"

namespace nilo::rules {

namespace {

// How many values the topic cache may keep for one statement; the rest is computed each time.
constexpr std::size_t kSlotsMax = 64;

struct CastWord {
  std::string_view word;
  CastType type;
  bool since_2016;
};
constexpr CastWord kCastWords[] = {
    {"String", CastType::text, false},     {"Nvarchar", CastType::text, false},
    {"Text", CastType::text, false},       {"Ntext", CastType::text, false},
    {"Varchar", CastType::text, false},    {"Int", CastType::integer, false},
    {"Integer", CastType::integer, false}, {"Double", CastType::decimal, false},
    {"Decimal", CastType::decimal, true},  {"Bool", CastType::boolean, true},
    {"Boolean", CastType::boolean, true},
};

std::string quoted(std::string_view text) { return fmt::format("`{}`", printable(text, 60)); }

std::string did_you_mean(std::string_view near) {
  return near.empty() ? std::string() : fmt::format("did you mean {}?", quoted(near));
}

class Checker {
 public:
  Checker(std::string_view sql, const std::shared_ptr<Program>& program,
          std::vector<Mistake>& mistakes)
      : sql_(sql), program_(program), mistakes_(mistakes) {}

  void statement() {
    variables();
    Select& select = program_->select;
    // Names first: checking turns constant expressions into literals.
    names(select, true);
    check_items(select);
    if (select.where) {
      check(select.where);
      payload_last(*select.where);
    }
    check_filter(select);
    if (mistakes_.empty()) assign_all_slots();
  }

  void expression(std::span<const std::string> columns) {
    columns_ = columns;
    is_expression_ = true;
    check(program_->select.items[0].value);
  }

 private:
  bool is_2016() const { return program_->whole_decimals_are_ints; }
  void mistake(Place place, std::string message, std::string hint = {}) {
    mistakes_.push_back(mistake_at(sql_, place, std::move(message), std::move(hint)));
  }
  void needs_2016(Place place, std::string_view what) {
    mistake(place,
            fmt::format("{} needs version 2016-03-23; this rule has {}", what, program_->version),
            "set the rule's version to 2016-03-23");
  }

  // --- the statement around the expressions
  void variables() {
    std::vector<Variable>& all = program_->variables;
    if (all.size() > kVariablesMax) {
      mistake(all[kVariablesMax].place,
              fmt::format("{} variables, the limit is {}", all.size(), kVariablesMax));
    }
    for (; known_variables_ < all.size(); ++known_variables_) {
      const Variable& variable = all[known_variables_];
      if (find_variable(variable.name) < known_variables_) {
        mistake(variable.place, fmt::format("@{} is set twice", variable.name),
                "a variable gets its value once");
      }
      check(all[known_variables_].value);
    }
  }

  // Its number among the variables set so far; their count if there is none.
  std::size_t find_variable(std::string_view name) const {
    std::size_t i = 0;
    while (i < known_variables_ && program_->variables[i].name != name) ++i;
    return i;
  }

  void check_filter(const Select& select) {
    if (select.filter_place.size == 0) return;  // no FROM
    const auto filter = bus::TopicFilter::parse(select.filter);
    if (!filter) mistake(select.filter_place, filter.error().message, filter.error().hint);
  }

  void check_items(Select& select) {
    for (Item& item : select.items) {
      if (item.value) check(item.value);
    }
  }

  // The name of an item without AS: the last segment of a path, or the function's name.
  static std::string default_name(const Node& node) {
    switch (node.op) {
      case Op::name:
      case Op::member:
      case Op::variable:
      case Op::call:
        return node.text;
      case Op::cast:
        return "cast";
      default:
        return {};
    }
  }

  void names(Select& select, bool outermost) {
    for (Item& item : select.items) {
      if (item.is_all) {
        if (select.has_all) mistake(item.place, "`*` stands here twice", "leave one out");
        select.has_all = true;
        continue;
      }
      if (select.is_value) continue;
      if (item.path.empty()) item.path.push_back(default_name(*item.value));
      if (item.path[0].empty()) {
        mistake(item.place, "this item has no name of its own", "add AS name");
        continue;
      }
      select.has_paths = select.has_paths || item.path.size() > 1;
    }
    for (std::size_t i = 0; i < select.items.size(); ++i) check_clash(select, i);
    if (outermost) output_names(select);
  }

  // Two items may share a name's first levels, but not a whole name.
  void check_clash(const Select& select, std::size_t later) {
    const std::vector<std::string>& path = select.items[later].path;
    if (path.empty() || path[0].empty()) return;
    for (std::size_t i = 0; i < later; ++i) {
      const std::vector<std::string>& other = select.items[i].path;
      const std::size_t common = std::min(path.size(), other.size());
      if (common == 0 ||
          !std::equal(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(common),
                      other.begin())) {
        continue;
      }
      mistake(select.items[later].place,
              fmt::format("an item before is called {} as well",
                          quoted(fmt::format("{}", fmt::join(other, ".")))),
              "give one of them another name with AS");
      return;
    }
  }

  void output_names(const Select& select) {
    program_->selects_all = select.has_all || select.is_value;
    program_->is_verbatim = select.items.size() == 1 && select.items[0].is_all;
    if (program_->selects_all) return;
    std::vector<std::string>& names = program_->output_names;
    for (const Item& item : select.items) {
      if (std::find(names.begin(), names.end(), item.path[0]) == names.end()) {
        names.push_back(item.path[0]);
      }
    }
  }

  // --- expressions, from the leaves up
  void check(NodePtr& node) {
    for (NodePtr& child : node->children) {
      check(child);
      node->depends |= child->depends;
    }
    check_op(*node);
    if (mistakes_.empty() && node->depends == Depends::kNothing) fold(*node);
  }

  void check_op(Node& node) {
    switch (node.op) {
      case Op::literal:
        return literal(node);
      case Op::payload:
      case Op::name:
        return name(node);
      case Op::variable:
        return variable(node);
      case Op::object:
      case Op::array:
        if (!is_2016()) needs_2016(node.place, "an object or array in the statement");
        return check_keys(node);
      case Op::cast:
        return cast(node);
      case Op::call:
        return call(node);
      case Op::nested:
        return nested(node);
      default:
        return;
    }
  }

  void literal(Node& node) {
    if (!node.number) return;
    const bool is_plain = node.text.find_first_of(".eE") == std::string::npos;
    const bool is_int = (is_plain || is_2016()) && node.number->is_int();
    const auto small = is_int ? node.number->to_int64() : std::nullopt;
    node.value = small ? Datum::integer(*small)
                       : Datum::decimal(is_int ? Kind::wide_int : Kind::decimal, &*node.number);
  }

  void name(Node& node) {
    node.depends |= Depends::kPayload;
    if (!is_expression_ || nesting_ > 0) return;
    if (node.op == Op::payload) {
      mistake(node.place, "there is no message here, so `*` means nothing", "name a column");
      return;
    }
    const auto column = std::find(columns_.begin(), columns_.end(), node.text);
    if (column == columns_.end()) {
      mistake(node.place, fmt::format("there is no column {}", quoted(node.text)),
              did_you_mean(nearest(node.text, columns_)));
      return;
    }
    node.op = Op::column;
    node.index = static_cast<std::uint16_t>(column - columns_.begin());
  }

  void variable(Node& node) {
    const std::size_t index = find_variable(node.text);
    if (index == known_variables_) {
      std::vector<std::string_view> names;
      for (std::size_t i = 0; i < known_variables_; ++i)
        names.push_back(program_->variables[i].name);
      const std::string_view near = nearest(node.text, names);
      mistake(node.place, fmt::format("@{} is not set before", node.text),
              near.empty() ? fmt::format("SET @{} = ... before SELECT", node.text)
                           : fmt::format("did you mean `@{}`?", near));
      return;
    }
    node.index = static_cast<std::uint16_t>(index);
    node.depends = program_->variables[index].value->depends;
  }

  void check_keys(const Node& node) {
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      const auto end = node.keys.begin() + static_cast<std::ptrdiff_t>(i);
      if (std::find(node.keys.begin(), end, node.keys[i]) == end) continue;
      mistake(node.children[i]->place,
              fmt::format("the key {} is there twice", quoted(node.keys[i])));
    }
  }

  void cast(Node& node) {
    const auto word =
        std::find_if(std::begin(kCastWords), std::end(kCastWords),
                     [&](const CastWord& cast) { return equals_word(cast.word, node.text); });
    if (word == std::end(kCastWords)) {
      std::vector<std::string_view> words;
      for (const CastWord& cast : kCastWords) words.push_back(cast.word);
      const std::string_view near = nearest(node.text, words);
      mistake(node.place, fmt::format("{} is not a type", quoted(node.text)),
              near.empty() ? "one of Int, Decimal, Boolean, String" : did_you_mean(near));
      return;
    }
    if (word->since_2016 && !is_2016())
      needs_2016(node.place, fmt::format("cast to {}", word->word));
    node.cast_type = word->type;
  }

  void nested(Node& node) {
    if (!is_2016()) needs_2016(node.place, "a nested SELECT");
    Select& select = *node.select;
    check(select.from);
    names(select, false);
    ++nesting_;
    check_items(select);
    if (select.where) check(select.where);
    --nesting_;
    // Its names refer to elements, so it cannot be taken apart further.
    node.depends = Depends::kPayload | select.from->depends;
  }

  // --- functions
  void call(Node& node) {
    const FunctionInfo* function = find_function(node.text);
    if (function == nullptr) {
      mistake(node.place, fmt::format("there is no function {}", quoted(node.text)),
              did_you_mean(nearest(node.text, function_names())));
      return;
    }
    const std::string unavailable = unavailable_call(node, *function);
    if (!unavailable.empty()) {
      mistake(node.place, fmt::format("{} is not available yet", unavailable), "leave it out");
      return;
    }
    node.function = function;
    node.depends |= function->depends;
    if (function->since_2016 && !is_2016()) {
      needs_2016(node.place, fmt::format("{}()", function->name));
    }
    if (is_expression_ && function->depends != Depends::kNothing) {
      mistake(node.place,
              fmt::format("{}() asks about a message, and there is none here", function->name));
    }
    if (!check_arguments(sql_, node, mistakes_)) return;
    if (function->name == "encode" && nesting_ == 0) take_raw(*node.children[0]);
  }

  static void take_raw(Node& node) {
    if (node.op == Op::payload) node.op = Op::raw;
  }

  // --- constants, order, topic
  // Computes a node that depends on nothing. Containers stay as they are.
  void fold(Node& node) {
    if (node.op == Op::literal) return;
    if (!context_) context_ = std::make_unique<Context>();
    context_->begin(program_);
    const Datum value = evaluate(*context_, node);
    if (context_->stopped()) return;
    switch (value.kind()) {
      case Kind::undefined:
      case Kind::null:
      case Kind::boolean:
      case Kind::integer:
      case Kind::real:
        node.value = value;
        break;
      case Kind::text: {
        std::string text(value.as_text());
        node.text = std::move(text);
        node.value = Datum::text(node.text);
        break;
      }
      case Kind::wide_int:
      case Kind::decimal:
        node.number = value.as_decimal();
        node.value = Datum::decimal(value.kind(), &*node.number);
        break;
      default:
        return;
    }
    node.op = Op::literal;
    node.children.clear();
    node.pattern.reset();
  }

  // AND and OR do not care about order, so what needs no payload goes first: WHERE can then say no
  // to a message whose payload is no JSON.
  static void payload_last(Node& node) {
    if (node.op != Op::logical_and && node.op != Op::logical_or) return;
    for (NodePtr& child : node.children) payload_last(*child);
    const auto needs_payload = [](const Node& child) {
      return (child.depends & Depends::kPayload) != 0;
    };
    if (needs_payload(*node.children[0]) && !needs_payload(*node.children[1])) {
      std::swap(node.children[0], node.children[1]);
    }
  }

  void assign_all_slots() {
    for (Variable& variable : program_->variables) assign_slots(*variable.value);
    assign_slots(program_->select);
  }
  void assign_slots(Select& select) {
    for (Item& item : select.items) {
      if (item.value) assign_slots(*item.value);
    }
    if (select.from) assign_slots(*select.from);
    if (select.where) assign_slots(*select.where);
  }
  // The largest parts that depend on the topic alone; topic() itself is faster than looking it up.
  void assign_slots(Node& node) {
    const bool is_topic = node.op == Op::call && node.function->depends == Depends::kTopic;
    if (node.depends == Depends::kTopic && !is_topic && program_->slot_count < kSlotsMax) {
      node.slot = static_cast<std::uint16_t>(program_->slot_count++);
      return;
    }
    for (NodePtr& child : node.children) assign_slots(*child);
    if (node.select) assign_slots(*node.select);
  }

  std::string_view sql_;
  const std::shared_ptr<Program>& program_;
  std::vector<Mistake>& mistakes_;
  std::span<const std::string> columns_;
  bool is_expression_ = false;
  std::size_t known_variables_ = 0;
  std::size_t nesting_ = 0;           // of SELECTs
  std::unique_ptr<Context> context_;  // for constants
};

void sort_mistakes(std::vector<Mistake>& mistakes) {
  std::stable_sort(mistakes.begin(), mistakes.end(), [](const Mistake& a, const Mistake& b) {
    return a.line != b.line ? a.line < b.line : a.column < b.column;
  });
  if (mistakes.size() > kMistakesMax) mistakes.resize(kMistakesMax);
}

}  // namespace

void check_statement(std::string_view sql, const std::shared_ptr<Program>& program,
                     std::vector<Mistake>& mistakes) {
  Checker(sql, program, mistakes).statement();
  sort_mistakes(mistakes);
}

void check_expression(std::string_view sql, const std::shared_ptr<Program>& program,
                      std::span<const std::string> columns, std::vector<Mistake>& mistakes) {
  Checker(sql, program, mistakes).expression(columns);
  sort_mistakes(mistakes);
}

}  // namespace nilo::rules
