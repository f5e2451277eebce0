// What a handshake looks at: our certificates, what is asked of clients, what is spoken.
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/utf8.h"
#include "net/tls_stream.h"

namespace nilo::net {
namespace {

// Those with AES-128 first: no weaker than the curves beside it, and its SHA-256 is in the
// processor where the others' SHA-384 is not, which is a tenth of a handshake.
constexpr const char* kCiphers = "ECDHE+AESGCM+AES128:ECDHE+AESGCM:ECDHE+CHACHA20";  // TLS 1.2's
constexpr const char* kCiphers13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";
// A ticket of 1.3 is used once; a device that reconnects gets the next one with it.
constexpr std::size_t kTickets = 1;
constexpr long kTicketLifeS = 24L * 3600;
constexpr std::uint8_t kSessionContext[] = {'n', 'i', 'l', 'o'};

using X509Ptr = std::unique_ptr<X509, decltype(&::X509_free)>;

// One with a date that nobody can read is nobody's: its fingerprint stays empty.
PeerCertificate peer_of(const X509& certificate, bool is_trusted) {
  PeerCertificate peer;
  auto described = describe(certificate);
  if (!described) return peer;
  static_cast<Certificate&>(peer) = std::move(*described);
  peer.der = der_of(certificate);
  const TimeUs now_us = SystemClock().wall_us();
  peer.is_trusted = is_trusted && peer.not_before_us <= now_us && now_us <= peer.not_after_us;
  return peer;
}

Result<void> may_enter(const TlsOptions& options, const PeerCertificate& peer) {
  if (peer.fingerprint.empty()) {
    return Error{ErrorCode::unauthenticated, "this certificate cannot be read", ""};
  }
  if (options.may_enter) return options.may_enter(peer);
  if (peer.is_trusted) return {};
  return Error{ErrorCode::unauthenticated, "nobody here vouches for this certificate", ""};
}

// --- what OpenSSL calls in a handshake

// Whether a chain leads to somebody we trust is one way in; a certificate that is known itself is
// another. OpenSSL's own verdict stays in the session, for is_trusted.
int verify_client(X509_STORE_CTX* store, void* loaded) {
  const bool is_trusted = ::X509_verify_cert(store) == 1;
  const PeerCertificate peer = peer_of(*::X509_STORE_CTX_get0_cert(store), is_trusted);
  const TlsOptions& options = static_cast<const TlsContext::Loaded*>(loaded)->options;
  if (may_enter(options, peer)) return 1;
  if (is_trusted) ::X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REVOKED);
  return 0;
}

int choose_protocol(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void* loaded) {
  const auto& context = *static_cast<const TlsContext::Loaded*>(loaded);
  const std::string& ours = context.protocols;
  const int outcome =
      ::SSL_select_next_proto(const_cast<unsigned char**>(chosen), chosen_size,
                              reinterpret_cast<const unsigned char*>(ours.data()),
                              static_cast<unsigned>(ours.size()), offered, offered_size);
  // RFC 7301 section 3.2: who insists on something else is told so.
  if (outcome != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  const std::string_view agreed(reinterpret_cast<const char*>(*chosen), *chosen_size);
  if (agreed == context.options.device_protocol) {
    ::SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return SSL_TLSEXT_ERR_OK;
}

int choose_identity(SSL* ssl, int* /*alert*/, void* loaded) {
  const char* const host = ::SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (host == nullptr) return SSL_TLSEXT_ERR_NOACK;
  for (SSL_CTX* context : static_cast<const TlsContext::Loaded*>(loaded)->contexts) {
    X509* const ours = ::SSL_CTX_get0_certificate(context);
    if (::X509_check_host(ours, host, 0, 0, nullptr) != 1) continue;
    ::SSL_set_SSL_CTX(ssl, context);
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

// A key with a password would make OpenSSL ask for it on the terminal.
int no_password(char* /*to*/, int /*size*/, int /*writes*/, void* /*data*/) { return 0; }

// --- from files to a context

Error file_error(const std::string& file, std::string_view what) {
  const std::string reason = openssl_reason();
  return {ErrorCode::invalid_argument, fmt::format("{}: {}: {}", file, what, reason),
          "a certificate and its key are PEM files; nilo cert server makes them"};
}

Result<void> use_identity(SSL_CTX* context, const TlsOptions::Identity& ours) {
  if (::SSL_CTX_use_certificate_chain_file(context, ours.certificate_file.c_str()) != 1) {
    return file_error(ours.certificate_file, "not a certificate");
  }
  if (::SSL_CTX_use_PrivateKey_file(context, ours.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return file_error(ours.key_file, "not a key for " + ours.certificate_file);
  }
  return {};
}

// Whom a client needs to see between us and the root: as the file has it, else found among those
// who vouch for clients. Left to itself OpenSSL looks for them, and checks their signatures, in
// every handshake.
void complete_chain(SSL_CTX* context) {
  ::SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
  STACK_OF(X509)* in_file = nullptr;
  ::SSL_CTX_get0_chain_certs(context, &in_file);
  if (::sk_X509_num(in_file) > 0) return;
  ::SSL_CTX_build_cert_chain(context, SSL_BUILD_CHAIN_FLAG_NO_ROOT |
                                          SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR |
                                          SSL_BUILD_CHAIN_FLAG_CLEAR_ERROR);
  ::ERR_clear_error();
}

Result<void> ask_clients(SSL_CTX* context, const TlsContext::Loaded& loaded) {
  using Clients = TlsOptions::Clients;
  const TlsOptions& options = loaded.options;
  const int required = options.clients == Clients::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  const int mode = options.clients == Clients::none ? SSL_VERIFY_NONE : SSL_VERIFY_PEER | required;
  ::SSL_CTX_set_verify(context, mode, nullptr);
  ::SSL_CTX_set_cert_verify_callback(context, &verify_client,
                                     const_cast<TlsContext::Loaded*>(&loaded));
  // No names of CAs are sent: a client must not keep a certificate back that is known by itself.
  if (options.client_ca_file.empty()) return {};
  if (::SSL_CTX_load_verify_file(context, options.client_ca_file.c_str()) != 1) {
    return file_error(options.client_ca_file, "not certificates of those who vouch for clients");
  }
  return {};
}

Result<void> set_up(SSL_CTX* context, const TlsContext::Loaded& loaded,
                    const TlsOptions::Identity& ours) {
  ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  ::SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  ::SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  ::SSL_CTX_set_cipher_list(context, kCiphers);
  ::SSL_CTX_set_ciphersuites(context, kCiphers13);
  ::SSL_CTX_set1_groups_list(context, kGroups);
  ::SSL_CTX_set_default_passwd_cb(context, &no_password);
  // What a client needs to resume is with the client, sealed; nothing of it is kept here.
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_num_tickets(context, kTickets);
  ::SSL_CTX_set_timeout(context, kTicketLifeS);
  ::SSL_CTX_set_session_id_context(context, kSessionContext, sizeof kSessionContext);
  auto* const argument = const_cast<TlsContext::Loaded*>(&loaded);
  if (!loaded.protocols.empty()) {
    ::SSL_CTX_set_alpn_select_cb(context, &choose_protocol, argument);
  }
  if (loaded.options.identities.size() > 1) {
    ::SSL_CTX_set_tlsext_servername_callback(context, &choose_identity);
    ::SSL_CTX_set_tlsext_servername_arg(context, argument);
  }
  TRY(ask_clients(context, loaded));
  TRY(use_identity(context, ours));
  complete_chain(context);
  return {};
}

Result<std::shared_ptr<const TlsContext::Loaded>> load_files(TlsOptions options) {
  NILO_ASSERT(!options.identities.empty());
  const auto loaded = std::make_shared<TlsContext::Loaded>(std::move(options));
  for (const std::string& protocol : loaded->options.protocols) {
    loaded->protocols.push_back(static_cast<char>(protocol.size()));
    loaded->protocols += protocol;
  }
  for (const TlsOptions::Identity& ours : loaded->options.identities) {
    SSL_CTX* const context = ::SSL_CTX_new(::TLS_server_method());
    if (context == nullptr) return Error{ErrorCode::internal, "OpenSSL: " + openssl_reason()};
    loaded->contexts.push_back(context);
    TRY(set_up(context, *loaded, ours));
  }
  return std::shared_ptr<const TlsContext::Loaded>(loaded);
}

}  // namespace

TlsContext::Loaded::~Loaded() {
  for (SSL_CTX* context : contexts) ::SSL_CTX_free(context);
}

std::string openssl_reason() {
  const unsigned long code = ::ERR_peek_last_error();
  ::ERR_clear_error();
  if (code == 0) return "unknown";
  const char* const reason = ::ERR_reason_error_string(code);
  if (reason != nullptr) return reason;
  return ERR_SYSTEM_ERROR(code) ? std::generic_category().message(ERR_GET_REASON(code))
                                : fmt::format("error {:x}", code);
}

PeerCertificate peer_certificate_of(const SSL& ssl) {
  const X509Ptr shown(::SSL_get1_peer_certificate(&ssl), &::X509_free);
  if (shown == nullptr) return {};
  return peer_of(*shown, ::SSL_get_verify_result(&ssl) == X509_V_OK);
}

Result<std::unique_ptr<TlsContext>> TlsContext::load(TlsOptions options) {
  return std::unique_ptr<TlsContext>(new TlsContext(TRY(load_files(std::move(options)))));
}

std::shared_ptr<const TlsContext::Loaded> TlsContext::loaded() const {
  return loaded_.with([](const std::shared_ptr<const Loaded>& loaded) { return loaded; });
}

std::unique_ptr<Stream> TlsContext::wrap(std::unique_ptr<Stream> below) {
  if (handshakes_->fetch_add(1) >= kHandshakesMax) {
    handshakes_->fetch_sub(1);
    note_refused();
    return nullptr;
  }
  return std::make_unique<TlsStream>(std::move(below), loaded(), handshakes_);
}

void TlsContext::note_refused() const {
  if (Counter* const refused = loaded()->options.counters.refused) refused->add();
}

Result<void> TlsContext::reload() {
  auto fresh = TRY(load_files(loaded()->options));
  loaded_.with([&](std::shared_ptr<const Loaded>& loaded) { loaded.swap(fresh); });
  return {};
}

std::vector<std::string> TlsContext::files() const {
  const auto now = loaded();
  std::vector<std::string> files;
  for (const TlsOptions::Identity& ours : now->options.identities) {
    files.push_back(ours.certificate_file);
    files.push_back(ours.key_file);
  }
  if (!now->options.client_ca_file.empty()) files.push_back(now->options.client_ca_file);
  return files;
}

}  // namespace nilo::net
