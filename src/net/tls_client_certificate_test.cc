// TLS: clients that show certificates.
#include "net/test_tls.h"

namespace nilo::net {
namespace {

using testing::HasSubstr;

class ClientCertificates : public TlsTest {
 protected:
  void SetUp() override {
    TlsTest::SetUp();
    options_.clients = TlsOptions::Clients::optional;
    options_.client_ca_file = ca_.certificate_file;
    options_.may_enter = [this](const PeerCertificate& shown) -> Result<void> {
      seen_.with([&](PeerCertificate& seen) { seen = shown; });
      if (shown.is_trusted || shown.fingerprint == known_) return {};
      return Error{ErrorCode::unauthenticated, "unknown certificate"};
    };
    device_ = mint_.make("device", {.common_name = "tank-1 Grün", .issuer = &ca_});
  }
  // False: the client was sent away.
  bool enters(const Identity* certificate, int version_max = 0) {
    TlsClient client(address(), {.certificate = certificate, .version_max = version_max});
    const bool is_in = client.echoes("hello");
    failure_ = client.failure();
    return is_in;
  }
  std::string fingerprint_of(const Identity& identity) {
    ignore(enters(&identity));
    return seen_.with([](PeerCertificate& seen) { return seen.fingerprint; });
  }
  static void ignore(bool /*value*/) {}

  Identity device_;
  std::string known_;
  Guarded<PeerCertificate> seen_;
  std::string failure_;
};

TEST_F(ClientCertificates, ArePassedOnAsWhatTheySay) {
  start();
  TlsClient client(address(), {.certificate = &device_});
  ASSERT_TRUE(client.echoes("hello"));
  const auto shown = thread_.call([&] { return peers_[0]->stream->peer_certificate(); });
  ASSERT_NE(shown, nullptr);
  EXPECT_EQ(shown->common_name, "tank-1 Grün");
  EXPECT_EQ(shown->subject, "CN=tank-1 Grün,O=Tanks");
  EXPECT_EQ(shown->issuer, "CN=Tanks CA,O=Tanks");
  EXPECT_EQ(shown->serial, "0a0b0f");
  // Made one after the other: a second may have passed.
  EXPECT_NEAR(static_cast<double>(shown->not_after_us - shown->not_before_us),
              2.0 * kDayS * 1'000'000, 2e6);
  EXPECT_TRUE(shown->is_trusted);
  unsigned char digest[32];
  ::X509_digest(device_.certificate.get(), ::EVP_sha256(), digest, nullptr);
  std::string hex;
  for (const unsigned char byte : digest) {
    char text[3];
    std::snprintf(text, sizeof text, "%02x", byte);
    hex += text;
  }
  EXPECT_EQ(shown->fingerprint, hex);
}

TEST_F(ClientCertificates, AreNotNeededWhereTheyAreOptional) {
  start();
  EXPECT_TRUE(enters(nullptr));
  EXPECT_EQ(thread_.call([&] { return peers_[0]->stream->peer_certificate(); }), nullptr);
}

TEST_F(ClientCertificates, AreNeededWhereTheyAreRequired) {
  options_.clients = TlsOptions::Clients::required;
  start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    EXPECT_FALSE(enters(nullptr, version));
    EXPECT_TRUE(enters(&device_, version));
  }
  EXPECT_EQ(failed_.value(), 2U);
}

TEST_F(ClientCertificates, AreAskedOfWhoComesAsADeviceWhereOthersAreNotAsked) {
  options_.clients = TlsOptions::Clients::none;
  options_.protocols = {"http/1.1", "x-amzn-http-ca"};
  options_.device_protocol = "x-amzn-http-ca";
  start();
  const std::string browser = "\x08http/1.1";
  const std::string device = "\x0ex-amzn-http-ca";
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient people(address(), {.protocols = browser, .version_max = version});
    EXPECT_TRUE(people.echoes("hello"));
    TlsClient nobody(address(), {.protocols = device, .version_max = version});
    EXPECT_FALSE(nobody.echoes("hello"));
    TlsClient known(address(),
                    {.certificate = &device_, .protocols = device, .version_max = version});
    EXPECT_TRUE(known.echoes("hello"));
    const auto shown = thread_.call([&] { return peers_.back()->stream->peer_certificate(); });
    ASSERT_NE(shown, nullptr);
    EXPECT_EQ(shown->common_name, "tank-1 Grün");
  }
}

TEST_F(ClientCertificates, OfStrangersExpiredOnesAndThoseOfTheFutureAreRefused) {
  const Identity strange_ca = mint_.make("strange", {.common_name = "Tanks CA", .is_ca = true});
  const Identity stranger =
      mint_.make("stranger", {.common_name = "tank-1", .issuer = &strange_ca});
  const Identity self = mint_.make("self", {.common_name = "tank-1"});
  const Identity expired = mint_.make(
      "expired", {.common_name = "tank-1", .issuer = &ca_, .from_s = -2 * kDayS, .to_s = -kDayS});
  const Identity early = mint_.make(
      "early", {.common_name = "tank-1", .issuer = &ca_, .from_s = kDayS, .to_s = 2 * kDayS});
  const Identity by_device = mint_.make("by_device", {.common_name = "x", .issuer = &device_});
  start();
  for (const Identity* bad : {&stranger, &self, &expired, &early, &by_device}) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      EXPECT_FALSE(enters(bad, version)) << bad->certificate_file;
      EXPECT_THAT(failure_, HasSubstr("alert")) << bad->certificate_file;
    }
  }
  EXPECT_EQ(context_->handshakes(), 0U);
}

TEST_F(ClientCertificates, ThatAreKnownThemselvesNeedNobodyWhoVouchesForThem) {
  start();
  const Identity self = mint_.make("self", {.common_name = "tank-9"});
  const std::string fingerprint = fingerprint_of(self);
  EXPECT_FALSE(enters(&self));
  thread_.call([&] { known_ = fingerprint; });
  EXPECT_TRUE(enters(&self));
  EXPECT_FALSE(seen_.with([](PeerCertificate& seen) { return seen.is_trusted; }));
}

// A resumed session skips the certificates, so what holds now must be asked again.
TEST_F(ClientCertificates, AreLookedAtAgainWhenASessionIsResumed) {
  const Identity self = mint_.make("self", {.common_name = "tank-9"});
  start();
  const std::string known = fingerprint_of(self);
  thread_.call([&] { known_ = known; });
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient first(address(), {.certificate = &self, .version_max = version});
    ASSERT_TRUE(first.echoes("hello"));
    SSL_SESSION* session = ::SSL_get1_session(first.ssl());
    {
      TlsClient again(address(),
                      {.certificate = &self, .version_max = version, .session = session});
      EXPECT_TRUE(again.echoes("hello"));
      EXPECT_EQ(::SSL_session_reused(again.ssl()), 1);
      const auto shown = thread_.call([&] { return peers_.back()->stream->peer_certificate(); });
      ASSERT_NE(shown, nullptr);
      EXPECT_EQ(shown->common_name, "tank-9");
      // One of 1.3 is good for one connection; that one brought the next.
      ::SSL_SESSION_free(std::exchange(session, ::SSL_get1_session(again.ssl())));
      again.say_goodbye();  // OpenSSL resumes no session whose connection was cut
    }
    thread_.call([&] { known_.clear(); });
    TlsClient late(address(), {.certificate = &self, .version_max = version, .session = session});
    EXPECT_FALSE(late.echoes("hello"));
    late.tcp().close();
    const std::size_t count = thread_.call([&] { return peers_.size(); });
    EXPECT_EQ(reason_of(count - 1), "TLS: the certificate is not accepted any more");
    thread_.call([&] { known_ = known; });
    ::SSL_SESSION_free(session);
  }
}

}  // namespace
}  // namespace nilo::net
