// app/certificate_desk.h: issues, registers and revokes certificates for whoever may.
//
// In/out:  api::CertificateBackend's questions -> files of certificate_files.h, rows of
//          sys_certificates; what is answered is durable. A certificate that a connection shows and
//          nobody knows yet -> a row, if a trusted CA vouches for it.
// Threads: any; making keys and reading files happen on the worker.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "api/certificate_backend.h"
#include "app/access.h"
#include "app/certificate_files.h"
#include "app/certificate_store.h"
#include "app/worker.h"
#include "base/logger.h"

namespace nilo::app {

inline constexpr std::size_t kCertificateRequestsMax = 64;  // waiting for the worker; then refused

class CertificateDesk {
 public:
  struct Rooms {  // all must outlive the desk
    const Access& access;
    const CertificateStore& store;
    const Clock& clock;
    Logger& logger;
  };
  CertificateDesk(const Rooms& rooms, const std::string& data_dir)
      : rooms_(rooms), files_(data_dir), worker_(kCertificateRequestsMax) {}

  api::CertificateBackend backend();

 private:
  template <typename T>
  using Done = api::CertificateBackend::Done<T>;

  Result<void> check_name(const std::string& name) const;
  void issue(const api::NewCertificate& wanted, const Done<api::IssuedCertificate>& done);
  Result<KnownCertificate> make(const api::NewCertificate& wanted,
                                api::IssuedCertificate& issued) const;
  Result<KnownCertificate> registration(const api::ForeignCertificate& foreign) const;
  void add(const api::ForeignCertificate& foreign, const Done<api::CertificateInfo>& done);
  Result<KnownCertificate> changed(const std::string& which, const std::string& state) const;
  void remove(const std::string& which, const Done<void>& done);

  Rooms rooms_;
  const CertificateFiles files_;
  Worker worker_;
};

}  // namespace nilo::app
