#include "net/tls_stream.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace nilo::net {
namespace {

// A read buffer that grew beyond this while reading was paused is given back.
constexpr std::size_t kKeptMax = 1024;

// --- OpenSSL's idea of a socket: memory, this connection's

int bio_read(BIO* bio, char* to, std::size_t size, std::size_t* done) {
  BIO_clear_retry_flags(bio);
  *done = static_cast<TlsStream*>(::BIO_get_data(bio))->read_in(to, size);
  if (*done > 0) return 1;
  BIO_set_retry_read(bio);
  return 0;
}

int bio_write(BIO* bio, const char* from, std::size_t size, std::size_t* done) {
  static_cast<TlsStream*>(::BIO_get_data(bio))->write_out({from, size});
  *done = size;
  return 1;
}

long bio_control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO* make_bio(TlsStream& stream) {
  // Never freed: it is the same for all, and OpenSSL's own kinds live as long.
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "nilo stream");
    ::BIO_meth_set_read_ex(made, &bio_read);
    ::BIO_meth_set_write_ex(made, &bio_write);
    ::BIO_meth_set_ctrl(made, &bio_control);
    return made;
  }();
  BIO* const bio = ::BIO_new(method);
  ::BIO_set_data(bio, &stream);
  ::BIO_set_init(bio, 1);
  return bio;
}

}  // namespace

TlsStream::TlsStream(std::unique_ptr<Stream> below,
                     std::shared_ptr<const TlsContext::Loaded> loaded,
                     std::shared_ptr<std::atomic<std::size_t>> handshakes)
    : LayeredStream(std::move(below)),
      loaded_(std::move(loaded)),
      handshakes_(std::move(handshakes)),
      ssl_(::SSL_new(loaded_->contexts.front())) {
  NILO_ASSERT(ssl_ != nullptr);
  BIO* const bio = make_bio(*this);
  ::SSL_set_bio(ssl_, bio, bio);
  ::SSL_set_accept_state(ssl_);
}

TlsStream::~TlsStream() {
  end_handshake();
  ::SSL_free(ssl_);
}

void TlsStream::on_attached() {
  if (!in_handshake_) return;
  handshake_timer_ = loop()->after(kHandshakeTimeMax, [this] {
    handshake_timer_ = TimerId::none;
    fail("no TLS handshake in time");
  });
}

void TlsStream::on_detached() {
  if (loop() != nullptr) loop()->cancel(std::exchange(handshake_timer_, TimerId::none));
}

void TlsStream::end_handshake() {
  if (!std::exchange(in_handshake_, false)) return;
  on_detached();
  handshakes_->fetch_sub(1);
  Counter* const failed = loaded_->options.counters.failed;
  if (!is_ready_ && failed != nullptr) failed->add();
}

std::size_t TlsStream::read_in(char* to, std::size_t size) {
  const std::size_t taken = in_.copy(to, size);
  in_.remove_prefix(taken);
  return taken;
}

void TlsStream::take_in(std::string_view bytes) {
  if (in_.empty()) {
    in_ = bytes;
    return;
  }
  std::string all(in_);
  all.append(bytes);
  kept_ = std::move(all);
  in_ = kept_;
}

void TlsStream::keep_in() {
  if (in_.empty()) {
    if (kept_.capacity() > kKeptMax) kept_ = {};
    return;
  }
  const bool is_kept = in_.data() >= kept_.data() && in_.data() < kept_.data() + kept_.size();
  if (is_kept) return;
  kept_ = in_;
  in_ = kept_;
}

std::string_view TlsStream::next(std::span<char> room) {
  if (!is_ready_ && !shake_hands()) return {};
  std::size_t size = 0;
  while (size < room.size()) {
    std::size_t more = 0;
    ::ERR_clear_error();
    const int result = ::SSL_read_ex(ssl_, room.data() + size, room.size() - size, &more);
    size += more;
    if (result == 1) continue;
    note_error(result);
    break;
  }
  flush_out(true);
  return {room.data(), size};
}

// True: it is done, and the client may come in.
bool TlsStream::shake_hands() {
  ::ERR_clear_error();
  const int result = ::SSL_do_handshake(ssl_);
  if (result == 1) {
    is_ready_ = check_peer();
    end_handshake();
  } else {
    note_error(result);
  }
  flush_out(false);
  return is_ready_;
}

// A client that resumes a session has not been looked at in this handshake.
bool TlsStream::check_peer() {
  if (::SSL_get_verify_mode(ssl_) == SSL_VERIFY_NONE) return true;
  PeerCertificate peer = peer_certificate_of(*ssl_);
  if (peer.fingerprint.empty()) return true;
  if (::SSL_session_reused(ssl_) == 1) {
    const CertificateCheck& check = loaded_->options.may_enter;
    const bool may_enter = check ? check(peer).has_value() : peer.is_trusted;
    if (!may_enter) {
      fail("TLS: the certificate is not accepted any more");
      return false;
    }
  }
  certificate_ = std::make_shared<const PeerCertificate>(std::move(peer));
  return true;
}

void TlsStream::note_error(int result) {
  const int error = ::SSL_get_error(ssl_, result);
  if (error == SSL_ERROR_WANT_READ) return;
  if (error == SSL_ERROR_ZERO_RETURN) return peer_ends();
  end_handshake();
  std::string reason = openssl_reason();
  const long verdict = ::SSL_get_verify_result(ssl_);
  if (verdict != X509_V_OK && !is_ready_) {
    reason += fmt::format(" ({})", ::X509_verify_cert_error_string(verdict));
  }
  fail("TLS: " + reason);
}

void TlsStream::send(std::string_view bytes) {
  // Who speaks first here is the client.
  if (loop() == nullptr || !is_ready_ || is_closing() || bytes.empty()) return;
  std::size_t written = 0;
  ::ERR_clear_error();
  const int result = ::SSL_write_ex(ssl_, bytes.data(), bytes.size(), &written);
  if (result != 1) note_error(result);
  flush_out(false);
}

// `is_talk`: nobody here asked for it, the peer made OpenSSL say it (keys are to be changed).
void TlsStream::flush_out(bool is_talk) {
  if (out_.empty()) return;
  if (is_talk) talk_size_ += out_.size();
  below().send(out_);
  out_ = {};
  if (below().unsent() == 0) talk_size_ = 0;
  if (talk_size_ > kTalkSizeMax) fail("TLS: the peer asks and does not listen");
}

// By a goodbye, or by an alert that ends everything.
bool TlsStream::is_peer_done() const {
  return (::SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0;
}

void TlsStream::say_goodbye() {
  end_handshake();
  if (!is_ready_) return;
  ::ERR_clear_error();
  ::SSL_shutdown(ssl_);
  ::ERR_clear_error();
  flush_out(false);
}

}  // namespace nilo::net
