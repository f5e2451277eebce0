// net/tls_stream.h: one connection's TLS, between net/tls.h and OpenSSL. Not for other rooms.
//
// OpenSSL reads from and writes to memory: what came from below, and what goes there at the end of
// each call. Threads: see net/stream.h.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/layered_stream.h"
#include "net/tls.h"

struct ssl_st;
struct ssl_ctx_st;

namespace nilo::net {

// tls_context.cc: the certificate that was shown. `is_trusted` is false if its dates are wrong now.
PeerCertificate peer_certificate_of(const ssl_st& ssl);
// In words, from OpenSSL's queue of errors, which is empty then.
std::string openssl_reason();

// What the files held when they were read last. Immutable; streams keep theirs.
struct TlsContext::Loaded {
  explicit Loaded(TlsOptions wanted) : options(std::move(wanted)) {}
  ~Loaded();
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;

  const TlsOptions options;
  std::vector<ssl_ctx_st*> contexts{};  // one for each identity
  std::string protocols{};              // of ALPN, as they stand in a handshake
};

class TlsStream final : public LayeredStream {
 public:
  // `handshakes` was counted up for this one, and is counted down when its handshake is over.
  TlsStream(std::unique_ptr<Stream> below, std::shared_ptr<const TlsContext::Loaded> loaded,
            std::shared_ptr<std::atomic<std::size_t>> handshakes);
  ~TlsStream() override;

  void send(std::string_view bytes) override;
  bool is_encrypted() const override { return true; }
  std::shared_ptr<const PeerCertificate> peer_certificate() const override { return certificate_; }

  // For OpenSSL: takes from what came, adds to what goes.
  std::size_t read_in(char* to, std::size_t size);
  void write_out(std::string_view bytes) { out_.append(bytes); }

 private:
  void take_in(std::string_view bytes) override;
  void keep_in() override;
  std::string_view next(std::span<char> room) override;
  void say_goodbye() override;
  bool is_peer_done() const override;
  bool may_have_more() const override { return !in_handshake_ || !in_.empty(); }
  void on_attached() override;
  void on_detached() override;
  bool tells_flushed() const override { return is_ready_; }

  bool shake_hands();
  bool check_peer();
  void end_handshake();
  void note_error(int result);
  void flush_out(bool is_talk);

  const std::shared_ptr<const TlsContext::Loaded> loaded_;  // OpenSSL's callbacks look at it
  const std::shared_ptr<std::atomic<std::size_t>> handshakes_;
  ssl_st* ssl_;
  std::string_view in_{};  // not read by OpenSSL yet: in kept_, or where take_in() got it
  std::string kept_{};
  std::string out_{};
  std::shared_ptr<const PeerCertificate> certificate_{};
  TimerId handshake_timer_ = TimerId::none;
  std::size_t talk_size_ = 0;  // sent unasked since the peer last took all we had
  bool in_handshake_ = true;
  bool is_ready_ = false;
};

}  // namespace nilo::net
