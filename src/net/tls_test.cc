#include "net/tls.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/tcp_listener.h"
#include "net/tcp_stream.h"
#include "net/test_net.h"

namespace nilo::net {
namespace {

using testing::HasSubstr;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&::X509_free)>;

constexpr long kDayS = 24L * 3600;

// A certificate, its key, and files of both.
struct Identity {
  KeyPtr key{nullptr, &::EVP_PKEY_free};
  X509Ptr certificate{nullptr, &::X509_free};
  std::string certificate_file;
  std::string key_file;

  TlsOptions::Identity files() const { return {certificate_file, key_file}; }
};

struct Wanted {
  std::string common_name;
  std::string host{};                // a subjectAltName
  const Identity* issuer = nullptr;  // nobody: itself
  long from_s = -kDayS;
  long to_s = kDayS;
  bool is_ca = false;
};

// Makes certificates in a folder that goes with it.
class Mint {
 public:
  Mint() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nilo-tls-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Mint() { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  // Files are NAME.crt and NAME.key.
  Identity make(const std::string& name, const Wanted& wanted) {
    Identity made;
    made.key = KeyPtr(::EVP_EC_gen("P-256"), &::EVP_PKEY_free);
    made.certificate = X509Ptr(::X509_new(), &::X509_free);
    X509* const x509 = made.certificate.get();
    ::X509_set_version(x509, 2);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(x509), ++serial_);
    ::X509_gmtime_adj(::X509_getm_notBefore(x509), wanted.from_s);
    ::X509_gmtime_adj(::X509_getm_notAfter(x509), wanted.to_s);
    ::X509_set_pubkey(x509, made.key.get());
    X509_NAME* const subject = ::X509_get_subject_name(x509);
    add_name(subject, "O", "Tanks");
    add_name(subject, "CN", wanted.common_name);
    const Identity& issuer = wanted.issuer != nullptr ? *wanted.issuer : made;
    ::X509_set_issuer_name(x509, ::X509_get_subject_name(issuer.certificate.get()));
    if (wanted.is_ca) extend(x509, NID_basic_constraints, "critical,CA:TRUE");
    if (!wanted.host.empty()) extend(x509, NID_subject_alt_name, "DNS:" + wanted.host);
    ::X509_sign(x509, issuer.key.get(), ::EVP_sha256());
    made.certificate_file = path(name + ".crt");
    made.key_file = path(name + ".key");
    write(made);
    return made;
  }

 private:
  static void add_name(X509_NAME* name, const char* field, const std::string& text) {
    ::X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(text.data()),
                                 static_cast<int>(text.size()), -1, 0);
  }
  static void extend(X509* x509, int nid, const std::string& text) {
    X509_EXTENSION* const extension = ::X509V3_EXT_conf_nid(nullptr, nullptr, nid, text.c_str());
    ::X509_add_ext(x509, extension, -1);
    ::X509_EXTENSION_free(extension);
  }
  static void write(const Identity& made) {
    std::FILE* file = std::fopen(made.certificate_file.c_str(), "w");
    ::PEM_write_X509(file, made.certificate.get());
    std::fclose(file);
    file = std::fopen(made.key_file.c_str(), "w");
    ::PEM_write_PrivateKey(file, made.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
  }

  std::string folder_;
  long serial_ = 0x0a0b0c;
};

struct ClientWishes {
  const Identity* certificate = nullptr;
  std::string server_name{};
  std::string protocols{};  // as in a handshake: "\x04mqtt"
  int version_max = 0;      // 0: any
  std::string ciphers{};
  SSL_SESSION* session = nullptr;
};

// The other side: OpenSSL on a blocking socket.
class TlsClient {
 public:
  explicit TlsClient(const Address& address, const ClientWishes& wishes = {})
      : tcp_(address), context_(::SSL_CTX_new(::TLS_client_method())) {
    ::SSL_CTX_set_security_level(context_, 0);
    ::SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    ::SSL_CTX_set_max_proto_version(context_, wishes.version_max);
    if (!wishes.ciphers.empty()) ::SSL_CTX_set_cipher_list(context_, wishes.ciphers.c_str());
    if (wishes.certificate != nullptr) {
      ::SSL_CTX_use_certificate(context_, wishes.certificate->certificate.get());
      ::SSL_CTX_use_PrivateKey(context_, wishes.certificate->key.get());
    }
    ssl_ = ::SSL_new(context_);
    if (!wishes.server_name.empty()) {
      ::SSL_set_tlsext_host_name(ssl_, wishes.server_name.c_str());
    }
    if (!wishes.protocols.empty()) {
      ::SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(wishes.protocols.data()),
                            static_cast<unsigned>(wishes.protocols.size()));
    }
    if (wishes.session != nullptr) ::SSL_set_session(ssl_, wishes.session);
    const int flags = ::fcntl(tcp_.fd(), F_GETFL);
    ::fcntl(tcp_.fd(), F_SETFL, flags & ~O_NONBLOCK);
    const timeval patience{std::chrono::seconds(kTestPatience).count(), 0};
    ::setsockopt(tcp_.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::SSL_set_fd(ssl_, tcp_.fd());
  }
  ~TlsClient() {
    ::SSL_free(ssl_);
    ::SSL_CTX_free(context_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // In TLS 1.3 the server's word on our certificate comes after it.
  bool shake_hands() { return checked(::SSL_connect(ssl_)); }
  bool send(std::string_view bytes) {
    return checked(::SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())));
  }
  // `count` bytes, or fewer at the end.
  std::string read(std::size_t count) {
    std::string all;
    std::array<char, 16384> buffer;
    while (all.size() < count) {
      const int size = ::SSL_read(ssl_, buffer.data(),
                                  static_cast<int>(std::min(buffer.size(), count - all.size())));
      if (!checked(size)) break;
      all.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return all;
  }
  // Talks to an echo; false: somebody does not want to.
  bool echoes(std::string_view text) {
    return shake_hands() && send(text) && read(text.size()) == text;
  }
  void say_goodbye() { ::SSL_shutdown(ssl_); }
  bool got_goodbye() const { return (::SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }
  SSL* ssl() { return ssl_; }
  TestClient& tcp() { return tcp_; }
  // What the last call failed with: "tlsv1 alert unknown ca".
  const std::string& failure() const { return failure_; }
  std::string server_name() {
    const X509Ptr shown(::SSL_get1_peer_certificate(ssl_), &::X509_free);
    char text[80] = "";
    ::X509_NAME_get_text_by_NID(::X509_get_subject_name(shown.get()), NID_commonName, text,
                                sizeof text);
    return text;
  }
  std::string protocol() {
    const unsigned char* text = nullptr;
    unsigned size = 0;
    ::SSL_get0_alpn_selected(ssl_, &text, &size);
    return {reinterpret_cast<const char*>(text), size};
  }

 private:
  bool checked(int result) {
    if (result > 0) return true;
    const unsigned long code = ::ERR_peek_last_error();
    ::ERR_clear_error();
    const char* const reason = ::ERR_reason_error_string(code);
    failure_ = reason != nullptr ? reason : "end";
    return false;
  }

  TestClient tcp_;
  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
  std::string failure_;
};

// Sends back what it gets.
class Echo final : public StreamHandler {
 public:
  explicit Echo(std::unique_ptr<Stream> connected) : stream(std::move(connected)) {}
  void on_bytes(std::string_view bytes) override {
    received.append(bytes);
    // A copy, for it may replace itself, or destroy all this.
    if (const auto react = on_received) return react();
    stream->send(bytes);
  }
  void on_flushed() override { ++flushed; }
  bool on_end() override {
    ended = true;
    return false;
  }
  void on_closed(std::string_view why) override {
    ++closed;
    reason = why;
  }

  std::unique_ptr<Stream> stream;
  std::string received;
  std::function<void()> on_received;
  bool ended = false;
  int flushed = 0;
  int closed = 0;
  std::string reason;
};

class TlsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets that the server has closed
    ca_ = mint_.make("ca", {.common_name = "Tanks CA", .is_ca = true});
    server_ =
        mint_.make("server", {.common_name = "server", .host = "tanks.example", .issuer = &ca_});
    options_.identities = {server_.files()};
  }
  void TearDown() override {
    thread_.call([this] {
      peers_.clear();
      listener_.reset();
    });
  }
  void start() {
    context_ = TlsContext::load(options_).value();
    thread_.call([this] {
      listener_ = TcpListener::listen(thread_.loop(), {"127.0.0.1", 0}, *logger_,
                                      [this](int fd, const std::string&) {
                                        auto stream =
                                            context_->wrap(std::make_unique<TcpStream>(fd));
                                        if (stream == nullptr) return;
                                        peers_.push_back(std::make_unique<Echo>(std::move(stream)));
                                        Echo& echo = *peers_.back();
                                        ASSERT_TRUE(echo.stream->attach(thread_.loop(), echo));
                                        if (prepare_) prepare_(echo);
                                      })
                      .value();
    });
  }
  const Address& address() const { return listener_->address(); }
  Echo& peer(std::size_t number = 0) {
    wait_until([=, this] { return peers_.size() > number; });
    return *peers_[number];
  }
  void wait_until(const std::function<bool()>& condition) { thread_.wait_until(condition); }
  std::string reason_of(std::size_t number) {
    Echo& echo = peer(number);
    wait_until([&] { return echo.closed == 1; });
    return echo.reason;
  }

  Mint mint_;
  Identity ca_;
  Identity server_;
  TlsOptions options_;
  std::unique_ptr<TlsContext> context_;
  LoopThread thread_;
  std::unique_ptr<Logger> logger_ = make_silent_logger();
  std::unique_ptr<TcpListener> listener_;
  std::vector<std::unique_ptr<Echo>> peers_;
  std::function<void(Echo&)> prepare_;
};

TEST_F(TlsTest, SpeaksVersions12And13AndNoOlderOnes) {
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

TEST_F(TlsTest, TakesOnlyCiphersWithForwardSecrecyAndWithoutCbc) {
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

TEST_F(TlsTest, CarriesMuchBothWaysForASlowReader) {
  start();
  TlsClient client(address());
  ASSERT_TRUE(client.shake_hands());
  Echo& echo = peer();
  std::string big(8 * 1024 * 1024, '\0');
  for (std::size_t at = 0; at < big.size(); ++at) big[at] = static_cast<char>(at * 7 + at / 4096);
  ASSERT_TRUE(client.send("go"));
  thread_.wait_until([&] { return echo.received == "go"; });
  thread_.call([&] {
    echo.stream->send(big);
    EXPECT_GT(echo.stream->unsent(), 0U);
  });
  EXPECT_TRUE(client.read(big.size() + 2) == "go" + big);
  wait_until([&] { return echo.flushed > 0; });
}

TEST_F(TlsTest, LeavesBytesAtThePeerWhileReadingIsPaused) {
  prepare_ = [](Echo& echo) { echo.on_received = [&echo] { echo.stream->pause_reading(); }; };
  start();
  TlsClient client(address());
  ASSERT_TRUE(client.shake_hands());
  // In one piece: the second record is already here when the first one makes it pause.
  const std::string first(16 * 1024, 'a');
  ASSERT_TRUE(client.send(first + "later"));
  Echo& echo = peer();
  wait_until([&] { return !echo.received.empty(); });
  for (int turn = 0; turn < 100; ++turn) thread_.call([] {});
  EXPECT_EQ(thread_.call([&] { return echo.received; }), first);
  thread_.call([&] { echo.stream->resume_reading(); });
  wait_until([&] { return echo.received == first + "later"; });
}

// The first bytes decide where it is at home; those behind them must not be lost on the way.
TEST_F(TlsTest, MovesToAnotherLoopWithWhatItHasReadAndNotSaid) {
  LoopThread other;
  prepare_ = [&](Echo& echo) {
    echo.on_received = [&] {
      echo.on_received = nullptr;
      echo.stream->detach();
      other.loop().post([&] {
        echo.stream->send("nobody hears this");
        ASSERT_TRUE(echo.stream->attach(other.loop(), echo));
        echo.stream->send("here|");
      });
    };
  };
  start();
  TlsClient client(address());
  ASSERT_TRUE(client.shake_hands());
  const std::string first(16 * 1024, 'a');
  ASSERT_TRUE(client.send(first + "second"));
  EXPECT_EQ(client.read(11), "here|second");
  ASSERT_TRUE(client.send("third"));
  EXPECT_EQ(client.read(5), "third");
  other.call([&] { peers_[0]->stream->close(); });
}

TEST_F(TlsTest, ChoosesTheCertificateByTheNameThatIsAskedFor) {
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

TEST_F(TlsTest, AgreesOnAProtocolButInsistsOnNone) {
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

TEST_F(TlsTest, SaysGoodbyeAndHearsIt) {
  prepare_ = [](Echo& echo) {
    echo.on_received = [&echo] {
      echo.stream->send("bye");
      echo.stream->close_after_flush();
    };
  };
  start();
  TlsClient client(address());
  ASSERT_TRUE(client.shake_hands() && client.send("hello"));
  EXPECT_EQ(client.read(100), "bye");
  EXPECT_TRUE(client.got_goodbye());
  client.tcp().close();
  EXPECT_EQ(reason_of(0), "closed");

  TlsClient second(address());
  ASSERT_TRUE(second.shake_hands());
  second.say_goodbye();
  second.read(1);
  EXPECT_TRUE(second.got_goodbye());
  second.tcp().close();
  EXPECT_EQ(reason_of(1), "closed by the peer");
  EXPECT_TRUE(peer(1).ended);
}

TEST_F(TlsTest, ReportsAConnectionThatIsCutShort) {
  start();
  TlsClient client(address());
  ASSERT_TRUE(client.echoes("hello"));
  client.tcp().end_sending();
  EXPECT_EQ(reason_of(0), "closed by the peer");
  TlsClient second(address());
  ASSERT_TRUE(second.echoes("hello"));
  second.tcp().reset();
  EXPECT_EQ(reason_of(1), "Connection reset by peer");
}

TEST_F(TlsTest, AnswersWhatIsNoTlsWithAnAlert) {
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
  TlsClient good(address());
  EXPECT_TRUE(good.echoes("still here"));
}

// Every length of the first flight, and then nothing: none may be kept, or upset the server.
TEST_F(TlsTest, HalfAHandshakeIsForgottenWithItsConnection) {
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
  for (std::size_t size = 0; size < hello.size(); size += 7) {
    TestClient client(address());
    client.send(hello.substr(0, size));
    client.close();
  }
  TlsClient good(address());
  EXPECT_TRUE(good.echoes("still here"));
  wait_until([&] { return context_->handshakes() == 0; });
}

TEST_F(TlsTest, TakesOnlySoManyHandshakesAtOnce) {
  const auto context = TlsContext::load(options_).value();
  std::vector<std::unique_ptr<Stream>> streams;
  for (std::size_t count = 0; count < kHandshakesMax; ++count) {
    streams.push_back(context->wrap(std::make_unique<TcpStream>(-1)));
    ASSERT_NE(streams.back(), nullptr);
  }
  EXPECT_EQ(context->wrap(std::make_unique<TcpStream>(-1)), nullptr);
  streams.pop_back();
  EXPECT_NE(context->wrap(std::make_unique<TcpStream>(-1)), nullptr);
  streams.clear();
  EXPECT_EQ(context->handshakes(), 0U);
}

TEST_F(TlsTest, AStreamMayBeDestroyedOrClosedByItsOwnHandler) {
  start();
  for (const bool destroys : {true, false}) {
    const std::size_t number = destroys ? 0 : 1;
    TlsClient client(address());
    ASSERT_TRUE(client.shake_hands());
    Echo& echo = peer(number);
    thread_.call([&] {
      echo.on_received = [&echo, destroys] {
        if (destroys) echo.stream.reset();
        if (!destroys) echo.stream->close();
      };
    });
    client.send(std::string(40'000, 'x'));
    EXPECT_EQ(client.read(1), "");
    EXPECT_EQ(thread_.call([&] { return echo.closed; }), 0);
  }
}

TEST_F(TlsTest, CertificatesAreReadAgainAndBadOnesChangeNothing) {
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
