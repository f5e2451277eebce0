#include "app/policies.h"

#include <gtest/gtest.h>

#include <string>

#include "stack/stack.h"

namespace nilo::app {
namespace {

constexpr std::string_view kStack = R"(
[things]
"tank-1" = { type = "tank", number = 1 }
[policy.tanks]
types     = ["tank"]
publish   = "water${thing.number}/pub"
subscribe = "${thing}/#"
[policy.barns]
tokens    = ["barn-*"]
publish   = "barn/#"
clients   = "barn"
[policy.odd]
tokens    = "odd"
aws       = "policies/odd.json"
)";
constexpr std::string_view kOdd = R"({"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["iot:Connect", "iot:Subscribe"], "Resource": "*"},
  {"Effect": "Deny", "Action": "iot:Publish", "Resource": "arn:aws:iot:r:1:topic/secret"}]})";

class PoliciesTest : public testing::Test {
 protected:
  Principal device(std::string name) {
    Principal who{std::move(name)};
    PolicySubject subject;
    subject.client_id = "any";
    policies_.limit(who, subject);
    return who;
  }
  void allow(std::string_view login, Grant::Act act, std::string_view topic) {
    grants_.apply({std::string(login), act, std::string(topic), 1});
  }

  const stack::Stack stack_ =
      stack::parse({{"nilo.toml", std::string(kStack)}, {"policies/odd.json", std::string(kOdd)}})
          .stack;
  Grants grants_;
  const Policies policies_{stack_, grants_, [this](std::string_view id) -> const stack::Thing* {
                             for (const stack::Thing& thing : stack_.things) {
                               if (thing.id == id) return &thing;
                             }
                             return nullptr;
                           }};
};

// Allows one topic, as a token made with --topics does.
class OneTopic final : public Scope {
  bool may_publish(std::string_view topic) const override { return topic == "barn/a"; }
  bool may_subscribe(std::string_view /*filter*/) const override { return false; }
  bool may_receive(std::string_view /*topic*/) const override { return false; }
  std::string why_not(Act /*act*/, std::string_view /*topic*/) const override { return "token"; }
};

TEST_F(PoliciesTest, LeavePeopleAlone) {
  Principal admin{"tank-1", Role::admin};
  policies_.limit(admin, {});
  EXPECT_EQ(admin.scope, nullptr);
}

TEST_F(PoliciesTest, AllowNothingToWhomNoneIsForUntilAPersonDoes) {
  const Principal who = device("somebody");
  ASSERT_TRUE(who.scope);
  EXPECT_FALSE(who.scope->may_publish("a"));
  EXPECT_FALSE(who.scope->may_subscribe("a"));
  EXPECT_FALSE(who.scope->may_receive("a"));
  EXPECT_EQ(who.scope->why_not(Scope::Act::publish, "a"),
            "the stack has policies, and none is for somebody");
  allow("somebody", Grant::Act::publish, "a");
  EXPECT_TRUE(who.scope->may_publish("a"));
  EXPECT_TRUE(policies_.may_grant({"somebody"}, {}, Grant::Act::publish, "$aws/rules/r/t"));
  EXPECT_FALSE(policies_.may_grant({"somebody"}, {}, Grant::Act::subscribe, "$aws/events/#"));
}

TEST_F(PoliciesTest, LeaveWhomNoneIsForTheTopicsOfItsToken) {
  Principal who{"somebody"};
  who.scope = std::make_shared<OneTopic>();
  policies_.limit(who, {});
  EXPECT_TRUE(who.scope->may_publish("barn/a"));
  EXPECT_FALSE(who.scope->may_publish("barn/b"));
}

TEST(PoliciesOfNoStack, LimitNobody) {
  const stack::Stack stack;
  const Grants grants;
  const Policies policies(stack, grants, [](std::string_view) { return nullptr; });
  Principal who{"somebody"};
  policies.limit(who, {});
  EXPECT_EQ(who.scope, nullptr);
}

TEST_F(PoliciesTest, AreForThingsByTheNameOfTheirToken) {
  const Principal tank = device("tank-1");
  ASSERT_TRUE(tank.scope);
  EXPECT_TRUE(tank.scope->may_publish("water1/pub"));
  EXPECT_TRUE(tank.scope->may_retain("water1/pub"));
  EXPECT_FALSE(tank.scope->may_publish("water2/pub"));
  EXPECT_TRUE(tank.scope->may_subscribe("tank-1/+"));
  EXPECT_FALSE(tank.scope->may_subscribe("#"));
  EXPECT_TRUE(tank.scope->may_receive("tank-1/cmd"));
  EXPECT_FALSE(tank.scope->may_receive("tank-2/cmd"));
  EXPECT_EQ(tank.scope->why_not(Scope::Act::publish, "x"),
            "no policy allows tank-1 to publish here");
}

TEST_F(PoliciesTest, AreForTokensAndTheirClientIds) {
  Principal who{"barn-2"};
  PolicySubject subject;
  subject.client_id = "other";
  const auto refused = policies_.admit(who, subject);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::permission_denied);
  subject.client_id = "barn";
  Principal again{"barn-2"};
  EXPECT_TRUE(policies_.admit(again, subject));
  EXPECT_TRUE(again.scope->may_publish("barn/x"));
}

TEST_F(PoliciesTest, GiveWayToWhatAPersonAllowedButNotWhereTheyDeny) {
  const Principal odd = device("odd");
  EXPECT_FALSE(odd.scope->may_publish("a"));
  allow("odd", Grant::Act::publish, "a");
  allow("odd", Grant::Act::publish, "secret");
  EXPECT_TRUE(odd.scope->may_publish("a"));
  EXPECT_FALSE(odd.scope->may_publish("a/b"));
  EXPECT_FALSE(odd.scope->may_publish("secret"));
  EXPECT_TRUE(policies_.may_grant({"odd"}, {}, Grant::Act::publish, "b"));
  EXPECT_FALSE(policies_.may_grant({"odd"}, {}, Grant::Act::publish, "secret"));
  EXPECT_FALSE(policies_.may_grant({"odd"}, {}, Grant::Act::subscribe, "$error/#"));
  EXPECT_FALSE(policies_.may_grant({"odd"}, {}, Grant::Act::publish, "$aws/things/odd/shadow"))
      << "nobody may";
  EXPECT_FALSE(policies_.may_grant({"anna", Role::viewer}, {}, Grant::Act::publish, "b"));
}

TEST_F(PoliciesTest, LetAGrantedSubscriptionBringItsMessagesUntilItIsTakenBack) {
  const Principal tank = device("tank-1");
  allow("tank-1", Grant::Act::subscribe, "weather/+");
  EXPECT_TRUE(tank.scope->may_subscribe("weather/+"));
  EXPECT_TRUE(tank.scope->may_subscribe("weather/rain"));
  EXPECT_FALSE(tank.scope->may_subscribe("weather/#"));
  EXPECT_TRUE(tank.scope->may_receive("weather/rain"));
  const std::uint64_t before = grants_.changes();
  grants_.apply({"tank-1", Grant::Act::subscribe, "weather/+", 2, true});
  EXPECT_NE(grants_.changes(), before);
  EXPECT_FALSE(tank.scope->may_subscribe("weather/+"));
  EXPECT_FALSE(tank.scope->may_receive("weather/rain"));
}

TEST_F(PoliciesTest, DoNotWidenWhatATokenIsLimitedTo) {
  Principal who{"barn-1"};
  who.scope = std::make_shared<OneTopic>();
  policies_.limit(who, {});
  EXPECT_TRUE(who.scope->may_publish("barn/a"));
  EXPECT_FALSE(who.scope->may_publish("barn/b"));
  EXPECT_EQ(who.scope->why_not(Scope::Act::publish, "barn/b"), "token");
}

TEST(Grant, IsNoRowWhereItsKeyIsTooLong) {
  Grant grant{"odd", Grant::Act::publish, std::string(200, 'x'), 1};
  EXPECT_TRUE(is_storable(grant));
  grant.topic = std::string(300, 'x');
  EXPECT_FALSE(is_storable(grant));
  grant.topic = std::string(100, '/');
  EXPECT_FALSE(is_storable(grant));
}

TEST(Grant, IsTheSameAsARow) {
  const Grant grant{"odd", Grant::Act::subscribe, "a/#", 7, true};
  const Grant read = grant_of(cells_of(grant));
  EXPECT_EQ(read.login, grant.login);
  EXPECT_EQ(read.act, grant.act);
  EXPECT_EQ(read.topic, grant.topic);
  EXPECT_EQ(read.granted_us, grant.granted_us);
  EXPECT_TRUE(read.revoked);
}

}  // namespace
}  // namespace nilo::app
