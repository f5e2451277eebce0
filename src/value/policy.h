// value/policy.h: who may connect, publish, subscribe and receive.
//
// A policy is a list of statements. What no statement allows is not allowed, and a statement that
// denies wins over all that allow. Policies come from a stack in two forms (src/stack): our short
// one, of topic patterns, and that of AWS IoT. Both become this.
//
//   policies + subject -> PolicySet, at CONNECT     conditions are decided here
//   PolicySet::decide(action, topic), per message   no allocation
//
// Threads: Policy and PolicySet are immutable; share freely.
// Limits:  stack/aws_policy.h.
// Source:  AWS IoT Core developer guide, "AWS IoT Core policies"; AWS IAM user guide, "IAM JSON
//          policy elements reference". The few places where we say no and they do not are in
//          docs/access.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "value/policy_text.h"
#include "value/topic_pattern.h"

namespace nilo {

enum class PolicyAction : std::uint8_t { connect, publish, subscribe, receive, retain };
inline constexpr std::size_t kPolicyActions = 5;
std::string_view word_of(PolicyAction action);
constexpr std::uint8_t bit_of(PolicyAction action) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(action));
}

struct PolicyCondition {
  enum class Test : std::uint8_t {
    equals,
    equals_without_case,
    like,
    is_true,
    in_network,
    is_null
  };
  struct Network {
    std::uint8_t bytes[16] = {};  // IPv4 as ::ffff:a.b.c.d
    int bits = 128;
  };
  Test test{};
  PolicyVariable key{};
  bool is_negated = false;
  bool if_exists = false;  // holds where the key is missing
  enum class Set : std::uint8_t { one, any, all };
  Set set = Set::one;  // ForAnyValue, ForAllValues
  std::vector<PolicyText> values{};
  std::vector<Network> networks{};
  bool wanted = true;  // of is_true and is_null

  // "10.0.0.0/8", "2001:db8::1"; false: neither.
  static bool parse_network(std::string_view text, Network& out);
  bool holds(const PolicySubject& subject, bool is_connect) const;

 private:
  bool fits(std::string_view value, const PolicySubject& subject) const;
};

struct PolicyStatement {
  // A pattern of our short form, or the part of an ARN behind the account.
  using Resource = std::variant<TopicPattern, PolicyText>;

  bool denies = false;
  std::uint8_t actions = 0;  // bit_of() each
  bool is_inverted = false;  // NotResource: all but these
  std::vector<Resource> resources{};
  std::vector<PolicyCondition> conditions{};
  std::string name{};  // "statement 2"

  // `name`: a client id, a topic or a filter, as the action has it.
  bool concerns(PolicyAction action, std::string_view name, const PolicySubject& subject) const;
};

struct Policy {
  std::string name;
  std::vector<PolicyStatement> statements;
};

// All policies of one connection.
class PolicySet {
 public:
  PolicySet(const std::vector<std::shared_ptr<const Policy>>& policies, PolicySubject subject);

  struct Verdict {
    bool is_allowed = false;
    const PolicyStatement* denied_by = nullptr;  // nullptr: nothing allows it
    const Policy* policy = nullptr;              // of denied_by
  };
  Verdict decide(PolicyAction action, std::string_view name) const;
  bool allows(PolicyAction action, std::string_view name) const {
    return decide(action, name).is_allowed;
  }
  const PolicySubject& subject() const { return subject_; }

 private:
  struct Held {  // a statement whose conditions hold
    const Policy* policy;
    const PolicyStatement* statement;
    std::uint8_t actions;
  };
  std::vector<std::shared_ptr<const Policy>> policies_;
  PolicySubject subject_;
  std::vector<Held> held_;  // those that deny first
};

}  // namespace nilo
