#include "stack/aws_policy_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/nearest.h"
#include "base/utf8.h"
#include "stack/read.h"

namespace nilo::stack {
namespace {

struct Action {
  std::string_view name;
  std::uint8_t bits;
};

// Shadows, jobs and the rest are known: whoever allows them here allows nothing.
constexpr Action kActions[] = {{"iot:Connect", bit_of(PolicyAction::connect)},
                               {"iot:Publish", bit_of(PolicyAction::publish)},
                               {"iot:Subscribe", bit_of(PolicyAction::subscribe)},
                               {"iot:Receive", bit_of(PolicyAction::receive)},
                               {"iot:RetainPublish", bit_of(PolicyAction::retain)},
                               {"iot:GetRetainedMessage", 0},
                               {"iot:ListRetainedMessages", 0},
                               {"iot:GetThingShadow", 0},
                               {"iot:UpdateThingShadow", 0},
                               {"iot:DeleteThingShadow", 0},
                               {"iot:ListNamedShadowsForThing", 0},
                               {"iot:StartNextPendingJobExecution", 0},
                               {"iot:UpdateJobExecution", 0},
                               {"iot:DescribeJobExecution", 0},
                               {"iot:GetPendingJobExecutions", 0},
                               {"iot:AssumeRoleWithCertificate", 0},
                               {"iot:GetConnection", 0},
                               {"iot:ListSubscriptions", 0},
                               {"iot:DeleteConnection", 0},
                               {"iotjobsdata:StartNextPendingJobExecution", 0},
                               {"iotjobsdata:UpdateJobExecution", 0},
                               {"iotjobsdata:DescribeJobExecution", 0},
                               {"iotjobsdata:GetPendingJobExecutions", 0}};

// Of `kind`/name. Only the first three are asked for.
constexpr std::string_view kKinds[] = {"client",     "topic",     "topicfilter", "thing",
                                       "thinggroup", "thingtype", "cert",        "job",
                                       "rolealias",  "policy",    "rule",        "stream"};

struct Operator {
  std::string_view name;
  PolicyCondition::Test test;
  bool is_negated;
};
using Test = PolicyCondition::Test;
constexpr Operator kOperators[] = {{"StringEquals", Test::equals, false},
                                   {"StringNotEquals", Test::equals, true},
                                   {"StringEqualsIgnoreCase", Test::equals_without_case, false},
                                   {"StringNotEqualsIgnoreCase", Test::equals_without_case, true},
                                   {"StringLike", Test::like, false},
                                   {"StringNotLike", Test::like, true},
                                   {"Bool", Test::is_true, false},
                                   {"IpAddress", Test::in_network, false},
                                   {"NotIpAddress", Test::in_network, true},
                                   {"Null", Test::is_null, false}};

bool is_made_of(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || more.find(c) != std::string::npos;
  });
}

bool is_stars(std::string_view text) {
  return !text.empty() && text.find_first_not_of('*') == std::string_view::npos;
}

Error not_a_resource(std::string_view text, std::string why) {
  return {ErrorCode::invalid_argument,
          fmt::format("`{}` is no resource: {}", printable(text, 120), why),
          "write arn:aws:iot:REGION:ACCOUNT:topic/..., client/... or topicfilter/..., or *"};
}

}  // namespace

std::span<const std::string_view> aws_action_names() {
  static constexpr auto kNames = [] {
    std::array<std::string_view, std::size(kActions)> names{};
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = kActions[i].name;
    return names;
  }();
  return kNames;
}

std::optional<std::uint8_t> aws_actions(std::string_view text) {
  const auto pattern = PolicyText::parse(lower_case(text), {nullptr, true});
  if (!pattern) return std::nullopt;
  std::optional<std::uint8_t> found;
  for (const Action& action : kActions) {
    const bool fits = pattern->matches({}, lower_case(action.name), {}, PolicyText::Values::all);
    if (fits) found = static_cast<std::uint8_t>(found.value_or(0) | action.bits);
  }
  return found;
}

Result<std::string> aws_resource(std::string_view text) {
  if (is_stars(text)) return std::string("*");
  std::string_view rest = text;
  std::string_view parts[5];  // arn, partition, service, region, account
  for (std::string_view& part : parts) {
    const std::size_t colon = rest.find(':');
    if (colon == std::string_view::npos) {
      return not_a_resource(text, "an ARN has six parts with `:` between them");
    }
    part = rest.substr(0, colon);
    rest.remove_prefix(colon + 1);
  }
  if (parts[0] != "arn") return not_a_resource(text, "an ARN begins with `arn:`");
  if (parts[2] != "iot" && !is_stars(parts[2])) {
    return not_a_resource(text, "it is of another service than iot");
  }
  const bool is_formed =
      is_made_of(parts[1], "-*?") && is_made_of(parts[3], "-*?") && is_made_of(parts[4], "*?");
  if (!is_formed) {
    return not_a_resource(text, "partition, region and account are small letters, digits and `-`");
  }
  const std::string_view kind = rest.substr(0, rest.find_first_of("/*?"));
  const bool is_whole = kind.size() < rest.size() && rest[kind.size()] == '/';
  const bool may_be_known = std::any_of(
      std::begin(kKinds), std::end(kKinds),
      [&](std::string_view known) { return is_whole ? known == kind : known.starts_with(kind); });
  if (may_be_known && kind.size() < rest.size()) return std::string(rest);
  const std::string_view meant = nearest(kind, kKinds);
  return not_a_resource(text, meant.empty() ? fmt::format("there is no kind `{}`", kind)
                                            : fmt::format("did you mean `{}/`?", meant));
}

std::optional<AwsOperator> aws_operator(std::string_view word) {
  AwsOperator out;
  constexpr std::string_view kAny = "ForAnyValue:";
  constexpr std::string_view kAll = "ForAllValues:";
  constexpr std::string_view kIfExists = "IfExists";
  if (word.starts_with(kAny)) {
    out.set = PolicyCondition::Set::any;
    word.remove_prefix(kAny.size());
  } else if (word.starts_with(kAll)) {
    out.set = PolicyCondition::Set::all;
    word.remove_prefix(kAll.size());
  }
  out.if_exists = word.ends_with(kIfExists);
  if (out.if_exists) word.remove_suffix(kIfExists.size());
  const auto* const known = std::find_if(std::begin(kOperators), std::end(kOperators),
                                         [&](const Operator& each) { return each.name == word; });
  if (known == std::end(kOperators)) return std::nullopt;
  out.test = known->test;
  out.is_negated = known->is_negated;
  const bool is_null = out.test == Test::is_null;
  if (is_null && (out.if_exists || out.set != PolicyCondition::Set::one)) return std::nullopt;
  return out;
}

}  // namespace nilo::stack
