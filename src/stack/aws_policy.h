// stack/aws_policy.h: an AWS IoT policy document, read as it is.
//
// In/out:  a JSON file of the stack -> Policy, or mistakes, each with its line and its path
//          ("Statement[1].Condition"). What is not understood is a mistake: a policy that was read
//          half would allow what its author did not mean.
// Threads: one.
// Limits:  kPolicyStatementsMax statements, kPolicyEntriesMax actions, resources and values in all.
// Source:  AWS IoT Core developer guide, "AWS IoT Core policies"; docs/access.md has what is known.
#pragma once

#include <memory>
#include <string>

#include "stack/section.h"
#include "value/policy.h"

namespace nilo::stack {

inline constexpr std::size_t kPolicyStatementsMax = 100;
inline constexpr std::size_t kPolicyEntriesMax = 2000;

// `name`: of the policy. Tells of every mistake; then nothing.
std::shared_ptr<const nilo::Policy> read_aws_policy(const SourceFile& file, const std::string& name,
                                                    Reading& reading);

}  // namespace nilo::stack
