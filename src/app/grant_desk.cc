#include "app/grant_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "app/refused_list.h"
#include "base/utf8.h"
#include "bus/topic_filter.h"

namespace nilo::app {

// What a person may allow of a topic that was refused: exactly what was shown.
std::optional<Grant> GrantDesk::grant_for(const api::RefusedClient& client) const {
  if (client.user.empty() || !rooms_.access.has_valid(client.user)) return std::nullopt;
  if (client.topic.size() >= kRefusedTextMax || rooms_.grants.is_full()) return std::nullopt;
  const bool publishes = client.what == "publish";
  const Grant::Act act = publishes ? Grant::Act::publish : Grant::Act::subscribe;
  const bool is_topic = publishes ? bus::check_topic(client.topic).has_value()
                                  : bus::TopicFilter::parse(client.topic).has_value();
  if (!is_topic) return std::nullopt;
  PolicySubject subject;
  subject.client_id = client.client;
  subject.source_ip = client.ip;
  // Who has no token has a certificate, and those are devices'.
  const auto token = rooms_.access.token(client.user);
  const Principal who{client.user, token ? token->role : Role::device};
  if (!rooms_.policies.may_grant(who, std::move(subject), act, client.topic)) return std::nullopt;
  Grant grant{client.user, act, client.topic, rooms_.clock.wall_us()};
  if (!is_storable(grant)) return std::nullopt;
  return grant;
}

std::optional<std::string> GrantDesk::would_allow(const api::RefusedClient& client) const {
  const auto grant = grant_for(client);
  if (!grant) return std::nullopt;
  return fmt::format(
      "Let {} {} {} from now on, besides what its policies and its token allow.", grant->login,
      grant->act == Grant::Act::publish ? "publish to" : "subscribe to", grant->topic);
}

void GrantDesk::allow(const api::RefusedClient& client, const api::Done<std::string>& done) {
  const auto grant = grant_for(client);
  if (!grant) return done(Error{ErrorCode::not_found, "this cannot be allowed any more"});
  store({*grant}, [this, grant = *grant, done](const Result<void>& stored) {
    if (!stored) return done(stored.error());
    rooms_.logger.info(
        "access.granted",
        {{"login", grant.login}, {"act", word_of(grant.act)}, {"topic", grant.topic}});
    done(fmt::format("{} may {} {} from now on; nilo access revoke takes that back.", grant.login,
                     word_of(grant.act), grant.topic));
  });
}

std::vector<api::GrantInfo> GrantDesk::list() const {
  std::vector<api::GrantInfo> out;
  for (const Grant& grant : rooms_.grants.list()) {
    out.push_back({grant.login, std::string(word_of(grant.act)), grant.topic, grant.granted_us});
  }
  return out;
}

void GrantDesk::revoke(const api::GrantInfo& which, const api::Done<void>& done) {
  const std::vector<Grant> all = rooms_.grants.list();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Grant& each) {
    return each.login == which.login && word_of(each.act) == which.act && each.topic == which.topic;
  });
  if (found == all.end()) {
    return done(Error{ErrorCode::not_found,
                      fmt::format("{} was not allowed by hand to {} {}", printable(which.login, 80),
                                  which.act, printable(which.topic, 200)),
                      "what was: nilo access ls"});
  }
  Grant grant = *found;
  grant.revoked = true;
  store({grant}, [this, grant, done](const Result<void>& stored) {
    if (stored) {
      rooms_.logger.info(
          "access.grant_revoked",
          {{"login", grant.login}, {"act", word_of(grant.act)}, {"topic", grant.topic}});
    }
    done(stored);
  });
}

void GrantDesk::revoke_all_of(std::string_view login, const api::Done<void>& done) {
  std::vector<Grant> theirs = rooms_.grants.list();
  std::erase_if(theirs, [&](const Grant& grant) { return grant.login != login; });
  if (theirs.empty()) return done({});
  for (Grant& grant : theirs) grant.revoked = true;
  store(std::move(theirs), done);
}

// In one record: all of them count, or none.
void GrantDesk::store(std::vector<Grant> grants, const api::Done<void>& done) {
  const auto shared = std::make_shared<const std::vector<Grant>>(std::move(grants));
  rooms_.commit(
      [this, shared](RecordWriter& record) {
        for (const Grant& grant : *shared) {
          write_own_row(rooms_.tables, kGrantsTable, grant.granted_us, cells_of(grant), record);
        }
      },
      [this, shared, done](const Result<void>& outcome) {
        if (!outcome) return done(outcome);
        for (const Grant& grant : *shared) rooms_.grants.apply(grant);
        done(outcome);
      });
}

}  // namespace nilo::app
