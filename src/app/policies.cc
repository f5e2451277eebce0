#include "app/policies.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "app/ingest.h"
#include "base/utf8.h"
#include "value/selector.h"

namespace nilo::app {

namespace {

// Topics that programs made for AWS IoT know. All others with `$` are for people.
constexpr std::string_view kReserved = "$aws/";
constexpr std::size_t kNamesShown = 20;

// What a token, policies and a person's permission come to.
class DeviceScope final : public Scope {
 public:
  DeviceScope(std::shared_ptr<const Scope> token, std::optional<PolicySet> policies,
              bool has_policy, const Grants& grants, std::string user)
      : token_(std::move(token)),
        policies_(std::move(policies)),
        has_policy_(has_policy),
        grants_(grants),
        user_(std::move(user)) {}

  bool may_publish(std::string_view topic) const override {
    const bool has_token = token_ == nullptr || token_->may_publish(topic);
    return holds(has_token, PolicyAction::publish, topic, Grant::Act::publish);
  }
  bool may_retain(std::string_view topic) const override {
    return holds(true, PolicyAction::retain, topic, Grant::Act::publish);
  }
  bool may_subscribe(std::string_view filter) const override {
    const bool has_token = token_ == nullptr || token_->may_subscribe(filter);
    return holds(has_token, PolicyAction::subscribe, filter, Grant::Act::subscribe);
  }
  bool may_receive(std::string_view topic) const override {
    const bool has_token = token_ == nullptr || token_->may_receive(topic);
    if (has_token && policies_ && policies_->allows(PolicyAction::receive, topic)) return true;
    if (has_token && !policies_) return true;
    return !is_denied(PolicyAction::receive, topic) && grants_.reaches(user_, topic);
  }
  bool reaches_reserved() const override { return policies_.has_value(); }

  std::string why_not(Act act, std::string_view topic) const override {
    constexpr PolicyAction kActions[] = {PolicyAction::publish, PolicyAction::retain,
                                         PolicyAction::subscribe, PolicyAction::receive};
    const PolicyAction action = kActions[static_cast<std::size_t>(act)];
    if (policies_) {
      const PolicySet::Verdict verdict = policies_->decide(action, topic);
      if (verdict.denied_by != nullptr) {
        return fmt::format("{} of policy {} denies it", verdict.denied_by->name,
                           verdict.policy->name);
      }
      if (!verdict.is_allowed) {
        const std::string who = printable(user_, 80);
        return has_policy_ ? fmt::format("no policy allows {} to {} here", who, word_of(action))
                           : fmt::format("the stack has policies, and none is for {}", who);
      }
    }
    return token_ == nullptr ? std::string() : token_->why_not(act, topic);
  }

 private:
  bool is_denied(PolicyAction action, std::string_view name) const {
    return policies_ && policies_->decide(action, name).denied_by != nullptr;
  }
  bool holds(bool has_token, PolicyAction action, std::string_view name, Grant::Act grant) const {
    const PolicySet::Verdict verdict =
        policies_ ? policies_->decide(action, name) : PolicySet::Verdict{true, nullptr, nullptr};
    if (verdict.is_allowed && has_token) return true;
    return verdict.denied_by == nullptr && grants_.has(user_, grant, name);
  }

  const std::shared_ptr<const Scope> token_;  // nullptr: it is not limited
  const std::optional<PolicySet> policies_;   // nullopt: they do not limit it
  const bool has_policy_;                     // false: the set is empty
  const Grants& grants_;
  const std::string user_;
};

bool is_named(const std::vector<std::string>& patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return fits(pattern, name); });
}

}  // namespace

// A login is the thing that has its name.
std::shared_ptr<const PolicyThing> Policies::thing_of(const Principal& who) const {
  if (stack_.policies.empty()) return nullptr;
  const stack::Thing* const thing = find_thing_(who.name);
  if (thing == nullptr) return nullptr;
  auto made = std::make_shared<PolicyThing>();
  made->id = thing->id;
  made->type = thing->type;
  made->properties.emplace_back("name", thing->name);
  for (const stack::Property& property : thing->properties) {
    made->properties.emplace_back(property.name, property.text);
  }
  return made;
}

std::vector<std::shared_ptr<const Policy>> Policies::policies_for(const Principal& who,
                                                                  const PolicyThing* thing) const {
  std::vector<std::shared_ptr<const Policy>> out;
  if (who.role != Role::device) return out;
  for (const stack::Policy& policy : stack_.policies) {
    const bool is_for_all = policy.tokens.empty() && policy.things.empty() && policy.types.empty();
    const bool is_meant = is_for_all || is_named(policy.tokens, who.name) ||
                          (thing != nullptr && (is_named(policy.things, thing->id) ||
                                                is_named(policy.types, thing->type)));
    if (is_meant) out.push_back(policy.rules);
  }
  return out;
}

void Policies::limit(Principal& who, PolicySubject subject) const {
  ignore(admit(who, std::move(subject)));
}

Result<void> Policies::admit(Principal& who, PolicySubject subject) const {
  subject.user = who.name;
  subject.thing = thing_of(who);
  const std::string client_id = subject.client_id;
  const auto policies = policies_for(who, subject.thing.get());
  const bool has_policy = !policies.empty();
  const bool is_left_out = leaves_out(who, policies);
  if (!has_policy && !is_left_out && who.scope == nullptr) return {};
  std::optional<PolicySet> set;
  if (has_policy || is_left_out) set.emplace(policies, std::move(subject));
  // Who is left out gets in, so that what it asks for is told and can be allowed.
  const PolicySet::Verdict verdict = has_policy ? set->decide(PolicyAction::connect, client_id)
                                                : PolicySet::Verdict{true, nullptr, nullptr};
  who.scope = std::make_shared<DeviceScope>(std::move(who.scope), std::move(set), has_policy,
                                            grants_, who.name);
  if (verdict.is_allowed) return {};
  return Error{ErrorCode::permission_denied,
               verdict.denied_by != nullptr
                   ? fmt::format("{} of policy {} denies this client id", verdict.denied_by->name,
                                 verdict.policy->name)
                   : fmt::format("no policy allows {} to connect with this client id",
                                 printable(who.name, 80))};
}

bool Policies::leaves_out(const Principal& who,
                          const std::vector<std::shared_ptr<const Policy>>& policies) const {
  return policies.empty() && !stack_.policies.empty() && who.role == Role::device &&
         who.scope == nullptr;
}

void Policies::tell_left_out(const Access& access, Logger& logger) const {
  std::set<std::string> names;
  for (const Token& token : access.list()) names.insert(token.name);
  for (const KnownCertificate& known : access.certificates().list()) names.insert(known.name);
  std::size_t count = 0;
  std::string shown;
  for (const std::string& name : names) {
    const std::optional<Principal> who = access.by_name(name);
    if (!who || !leaves_out(*who, policies_for(*who, thing_of(*who).get()))) continue;
    if (++count > kNamesShown) continue;
    shown += (shown.empty() ? "" : " ") + name;
  }
  if (count == 0) return;
  logger.warn("policies.left_out", {{"devices", count},
                                    {"names", shown},
                                    {"why", "no policy is for them, so they may do nothing"}});
}

bool Policies::may_grant(const Principal& who, PolicySubject subject, Grant::Act act,
                         std::string_view topic) const {
  if (who.role != Role::device || who.name.empty()) return false;
  subject.user = who.name;
  subject.thing = thing_of(who);
  const auto policies = policies_for(who, subject.thing.get());
  // Whatever is allowed, the broker takes no message there but for one rule alone (decision 78).
  const bool is_for_nobody =
      act == Grant::Act::publish && topic.starts_with('$') && !topic.starts_with(kBasicIngest);
  if (is_for_nobody) return false;
  const bool is_reserved = act == Grant::Act::subscribe && topic.starts_with('$');
  if (is_reserved && (policies.empty() || !topic.starts_with(kReserved))) return false;
  const PolicySet set(policies, std::move(subject));
  const auto is_denied = [&](PolicyAction action) {
    return set.decide(action, topic).denied_by != nullptr;
  };
  if (act == Grant::Act::publish) {
    return !is_denied(PolicyAction::publish) && !is_denied(PolicyAction::retain);
  }
  return !is_denied(PolicyAction::subscribe) && !is_denied(PolicyAction::receive);
}

}  // namespace nilo::app
