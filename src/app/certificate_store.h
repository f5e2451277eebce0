// app/certificate_store.h: makes a row of sys_certificates durable, and then lets it count.
//
// Threads: any; `done` is called on another.
#pragma once

#include <functional>

#include "app/access.h"
#include "app/certificate_rows.h"
#include "app/own_row.h"
#include "base/logger.h"

namespace nilo::app {

class CertificateStore {
 public:
  // All must outlive this.
  CertificateStore(Access& access, const Commit& commit, const tables::Tables& tables,
                   const Clock& clock, Logger& logger)
      : access_(access), commit_(commit), tables_(tables), clock_(clock), logger_(logger) {}

  void keep(const KnownCertificate& row, std::function<void(const Result<void>&)> done) const;

 private:
  Access& access_;
  const Commit& commit_;
  const tables::Tables& tables_;
  const Clock& clock_;
  Logger& logger_;
};

}  // namespace nilo::app
