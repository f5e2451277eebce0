// api/certificate_backend.h: devices' certificates, as the API asks the house about them.
//
// Threads: as backend.h. A private key is answered once, and never logged or kept.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace nilo::api {

struct CertificateInfo {
  std::string fingerprint;
  std::string name;
  std::string kind;   // "device", "ca"
  std::string state;  // "active", "inactive", "pending", "revoked"
  std::string subject{};
  std::string serial{};
  std::string issuer{};
  std::string note{};
  std::vector<std::string> topics{};
  bool admits = false;  // of a CA
  TimeUs created_us = 0;
  TimeUs not_before_us = 0;  // 0 = not known
  TimeUs not_after_us = 0;   // likewise
};

struct NewCertificate {
  std::string name;
  std::int64_t valid_for_us = 0;      // 0: as long as the CA
  std::vector<std::string> topics{};  // filters it is limited to; empty: not limited
  std::string request{};              // PKCS #10 of a key the device has; empty: a key is made
};

struct IssuedCertificate {
  CertificateInfo info{};
  std::string certificate{};     // PEM
  std::string key{};             // PEM; empty: there was a request
  std::string ca_certificate{};  // PEM, for a device to know this server by
};

// A certificate that somebody else issued: as PEM, or by its fingerprint alone.
struct ForeignCertificate {
  std::string name{};  // empty: its own
  std::string pem{};
  std::string fingerprint{};
  std::vector<std::string> topics{};
  bool is_inactive = false;
  bool is_ca = false;   // it vouches for devices
  bool admits = false;  // of a CA: they come in at once, instead of waiting for a person
};

struct CertificateBackend {
  template <typename T>
  using Done = std::function<void(Result<T>)>;

  std::function<std::vector<CertificateInfo>()> list;
  // The CA's certificate as PEM. not_found: there is none yet.
  std::function<void(Done<std::string>)> ca;
  // Done when the row is durable. Makes the CA if there is none.
  std::function<void(const NewCertificate&, Done<IssuedCertificate>)> issue;
  std::function<void(const ForeignCertificate&, Done<CertificateInfo>)> add;
  // `which`: a name, a fingerprint, or the first digits of one. `state`: active, inactive, revoked.
  // not_found. conflict: it is revoked, or there are several.
  std::function<void(const std::string& which, const std::string& state, Done<CertificateInfo>)>
      set_state;
  // From the list. conflict: it is active.
  std::function<void(const std::string& which, Done<void>)> remove;
};

}  // namespace nilo::api
