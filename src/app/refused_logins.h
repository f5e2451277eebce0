// app/refused_logins.h: devices that were turned away, kept so that a person may let them in.
//
// A device that was set up for another server shows its own password, or none. Whoever runs this
// server sees it among the refused and allows it: exactly what it showed becomes a row of
// sys_tokens (access.h), for a device, revocable like any other. Until then only a hash is kept, in
// memory.
// Threads: safe to share.
// Limits:  kRefusedLoginsMax, then the one not seen for longest is forgotten.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "app/access.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"
#include "net/certificate.h"

namespace nilo::app {

inline constexpr std::size_t kRefusedLoginsMax = 200;
inline constexpr std::int64_t kRefusedHashEveryUs = 500'000;

// What a device showed in CONNECT.
struct RefusedLogin {
  std::string client_id;
  std::string user;
  std::string ip;
  Token::Kind kind = Token::Kind::address;        // address: no password was shown
  std::string hash{};                             // of the token or password; empty: not known
  std::optional<net::Certificate> certificate{};  // that it proved to have the key of
};

// A certificate to be registered, and as what.
struct RefusedCertificate {
  net::Certificate certificate;
  std::string name;
  std::string note;
};

class RefusedLogins {
 public:
  explicit RefusedLogins(const Access& access) : access_(access) {}

  void add(RefusedLogin login);
  // Of kind password. Hashes it (0.1 s), but no more than one each kRefusedHashEveryUs: then it is
  // known that a password was shown, not which. `now_us`: Clock::steady_us().
  void add_password(RefusedLogin login, std::string_view password, std::int64_t now_us);

  // What Allow would do, for a person; nothing: it cannot be allowed (no usable name, or what it
  // showed was revoked).
  std::optional<std::string> would_allow(std::string_view client_id, std::string_view user,
                                         std::string_view ip) const;
  // If it was a certificate that was refused, and may be allowed.
  std::optional<RefusedCertificate> certificate_of(std::string_view client_id,
                                                   std::string_view user,
                                                   std::string_view ip) const;
  // The row that lets it in. not_found: as would_allow(), or forgotten meanwhile.
  Result<Token> token_for(std::string_view client_id, std::string_view user, std::string_view ip,
                          TimeUs now_us) const;

 private:
  using Kept = std::list<RefusedLogin>;  // newest first
  std::optional<RefusedLogin> find(std::string_view client_id, std::string_view user,
                                   std::string_view ip) const;
  // The name the row would have; empty: none fits.
  std::string name_for(const RefusedLogin& login) const;
  std::string device_name_for(const RefusedLogin& login) const;

  const Access& access_;
  Guarded<Kept> kept_;
  std::atomic<std::int64_t> next_hash_us_{0};
};

}  // namespace nilo::app
