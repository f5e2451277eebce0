#include "app/refused_logins.h"

#include <gtest/gtest.h>

#include "app/hashes.h"

namespace nilo::app {
namespace {

class RefusedLoginsTest : public testing::Test {
 protected:
  // Allows it and gives the row.
  Token allow(const char* client, const char* user) {
    const auto token = refused_.token_for(client, user, "192.0.2.5", clock_.wall_us());
    EXPECT_TRUE(token) << token.error().message;
    access_->apply(*token);
    return *token;
  }
  bool can(const char* client, const char* user) {
    return refused_.would_allow(client, user, "192.0.2.5").has_value();
  }

  FakeClock clock_{1'763'750'000'000'000};
  std::unique_ptr<Access> access_ = Access::make(clock_, false).value();
  RefusedLogins refused_{*access_};
};

TEST_F(RefusedLoginsTest, ExactlyTheShownPasswordIsLetIn) {
  refused_.add_password({"c1", "esp32", "192.0.2.5"}, "1234", 0);
  ASSERT_TRUE(can("c1", "esp32"));
  EXPECT_FALSE(can("c1", "other"));
  EXPECT_FALSE(access_->by_password("esp32", "1234")) << "not before somebody allows it";
  const Token token = allow("c1", "esp32");
  EXPECT_EQ(token.name, "esp32");
  EXPECT_EQ(token.role, Role::device);
  EXPECT_EQ(token.hash.find("1234"), std::string::npos);
  EXPECT_TRUE(access_->by_password("esp32", "1234"));
  EXPECT_FALSE(access_->by_password("esp32", "12345"));
}

TEST_F(RefusedLoginsTest, AnotherPasswordReplacesADevicesButNeverAnAdmins) {
  access_->apply(access_->make_token({.name = "esp32", .password = "old password"})->token);
  access_->apply(
      access_->make_token({.name = "boss", .role = Role::admin, .password = "old password"})
          ->token);
  refused_.add_password({"c1", "esp32", "192.0.2.5"}, "new one", 0);
  refused_.add_password({"c2", "boss", "192.0.2.5"}, "new one", kRefusedHashEveryUs);
  EXPECT_FALSE(can("c2", "boss"));
  const std::string before = access_->by_password("esp32", "old password")->credential;
  clock_.advance_us(1);
  allow("c1", "esp32");
  EXPECT_TRUE(access_->by_password("esp32", "new one"));
  EXPECT_FALSE(access_->by_password("esp32", "old password"));
  EXPECT_FALSE(access_->is_current(before));
}

TEST_F(RefusedLoginsTest, AnotherPasswordDoesNotWidenTheTopics) {
  access_->apply(
      access_->make_token({.name = "esp32", .password = "old password", .topics = {"water1/#"}})
          ->token);
  refused_.add_password({"c1", "esp32", "192.0.2.5"}, "new one", 0);
  allow("c1", "esp32");
  const auto who = access_->by_password("esp32", "new one");
  ASSERT_TRUE(who && who->scope);
  EXPECT_TRUE(who->scope->may_publish("water1/pub"));
  EXPECT_FALSE(who->scope->may_publish("water2/pub"));
}

TEST_F(RefusedLoginsTest, ATokenOfAnotherServerIsLetInUnderAFreeName) {
  access_->apply(access_->make_token({.name = "barn"})->token);
  refused_.add({"barn", "", "192.0.2.5", Token::Kind::token, hash_of("nilo_elsewhere")});
  EXPECT_EQ(allow("barn", "").name, "barn-2");
  EXPECT_EQ(access_->by_token("nilo_elsewhere")->name, "barn-2");
  EXPECT_FALSE(can("barn", "")) << "it is in";
}

TEST_F(RefusedLoginsTest, WhatWasRevokedStaysRevoked) {
  const auto made = access_->make_token({.name = "barn"});
  access_->apply(made->token);
  access_->apply(*access_->revoked("barn"));
  refused_.add({"barn", "", "192.0.2.5", Token::Kind::token, hash_of(made->secret)});
  EXPECT_FALSE(can("barn", ""));
  EXPECT_FALSE(refused_.token_for("barn", "", "192.0.2.5", 1));
}

TEST_F(RefusedLoginsTest, WhoShowsNothingIsKnownByIdAndAddress) {
  refused_.add({"tank 9", "", "192.0.2.5"});
  EXPECT_NE(refused_.would_allow("tank 9", "", "192.0.2.5")->find("without a password"),
            std::string::npos);
  const Token token = allow("tank 9", "");
  EXPECT_EQ(token.name, "device") << "`tank 9` is no name";
  EXPECT_TRUE(access_->by_address("tank 9", "192.0.2.5"));
  EXPECT_FALSE(access_->by_address("tank 9", "192.0.2.6"));
  EXPECT_FALSE(access_->by_address("tank 8", "192.0.2.5"));
  access_->apply(*access_->revoked("device"));
  EXPECT_FALSE(access_->by_address("tank 9", "192.0.2.5"));
  EXPECT_EQ(allow("tank 9", "").name, "device-2");
  EXPECT_TRUE(access_->by_address("tank 9", "192.0.2.5"));
  access_->apply(*access_->token("device"));  // as at a start, in the order of names
  EXPECT_TRUE(access_->by_address("tank 9", "192.0.2.5"));
  refused_.add({"", "", "192.0.2.5"});
  EXPECT_FALSE(can("", "")) << "every client may leave its id out";
}

// What is hashed for it are an address and an id, which everybody may know.
TEST_F(RefusedLoginsTest, AnAddressIsNoToken) {
  refused_.add({"c1", "", "192.0.2.5"});
  allow("c1", "");
  EXPECT_TRUE(access_->by_address("c1", "192.0.2.5"));
  EXPECT_FALSE(access_->by_token(address_key("c1", "192.0.2.5")));
}

TEST_F(RefusedLoginsTest, FewAreHashedAndFewAreKept) {
  refused_.add_password({"c1", "a", "192.0.2.5"}, "p", 0);
  refused_.add_password({"c2", "b", "192.0.2.5"}, "p", kRefusedHashEveryUs - 1);
  EXPECT_TRUE(can("c1", "a"));
  EXPECT_FALSE(can("c2", "b")) << "known that it was there, not what it showed";
  refused_.add_password({"c2", "b", "192.0.2.5"}, "p", kRefusedHashEveryUs);
  EXPECT_TRUE(can("c2", "b"));
  for (std::size_t count = 0; count < kRefusedLoginsMax - 1; ++count) {
    refused_.add({"x" + std::to_string(count), "", "192.0.2.5"});
  }
  EXPECT_TRUE(can("c2", "b"));
  refused_.add({"one more", "", "192.0.2.5"});
  EXPECT_FALSE(can("c2", "b"));
}

TEST_F(RefusedLoginsTest, ACertificateIsAllowedAsADeviceAndOnlyIfNobodyKnowsIt) {
  RefusedLogin login{"c1", "?SDK=x", "192.0.2.5"};
  login.certificate.emplace();
  login.certificate->fingerprint = std::string(64, 'a');
  login.certificate->common_name = "AWS IoT Certificate";
  refused_.add(login);
  EXPECT_EQ(refused_.certificate_of("c1", "?SDK=x", "192.0.2.5")->name, "c1")
      << "neither the common name nor the user name is a device's";
  EXPECT_TRUE(can("c1", "?SDK=x"));
  EXPECT_FALSE(refused_.certificate_of("c1", "?SDK=x", "192.0.2.6"));
  access_->apply(access_->make_token({.name = "c1", .role = Role::admin})->token);
  EXPECT_EQ(refused_.certificate_of("c1", "?SDK=x", "192.0.2.5")->name, "device-aaaaaaaaaaaaaaaa")
      << "and never an admin's";
  KnownCertificate row = access_->certificates().registration(*login.certificate, "c2").value();
  row.state = KnownCertificate::State::revoked;
  access_->certificates().apply(row);
  EXPECT_FALSE(can("c1", "?SDK=x")) << "what was revoked stays revoked";
}

}  // namespace
}  // namespace nilo::app
