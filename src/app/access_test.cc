#include "app/access.h"

#include <gtest/gtest.h>

namespace nilo::app {
namespace {

class AccessTest : public testing::Test {
 protected:
  std::unique_ptr<Access> access(bool open = false) { return Access::make(clock_, open).value(); }
  FakeClock clock_{1'763'750'000'000'000};
};

TEST_F(AccessTest, ATokenLetsItsBearerInUntilItIsRevoked) {
  const auto door = access();
  const auto made = door->make_token({.name = "barn", .role = Role::viewer}).value();
  EXPECT_TRUE(made.secret.starts_with("nilo_"));
  EXPECT_EQ(made.token.hash.find(made.secret), std::string::npos);
  EXPECT_FALSE(door->by_token(made.secret)) << "not before it is durable";
  door->apply(made.token);
  EXPECT_EQ(door->by_token(made.secret)->name, "barn");
  EXPECT_EQ(door->by_token(made.secret)->role, Role::viewer);
  EXPECT_FALSE(door->by_token(made.secret + "x"));
  EXPECT_FALSE(door->by_token(""));
  EXPECT_FALSE(door->by_password("barn", made.secret)) << "a token is no password";
  EXPECT_EQ(door->make_token({.name = "barn"}).error().code, ErrorCode::conflict);
  door->apply(door->revoked("barn").value());
  EXPECT_FALSE(door->by_token(made.secret));
  EXPECT_TRUE(door->make_token({.name = "barn"})) << "the name is free again";
}

TEST_F(AccessTest, ATokenExpires) {
  const auto door = access();
  const auto made = door->make_token({.name = "visitor", .valid_for_us = 1000}).value();
  door->apply(made.token);
  clock_.advance_us(999);
  EXPECT_TRUE(door->by_token(made.secret));
  clock_.advance_us(1);
  EXPECT_FALSE(door->by_token(made.secret));
}

TEST_F(AccessTest, APasswordIsHashedSlowlyAndChecked) {
  const auto door = access();
  EXPECT_FALSE(door->make_token({.name = "esp", .password = "7 chars"}));
  const auto made = door->make_token({.name = "esp", .password = "8 chars!"}).value();
  EXPECT_TRUE(made.token.hash.starts_with("$argon2id$"));
  door->apply(made.token);
  EXPECT_EQ(door->by_password("esp", "8 chars!")->role, Role::device);
  EXPECT_FALSE(door->by_password("esp", "8 chars?"));
  EXPECT_FALSE(door->by_password("nobody", "8 chars!"));
  EXPECT_FALSE(door->by_token("8 chars!"));
}

TEST_F(AccessTest, APasswordCanBeProvedIfItIsAscii) {
  const auto door = access();
  door->set_fake_key("key");
  door->apply(token_of(cells_of(door->make_token({.name = "esp", .password = "8 chars!"})->token)));
  EXPECT_EQ(door->by_proof("esp").who->name, "esp");
  EXPECT_FALSE(door->lacks_verifier("esp"));
  door->apply(door->make_token({.name = "old", .password = "caf\xc3\xa9 au lait"})->token);
  EXPECT_FALSE(door->by_proof("old").who);
  EXPECT_TRUE(door->lacks_verifier("old"));
  EXPECT_TRUE(door->by_password("old", "caf\xc3\xa9 au lait")) << "it still is a password";
  EXPECT_FALSE(door->by_proof("nobody").who);
  EXPECT_FALSE(door->lacks_verifier("nobody"));
  door->apply(door->revoked("esp").value());
  EXPECT_FALSE(door->by_proof("esp").who);
}

TEST_F(AccessTest, ATokenMayBeLimitedToTopics) {
  const auto door = access();
  const auto made = door->make_token({.name = "barn", .topics = {"barn/#", "all/+/up"}}).value();
  door->apply(token_of(cells_of(made.token)));
  const Principal barn = door->by_token(made.secret).value();
  ASSERT_TRUE(barn.scope);
  EXPECT_TRUE(barn.scope->may_publish("barn/level"));
  EXPECT_TRUE(barn.scope->may_publish("all/x/up"));
  EXPECT_FALSE(barn.scope->may_publish("house/level"));
  EXPECT_TRUE(barn.scope->may_subscribe("barn/+"));
  EXPECT_FALSE(barn.scope->may_subscribe("#"));
  EXPECT_FALSE(barn.scope->may_subscribe("+/level"));
  door->apply(door->make_token({.name = "free"})->token);
  EXPECT_FALSE(door->by_token(door->make_token({.name = "x"})->secret));
}

TEST_F(AccessTest, WhoWasLetInIsAskedForAgain) {
  const auto door = access();
  const auto made = door->make_token({.name = "barn", .valid_for_us = 1000}).value();
  door->apply(made.token);
  const std::string first = door->by_token(made.secret)->credential;
  std::uint64_t seen = door->changes();
  EXPECT_EQ(door->changes(), seen);
  EXPECT_TRUE(door->is_current(first));
  door->apply(door->revoked("barn").value());
  EXPECT_NE(door->changes(), seen);
  EXPECT_FALSE(door->is_current(first));
  clock_.advance_us(1);
  const auto again = door->make_token({.name = "barn", .valid_for_us = 1000}).value();
  door->apply(again.token);
  EXPECT_FALSE(door->is_current(first)) << "the same name is not the same token";
  const std::string second = door->by_token(again.secret)->credential;
  EXPECT_TRUE(door->is_current(second));
  seen = door->changes();
  clock_.advance_us(1000);
  EXPECT_NE(door->changes(), seen) << "it has expired";
  EXPECT_FALSE(door->is_current(second));
  EXPECT_FALSE(door->is_current(""));
  EXPECT_FALSE(door->is_current("token:"));
}

TEST_F(AccessTest, OpenIsForLoopbackOnly) {
  EXPECT_FALSE(access(false)->is_open_to("127.0.0.1"));
  const auto door = access(true);
  EXPECT_TRUE(door->is_open_to("127.0.0.1"));
  EXPECT_TRUE(door->is_open_to("::1"));
  EXPECT_TRUE(door->is_open_to("::ffff:127.0.0.1"));
  EXPECT_FALSE(door->is_open_to("192.168.1.7"));
  EXPECT_FALSE(door->is_open_to("::ffff:192.168.1.7"));
  EXPECT_FALSE(door->is_open_to(""));
}

TEST_F(AccessTest, NamesAreChecked) {
  const auto door = access();
  for (const std::string& bad :
       {std::string(), std::string("a b"), std::string("x\n"), std::string(129, 'a')}) {
    EXPECT_EQ(door->make_token({.name = bad}).error().code, ErrorCode::invalid_argument);
  }
  for (const std::string& thing : {std::string("well:1"), std::string(128, 'a')}) {
    EXPECT_TRUE(door->make_token({.name = thing}));
    EXPECT_FALSE(door->make_token({.name = thing, .role = Role::viewer}));
  }
  EXPECT_TRUE(door->make_token({.name = std::string(64, 'a'), .role = Role::viewer}));
}

TEST_F(AccessTest, TokensComeBackFromTheirRows) {
  const auto door = access();
  const Token token =
      door->make_token({.name = "a", .role = Role::admin, .valid_for_us = 5})->token;
  const Token back = token_of(cells_of(token));
  EXPECT_EQ(back.name, token.name);
  EXPECT_EQ(back.role, Role::admin);
  EXPECT_EQ(back.hash, token.hash);
  EXPECT_EQ(back.expires_us, token.expires_us);
  EXPECT_FALSE(back.revoked);
}

}  // namespace
}  // namespace nilo::app
