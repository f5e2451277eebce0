#include "app/certificate_rows.h"

#include "app/own_row.h"
#include "base/assert.h"

namespace nilo::app {

namespace {
using Kind = KnownCertificate::Kind;
using State = KnownCertificate::State;

// Indexed by State; stored as these words.
constexpr std::string_view kStateWords[] = {"active", "inactive", "pending", "revoked", "removed"};
constexpr std::size_t kColumns = 14;
}  // namespace

std::string_view word_of(Kind kind) { return kind == Kind::ca ? "ca" : "device"; }

std::string_view word_of(State state) { return kStateWords[static_cast<std::size_t>(state)]; }

std::optional<State> certificate_state_of(std::string_view word) {
  for (std::size_t i = 0; i < std::size(kStateWords); ++i) {
    if (kStateWords[i] == word) return static_cast<State>(i);
  }
  return std::nullopt;
}

TableSchema certificates_schema() {
  return private_table(
      kCertificatesTable,
      {own_column("fingerprint", Type::text), own_column("name", Type::text),
       own_column("kind", Type::text), own_column("state", Type::text),
       own_column("subject", Type::text), own_column("serial", Type::text),
       own_column("issuer", Type::text), own_column("not_before", Type::timestamp),
       own_column("not_after", Type::timestamp), own_column("created", Type::timestamp),
       own_column("note", Type::text), own_column("topics", Type::text),
       own_column("pem", Type::text), own_column("admits", Type::boolean)});
}

std::vector<Value> cells_of(const KnownCertificate& certificate) {
  return {Value::text(certificate.fingerprint),   Value::text(certificate.name),
          Value::text(word_of(certificate.kind)), Value::text(word_of(certificate.state)),
          text_or_null(certificate.subject),      text_or_null(certificate.serial),
          text_or_null(certificate.issuer),       time_or_null(certificate.not_before_us),
          time_or_null(certificate.not_after_us), Value::timestamp(certificate.created_us),
          text_or_null(certificate.note),         text_or_null(certificate.topics),
          text_or_null(certificate.pem),          Value::boolean(certificate.admits)};
}

KnownCertificate certificate_of(std::span<const Value> cells) {
  NILO_ASSERT(cells.size() >= kColumns);
  KnownCertificate certificate;
  certificate.fingerprint = text_in(cells[0]);
  certificate.name = text_in(cells[1]);
  certificate.kind = text_in(cells[2]) == word_of(Kind::ca) ? Kind::ca : Kind::device;
  certificate.state = certificate_state_of(text_in(cells[3])).value_or(State::inactive);
  certificate.subject = text_in(cells[4]);
  certificate.serial = text_in(cells[5]);
  certificate.issuer = text_in(cells[6]);
  certificate.not_before_us = number_in(cells[7]);
  certificate.not_after_us = number_in(cells[8]);
  certificate.created_us = number_in(cells[9]);
  certificate.note = text_in(cells[10]);
  certificate.topics = text_in(cells[11]);
  certificate.pem = text_in(cells[12]);
  certificate.admits = is_true(cells[13]);
  return certificate;
}

}  // namespace nilo::app
