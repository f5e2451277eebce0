#include "stack/aws_policy.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "stack/aws_policy_words.h"
#include "stack/read.h"
#include "value/json.h"

namespace nilo::stack {
namespace {

constexpr std::size_t kShownSizeMax = 80;

// All members of all objects of a JSON text: each has the one colon outside of strings.
std::size_t count_members(std::string_view json) {
  std::size_t count = 0;
  bool is_inside = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '"') is_inside = !is_inside;
    if (is_inside && json[i] == '\\') ++i;
    if (!is_inside && json[i] == ':') ++count;
  }
  return count;
}

// Those that count: of a key that is there twice only the last one does.
std::size_t count_members(const JsonNode& node) {
  std::size_t count = node.is_object() ? node.size() : 0;
  for (const JsonNode& each : node.elements()) count += count_members(each);
  for (const JsonMember& each : node.members()) count += count_members(each.value);
  return count;
}

// A node with what people call it.
struct Spot {
  const JsonNode& node;
  std::string path;
  Place place;
};

class PolicyReader {
 public:
  PolicyReader(const SourceFile& file, Reading& reading) : file_(file), reading_(reading) {}

  void read(const JsonNode& root, nilo::Policy& policy);
  void tell(const Spot& spot, const std::string& summary, const std::string& help = {}) {
    const std::string detail = spot.path.empty() ? "" : "at " + spot.path;
    reading_.tell(Code::bad_policy, spot.place, detail, summary, help);
    is_good_ = false;
  }
  bool is_good() const { return is_good_; }

 private:
  Place place_of(std::string_view text, const Place& otherwise) const;
  Spot member(const Spot& of, const JsonMember& member) const;
  Spot element(const Spot& of, const JsonNode& node, std::size_t index) const;
  bool is_object(const Spot& spot);
  // Calls `read` with the one text, or with each of a list.
  template <typename Read>
  void each_text(const Spot& spot, Read read);
  std::optional<std::string> text_of(const Spot& spot);

  void read_version(const Spot& spot);
  void read_statement(const Spot& spot, nilo::Policy& policy);
  void read_key(std::string_view key, const Spot& spot, PolicyStatement& out);
  void read_actions(const Spot& spot, bool is_inverted, PolicyStatement& out);
  void read_resources(const Spot& spot, PolicyStatement& out);
  void read_conditions(const Spot& spot, PolicyStatement& out);
  void read_condition(std::string_view word, const Spot& key, std::string_view name,
                      PolicyStatement& out);
  void read_value(const Spot& spot, const std::string& text, PolicyCondition& out);
  std::optional<PolicyText> read_text(const Spot& spot, std::string_view text, bool has_wildcards);

  const SourceFile& file_;
  Reading& reading_;
  bool is_good_ = true;
  bool has_variables_ = true;  // those of 2012-10-17
  std::size_t entries_ = 0;
};

// Texts without escapes are views into the file; of others only the path is known.
Place PolicyReader::place_of(std::string_view text, const Place& otherwise) const {
  const std::string_view all = file_.text;
  const bool is_inside =
      text.data() >= all.data() && text.data() + text.size() <= all.data() + all.size();
  if (!is_inside) return otherwise;
  const auto at = static_cast<std::size_t>(text.data() - all.data());
  const std::string_view before = all.substr(0, at);
  const std::size_t newline = before.rfind('\n');
  const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  Place place{file_.name};
  place.line = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
  place.column = count_characters(before.substr(begin)) + 1;
  place.size = std::max<std::size_t>(1, count_characters(text));
  return place;
}

Spot PolicyReader::member(const Spot& of, const JsonMember& member) const {
  const bool is_text = member.value.is_string() || member.value.is_number();
  const Place key = place_of(member.key, of.place);
  return {member.value,
          of.path.empty() ? std::string(member.key) : fmt::format("{}.{}", of.path, member.key),
          is_text ? place_of(member.value.text(), key) : key};
}

Spot PolicyReader::element(const Spot& of, const JsonNode& node, std::size_t index) const {
  const bool is_text = node.is_string() || node.is_number();
  return {node, fmt::format("{}[{}]", of.path, index),
          is_text ? place_of(node.text(), of.place) : of.place};
}

bool PolicyReader::is_object(const Spot& spot) {
  if (spot.node.is_object()) return true;
  tell(spot, "this must be an object {...}");
  return false;
}

std::optional<std::string> PolicyReader::text_of(const Spot& spot) {
  if (spot.node.is_string()) return std::string(spot.node.text());
  tell(spot, "this must be a text");
  return std::nullopt;
}

template <typename Read>
void PolicyReader::each_text(const Spot& spot, Read read) {
  const auto one = [&](const Spot& each) {
    if (++entries_ == kPolicyEntriesMax + 1) {
      tell(each, fmt::format("more than {} actions, resources and values", kPolicyEntriesMax),
           "make two policies of it");
    }
    if (entries_ > kPolicyEntriesMax) return;
    const bool is_boolean = each.node.kind() == JsonKind::boolean;
    if (is_boolean) return read(each, std::string(each.node.is_true() ? "true" : "false"));
    if (const auto text = text_of(each)) read(each, *text);
  };
  if (!spot.node.is_array()) return one(spot);
  if (spot.node.size() == 0) tell(spot, "an empty list", "leave it out, or name something");
  std::size_t index = 0;
  for (const JsonNode& node : spot.node.elements()) one(element(spot, node, index++));
}

void PolicyReader::read_version(const Spot& spot) {
  const auto version = text_of(spot);
  has_variables_ = version && *version == "2012-10-17";
  if (!version || has_variables_ || *version == "2008-10-17") return;
  tell(spot, fmt::format("there is no version `{}`", printable(*version, kShownSizeMax)),
       "write \"2012-10-17\"");
}

std::optional<PolicyText> PolicyReader::read_text(const Spot& spot, std::string_view text,
                                                  bool has_wildcards) {
  if (!has_variables_ && text.find("${") != std::string_view::npos) {
    tell(spot, "variables need version 2012-10-17", "write \"Version\": \"2012-10-17\"");
    return std::nullopt;
  }
  auto parsed = PolicyText::parse(text, {aws_policy_variable, has_wildcards});
  if (parsed) return *std::move(parsed);
  tell(spot, parsed.error().message, "the variables are listed in docs/access.md");
  return std::nullopt;
}

void PolicyReader::read_actions(const Spot& spot, bool is_inverted, PolicyStatement& out) {
  std::uint8_t found = 0;
  each_text(spot, [&](const Spot& each, const std::string& text) {
    const auto bits = aws_actions(text);
    if (bits) {
      found |= *bits;
      return;
    }
    const std::string meant = did_you_mean(text, aws_action_names());
    tell(each, fmt::format("there is no action `{}`", printable(text, kShownSizeMax)),
         meant.empty() ? "the actions are listed in docs/access.md" : meant);
  });
  constexpr std::uint8_t kAll = (1u << kPolicyActions) - 1;
  out.actions = is_inverted ? static_cast<std::uint8_t>(kAll & ~found) : found;
}

void PolicyReader::read_resources(const Spot& spot, PolicyStatement& out) {
  each_text(spot, [&](const Spot& each, const std::string& text) {
    const auto resource = aws_resource(text);
    if (!resource) return tell(each, resource.error().message, resource.error().hint);
    if (auto parsed = read_text(each, *resource, true)) out.resources.emplace_back(*parsed);
  });
}

void PolicyReader::read_value(const Spot& spot, const std::string& text, PolicyCondition& out) {
  using Test = PolicyCondition::Test;
  switch (out.test) {
    case Test::is_true:
    case Test::is_null: {
      const std::string word = lower_case(text);
      if (word != "true" && word != "false") return tell(spot, "this must be true or false");
      out.wanted = word == "true";
      return;
    }
    case Test::in_network: {
      PolicyCondition::Network network;
      if (PolicyCondition::parse_network(text, network)) {
        out.networks.push_back(network);
        return;
      }
      return tell(spot, fmt::format("`{}` is no network", printable(text, kShownSizeMax)),
                  "write \"10.0.0.0/8\", or one address");
    }
    case Test::equals_without_case:
      if (text.find("${") != std::string::npos) {
        return tell(spot, "a variable cannot be compared without case", "use StringEquals");
      }
      [[fallthrough]];
    case Test::equals:
    case Test::like: {
      const bool is_small = out.test == Test::equals_without_case;
      auto parsed = read_text(spot, is_small ? lower_case(text) : text, out.test == Test::like);
      if (parsed) out.values.push_back(*std::move(parsed));
      return;
    }
  }
}

void PolicyReader::read_condition(std::string_view word, const Spot& key, std::string_view name,
                                  PolicyStatement& out) {
  PolicyCondition condition;
  const auto known = aws_operator(word);
  NILO_ASSERT(known);  // read_conditions() has seen it
  condition.test = known->test;
  condition.is_negated = known->is_negated;
  condition.if_exists = known->if_exists;
  condition.set = known->set;
  const auto variable = aws_policy_variable(name);
  if (!variable) {
    return tell(key, fmt::format("there is no condition key `{}`", printable(name, kShownSizeMax)),
                "the keys are listed in docs/access.md");
  }
  condition.key = *variable;
  const std::size_t before = entries_;
  each_text(key,
            [&](const Spot& each, const std::string& text) { read_value(each, text, condition); });
  const bool takes_one = condition.test == PolicyCondition::Test::is_true ||
                         condition.test == PolicyCondition::Test::is_null;
  if (takes_one && entries_ > before + 1) tell(key, "this takes one value");
  out.conditions.push_back(std::move(condition));
}

void PolicyReader::read_conditions(const Spot& spot, PolicyStatement& out) {
  if (!is_object(spot)) return;
  for (const JsonMember& each : spot.node.members()) {
    const Spot keys = member(spot, each);
    if (!aws_operator(each.key)) {
      tell(keys, fmt::format("there is no operator `{}`", printable(each.key, kShownSizeMax)),
           "the operators are listed in docs/access.md");
      continue;
    }
    if (!is_object(keys)) continue;
    for (const JsonMember& key : keys.node.members()) {
      read_condition(each.key, member(keys, key), key.key, out);
    }
  }
}

void PolicyReader::read_key(std::string_view key, const Spot& spot, PolicyStatement& out) {
  if (key == "Sid") {
    text_of(spot);
  } else if (key == "Effect") {
    const auto effect = text_of(spot);
    out.denies = effect && *effect == "Deny";
    if (effect && *effect != "Allow" && *effect != "Deny") {
      tell(spot, "Effect is \"Allow\" or \"Deny\"");
    }
  } else if (key == "Action" || key == "NotAction") {
    read_actions(spot, key == "NotAction", out);
  } else if (key == "Resource" || key == "NotResource") {
    out.is_inverted = key == "NotResource";
    read_resources(spot, out);
  } else if (key == "Condition") {
    read_conditions(spot, out);
  } else if (key == "Principal" || key == "NotPrincipal") {
    tell(spot, fmt::format("`{}` has no place in a policy of things", key),
         "say in [policy.NAME] whom it is for");
  } else {
    tell(spot, fmt::format("unknown key `{}`", printable(key, kShownSizeMax)),
         did_you_mean(key, kAwsStatementKeys));
  }
}

void PolicyReader::read_statement(const Spot& spot, nilo::Policy& policy) {
  if (!is_object(spot)) return;
  if (policy.statements.size() >= kPolicyStatementsMax) {
    return tell(spot, fmt::format("more than {} statements", kPolicyStatementsMax),
                "make two policies of it");
  }
  PolicyStatement out;
  out.name = fmt::format("statement {}", policy.statements.size() + 1);
  for (const JsonMember& each : spot.node.members()) read_key(each.key, member(spot, each), out);
  const auto count = [&](std::string_view one, std::string_view other) {
    return (spot.node.find(one) != nullptr ? 1 : 0) + (spot.node.find(other) != nullptr ? 1 : 0);
  };
  if (spot.node.find("Effect") == nullptr) tell(spot, "a statement needs `Effect`");
  if (count("Action", "NotAction") != 1) {
    tell(spot, "a statement needs either `Action` or `NotAction`");
  }
  if (count("Resource", "NotResource") != 1) {
    tell(spot, "a statement needs either `Resource` or `NotResource`");
  }
  policy.statements.push_back(std::move(out));
}

void PolicyReader::read(const JsonNode& root, nilo::Policy& policy) {
  const Spot all{root, "", {file_.name, 1, 1}};
  if (!is_object(all)) return;
  // First: what the version says holds for everything.
  has_variables_ = false;
  const JsonNode* const version = root.find("Version");
  const JsonNode* statements = nullptr;
  if (version != nullptr) read_version(member(all, {"Version", *version}));
  for (const JsonMember& each : root.members()) {
    const Spot spot = member(all, each);
    if (each.key == "Statement") {
      statements = &each.value;
      if (!each.value.is_array()) {
        read_statement(spot, policy);
        continue;
      }
      std::size_t index = 0;
      for (const JsonNode& node : each.value.elements()) {
        read_statement(element(spot, node, index++), policy);
      }
    } else if (each.key != "Version" && each.key != "Id") {
      tell(spot, fmt::format("unknown key `{}`", printable(each.key, kShownSizeMax)),
           did_you_mean(each.key, std::array<std::string_view, 3>{"Version", "Id", "Statement"}));
    }
  }
  if (statements == nullptr) tell(all, "a policy needs `Statement`");
}

}  // namespace

std::shared_ptr<const nilo::Policy> read_aws_policy(const SourceFile& file, const std::string& name,
                                                    Reading& reading) {
  JsonDocument document;
  PolicyReader reader(file, reading);
  const auto root = document.parse(file.text);
  if (!root) {
    static const JsonNode none{};
    reader.tell({none, "", {file.name}}, root.error().message, root.error().hint);
    return nullptr;
  }
  // Of two that say the opposite, which was meant?
  if (count_members(**root) != count_members(file.text)) {
    reader.tell({**root, "", {file.name}}, "a key stands twice in one object",
                "leave one of them out");
  }
  auto policy = std::make_shared<nilo::Policy>();
  policy->name = name;
  reader.read(**root, *policy);
  if (!reader.is_good()) return nullptr;
  return policy;
}

}  // namespace nilo::stack
