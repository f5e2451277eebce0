#include "value/policy.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace nilo {

namespace {

constexpr std::uint8_t kConnectBit = bit_of(PolicyAction::connect);

std::string_view kind_of(PolicyAction action) {
  switch (action) {
    case PolicyAction::connect:
      return "client/";
    case PolicyAction::subscribe:
      return "topicfilter/";
    case PolicyAction::publish:
    case PolicyAction::receive:
    case PolicyAction::retain:
      return "topic/";
  }
  return {};
}

// IPv4 as the end of an IPv6 address. False: no address.
bool parse_ip(const std::string& text, std::uint8_t (&out)[16], bool& is_v4) {
  in_addr v4{};
  is_v4 = inet_pton(AF_INET, text.c_str(), &v4) == 1;
  if (!is_v4) return inet_pton(AF_INET6, text.c_str(), out) == 1;
  std::memset(out, 0, 10);
  out[10] = out[11] = 0xff;
  std::memcpy(out + 12, &v4, 4);
  return true;
}

bool is_in(const PolicyCondition::Network& network, std::string_view ip) {
  std::uint8_t bytes[16] = {};
  bool is_v4 = false;
  if (!parse_ip(std::string(ip), bytes, is_v4)) return false;
  for (int bit = 0; bit < network.bits; ++bit) {
    const int mask = 0x80 >> (bit % 8);
    if (((bytes[bit / 8] ^ network.bytes[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

std::string_view word_of(PolicyAction action) {
  switch (action) {
    case PolicyAction::connect:
      return "connect";
    case PolicyAction::publish:
      return "publish";
    case PolicyAction::subscribe:
      return "subscribe";
    case PolicyAction::receive:
      return "receive";
    case PolicyAction::retain:
      return "retain";
  }
  return {};
}

bool PolicyCondition::parse_network(std::string_view text, Network& out) {
  const std::size_t slash = text.find('/');
  bool is_v4 = false;
  if (!parse_ip(std::string(text.substr(0, slash)), out.bytes, is_v4)) return false;
  const int most = is_v4 ? 32 : 128;
  int bits = most;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc() || end != digits.data() + digits.size()) return false;
  }
  if (bits < 0 || bits > most) return false;
  out.bits = bits + 128 - most;
  return true;
}

bool PolicyCondition::fits(std::string_view value, const PolicySubject& subject) const {
  constexpr auto kAll = PolicyText::Values::all;
  switch (test) {
    case Test::equals:
    case Test::like:
      return std::any_of(values.begin(), values.end(), [&](const PolicyText& text) {
        return text.matches({}, value, subject, kAll);
      });
    case Test::equals_without_case:  // the values were made small when they were read
      return std::any_of(values.begin(), values.end(), [&](const PolicyText& text) {
        return text.matches({}, lower(value), subject, kAll);
      });
    case Test::is_true:
      return (lower(value) == "true") == wanted;
    case Test::in_network:
      return std::any_of(networks.begin(), networks.end(),
                         [&](const Network& network) { return is_in(network, value); });
    case Test::is_null:
      break;
  }
  return false;
}

bool PolicyCondition::holds(const PolicySubject& subject, bool is_connect) const {
  // A variable in what it is compared with is missing: the statement does not match.
  for (const PolicyText& text : values) {
    if (text.is_missing_value(subject, PolicyText::Values::all)) return false;
  }
  const bool is_known = key.what != PolicyVariable::What::connect_attributes || is_connect;
  const auto found = is_known ? values_of(key, subject) : std::vector<std::string_view>();
  if (test == Test::is_null) return found.empty() == wanted;
  const auto passes = [&](std::string_view value) { return fits(value, subject) != is_negated; };
  if (set == Set::all) return std::all_of(found.begin(), found.end(), passes);
  if (set == Set::any) {
    return std::any_of(found.begin(), found.end(), passes) || (found.empty() && if_exists);
  }
  if (found.empty()) return if_exists || is_negated;
  if (is_negated) return std::all_of(found.begin(), found.end(), passes);
  return std::any_of(found.begin(), found.end(), passes);
}

bool PolicyStatement::concerns(PolicyAction action, std::string_view name_wanted,
                               const PolicySubject& subject) const {
  // A client id is compared with as a whole; to a topic it must not add levels or wildcards. What
  // is denied is denied to the letter.
  const bool is_plain = denies || action == PolicyAction::connect;
  const auto values = is_plain ? PolicyText::Values::all : PolicyText::Values::topic_safe;
  bool is_listed = false;
  for (const Resource& resource : resources) {
    if (const auto* text = std::get_if<PolicyText>(&resource)) {
      const bool is_missing = is_inverted && text->is_missing_value(subject, values);
      if (is_missing && !denies) return false;  // who knows what would have been left out
      is_listed = is_listed || text->matches(kind_of(action), name_wanted, subject, values);
    } else {
      const auto& pattern = std::get<TopicPattern>(resource);
      is_listed =
          is_listed || (action == PolicyAction::subscribe ? pattern.covers(name_wanted, subject)
                                                          : pattern.matches(name_wanted, subject));
    }
    if (is_listed && !is_inverted) return true;
  }
  return is_listed != is_inverted;
}

PolicySet::PolicySet(const std::vector<std::shared_ptr<const Policy>>& policies,
                     PolicySubject subject)
    : policies_(policies), subject_(std::move(subject)) {
  for (const auto& policy : policies_) {
    for (const PolicyStatement& statement : policy->statements) {
      std::uint8_t actions = 0;
      const auto all_hold = [&](bool is_connect) {
        return std::all_of(
            statement.conditions.begin(), statement.conditions.end(),
            [&](const PolicyCondition& each) { return each.holds(subject_, is_connect); });
      };
      if (all_hold(true)) actions |= statement.actions & kConnectBit;
      if (all_hold(false)) {
        actions = static_cast<std::uint8_t>(actions | (statement.actions & ~kConnectBit));
      }
      if (actions != 0) held_.push_back({policy.get(), &statement, actions});
    }
  }
  std::stable_partition(held_.begin(), held_.end(),
                        [](const Held& each) { return each.statement->denies; });
}

PolicySet::Verdict PolicySet::decide(PolicyAction action, std::string_view name) const {
  for (const Held& each : held_) {
    if ((each.actions & bit_of(action)) == 0) continue;
    if (!each.statement->concerns(action, name, subject_)) continue;
    if (each.statement->denies) return {false, each.statement, each.policy};
    return {true, nullptr, nullptr};
  }
  return {};
}

}  // namespace nilo
