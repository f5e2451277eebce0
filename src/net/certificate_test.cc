#include "net/certificate.h"

#include <gtest/gtest.h>

namespace nilo::net {
namespace {

constexpr TimeUs kFrom = TimeUs{1'700'000'000} * 1'000'000;
constexpr TimeUs kDay = TimeUs{24} * 3600 * 1'000'000;

CertificateAndKey ca(std::string_view name = "Test CA") {
  return make_ca(name, kFrom, kFrom + 3650 * kDay).value();
}

CertificateWish wish_for(std::string name) {
  return {.common_name = std::move(name),
          .use = CertificateWish::Use::client,
          .alternative_names = {},
          .not_before_us = kFrom,
          .not_after_us = kFrom + kDay};
}

TEST(Certificate, OfACaSaysWhoItIs) {
  const CertificateAndKey made = ca("Nilometer of the barn");
  const Certificate read = read_certificate(made.certificate).value();
  EXPECT_TRUE(read.is_ca);
  EXPECT_EQ(read.common_name, "Nilometer of the barn");
  EXPECT_EQ(read.subject, "CN=Nilometer of the barn");
  EXPECT_EQ(read.issuer, read.subject);
  EXPECT_EQ(read.fingerprint.size(), 64u);
  EXPECT_EQ(read.not_before_us, kFrom);
  EXPECT_EQ(read.not_after_us, kFrom + 3650 * kDay);
  EXPECT_TRUE(check_pair(made));
  EXPECT_TRUE(is_signed_by(made.certificate, made.certificate));
}

TEST(Certificate, OfADeviceIsSignedByItsCaAndByNoOther) {
  const CertificateAndKey own = ca();
  const CertificateAndKey device = issue(own, wish_for("tank-1")).value();
  const Certificate read = read_certificate(device.certificate).value();
  EXPECT_FALSE(read.is_ca);
  EXPECT_EQ(read.common_name, "tank-1");
  EXPECT_EQ(read.issuer, "CN=Test CA");
  EXPECT_EQ(read.serial.size(), 32u);
  EXPECT_TRUE(check_pair(device));
  EXPECT_TRUE(is_signed_by(device.certificate, own.certificate));
  EXPECT_FALSE(is_signed_by(device.certificate, ca().certificate)) << "a CA of the same name";
  EXPECT_FALSE(is_signed_by(own.certificate, device.certificate));
  const CertificateAndKey other = issue(own, wish_for("tank-1")).value();
  EXPECT_NE(read_certificate(other.certificate)->fingerprint, read.fingerprint);
  EXPECT_FALSE(check_pair({device.certificate, other.key}));
}

TEST(Certificate, LivesNoLongerThanItsCa) {
  CertificateWish wish = wish_for("tank-1");
  wish.not_after_us = kFrom + 99'999 * kDay;
  const auto made = issue(ca(), wish).value();
  EXPECT_EQ(read_certificate(made.certificate)->not_after_us, kFrom + 3650 * kDay);
}

TEST(Certificate, OfAServerNamesHostsAndAddressesAndNothingElse) {
  CertificateWish wish = wish_for("pi");
  wish.use = CertificateWish::Use::server;
  wish.alternative_names = {"pi.local", "192.168.1.7", "fd00::7", "*.example.org"};
  const auto made = issue(ca(), wish).value();
  EXPECT_EQ(read_certificate(made.certificate)->alternative_names, wish.alternative_names);
  for (const std::string& bad : {std::string(), std::string("a b"), std::string("a,IP:1.2.3.4"),
                                 std::string("a\nb"), std::string("email:x@y")}) {
    wish.alternative_names = {bad};
    EXPECT_EQ(issue(ca(), wish).error().code, ErrorCode::invalid_argument) << bad;
  }
  wish.alternative_names = std::vector<std::string>(kAlternativeNamesMax, "a.example");
  EXPECT_TRUE(issue(ca(), wish));
  wish.alternative_names.emplace_back("b.example");
  EXPECT_FALSE(issue(ca(), wish));
}

TEST(Certificate, IsRenewedForTheKeyThereIs) {
  const CertificateAndKey own = ca();
  const CertificateAndKey first = issue(own, wish_for("pi")).value();
  const std::string second = issue_for_key(own, wish_for("pi"), first.key).value();
  EXPECT_TRUE(check_pair({second, first.key}));
  EXPECT_NE(read_certificate(second)->serial, read_certificate(first.certificate)->serial);
}

TEST(Certificate, ARequestMustBeSignedByItsOwnKey) {
  const CertificateAndKey own = ca();
  EXPECT_EQ(issue_for_request(own, wish_for("x"), "no request").error().code,
            ErrorCode::invalid_argument);
  EXPECT_FALSE(issue_for_request(own, wish_for("x"), own.certificate));
}

TEST(Certificate, OnlyACaWithItsOwnKeyIssues) {
  const CertificateAndKey own = ca();
  const CertificateAndKey device = issue(own, wish_for("tank-1")).value();
  EXPECT_FALSE(issue(device, wish_for("tank-2"))) << "a device is no CA";
  EXPECT_FALSE(issue({own.certificate, device.key}, wish_for("tank-2")));
}

TEST(Certificate, NamesAreTextOfACertainLength) {
  const CertificateAndKey own = ca();
  EXPECT_TRUE(issue(own, wish_for(std::string(64, 'a'))));
  for (const std::string& bad : {std::string(), std::string(65, 'a'), std::string("a\0b", 3),
                                 std::string("a\nb"), std::string("\xff\xfe")}) {
    EXPECT_EQ(issue(own, wish_for(bad)).error().code, ErrorCode::invalid_argument);
  }
  // What would be a pattern elsewhere is a name here; whoever gives rights looks at it again.
  EXPECT_EQ(read_certificate(issue(own, wish_for("+/#"))->certificate)->common_name, "+/#");
}

TEST(Certificate, OtherBytesAreNone) {
  for (const std::string& bytes :
       {std::string(), std::string("x"), std::string("-----BEGIN CERTIFICATE-----\nAAAA\n"),
        std::string(kCertificateSizeMax + 1, '0'), std::string("\x30\x82\xff\xff", 4)}) {
    EXPECT_EQ(read_certificate(bytes).error().code, ErrorCode::invalid_argument);
  }
  EXPECT_FALSE(read_certificate(ca().key)) << "a key is no certificate";
}

TEST(Certificate, FingerprintsAreReadAsPeopleWriteThem) {
  const std::string digits(64, 'a');
  std::string colons;
  for (int i = 0; i < 32; ++i) colons += i == 0 ? "AA" : ":AA";
  EXPECT_EQ(read_fingerprint(digits).value(), digits);
  EXPECT_EQ(read_fingerprint(colons).value(), digits);
  EXPECT_FALSE(read_fingerprint(digits + "a"));
  EXPECT_FALSE(read_fingerprint(std::string(63, 'a')));
  EXPECT_FALSE(read_fingerprint(std::string(64, 'g')));
}

}  // namespace
}  // namespace nilo::net
