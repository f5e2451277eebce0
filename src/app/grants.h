// app/grants.h: what a person allowed a device by hand, beyond its policies and its token.
//
// A device was refused a topic; whoever runs the server sees it among the refused and allows just
// that. It is a row of sys_grants, which survives a restart and can be taken back. A grant never
// undoes what a policy denies.
// Threads: safe to share.
// Limits:  kGrantsMax rows that count; then no more are made. One that was taken back stays as a
//          row of its own until it is given again: what people press bounds those, and the budget
//          of tables.
#pragma once

#include <atomic>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "value/schema.h"
#include "value/value.h"

namespace nilo::app {

inline constexpr std::string_view kGrantsTable = "sys_grants";
inline constexpr std::size_t kGrantsMax = 10'000;

struct Grant {
  enum class Act : std::uint8_t { publish, subscribe };
  std::string login;  // the name of a token or certificate
  Act act = Act::publish;
  std::string topic;  // or filter
  TimeUs granted_us = 0;
  bool revoked = false;
};
std::string_view word_of(Grant::Act act);

TableSchema grants_schema();
// Is its key short enough for a row? A long topic is not: '/', '+' and '#' count three bytes in it.
bool is_storable(const Grant& grant);
// A Grant as cells of sys_grants, in schema order, and back. Views into the grant.
std::vector<Value> cells_of(const Grant& grant);
Grant grant_of(std::span<const Value> cells);

class Grants {
 public:
  // Takes over what is durable now.
  void apply(const Grant& grant);
  std::vector<Grant> list() const;  // those that count
  bool is_full() const;

  // Publishing here, or a subscription that one of the granted covers.
  bool has(std::string_view login, Grant::Act act, std::string_view topic) const;
  // Does a granted subscription bring this topic?
  bool reaches(std::string_view login, std::string_view topic) const;

  // Another number than before: a grant was taken back.
  std::uint64_t changes() const { return changes_; }

 private:
  struct State {
    std::map<std::string, std::vector<Grant>, std::less<>> by_login;
    std::size_t count = 0;
  };
  Guarded<State> state_;
  std::atomic<bool> is_empty_{true};  // usually: then no lock is taken
  std::atomic<std::uint64_t> changes_{0};
};

}  // namespace nilo::app
