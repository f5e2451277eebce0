// stack/aws_policy_words.h: the words of AWS IoT policies: actions, resources, operators.
//
// In/out:  a text of a policy document -> what it means, or nothing.
// Threads: pure functions.
// Source:  AWS service authorization reference, "AWS IoT"; IAM user guide, "Condition operators".
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "value/policy.h"

namespace nilo::stack {

inline constexpr std::string_view kAwsStatementKeys[] = {
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"};

std::span<const std::string_view> aws_action_names();

// bit_of() the actions that `text` names, with `*` and `?`, in any case; 0 for those that are known
// and never asked for here. nullopt: it names none.
std::optional<std::uint8_t> aws_actions(std::string_view text);

// The part of an ARN that is compared: "topic/a/*" of "arn:aws:iot:eu-central-1:1234:topic/a/*";
// partition, region and account may be any. "*" of "*".
// invalid_argument: no ARN of this service, or of a kind that there is not.
Result<std::string> aws_resource(std::string_view text);

struct AwsOperator {
  PolicyCondition::Test test{};
  bool is_negated = false;
  bool if_exists = false;
  PolicyCondition::Set set{};
};
// "ForAnyValue:StringLikeIfExists".
std::optional<AwsOperator> aws_operator(std::string_view word);

}  // namespace nilo::stack
