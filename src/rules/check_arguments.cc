#include "rules/check_arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/nearest.h"
#include "base/utf8.h"
#include "rules/pattern.h"
#include "rules/time_pattern.h"

namespace nilo::rules {

namespace {

constexpr std::string_view kMqttProperties[] = {"content_type", "format_indicator",
                                                "response_topic", "correlation_data"};

bool is_text_literal(const Node& node) { return node.op == Op::literal && node.value.is_text(); }

class ArgumentChecker {
 public:
  ArgumentChecker(std::string_view sql, std::vector<Mistake>& mistakes)
      : sql_(sql), mistakes_(mistakes) {}

  bool run(Node& node) {
    if (!check_count(node, *node.function)) return false;
    check_literals(node);
    compile_pattern(node, *node.function);
    return true;
  }

 private:
  void mistake(Place place, std::string message, std::string hint = {}) {
    mistakes_.push_back(mistake_at(sql_, place, std::move(message), std::move(hint)));
  }

  bool check_count(const Node& node, const FunctionInfo& function) {
    const std::size_t count = node.children.size();
    if (count >= function.count_min && count <= function.count_max) return true;
    const auto arguments = [](std::size_t n) {
      return n == 0 ? std::string("no arguments")
                    : fmt::format("{} argument{}", n, n == 1 ? "" : "s");
    };
    const std::string wanted =
        function.count_min == function.count_max
            ? arguments(function.count_min)
            : fmt::format("{} to {} arguments", function.count_min, function.count_max);
    mistake(node.place, fmt::format("{}() takes {}, this is {}", function.name, wanted, count));
    return false;
  }

  // The argument must be one of a few texts, and must be written as a literal where `is_fixed`.
  void check_word(const Node& node, std::size_t i, std::span<const std::string_view> words,
                  bool is_fixed) {
    const Node& argument = *node.children[i];
    if (!is_text_literal(argument)) {
      if (is_fixed || argument.op == Op::literal) {
        mistake(argument.place, fmt::format("{}() wants a text here", node.function->name),
                fmt::format("write '{}'", words[0]));
      }
      return;
    }
    const std::string_view text = argument.value.as_text();
    if (std::find(words.begin(), words.end(), text) != words.end()) return;
    const std::string_view near = nearest(text, words);
    mistake(argument.place,
            fmt::format("{}() does not know '{}'", node.function->name, printable(text, 40)),
            near.empty() ? fmt::format("one of {}", fmt::join(words, ", "))
                         : fmt::format("did you mean `{}`?", near));
  }

  void check_time_pattern(const Node& node, std::size_t i, TimePattern::Dialect dialect) {
    const Node& argument = *node.children[i];
    std::string why;
    if (!is_text_literal(argument) || TimePattern::parse(argument.value.as_text(), dialect, &why))
      return;
    mistake(argument.place, fmt::format("this is no time pattern: {}", why),
            "see Time in docs/rules.md for the letters");
  }

  // What can be known of literal arguments now would be Undefined for every message.
  void check_literals(const Node& node) {
    static constexpr std::string_view kBase64[] = {"base64"};
    static constexpr std::string_view kModes[] = {"enrichArray"};
    const std::string_view name = node.function->name;
    if (name == "encode" || name == "decode") check_word(node, 1, kBase64, true);
    if (name == "transform") check_word(node, 0, kModes, true);
    if (name == "get_mqtt_property") check_word(node, 0, kMqttProperties, false);
    if (name == "time_to_epoch") check_time_pattern(node, 1, TimePattern::Dialect::java);
    if (name == "parse_time") {
      check_time_pattern(node, 0, TimePattern::Dialect::joda);
      if (node.children.size() > 2) check_zone(*node.children[2]);
    }
    if (name == "topic" && !node.children.empty()) check_segment(*node.children[0]);
  }

  void check_zone(const Node& zone) {
    if (!is_text_literal(zone) || TimeZone::find(zone.value.as_text())) return;
    mistake(zone.place,
            fmt::format("there is no time zone '{}'", printable(zone.value.as_text(), 40)),
            "write it as 'Europe/Prague', 'UTC' or '+02:00'");
  }

  void check_segment(const Node& segment) {
    const bool is_wrong = segment.op == Op::literal && segment.value.kind() == Kind::integer &&
                          segment.value.as_integer() < 1;
    if (is_wrong) mistake(segment.place, "the segments of a topic count from 1");
  }

  void compile_pattern(Node& node, const FunctionInfo& function) {
    if (function.pattern_argument < 0) return;
    const Node& argument = *node.children[static_cast<std::size_t>(function.pattern_argument)];
    if (!is_text_literal(argument)) return;
    std::string why;
    node.pattern = Pattern::compile(argument.value.as_text(), why);
    if (!node.pattern) {
      mistake(argument.place, fmt::format("this is no regular expression: {}", printable(why, 200)),
              "RE2's syntax: no look-around, no back-references");
      return;
    }
    if (node.children.size() < 3 || !is_text_literal(*node.children[2])) return;
    const Node& replacement = *node.children[2];
    if (!node.pattern->is_replacement(replacement.value.as_text())) {
      mistake(replacement.place, "this replacement names a group the expression does not have",
              "$1 is the first group; write \\$ for a dollar sign");
    }
  }

  std::string_view sql_;
  std::vector<Mistake>& mistakes_;
};

}  // namespace

std::string unavailable_call(const Node& node, const FunctionInfo& function) {
  if (function.run == nullptr) return fmt::format("{}()", function.name);
  const std::size_t count = node.children.size();
  const bool is_proto = count > 2 || (count == 2 && is_text_literal(*node.children[1]) &&
                                      node.children[1]->value.as_text() == "proto");
  return function.name == "decode" && is_proto ? "decode(..., 'proto', ...)" : std::string();
}

bool check_arguments(std::string_view sql, Node& node, std::vector<Mistake>& mistakes) {
  return ArgumentChecker(sql, mistakes).run(node);
}

}  // namespace nilo::rules
