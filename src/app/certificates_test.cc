#include "app/certificates.h"

#include <gtest/gtest.h>

#include <string>

#include "app/access.h"

namespace nilo::app {
namespace {

using State = KnownCertificate::State;

constexpr TimeUs kNow = TimeUs{1'763'750'000} * 1'000'000;
constexpr TimeUs kHour = TimeUs{3600} * 1'000'000;

class CertificatesTest : public testing::Test {
 protected:
  // What a connection shows of a certificate that `ca` signed.
  static std::string pem_for(const std::string& name, const net::CertificateAndKey& ca) {
    net::CertificateWish wish;
    wish.common_name = name;
    wish.not_before_us = kNow - kHour;
    wish.not_after_us = kNow + kHour;
    return net::issue(ca, wish)->certificate;
  }
  static net::Certificate read(const std::string& pem) {
    return net::read_certificate(pem).value();
  }
  static net::CertificateAndKey make_ca(const std::string& name) {
    return net::make_ca(name, kNow - kHour, kNow + 100 * kHour).value();
  }
  KnownCertificate registered(const net::Certificate& certificate, const std::string& name = "") {
    auto row = certificates_.registration(certificate, name).value();
    certificates_.apply(row);
    return row;
  }

  // To the microsecond.
  void expect_end_in_an_hour(const std::string& credential) {
    const std::uint64_t before = certificates_.changes();
    clock_.advance_us(kHour - 1);
    EXPECT_EQ(certificates_.changes(), before);
    EXPECT_TRUE(certificates_.is_current(credential));
    clock_.advance_us(1);
    EXPECT_NE(certificates_.changes(), before);
    EXPECT_FALSE(certificates_.is_current(credential));
  }

  const net::CertificateAndKey ca_ = make_ca("Ours");
  FakeClock clock_{kNow};
  Certificates certificates_{clock_};
};

TEST_F(CertificatesTest, OnlyARowLetsADeviceIn) {
  const net::Certificate shown = read(pem_for("tank-1", ca_));
  EXPECT_TRUE(certificates_.may_connect(shown)) << "so that it is told in words";
  EXPECT_EQ(certificates_.by_certificate(shown).error().code, ErrorCode::unauthenticated);
  registered(shown);
  const Principal who = certificates_.by_certificate(shown).value();
  EXPECT_EQ(who.name, "tank-1");
  EXPECT_EQ(who.role, Role::device);
  EXPECT_EQ(who.scope, nullptr);
  EXPECT_TRUE(certificates_.is_current(who.credential));
  EXPECT_TRUE(certificates_.by_name("tank-1"));
  EXPECT_FALSE(certificates_.by_certificate(read(pem_for("tank-1", ca_))))
      << "the same name and CA are not the same certificate";
}

TEST_F(CertificatesTest, DeactivatingAndRevokingEndWhatWasLetIn) {
  const net::Certificate shown = read(pem_for("tank-1", ca_));
  KnownCertificate row = registered(shown);
  const std::string credential = certificates_.by_certificate(shown)->credential;
  for (const State state : {State::inactive, State::pending, State::revoked, State::removed}) {
    const std::uint64_t before = certificates_.changes();
    row.state = state;
    certificates_.apply(row);
    EXPECT_NE(certificates_.changes(), before);
    EXPECT_FALSE(certificates_.is_current(credential));
    EXPECT_FALSE(certificates_.may_connect(shown));
    EXPECT_FALSE(certificates_.by_certificate(shown));
    EXPECT_FALSE(certificates_.by_name("tank-1"));
  }
  EXPECT_TRUE(certificates_.list().empty());
}

TEST_F(CertificatesTest, ExpiryEndsIt) {
  const net::Certificate shown = read(pem_for("tank-1", ca_));
  registered(shown);
  const std::string credential = certificates_.by_certificate(shown)->credential;
  expect_end_in_an_hour(credential);
  EXPECT_FALSE(certificates_.may_connect(shown));
  clock_.set_wall_us(kNow - 2 * kHour);
  EXPECT_FALSE(certificates_.may_connect(shown)) << "not valid yet";
  EXPECT_EQ(certificates_.registration(shown, "x").error().code, ErrorCode::conflict);
}

TEST_F(CertificatesTest, OneRegisteredByItsFingerprintAloneExpiresToo) {
  const net::Certificate shown = read(pem_for("tank-1", ca_));
  net::Certificate alone;
  alone.fingerprint = shown.fingerprint;
  KnownCertificate row = registered(alone, "tank-1");
  EXPECT_EQ(certificates_.find(shown.fingerprint)->not_after_us, 0) << "nobody has shown it yet";
  const std::string credential = certificates_.by_certificate(shown)->credential;
  EXPECT_EQ(certificates_.find(shown.fingerprint)->not_after_us, shown.not_after_us);
  EXPECT_EQ(certificates_.find(shown.fingerprint)->subject, shown.subject);
  row.topics = "a/#";  // made before it was shown, stored after
  certificates_.apply(row);
  expect_end_in_an_hour(credential);
}

// Bad input 7: a name from a certificate is a name, or nothing.
TEST_F(CertificatesTest, ANameThatWouldBeAPatternGivesNoRights) {
  for (const std::string& bad :
       {std::string("+"), std::string("#"), std::string("a/b"), std::string("tank-1/#"),
        std::string("a b"), std::string("t\xc3\xa4nk"), std::string("*")}) {
    const net::Certificate shown = read(pem_for(bad, ca_));
    EXPECT_EQ(name_for(shown), "") << bad;
    EXPECT_EQ(certificates_.registration(shown, "").error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(certificates_.registration(shown, bad).error().code, ErrorCode::invalid_argument);
  }
  net::Certificate with_nul;
  with_nul.common_name = std::string("anna\0x", 6);
  EXPECT_EQ(name_for(with_nul), "");
}

TEST_F(CertificatesTest, ATrustedCaVouchesForDevicesNobodyKnows) {
  const net::CertificateAndKey factory = make_ca("Factory");
  const std::string pem = pem_for("tank-9", factory);
  const net::Certificate shown = read(pem);
  EXPECT_FALSE(certificates_.vouched_for(shown, pem));
  auto ca = certificates_.registration_of_ca(factory.certificate, "", false).value();
  EXPECT_EQ(ca.name, "Factory");
  certificates_.apply(ca);
  EXPECT_FALSE(certificates_.vouched_for(read(pem_for("x", ca_)), pem_for("x", ca_)));

  auto row = certificates_.vouched_for(shown, pem).value();
  EXPECT_EQ(row.state, State::pending);
  EXPECT_EQ(row.name, "tank-9");
  ca.admits = true;
  certificates_.apply(ca);
  row = certificates_.vouched_for(shown, pem).value();
  EXPECT_EQ(row.state, State::active);
  certificates_.apply(row);
  EXPECT_TRUE(certificates_.by_certificate(shown));
  EXPECT_FALSE(certificates_.vouched_for(shown, pem)) << "it is known now";

  const std::string twin = pem_for("tank-9", factory);
  EXPECT_EQ(certificates_.vouched_for(read(twin), twin)->name,
            "device-" + read(twin).fingerprint.substr(0, 16))
      << "a name that is taken is not taken over";
  ca.state = State::inactive;
  certificates_.apply(ca);
  EXPECT_FALSE(certificates_.vouched_for(read(twin), twin));
}

TEST_F(CertificatesTest, ACaIsNoDeviceAndADeviceIsNoCa) {
  EXPECT_EQ(certificates_.registration_of_ca(pem_for("x", ca_), "", false).error().code,
            ErrorCode::invalid_argument);
  certificates_.apply(certificates_.registration_of_ca(ca_.certificate, "", true).value());
  EXPECT_FALSE(certificates_.may_connect(read(ca_.certificate)));
  EXPECT_FALSE(certificates_.by_certificate(read(ca_.certificate)));
}

TEST_F(CertificatesTest, OnlySoManyCasAreAsked) {
  for (std::size_t i = 0; i < kTrustedCasMax; ++i) {
    const auto ca =
        certificates_.registration_of_ca(make_ca("F").certificate, "f-" + std::to_string(i), true);
    ASSERT_TRUE(ca) << i;
    certificates_.apply(*ca);
  }
  EXPECT_EQ(certificates_.registration_of_ca(make_ca("F").certificate, "f", true).error().code,
            ErrorCode::resource_exhausted);
}

TEST_F(CertificatesTest, APersonSaysWhichByNameOrDigits) {
  const KnownCertificate one = registered(read(pem_for("tank-1", ca_)));
  EXPECT_EQ(certificates_.meant_by("tank-1")->fingerprint, one.fingerprint);
  EXPECT_EQ(certificates_.meant_by(one.fingerprint.substr(0, 8))->fingerprint, one.fingerprint);
  EXPECT_EQ(certificates_.meant_by(one.fingerprint.substr(0, 7)).error().code,
            ErrorCode::not_found);
  KnownCertificate two = registered(read(pem_for("tank-1", ca_)));
  EXPECT_EQ(certificates_.meant_by("tank-1").error().code, ErrorCode::conflict);
  two.state = State::revoked;
  certificates_.apply(two);
  EXPECT_EQ(certificates_.meant_by("tank-1")->fingerprint, one.fingerprint)
      << "the one that still counts";
  EXPECT_EQ(certificates_.registration(read(pem_for("x", ca_)), "tank-1")->name, "tank-1");
}

TEST_F(CertificatesTest, RowsComeBackAsTheyWere) {
  KnownCertificate row = registered(read(pem_for("tank-1", ca_)));
  row.topics = "a/#\nb";
  row.note = "issued here";
  row.pem = "pem";
  row.admits = true;
  const KnownCertificate back = certificate_of(cells_of(row));
  EXPECT_EQ(back.fingerprint, row.fingerprint);
  EXPECT_EQ(back.name, row.name);
  EXPECT_EQ(back.state, row.state);
  EXPECT_EQ(back.subject, row.subject);
  EXPECT_EQ(back.serial, row.serial);
  EXPECT_EQ(back.not_after_us, row.not_after_us);
  EXPECT_EQ(back.topics, row.topics);
  EXPECT_EQ(back.pem, row.pem);
  EXPECT_TRUE(back.admits);
  std::vector<Value> cells = cells_of(row);
  cells[3] = Value::text("some word of a later version");
  EXPECT_EQ(certificate_of(cells).state, State::inactive);
}

TEST_F(CertificatesTest, TopicsLimitADevice) {
  KnownCertificate row = registered(read(pem_for("tank-1", ca_)));
  const net::Certificate shown = [&] {
    net::Certificate certificate;
    certificate.fingerprint = row.fingerprint;
    return certificate;
  }();
  row.topics = "barn/#";
  certificates_.apply(row);
  const Principal who = certificates_.by_certificate(shown).value();
  ASSERT_TRUE(who.scope);
  EXPECT_TRUE(who.scope->may_publish("barn/level"));
  EXPECT_FALSE(who.scope->may_publish("house/level"));
}

TEST_F(CertificatesTest, AccessAsksThemForWhatTheyLetIn) {
  const auto access = Access::make(clock_, false).value();
  const net::Certificate shown = read(pem_for("tank-1", ca_));
  const std::uint64_t before = access->changes();
  KnownCertificate row = access->certificates().registration(shown, "").value();
  access->certificates().apply(row);
  EXPECT_NE(access->changes(), before);
  EXPECT_TRUE(access->has_valid("tank-1"));
  const std::string credential = access->certificates().by_certificate(shown)->credential;
  EXPECT_TRUE(access->is_current(credential));
  row.state = State::revoked;
  access->certificates().apply(row);
  EXPECT_FALSE(access->is_current(credential));
}

}  // namespace
}  // namespace nilo::app
