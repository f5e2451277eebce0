#include <algorithm>

#include "stack/forms.h"
#include "stack/read.h"

namespace nilo::stack {
namespace {

constexpr Key kRepublish{"republish", "\"alarm/tanks\""};

void check_topic(const std::string& topic, const Place& place, Reading& reading) {
  const std::string_view mistake = topic_mistake(topic);
  if (!mistake.empty()) reading.tell(Code::bad_topic, place, std::string(mistake), topic);
}

// "some/topic", or { topic = "some/topic", qos = 1 }.
std::optional<Republish> read_republish(const Node& node, const std::string& where,
                                        Reading& reading) {
  if (node.kind == Node::Kind::text) {
    check_topic(node.text, node.place, reading);
    return Republish{node.text, 0};
  }
  if (node.kind != Node::Kind::table) {
    tell_wrong_type(reading, kRepublish, "text or a table", node);
    return std::nullopt;
  }
  Section keys(node, node.place, "`republish` of " + where, reading);
  constexpr Key kTopic{"topic", "\"alarm/tanks\""};
  const bool has_topic = keys.require(kTopic) != nullptr;
  const auto topic = keys.text(kTopic);
  const auto qos = keys.integer({"qos", "1"}, 0, 1);
  keys.finish();
  if (topic) check_topic(*topic, keys.place_of("topic"), reading);
  if (!has_topic || !topic) return std::nullopt;
  return Republish{*topic, static_cast<int>(qos.value_or(0))};
}

void read_rule(const Member& member, Reading& reading) {
  Section keys(member.node, member.key_place, fmt::format("[rule.{}]", member.key), reading);
  Rule rule{};
  rule.name = member.key;
  rule.place = member.key_place;
  if (auto sql = keys.sql({"sql", "\"SELECT * FROM '+/pub'\""})) rule.sql = std::move(*sql);
  if (auto version = keys.text({"version", "\"2016-03-23\""})) {
    if (*version != "2016-03-23" && *version != "2015-10-08") {
      reading.tell(Code::bad_version, keys.place_of("version"), "", *version);
    }
    rule.version = std::move(*version);
  }
  rule.put = keys.text({"put", "\"tank_levels\""}).value_or("");
  rule.put_place = keys.place_of("put");
  const Node* republish = keys.take(kRepublish.name);
  if (republish != nullptr) rule.republish = read_republish(*republish, keys.where(), reading);
  rule.disabled = keys.boolean({"disabled", "true"}).value_or(false);
  if (keys.take("put") == nullptr && republish == nullptr) {
    reading.tell(Code::rule_without_action, member.key_place, "", keys.where());
  }
  keys.finish();
  reading.stack.rules.push_back(std::move(rule));
}

}  // namespace

void read_rules(const Member& section, Reading& reading) {
  for (const Member& member : section.node.members) {
    if (declares("rule", member, reading.stack.rules.size(), reading)) read_rule(member, reading);
  }
}

}  // namespace nilo::stack
