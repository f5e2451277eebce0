// net/tls.h: TLS as a server speaks it, over any Stream.
//
// In/out:  files with certificates -> TlsContext; its wrap() makes an encrypted Stream of a plain
//          one. The handshake runs where the stream is first attached; its handler hears nothing of
//          it but bytes, or on_closed() with the reason. The stream may then move to another loop.
// Threads: a TlsContext is safe to share; streams as any Stream.
// Limits:  TLS 1.2 and 1.3, ECDHE and AEAD only, no renegotiation, no compression.
//          A handshake takes kHandshakeTimeMax at most, then it is cut; kHandshakesMax run at
//          once, then wrap() refuses. A peer that makes us talk (kTalkSizeMax) and does not listen
//          is cut.
// Memory:  an idle connection keeps no buffers (OpenSSL's are released, ours are the loop's).
// Source:  RFC 8446, 5246, 7301 (ALPN), 6066 (server names); docs/decisions/0070-tls.md.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/metrics.h"
#include "base/result.h"
#include "net/certificate.h"
#include "net/stream.h"

namespace nilo::net {

inline constexpr std::chrono::seconds kHandshakeTimeMax{10};
inline constexpr std::size_t kHandshakesMax = 2048;
inline constexpr std::size_t kTalkSizeMax = 64 * 1024;

// Who a client says it is, by a key that it proved to have.
struct PeerCertificate : Certificate {
  std::string der{};        // all of it
  bool is_trusted = false;  // the chain leads to a CA this listener trusts, dates right
};

// May a client with this certificate come in? From any loop's thread; must not block.
using CertificateCheck = std::function<Result<void>(const PeerCertificate&)>;

struct TlsOptions {
  enum class Clients : std::uint8_t {
    none,      // not asked for a certificate
    optional,  // may show one; a bad one is refused all the same
    required,
  };
  struct Identity {
    std::string certificate_file;  // PEM: ours, then those between it and the root
    std::string key_file;          // PEM, without a password
  };
  // At least one. The first is for clients that name no host, or none that another one is for.
  std::vector<Identity> identities;
  Clients clients = Clients::none;
  std::string client_ca_file{};          // PEM: who vouches for clients; empty: nobody
  std::vector<std::string> protocols{};  // ALPN, the most wanted first; a client need not ask
  // Who chooses this one of them is a device and must show a certificate, even where nobody else is
  // asked: so that a browser does not bother people with it. Empty: none is like that.
  std::string device_protocol{};
  CertificateCheck may_enter{};  // empty: those that are trusted
  // Handshakes that were refused before they began, and those that came to nothing. Of a Metrics
  // that outlives every stream; nullptr: nobody counts.
  struct Counters {
    Counter* refused = nullptr;
    Counter* failed = nullptr;
  } counters{};
};

class TlsContext {
 public:
  // invalid_argument: a file cannot be read, is no PEM, or key and certificate do not fit; the
  // message names the file.
  static Result<std::unique_ptr<TlsContext>> load(TlsOptions options);

  // An encrypted stream over `below`, which must not be attached. nullptr: kHandshakesMax; that is
  // counted as refused.
  std::unique_ptr<Stream> wrap(std::unique_ptr<Stream> below);
  // Counts one that its owner refuses for reasons of its own. Any thread, as wrap().
  void note_refused() const;

  // Reads the files again, for connections to come. On an error all stays as it was.
  Result<void> reload();
  std::vector<std::string> files() const;
  // That are under way.
  std::size_t handshakes() const { return handshakes_->load(); }

  struct Loaded;  // net/tls_stream.h

 private:
  explicit TlsContext(std::shared_ptr<const Loaded> loaded) : loaded_(std::move(loaded)) {}
  std::shared_ptr<const Loaded> loaded() const;

  Guarded<std::shared_ptr<const Loaded>> loaded_;
  const std::shared_ptr<std::atomic<std::size_t>> handshakes_ =
      std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace nilo::net
