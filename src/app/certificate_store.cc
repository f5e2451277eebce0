#include "app/certificate_store.h"

#include <utility>

namespace nilo::app {

void CertificateStore::keep(const KnownCertificate& row,
                            std::function<void(const Result<void>&)> done) const {
  commit_(
      [this, row](RecordWriter& record) {
        write_own_row(tables_, kCertificatesTable, clock_.wall_us(), cells_of(row), record);
      },
      [this, row, done = std::move(done)](const Result<void>& outcome) {
        if (outcome) {
          access_.certificates().apply(row);
          logger_.info("certificate.stored", {{"name", row.name},
                                              {"fingerprint", row.fingerprint},
                                              {"state", word_of(row.state)}});
        }
        done(outcome);
      });
}

}  // namespace nilo::app
