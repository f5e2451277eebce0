// Any bytes as a policy of AWS IoT, and as a client id of the one who asks: no crash, and a
// client id with a level or a wildcard in it reaches nothing that one without a value does not.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "stack/stack.h"

using nilo::PolicyAction;
using nilo::PolicySet;
using nilo::PolicySubject;

namespace {

PolicySet set_for(const nilo::stack::Loaded& loaded, std::string_view client_id) {
  PolicySubject subject;
  subject.client_id = client_id;
  subject.source_ip = "10.0.0.1";
  return {{loaded.stack.policies.front().rules}, subject};
}

}  // namespace

// Does what this policy allows depend on the client id by its variables alone, and by what they
// allow?
bool is_plain(const nilo::Policy& policy) {
  return std::all_of(policy.statements.begin(), policy.statements.end(), [](const auto& each) {
    return each.conditions.empty() && !(each.denies && each.is_inverted);
  });
}

// CLIENT_ID \n POLICY
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t newline = bytes.find('\n');
  const std::string_view client_id = bytes.substr(0, newline);
  const std::string_view policy =
      newline == std::string_view::npos ? "" : bytes.substr(newline + 1);
  const bool is_short = policy.starts_with('[');
  nilo::stack::SourceFiles files{
      {"nilo.toml", is_short ? std::string(policy) : "[policy.p]\naws = \"policies/p.json\"\n"}};
  if (!is_short) files.push_back({"policies/p.json", std::string(policy)});
  const nilo::stack::Loaded loaded = nilo::stack::parse(std::move(files));
  NILO_ASSERT(render(loaded.diagnostics, loaded.files, false).empty() == loaded.ok());
  if (!loaded.ok() || loaded.stack.policies.empty()) return 0;
  const bool is_wild = !nilo::is_topic_safe(client_id);
  const PolicySet set = set_for(loaded, client_id);
  const PolicySet nobody = set_for(loaded, "");
  const bool is_comparable = is_wild && is_plain(*loaded.stack.policies.front().rules);
  for (const auto action :
       {PolicyAction::publish, PolicyAction::receive, PolicyAction::subscribe}) {
    for (const std::string_view topic : {"a", "a/b", "+/b", "#", "a/#", "$aws/rules/x", "in/a/b"}) {
      const bool is_allowed = set.allows(action, topic);
      NILO_ASSERT(!is_comparable || !is_allowed || nobody.allows(action, topic));
    }
  }
  return 0;
}
