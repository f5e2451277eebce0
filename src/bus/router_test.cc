#include "bus/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>

namespace nilo::bus {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

TopicFilter filter_of(std::string_view text) { return *TopicFilter::parse(text); }

bool subscribe(Router& router, std::uint64_t session, std::string_view filter,
               SubscriptionOptions options = {}) {
  return router.subscribe({0, session}, filter_of(filter), options);
}

std::vector<Match> matches(const Router& router, std::string_view topic) {
  std::vector<Match> out;
  std::vector<GroupPtr> groups;
  router.match(topic, out, groups);
  return out;
}

PresencePtr presence(Presence now = Presence::ready) {
  return std::make_shared<std::atomic<Presence>>(now);
}

// As a member of "$share/`group`/`filter`".
bool join(Router& router, std::uint64_t session, const std::string& group, std::string_view filter,
          PresencePtr now = presence()) {
  return router.join({0, session}, filter_of(filter), "$share/" + group + "/" + std::string(filter),
                     {}, std::move(now));
}

std::vector<GroupPtr> groups(const Router& router, std::string_view topic) {
  std::vector<Match> out;
  std::vector<GroupPtr> found;
  router.match(topic, out, found);
  return found;
}

// Who gets `count` messages to `topic`, on which one group listens.
std::vector<std::uint64_t> served(const Router& router, std::string_view topic, int count) {
  std::vector<std::uint64_t> out;
  for (int i = 0; i < count; ++i) {
    out.push_back(groups(router, topic).at(0)->next().target.session);
  }
  return out;
}

std::vector<std::uint64_t> sessions(const Router& router, std::string_view topic) {
  std::vector<std::uint64_t> out;
  for (const Match& match : matches(router, topic)) out.push_back(match.target.session);
  return out;
}

TEST(Router, FindsWhoHearsATopic) {
  Router router;
  subscribe(router, 1, "a/b");
  subscribe(router, 2, "a/+");
  subscribe(router, 3, "a/#");
  subscribe(router, 4, "#");
  subscribe(router, 5, "+/b/c");
  EXPECT_THAT(sessions(router, "a/b"), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(sessions(router, "a"), ElementsAre(3, 4));
  EXPECT_THAT(sessions(router, "x/b/c"), ElementsAre(4, 5));
  EXPECT_THAT(sessions(router, "$a/b"), ElementsAre());
}

TEST(Router, AppendsToWhatIsThere) {
  Router router;
  subscribe(router, 1, "b");
  subscribe(router, 2, "a");
  std::vector<Match> out;
  std::vector<GroupPtr> none;
  router.match("a", out, none);
  router.match("b", out, none);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].target.session, 2u);
  EXPECT_EQ(out[1].target.session, 1u);
}

TEST(Router, KeepsTheSessionsOfDifferentLoopsApart) {
  Router router;
  router.subscribe({0, 7}, filter_of("a"), {});
  router.subscribe({1, 7}, filter_of("a"), {});
  EXPECT_EQ(matches(router, "a").size(), 2u);
  router.remove({0, 7});
  ASSERT_EQ(matches(router, "a").size(), 1u);
  EXPECT_EQ(matches(router, "a")[0].target, (Target{1, 7}));
}

TEST(Router, MergesOverlappingSubscriptionsOfOneTarget_MQTT_3_3_4_2) {
  Router router;
  subscribe(router, 1, "a/b", {Qos::at_most_once, true, false, 0, 10});
  subscribe(router, 1, "a/#", {Qos::exactly_once, true, false, 0, 20});
  subscribe(router, 1, "+/b", {Qos::at_least_once, true, true, 0, 0});
  subscribe(router, 2, "a/#", {Qos::at_least_once, false, false, 0, 30});
  const auto found = matches(router, "a/b");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].options.qos, Qos::exactly_once);
  EXPECT_TRUE(found[0].options.no_local);
  EXPECT_TRUE(found[0].options.retain_as_published);
  EXPECT_THAT(found[0].identifiers, UnorderedElementsAre(10, 20));
  EXPECT_EQ(found[0].options.identifier, found[0].identifiers.front());
  EXPECT_EQ(found[1].options.qos, Qos::at_least_once);
  EXPECT_THAT(found[1].identifiers, ElementsAre(30));
}

TEST(Router, DeliversLocallyIfAnyOverlappingSubscriptionAllowsIt) {
  Router router;
  subscribe(router, 1, "a", {Qos::at_most_once, true, false, 0, 0});
  subscribe(router, 1, "#", {Qos::at_most_once, false, false, 0, 0});
  EXPECT_FALSE(matches(router, "a").at(0).options.no_local);
}

TEST(Router, ReplacesTheOptionsOfARepeatedSubscription) {
  Router router;
  EXPECT_TRUE(subscribe(router, 1, "a", {Qos::at_most_once, false, false, 0, 1}));
  EXPECT_FALSE(subscribe(router, 1, "a", {Qos::at_least_once, false, false, 0, 2}));
  const auto found = matches(router, "a");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].options.qos, Qos::at_least_once);
  EXPECT_THAT(found[0].identifiers, ElementsAre(2));
  EXPECT_EQ(router.subscription_count(), 1u);
}

TEST(Router, LeavesNoNodesBehind) {
  Router router;
  const std::vector<std::string> filters{"a", "a/b", "a/b/c", "a/+/c", "a/#",
                                         "#", "+",   "/",     "a//b"};
  for (std::uint64_t session = 1; session <= 3; ++session) {
    for (const std::string& filter : filters) EXPECT_TRUE(subscribe(router, session, filter));
  }
  EXPECT_EQ(router.subscription_count(), 3 * filters.size());
  for (const std::string& filter : filters) {
    EXPECT_TRUE(router.unsubscribe({0, 1}, filter));
    EXPECT_FALSE(router.unsubscribe({0, 1}, filter));
  }
  router.remove({0, 2});
  EXPECT_THAT(sessions(router, "a/b/c"), ElementsAre(3));
  router.remove({0, 3});
  EXPECT_EQ(router.subscription_count(), 0u);
  EXPECT_EQ(router.node_count(), 0u);
  EXPECT_THAT(sessions(router, "a/b/c"), ElementsAre());
}

TEST(Router, ForgetsAWildcardThatNobodyUses) {
  Router router;
  subscribe(router, 1, "a/+");
  subscribe(router, 1, "a/#");
  subscribe(router, 1, "a/b");
  router.unsubscribe({0, 1}, "a/+");
  router.unsubscribe({0, 1}, "a/#");
  EXPECT_EQ(router.node_count(), 2u);
  EXPECT_EQ(matches(router, "a/b").size(), 1u);
  EXPECT_EQ(matches(router, "a/c").size(), 0u);
}

TEST(Router, ChangesItsVersionWithEveryChangeOnly) {
  Router router;
  std::set<std::uint64_t> seen{router.version()};
  subscribe(router, 1, "a");
  EXPECT_TRUE(seen.insert(router.version()).second);
  subscribe(router, 1, "a", {Qos::at_least_once, false, false, 0, 0});
  EXPECT_TRUE(seen.insert(router.version()).second);
  router.unsubscribe({0, 1}, "a");
  EXPECT_TRUE(seen.insert(router.version()).second);
  const std::uint64_t version = router.version();
  router.unsubscribe({0, 1}, "a");
  router.remove({0, 1});
  matches(router, "a");
  EXPECT_EQ(router.version(), version);
}

// Every answer is compared with what TopicFilter says of each subscription alone.
TEST(Router, AgreesWithAPlainListUnderRandomChanges) {
  std::mt19937 random(20'261'122);
  const std::vector<std::string> levels{"a", "b", "", "$c", "+"};
  const auto random_text = [&](bool is_filter) {
    std::string text;
    const std::size_t count = 1 + random() % 4;
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) text += '/';
      text += levels[random() % (is_filter ? 5 : 4)];
    }
    if (is_filter && random() % 4 == 0) text += "/#";
    return text.empty() ? std::string(is_filter ? "#" : "/") : text;
  };
  Router router;
  std::map<std::pair<std::uint64_t, std::string>, TopicFilter> model;
  for (int round = 0; round < 20'000; ++round) {
    const std::uint64_t session = random() % 5;
    const std::string filter = random_text(true);
    switch (random() % 8) {
      case 0:
        router.remove({0, session});
        std::erase_if(model, [&](const auto& each) { return each.first.first == session; });
        break;
      case 1:
      case 2:
        EXPECT_EQ(router.unsubscribe({0, session}, filter), model.erase({session, filter}) == 1);
        break;
      default:
        EXPECT_EQ(subscribe(router, session, filter),
                  model.emplace(std::pair(session, filter), filter_of(filter)).second);
    }
    const std::string topic = random_text(false);
    std::set<std::uint64_t> expected;
    for (const auto& [key, each] : model) {
      if (each.matches(topic)) expected.insert(key.first);
    }
    ASSERT_THAT(sessions(router, topic), testing::ElementsAreArray(expected)) << topic;
  }
  EXPECT_EQ(router.subscription_count(), model.size());
}

TEST(Router, HoldsAHundredThousandSubscriptions) {
  constexpr std::uint64_t kCount = 100'000;
  Router router;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    subscribe(router, i, "site/" + std::to_string(i) + "/command");
    if (i % 20 == 0) subscribe(router, i, "all/command");
  }
  EXPECT_EQ(router.subscription_count(), kCount + kCount / 20);
  EXPECT_THAT(sessions(router, "site/77777/command"), ElementsAre(77777));
  EXPECT_EQ(sessions(router, "all/command").size(), kCount / 20);
  for (std::uint64_t i = 0; i < kCount; ++i) router.remove({0, i});
  EXPECT_EQ(router.node_count(), 0u);
}

TEST(Router, MatchesOnManyThreadsWhileOneChangesIt) {
  Router router;
  subscribe(router, 0, "a/#");
  std::atomic<bool> is_done{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      std::vector<Match> out;
      std::vector<GroupPtr> groups_heard;
      do {
        out.clear();
        groups_heard.clear();
        router.match("a/b", out, groups_heard);
        for (const GroupPtr& group : groups_heard) EXPECT_LT(group->next().target.session, 11u);
        ASSERT_GE(out.size(), 1u);
        ASSERT_EQ(out[0].target.session, 0u);
      } while (!is_done);
    });
  }
  for (std::uint64_t round = 0; round < 2000; ++round) {
    subscribe(router, 1 + round % 10, "a/+");
    join(router, 1 + round % 10, "g", "a/+");
    if (round % 3 == 0) router.remove({0, 1 + round % 7});
  }
  is_done = true;
  for (std::thread& reader : readers) reader.join();
}

TEST(SharedSubscription, EachMessageGoesToOneMemberInTurn_MQTT_4_8_2_3) {
  Router router;
  for (std::uint64_t session = 1; session <= 3; ++session) join(router, session, "g", "a/+");
  EXPECT_THAT(matches(router, "a/b"), ElementsAre());
  EXPECT_THAT(served(router, "a/b", 6), ElementsAre(1, 2, 3, 1, 2, 3));
  // One turn for all topics of the filter: else each of a thousand topics began with the first.
  EXPECT_THAT(served(router, "a/b", 1), ElementsAre(1));
  EXPECT_THAT(served(router, "a/c", 2), ElementsAre(2, 3));
}

TEST(SharedSubscription, EveryGroupAndEveryOtherSubscriberGetsTheMessage) {
  Router router;
  join(router, 1, "g", "a");
  join(router, 1, "h", "a");
  join(router, 2, "g", "#");
  subscribe(router, 1, "a");
  EXPECT_THAT(sessions(router, "a"), ElementsAre(1));
  EXPECT_EQ(groups(router, "a").size(), 3u);
  EXPECT_EQ(router.subscription_count(), 4u);
}

TEST(SharedSubscription, PrefersTheMemberThatIsReadiest) {
  Router router;
  const PresencePtr one = presence(Presence::away);
  const PresencePtr two = presence(Presence::full);
  const PresencePtr three = presence(Presence::busy);
  join(router, 1, "g", "a", one);
  join(router, 2, "g", "a", two);
  join(router, 3, "g", "a", three);
  EXPECT_THAT(served(router, "a", 2), ElementsAre(3, 3));
  *three = Presence::full;
  EXPECT_THAT(served(router, "a", 2), ElementsAre(1, 1));
  *two = Presence::ready;
  EXPECT_THAT(served(router, "a", 2), ElementsAre(2, 2));
  *one = *two = Presence::full;
  EXPECT_THAT(served(router, "a", 3), ElementsAre(3, 1, 2));
}

TEST(SharedSubscription, EndsWithItsMembers) {
  Router router;
  EXPECT_TRUE(join(router, 1, "g", "a"));
  EXPECT_FALSE(join(router, 1, "g", "a"));
  EXPECT_TRUE(join(router, 2, "g", "a"));
  subscribe(router, 2, "a");
  const std::uint64_t before = router.version();
  EXPECT_FALSE(router.quit({0, 3}, "$share/g/a"));
  EXPECT_FALSE(router.quit({0, 1}, "$share/other/a"));
  EXPECT_FALSE(router.quit({0, 1}, "a"));
  EXPECT_EQ(router.version(), before);
  EXPECT_TRUE(router.quit({0, 1}, "$share/g/a"));
  EXPECT_NE(router.version(), before);
  EXPECT_THAT(served(router, "a", 2), ElementsAre(2, 2));
  EXPECT_NE(router.group("$share/g/a"), nullptr);
  router.remove({0, 2});
  EXPECT_EQ(router.group("$share/g/a"), nullptr);
  EXPECT_EQ(router.node_count(), 0u);
  EXPECT_EQ(router.subscription_count(), 0u);
}

TEST(SharedSubscription, AMatchThatWasKeptChoosesAmongTheMembersOfThen) {
  Router router;
  join(router, 1, "g", "a");
  const std::vector<GroupPtr> kept = groups(router, "a");
  router.remove({0, 1});
  EXPECT_EQ(kept.at(0)->next().target.session, 1u);
}

TEST(SharedSubscription, ANameIsTakenApart_MQTT_4_8_2_1_and_4_8_2_2) {
  const auto name = parse_share("$share/g/a/+/#");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->group, "g");
  EXPECT_EQ(name->filter, "a/+/#");
  for (const std::string_view text : {"$share/", "$share//a", "$share/g", "$share/g/",
                                      "$share/g+/a", "$share/#/a", "a", "$SYS/a"}) {
    EXPECT_FALSE(parse_share(text)) << text;
    EXPECT_EQ(heard_filter(text), text);
  }
}

}  // namespace
}  // namespace nilo::bus
