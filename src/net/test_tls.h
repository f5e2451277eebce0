// net/test_tls.h: certificates, a client of OpenSSL's and an echoing server, for tests of TLS.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "net/tcp_listener.h"
#include "net/tcp_stream.h"
#include "net/test_net.h"
#include "net/tls.h"

namespace nilo::net {

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&::X509_free)>;

inline constexpr long kDayS = 24L * 3600;

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
    options_.counters = {&refused_, &failed_};
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

  Metrics metrics_;
  Counter& refused_ = metrics_.counter("refused", "", "");
  Counter& failed_ = metrics_.counter("failed", "", "");
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

}  // namespace nilo::net
