// app/certificates.h: which certificates let somebody in?
//
// A device proves by TLS that it has the key of a certificate; which device that is, and whether it
// may come in, is said by a row of sys_certificates (certificate_rows.h) and by nothing in the
// certificate itself: not even our own CA's signature lets in one that is not there. The name in a
// certificate is only ever proposed for the row (name_for()), and only if it could be a token's.
// In/out:  rows, and certificates that TLS connections show -> Principal.
// Threads: safe to share.
// Limits:  kCertificatesMax rows; then no other is taken, neither from people nor by a CA's word.
//          kTrustedCasMax CAs: each is asked about a certificate that nobody knows.
// Source:  docs/decisions/0080-devices-with-certificates.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "app/certificate_rows.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"
#include "net/certificate.h"
#include "value/principal.h"

namespace nilo::app {

inline constexpr std::size_t kCertificatesMax = 200'000;
inline constexpr std::size_t kTrustedCasMax = 32;
// Of a fingerprint, to say which one is meant.
inline constexpr std::size_t kFingerprintPrefixMin = 8;

class Certificates {
 public:
  explicit Certificates(const Clock& clock) : clock_(clock) {}

  // Takes over what is durable now. Keyed by fingerprint.
  void apply(const KnownCertificate& certificate);
  // But for removed ones.
  std::vector<KnownCertificate> list() const;
  std::optional<KnownCertificate> find(std::string_view fingerprint) const;
  // The one that a person means: its name, its fingerprint, or at least kFingerprintPrefixMin
  // digits of that. not_found; conflict: there are several, and the message lists them.
  Result<KnownCertificate> meant_by(std::string_view text) const;
  // Whom a certificate of this name lets in; nullopt: none does.
  std::optional<Principal> by_name(std::string_view name) const;
  bool is_full() const;

  // A new row, to be stored. `name` empty: the certificate's own, if that will do.
  // invalid_argument: the name; it has expired. conflict: it is known; says as what.
  // resource_exhausted: kCertificatesMax.
  Result<KnownCertificate> registration(const net::Certificate& certificate,
                                        std::string_view name) const;
  // Likewise, of a CA that vouches for devices; `pem` is its certificate.
  // invalid_argument: it is no CA. resource_exhausted: kTrustedCasMax.
  Result<KnownCertificate> registration_of_ca(std::string_view pem, std::string_view name,
                                              bool admits) const;

  // May this one finish its TLS handshake? One that nobody knows may: what it asks for is refused
  // afterwards, in words, and a person can let it in.
  // unauthenticated: it is revoked, not active, expired or not valid yet.
  Result<void> may_connect(const net::Certificate& shown) const;
  // unauthenticated: not known, or as may_connect(). What the row of one that was registered by its
  // fingerprint alone lacks, its dates above all, is known from here on; the row on disk gets it
  // when it is stored the next time.
  Result<Principal> by_certificate(const net::Certificate& shown);
  // The row for one that nobody knows and that a trusted CA vouches for, to be stored; its state
  // says whether it lets the device in. `der`: the whole certificate. nullopt: no CA does.
  std::optional<KnownCertificate> vouched_for(const net::Certificate& shown,
                                              std::string_view der) const;

  // Does what let this one in still hold? Of a Principal that this gave.
  bool is_current(std::string_view credential) const;
  // Another number than before: somebody may not be current any more. Cheap, to be asked often.
  std::uint64_t changes() const;

 private:
  struct Index {
    std::map<std::string, KnownCertificate, std::less<>> by_fingerprint;
    std::map<std::string, std::set<std::string>, std::less<>> by_name;  // fingerprints
    std::set<std::string> cas;                                          // likewise
  };
  std::vector<KnownCertificate> trusted_cas() const;
  Result<void> check(const KnownCertificate& known) const;
  Result<void> check_dates(TimeUs not_before_us, TimeUs not_after_us) const;
  void complete(const net::Certificate& shown);
  std::string free_name_for(const net::Certificate& shown) const;

  const Clock& clock_;
  Guarded<Index> state_;
  std::atomic<std::uint64_t> changes_{0};
  mutable std::atomic<TimeUs> next_expiry_us_{INT64_MAX};
  mutable std::atomic<std::uint64_t> expiries_{0};
};

// What the certificate's own name gives as a name for a row; empty: nothing that could be one.
std::string name_for(const net::Certificate& certificate);

// The credential of a Principal (value/principal.h) that a certificate let in.
bool is_certificate_credential(std::string_view credential);

}  // namespace nilo::app
