#include <algorithm>
#include <array>

#include "stack/aws_policy.h"
#include "stack/forms.h"
#include "stack/read.h"

namespace nilo::stack {
namespace {

constexpr Key kPublish{"publish", "[\"${thing}/#\"]"};
constexpr Key kSubscribe{"subscribe", "[\"${thing}/cmd\"]"};
constexpr Key kClients{"clients", "[\"${thing}\"]"};
constexpr Key kAws{"aws", "\"policies/fleet.json\""};

// Calls `use` with a text, or with each of a list of texts.
template <typename Use>
void each_text(Key key, const Node& node, Reading& reading, Use use) {
  if (node.kind == Node::Kind::text) return use(node);
  if (node.kind != Node::Kind::list) return tell_wrong_type(reading, key, "a list of texts", node);
  for (const Node& item : node.items) {
    if (item.kind == Node::Kind::text) {
      use(item);
    } else {
      tell_wrong_type(reading, key, "a list of texts", item);
    }
  }
}

std::vector<std::string> texts(Key key, Section& keys, Reading& reading) {
  std::vector<std::string> out;
  const Node* node = keys.take(key.name);
  if (node == nullptr) return out;
  each_text(key, *node, reading, [&](const Node& text) { out.push_back(text.text); });
  if (out.empty()) reading.tell(Code::text_empty, node->place, "", key.name, key.example);
  return out;
}

// What `${thing.PROPERTY}` asks for, to be held against things when all files are read.
void note_properties(const Node& node, Reading& reading) {
  std::string_view rest = node.text;
  for (std::size_t at; (at = rest.find("${")) != std::string_view::npos;) {
    rest.remove_prefix(at + 2);
    const std::string_view name = rest.substr(0, rest.find('}'));
    const auto variable = short_policy_variable(name);
    if (variable && variable->what == PolicyVariable::What::thing_property) {
      reading.policy_words.push_back({PolicyWord::Kind::property, variable->name, node.place});
    }
  }
}

// `key` as patterns of one statement; false: the stack does not have it.
bool read_patterns(Key key, std::uint8_t actions, Section& keys, Reading& reading,
                   nilo::Policy& policy) {
  const Node* node = keys.take(key.name);
  if (node == nullptr) return false;
  PolicyStatement statement;
  statement.actions = actions;
  statement.name = key.name;
  each_text(key, *node, reading, [&](const Node& text) {
    auto pattern = TopicPattern::parse(text.text);
    if (!pattern) {
      reading.tell(Code::bad_topic_pattern, text.place, pattern.error().message, text.text);
      return;
    }
    note_properties(text, reading);
    statement.resources.emplace_back(*std::move(pattern));
  });
  if (!statement.resources.empty()) policy.statements.push_back(std::move(statement));
  return true;
}

// Client ids with which one may connect; any, if there are none.
void read_clients(Section& keys, Reading& reading, nilo::Policy& policy) {
  PolicyStatement statement;
  statement.actions = bit_of(PolicyAction::connect);
  statement.name = kClients.name;
  const auto add = [&](std::string_view text) {
    return PolicyText::parse(text, {short_policy_variable, true});
  };
  const Node* node = keys.take(kClients.name);
  if (node == nullptr) {
    statement.resources.emplace_back(add("*").value());
  } else {
    each_text(kClients, *node, reading, [&](const Node& text) {
      auto pattern = add("client/" + text.text);
      if (!pattern) {
        reading.tell(Code::bad_topic_pattern, text.place, pattern.error().message, text.text);
        return;
      }
      note_properties(text, reading);
      statement.resources.emplace_back(*std::move(pattern));
    });
  }
  policy.statements.push_back(std::move(statement));
}

void read_file(const std::string& name, const Place& place, Reading& reading, Policy& out) {
  const auto used = std::find_if(reading.policy_files.begin(), reading.policy_files.end(),
                                 [&](const PolicyFile& each) { return each.file->name == name; });
  if (used == reading.policy_files.end()) {
    std::vector<std::string_view> names;
    for (const PolicyFile& each : reading.policy_files) names.push_back(each.file->name);
    reading.tell(Code::no_policy_file, place, did_you_mean(name, names), name);
    return;
  }
  used->is_used = true;
  out.rules = read_aws_policy(*used->file, out.name, reading);
}

void note_words(PolicyWord::Kind kind, Key key, Section& keys, Reading& reading,
                std::vector<std::string>& out) {
  out = texts(key, keys, reading);
  for (const std::string& word : out) {
    reading.policy_words.push_back({kind, word, keys.place_of(key.name)});
  }
}

void read_policy(const Member& member, Reading& reading) {
  Section keys(member.node, member.key_place, fmt::format("[policy.{}]", member.key), reading);
  Policy out{.name = member.key, .place = member.key_place};
  auto rules = std::make_shared<nilo::Policy>();
  rules->name = member.key;
  const bool publishes = read_patterns(
      kPublish,
      static_cast<std::uint8_t>(bit_of(PolicyAction::publish) | bit_of(PolicyAction::retain)), keys,
      reading, *rules);
  const bool subscribes = read_patterns(
      kSubscribe,
      static_cast<std::uint8_t>(bit_of(PolicyAction::subscribe) | bit_of(PolicyAction::receive)),
      keys, reading, *rules);
  const bool has_clients = keys.take(kClients.name) != nullptr;
  read_clients(keys, reading, *rules);
  const auto file = keys.text(kAws);
  const bool is_short = publishes || subscribes || has_clients;
  if (is_short == (keys.take(kAws.name) != nullptr)) {
    reading.tell(Code::policy_form, member.key_place, "", keys.where());
  }
  out.rules = std::move(rules);
  if (file) read_file(*file, keys.place_of(kAws.name), reading, out);
  out.tokens = texts({"tokens", "[\"barn\"]"}, keys, reading);
  note_words(PolicyWord::Kind::thing, {"things", "[\"tank-1\"]"}, keys, reading, out.things);
  note_words(PolicyWord::Kind::type, {"types", "[\"tank\"]"}, keys, reading, out.types);
  keys.finish();
  reading.stack.policies.push_back(std::move(out));
}

bool has_word(const PolicyWord& word, const Thing& thing) {
  switch (word.kind) {
    case PolicyWord::Kind::thing:
      return fits(word.text, thing.id);
    case PolicyWord::Kind::type:
      return fits(word.text, thing.type);
    case PolicyWord::Kind::property:
      return std::any_of(thing.properties.begin(), thing.properties.end(),
                         [&](const Property& each) { return each.name == word.text; });
  }
  return false;
}

}  // namespace

void read_policies(const Member& section, Reading& reading) {
  for (const Member& member : section.node.members) {
    if (declares("policy", member, reading.stack.policies.size(), reading)) {
      read_policy(member, reading);
    }
  }
}

// A name that nothing has would leave its thing without the policy.
void check_policies(Reading& reading) {
  for (const PolicyWord& word : reading.policy_words) {
    std::vector<std::string_view> names;
    bool is_known = false;
    for (const Thing& thing : reading.stack.things) {
      is_known = is_known || has_word(word, thing);
      if (word.kind == PolicyWord::Kind::thing) names.push_back(thing.id);
      if (word.kind == PolicyWord::Kind::type) names.push_back(thing.type);
      if (word.kind != PolicyWord::Kind::property) continue;
      for (const Property& property : thing.properties) names.push_back(property.name);
    }
    if (is_known) continue;
    constexpr std::string_view kWords[] = {"thing", "type of things", "property of things"};
    reading.tell(Code::no_such_policy_word, word.place, did_you_mean(word.text, names),
                 kWords[static_cast<std::size_t>(word.kind)], word.text);
  }
  for (const PolicyFile& each : reading.policy_files) {
    if (!each.is_used) {
      reading.tell(Code::unused_policy_file, {each.file->name}, "", each.file->name);
    }
  }
}

}  // namespace nilo::stack
