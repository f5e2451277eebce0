#include "app/grants.h"

#include <algorithm>

#include "app/own_row.h"
#include "base/assert.h"
#include "bus/topic_filter.h"
#include "value/key.h"

namespace nilo::app {

std::string_view word_of(Grant::Act act) {
  return act == Grant::Act::publish ? "publish" : "subscribe";
}

TableSchema grants_schema() {
  TableSchema schema = private_table(
      kGrantsTable, {own_column("login", Type::text), own_column("act", Type::text),
                     own_column("topic", Type::text), own_column("granted", Type::timestamp),
                     own_column("revoked", Type::boolean)});
  schema.partition_count = 3;
  return schema;
}

bool is_storable(const Grant& grant) {
  const std::vector<Value> cells = cells_of(grant);
  std::string key;
  append_key_text(key, std::span(cells).first(grants_schema().partition_count));
  return key.size() <= kKeySizeMax;
}

std::vector<Value> cells_of(const Grant& grant) {
  return {Value::text(grant.login), Value::text(word_of(grant.act)), Value::text(grant.topic),
          Value::timestamp(grant.granted_us), Value::boolean(grant.revoked)};
}

Grant grant_of(std::span<const Value> cells) {
  NILO_ASSERT(cells.size() >= 5);
  Grant grant;
  grant.login = text_in(cells[0]);
  grant.act = text_in(cells[1]) == word_of(Grant::Act::subscribe) ? Grant::Act::subscribe
                                                                  : Grant::Act::publish;
  grant.topic = text_in(cells[2]);
  grant.granted_us = number_in(cells[3]);
  grant.revoked = is_true(cells[4]);
  return grant;
}

void Grants::apply(const Grant& grant) {
  const bool is_empty = state_.with([&](State& state) {
    std::vector<Grant>& known = state.by_login[grant.login];
    state.count -= std::erase_if(known, [&](const Grant& each) {
      return each.act == grant.act && each.topic == grant.topic;
    });
    if (!grant.revoked) {
      known.push_back(grant);
      ++state.count;
    } else if (known.empty()) {
      state.by_login.erase(grant.login);
    }
    return state.count == 0;
  });
  is_empty_ = is_empty;
  if (grant.revoked) ++changes_;
}

std::vector<Grant> Grants::list() const {
  return state_.with([](const State& state) {
    std::vector<Grant> out;
    for (const auto& [login, grants] : state.by_login) {
      out.insert(out.end(), grants.begin(), grants.end());
    }
    return out;
  });
}

bool Grants::is_full() const {
  return state_.with([](const State& state) { return state.count >= kGrantsMax; });
}

bool Grants::has(std::string_view login, Grant::Act act, std::string_view topic) const {
  if (is_empty_) return false;
  return state_.with([&](const State& state) {
    const auto known = state.by_login.find(login);
    if (known == state.by_login.end()) return false;
    return std::any_of(known->second.begin(), known->second.end(), [&](const Grant& each) {
      if (each.act != act) return false;
      if (act == Grant::Act::publish) return each.topic == topic;
      const auto filter = bus::TopicFilter::parse(each.topic);
      return filter && filter->covers(topic);
    });
  });
}

bool Grants::reaches(std::string_view login, std::string_view topic) const {
  if (is_empty_) return false;
  return state_.with([&](const State& state) {
    const auto known = state.by_login.find(login);
    if (known == state.by_login.end()) return false;
    return std::any_of(known->second.begin(), known->second.end(), [&](const Grant& each) {
      if (each.act != Grant::Act::subscribe) return false;
      const auto filter = bus::TopicFilter::parse(each.topic);
      return filter && filter->matches(topic);
    });
  });
}

}  // namespace nilo::app
