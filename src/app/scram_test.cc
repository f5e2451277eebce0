#include "app/scram.h"

#include <gtest/gtest.h>

#include "app/hashes.h"
#include "app/scram_keys.h"
#include "base/base64.h"

namespace nilo::app {
namespace {

// The example of RFC 7677 section 3.
constexpr std::string_view kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view kFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kChallenge =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr std::string_view kLast =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr std::string_view kSignature = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

ScramVerifier pencil() {
  return make_verifier("pencil", *base64_decoded("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096).value();
}

struct House {
  bool is_revoked = false;
  std::string wrong;
  ScramExchange exchange{{[this](std::string_view name) -> Result<ScramExchange::User> {
                            if (name != "user")
                              return ScramExchange::User{fake_verifier(name, "key"), {}};
                            if (is_revoked) return ScramExchange::User{pencil(), {}};
                            return ScramExchange::User{pencil(), Principal{"user", Role::device}};
                          },
                          [this](std::string_view name) { wrong = name; }},
                         std::string(kServerNonce)};
  std::string refusal(std::string_view data) {
    const auto step = exchange.next(data);
    return step ? "none" : step.error().message;
  }
};

TEST(Scram, IsAsInTheExampleOfRfc7677) {
  House house;
  const auto challenge = house.exchange.next(kFirst);
  ASSERT_TRUE(challenge);
  EXPECT_FALSE(challenge->is_done);
  EXPECT_EQ(challenge->data, kChallenge);
  const auto done = house.exchange.next(kLast);
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->is_done);
  EXPECT_EQ(done->data, kSignature);
  EXPECT_EQ(done->who.name, "user");
  EXPECT_EQ(house.wrong, "");
}

TEST(Scram, AWrongProofAnUnknownNameAndARevokedOneAreRefusedAlike) {
  const std::string wrong = [] {
    House house;
    EXPECT_TRUE(house.exchange.next(kFirst));
    std::string last(kLast);
    last[last.find("p=") + 2] = 'e';
    std::string message = house.refusal(last);
    EXPECT_EQ(house.wrong, "user");
    return message;
  }();
  House unknown;
  ASSERT_TRUE(unknown.exchange.next("n,,n=nobody,r=rOprNGfwEbeRWgbNEkqO"));
  EXPECT_EQ(unknown.refusal(kLast), wrong);
  EXPECT_EQ(unknown.wrong, "nobody");
  House revoked;
  ASSERT_TRUE(revoked.exchange.next(kFirst));
  revoked.is_revoked = true;  // between the two steps
  EXPECT_EQ(revoked.refusal(kLast), wrong);
}

TEST(Scram, AnUnknownNameAlwaysGetsTheSameSalt) {
  EXPECT_EQ(fake_verifier("a", "key").salt, fake_verifier("a", "key").salt);
  EXPECT_NE(fake_verifier("a", "key").salt, fake_verifier("b", "key").salt);
  EXPECT_NE(fake_verifier("a", "key").salt, fake_verifier("a", "other").salt);
  EXPECT_EQ(fake_verifier("a", "key").salt.size(), 16u);
  EXPECT_EQ(fake_verifier("a", "key").iterations, kScramIterations);
}

TEST(Scram, ANonceOfAnotherExchangeIsRefused) {
  House house;
  ASSERT_TRUE(house.exchange.next("n,,n=user,r=another"));
  EXPECT_NE(house.refusal(kLast).find("r="), std::string::npos);
}

TEST(Scram, WhatIsNotScramIsRefusedWithAReason) {
  for (const std::string_view first :
       {"", "n", "n,,", "n,,n=user", "n,,n=,r=x", "n,,n=us=er,r=x", "n,,r=x,n=user",
        "n,,m=x,n=user,r=x", "p=tls-unique,,n=user,r=x", "n,a=admin,n=user,r=x",
        "n,,n=user,r=", "x,,n=user,r=x"}) {
    House house;
    EXPECT_TRUE(house.refusal(first).starts_with("not a message of SCRAM-SHA-256")) << first;
  }
  for (const std::string_view last : {"", "c=biws", "c=biws,r=x", "c=eSws,r=x,p=x", "p=x", ",p="}) {
    House house;
    ASSERT_TRUE(house.exchange.next(kFirst));
    EXPECT_TRUE(house.refusal(last).starts_with("not a message of SCRAM-SHA-256")) << last;
  }
  House house;
  EXPECT_NE(house.refusal(std::string(kScramMessageSizeMax + 1, 'n')).find("too long"),
            std::string::npos);
}

TEST(Scram, ANameMayHaveACommaAndAnEqualsSign) {
  std::string found;
  ScramExchange exchange({[&](std::string_view name) -> Result<ScramExchange::User> {
                            found = name;
                            return ScramExchange::User{pencil(), {}};
                          },
                          [](std::string_view) {}},
                         "n");
  ASSERT_TRUE(exchange.next("y,,n=a=2Cb=3Dc,r=x,ext=1"));
  EXPECT_EQ(found, "a,b=c");
}

TEST(Scram, AVerifierComesBackFromItsText) {
  const ScramVerifier in = pencil();
  const std::string text = text_of(in);
  EXPECT_TRUE(text.starts_with("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$")) << text;
  EXPECT_EQ(text.find("pencil"), std::string::npos);
  const auto out = parse_verifier(text);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->salt, in.salt);
  EXPECT_EQ(out->stored_key, in.stored_key);
  EXPECT_EQ(out->server_key, in.server_key);
  for (const std::string_view bad :
       {"", "SCRAM-SHA-256", "SCRAM-SHA-256$0:YQ==$YQ==:YQ==", "x$1:a$b:c"}) {
    EXPECT_FALSE(parse_verifier(bad)) << bad;
  }
}

TEST(Scram, TakesPasswordsOfAsciiOnly) {
  EXPECT_TRUE(make_verifier("a b~", "salt", 1));
  EXPECT_FALSE(make_verifier("caf\xc3\xa9", "salt", 1));
  EXPECT_FALSE(make_verifier("a\tb", "salt", 1));
  EXPECT_FALSE(make_verifier("a\x7f", "salt", 1));
}

TEST(ScramKeys, AreAsInTheirExamples) {
  // RFC 4231 section 4.3; FIPS 180-4.
  EXPECT_EQ(base64_encoded(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
  EXPECT_EQ(base64_encoded(sha256("abc")), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
}

}  // namespace
}  // namespace nilo::app
