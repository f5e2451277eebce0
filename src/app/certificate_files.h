// app/certificate_files.h: this house's own CA and its server certificate, as files.
//
// DATA/certs/ca.crt and ca.key: the CA; its key (mode 0600) never leaves this folder. server.crt
// and server.key: what the doors show. All are PEM. They are written aside, synced and renamed, and
// the server's key stays when its certificate is renewed, so that no moment has a pair that does
// not fit. They need no running server: `nilo cert ca` and `nilo cert server` work on them.
// Threads: any; two makers at once: one CA wins, and both get that one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/time_units.h"
#include "net/certificate.h"

namespace nilo::app {

inline constexpr TimeUs kCaLifeUs = 3650 * kDayUs;
// The longest that browsers and phones take from a CA that somebody installed.
inline constexpr TimeUs kServerLifeUs = 820 * kDayUs;
// Valid from a little before it is made: clocks differ.
inline constexpr TimeUs kClockSlackUs = kHourUs;

class CertificateFiles {
 public:
  explicit CertificateFiles(const std::string& data_dir) : dir_(data_dir + "/certs") {}

  std::string ca_path() const { return dir_ + "/ca.crt"; }
  std::string server_path() const { return dir_ + "/server.crt"; }
  std::string server_key_path() const { return dir_ + "/server.key"; }

  // The CA's certificate, PEM. not_found: there is none yet.
  Result<std::string> ca_certificate() const;
  // The CA as it is; makes one where there is none.
  // unavailable: the disk refused, or the key is kept elsewhere. invalid_argument: what is there is
  // no CA with its key.
  Result<net::CertificateAndKey> ca(TimeUs now_us) const;
  bool has_ca() const;

  // A new server certificate for `names` (host names and addresses; the first is its own name) and
  // those that the one before had. Makes the CA if there is none.
  struct ServerCertificate {
    net::Certificate certificate;
    bool is_renewed = false;  // for the key that there was
  };
  Result<ServerCertificate> make_server(const std::vector<std::string>& names, TimeUs life_us,
                                        TimeUs now_us) const;

 private:
  std::string ca_key_path() const { return dir_ + "/ca.key"; }
  std::string dir_;
};

// How this machine may be called by others: its name, name.local, its addresses, and localhost.
std::vector<std::string> names_of_this_machine();

}  // namespace nilo::app
