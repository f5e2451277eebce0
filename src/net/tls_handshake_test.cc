// TLS: what a handshake agrees on, and what ends it.
#include <fstream>

#include "net/test_tls.h"

namespace nilo::net {
namespace {

using testing::HasSubstr;
using TlsHandshake = TlsTest;

void append(const std::string& file, const std::string& to) {
  std::ofstream(to, std::ios::app) << std::ifstream(file).rdbuf();
}

TEST_F(TlsHandshake, SpeaksVersions12And13AndNoOlderOnes) {
  start();
  TlsClient newest(address());
  EXPECT_TRUE(newest.echoes("hello"));
  EXPECT_EQ(::SSL_version(newest.ssl()), TLS1_3_VERSION);
  TlsClient older(address(), {.version_max = TLS1_2_VERSION});
  EXPECT_TRUE(older.echoes("hello"));
  EXPECT_EQ(::SSL_version(older.ssl()), TLS1_2_VERSION);
  TlsClient too_old(address(), {.version_max = TLS1_1_VERSION});
  EXPECT_FALSE(too_old.shake_hands());
  too_old.tcp().close();
  EXPECT_THAT(reason_of(2), HasSubstr("TLS: "));
  EXPECT_EQ(context_->handshakes(), 0U);
}

TEST_F(TlsHandshake, TakesOnlyCiphersWithForwardSecrecyAndWithoutCbc) {
  start();
  for (const char* cipher :
       {"AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "DHE-RSA-AES128-GCM-SHA256"}) {
    TlsClient client(address(), {.version_max = TLS1_2_VERSION, .ciphers = cipher});
    EXPECT_FALSE(client.shake_hands()) << cipher;
  }
  TlsClient client(address(),
                   {.version_max = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"});
  EXPECT_TRUE(client.echoes("hello"));
}

TEST_F(TlsHandshake, PrefersAes128AndTakesAes256OfWhoHasNothingElse) {
  start();
  TlsClient newest(address());
  ASSERT_TRUE(newest.echoes("hello"));
  EXPECT_STREQ(::SSL_get_cipher(newest.ssl()), "TLS_AES_128_GCM_SHA256");
  TlsClient older(address(), {.version_max = TLS1_2_VERSION});
  ASSERT_TRUE(older.echoes("hello"));
  EXPECT_STREQ(::SSL_get_cipher(older.ssl()), "ECDHE-ECDSA-AES128-GCM-SHA256");
  TlsClient strict(address(),
                   {.version_max = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384"});
  EXPECT_TRUE(strict.echoes("hello"));
}

// The root is what a client has; looking for it would make every handshake a third dearer.
TEST_F(TlsHandshake, ShowsWhatIsBetweenUsAndTheRootAndNotTheRoot) {
  const Identity middle =
      mint_.make("middle", {.common_name = "middle", .issuer = &ca_, .is_ca = true});
  const Identity ours = mint_.make("ours", {.common_name = "ours", .issuer = &middle});
  const auto shown = [&] {
    start();
    TlsClient client(address());
    EXPECT_TRUE(client.echoes("hello"));
    return ::sk_X509_num(::SSL_get_peer_cert_chain(client.ssl()));
  };
  options_.client_ca_file = ca_.certificate_file;
  EXPECT_EQ(shown(), 1);
  options_.identities = {ours.files()};
  EXPECT_EQ(shown(), 1) << "nobody knows the one between";
  append(middle.certificate_file, ours.certificate_file);
  EXPECT_EQ(shown(), 2) << "from our file";
  mint_.make("ours", {.common_name = "ours", .issuer = &middle});
  append(middle.certificate_file, ca_.certificate_file);
  EXPECT_EQ(shown(), 2) << "from those who vouch for clients";
}

TEST_F(TlsHandshake, ResumesSessionsOfBothVersions) {
  start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient first(address(), {.version_max = version});
    ASSERT_TRUE(first.echoes("hello"));
    SSL_SESSION* session = ::SSL_get1_session(first.ssl());
    first.say_goodbye();
    for (int time = 0; time < 3; ++time) {
      TlsClient again(address(), {.version_max = version, .session = session});
      ASSERT_TRUE(again.echoes("hello"));
      EXPECT_EQ(::SSL_session_reused(again.ssl()), 1) << version;
      ::SSL_SESSION_free(std::exchange(session, ::SSL_get1_session(again.ssl())));
      again.say_goodbye();
    }
    // The keys of tickets go with the certificates: then it is as if there was none.
    ASSERT_TRUE(context_->reload());
    TlsClient late(address(), {.version_max = version, .session = session});
    EXPECT_TRUE(late.echoes("hello"));
    EXPECT_EQ(::SSL_session_reused(late.ssl()), 0);
    ::SSL_SESSION_free(session);
  }
}

TEST_F(TlsHandshake, ChoosesTheCertificateByTheNameThatIsAskedFor) {
  const Identity second = mint_.make("second", {.common_name = "second", .host = "*.pool.example"});
  options_.identities.push_back(second.files());
  start();
  for (const auto& [asked, shown] : {std::pair{"tanks.example", "server"},
                                     {"north.pool.example", "second"},
                                     {"unknown.example", "server"},
                                     {"", "server"}}) {
    TlsClient client(address(), {.server_name = asked});
    ASSERT_TRUE(client.echoes("hello")) << asked;
    EXPECT_EQ(client.server_name(), shown) << asked;
  }
}

TEST_F(TlsHandshake, AgreesOnAProtocolButInsistsOnNone) {
  options_.protocols = {"x-amzn-mqtt-ca", "mqtt"};
  start();
  TlsClient aws(address(), {.protocols = "\x04mqtt\x0ex-amzn-mqtt-ca"});
  ASSERT_TRUE(aws.echoes("hello"));
  EXPECT_EQ(aws.protocol(), "x-amzn-mqtt-ca");
  TlsClient plain(address());
  ASSERT_TRUE(plain.echoes("hello"));
  EXPECT_EQ(plain.protocol(), "");
  TlsClient other(address(), {.protocols = "\x02h2"});
  EXPECT_FALSE(other.shake_hands());
}

TEST_F(TlsHandshake, AnswersWhatIsNoTlsWithAnAlert) {
  start();
  for (const char* garbage : {"GET / HTTP/1.1\r\n\r\n", "\x10\x16\x00\x04MQTT\x04\x02\x00\x3c",
                              "\x16\x03\x01\xff\xff garbage garbage garbage"}) {
    TestClient client(address());
    client.send(garbage);
    client.end_sending();
    EXPECT_TRUE(client.is_closed());
  }
  for (std::size_t number = 0; number < 3; ++number) reason_of(number);
  EXPECT_EQ(context_->handshakes(), 0U);
  EXPECT_EQ(failed_.value(), 3U);
  TlsClient good(address());
  EXPECT_TRUE(good.echoes("still here"));
  EXPECT_EQ(failed_.value(), 3U);
}

// Every length of the first flight, and then nothing: none may be kept, or upset the server.
TEST_F(TlsHandshake, HalfAHandshakeIsForgottenWithItsConnection) {
  start();
  std::string hello;
  {
    TestClient silent(address());
    SSL_CTX* const context = ::SSL_CTX_new(::TLS_client_method());
    SSL* const ssl = ::SSL_new(context);
    ::SSL_set_bio(ssl, ::BIO_new(::BIO_s_mem()), ::BIO_new(::BIO_s_mem()));
    ::SSL_connect(ssl);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(::SSL_get_wbio(ssl), &bytes);
    hello.assign(bytes, static_cast<std::size_t>(size));
    ::SSL_free(ssl);
    ::SSL_CTX_free(context);
  }
  ASSERT_GT(hello.size(), 100U);
  std::size_t count = 1;  // `silent`
  for (std::size_t size = 0; size < hello.size(); size += 7, ++count) {
    TestClient client(address());
    client.send(hello.substr(0, size));
    client.close();
  }
  TlsClient good(address());
  EXPECT_TRUE(good.echoes("still here"));
  wait_until([&] { return context_->handshakes() == 0; });
  EXPECT_EQ(failed_.value(), count);
}

TEST_F(TlsHandshake, TakesOnlySoManyHandshakesAtOnce) {
  const auto context = TlsContext::load(options_).value();
  std::vector<std::unique_ptr<Stream>> streams;
  for (std::size_t count = 0; count < kHandshakesMax; ++count) {
    streams.push_back(context->wrap(std::make_unique<TcpStream>(-1)));
    ASSERT_NE(streams.back(), nullptr);
  }
  EXPECT_EQ(refused_.value(), 0U);
  EXPECT_EQ(context->wrap(std::make_unique<TcpStream>(-1)), nullptr);
  EXPECT_EQ(refused_.value(), 1U);
  streams.pop_back();
  EXPECT_NE(context->wrap(std::make_unique<TcpStream>(-1)), nullptr);
  streams.clear();
  EXPECT_EQ(context->handshakes(), 0U);
}

TEST_F(TlsHandshake, CertificatesAreReadAgainAndBadOnesChangeNothing) {
  start();
  TlsClient before(address());
  ASSERT_TRUE(before.echoes("hello"));
  mint_.make("server", {.common_name = "renewed", .issuer = &ca_});
  ASSERT_TRUE(context_->reload());
  TlsClient after(address());
  ASSERT_TRUE(after.echoes("hello"));
  EXPECT_EQ(after.server_name(), "renewed");
  ASSERT_TRUE(before.send("again"));
  EXPECT_EQ(before.read(5), "again");

  const Identity other = mint_.make("other", {.common_name = "other"});
  std::filesystem::copy_file(other.key_file, server_.key_file,
                             std::filesystem::copy_options::overwrite_existing);
  const auto mixed = context_->reload();
  ASSERT_FALSE(mixed);
  EXPECT_THAT(mixed.error().message, HasSubstr(server_.key_file));
  std::filesystem::remove(server_.certificate_file);
  const auto missing = context_->reload();
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr(server_.certificate_file));
  TlsClient still(address());
  ASSERT_TRUE(still.echoes("hello"));
  EXPECT_EQ(still.server_name(), "renewed");
}

}  // namespace
}  // namespace nilo::net
