#include "app/certificate_desk.h"

#include <fmt/format.h>

#include <utility>

#include "app/hashes.h"
#include "app/topic_scope.h"
#include "base/utf8.h"

namespace nilo::app {

namespace {

using Kind = KnownCertificate::Kind;
using State = KnownCertificate::State;

api::CertificateInfo info_of(const KnownCertificate& known) {
  return {.fingerprint = known.fingerprint,
          .name = known.name,
          .kind = std::string(word_of(known.kind)),
          .state = std::string(word_of(known.state)),
          .subject = known.subject,
          .serial = known.serial,
          .issuer = known.issuer,
          .note = known.note,
          .topics = topics_in(known.topics),
          .admits = known.admits,
          .created_us = known.created_us,
          .not_before_us = known.not_before_us,
          .not_after_us = known.not_after_us};
}

Error busy() {
  return {ErrorCode::resource_exhausted, "too many certificates at once", "try again later"};
}

}  // namespace

api::CertificateBackend CertificateDesk::backend() {
  api::CertificateBackend backend;
  backend.list = [this] {
    std::vector<api::CertificateInfo> out;
    for (const KnownCertificate& one : rooms_.access.certificates().list()) {
      out.push_back(info_of(one));
    }
    return out;
  };
  backend.ca = [this](const Done<std::string>& done) {
    if (!worker_.post([this, done] { done(files_.ca_certificate()); })) done(busy());
  };
  backend.issue = [this](const auto& wanted, const auto& done) { issue(wanted, done); };
  backend.add = [this](const auto& foreign, const auto& done) { add(foreign, done); };
  backend.set_state = [this](const std::string& which, const std::string& state,
                             const Done<api::CertificateInfo>& done) {
    const auto row = changed(which, state);
    if (!row) return done(row.error());
    rooms_.store.keep(*row, [done, info = info_of(*row)](const Result<void>& stored) {
      done(stored ? Result<api::CertificateInfo>(info)
                  : Result<api::CertificateInfo>(stored.error()));
    });
  };
  backend.remove = [this](const std::string& which, const auto& done) { remove(which, done); };
  return backend;
}

// A device's certificate must not make it somebody who may more than a device.
Result<void> CertificateDesk::check_name(const std::string& name) const {
  const auto token = rooms_.access.token(name);
  if (!token || token->revoked || token->role == Role::device) return {};
  return Error{ErrorCode::conflict,
               fmt::format("`{}` is the token of a {}", name, word_of(token->role)),
               "give the device another name"};
}

void CertificateDesk::issue(const api::NewCertificate& wanted,
                            const Done<api::IssuedCertificate>& done) {
  const bool taken = worker_.post([this, wanted, done] {
    api::IssuedCertificate issued;
    const auto row = make(wanted, issued);
    if (!row) return done(row.error());
    issued.info = info_of(*row);
    rooms_.store.keep(*row, [done, issued = std::move(issued)](const Result<void>& stored) {
      done(stored ? Result<api::IssuedCertificate>(issued)
                  : Result<api::IssuedCertificate>(stored.error()));
    });
  });
  if (!taken) done(busy());
}

Result<KnownCertificate> CertificateDesk::make(const api::NewCertificate& wanted,
                                               api::IssuedCertificate& issued) const {
  // Before anything is signed.
  if (!is_device_name(wanted.name)) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("`{}` is not a name for a device", printable(wanted.name, 80)),
                 kDeviceNameHint};
  }
  TRY(check_name(wanted.name));
  const bool is_new_house = !files_.has_ca();
  const TimeUs now_us = rooms_.clock.wall_us();
  const net::CertificateAndKey ca = TRY(files_.ca(now_us));
  if (is_new_house) rooms_.logger.info("certificates.ca_made", {{"file", files_.ca_path()}});
  net::CertificateWish wish;
  wish.common_name = wanted.name.substr(0, net::kCommonNameSizeMax);
  wish.not_before_us = now_us - kClockSlackUs;
  wish.not_after_us = now_us + (wanted.valid_for_us > 0 ? wanted.valid_for_us : kCaLifeUs);
  if (wanted.request.empty()) {
    auto made = TRY(net::issue(ca, wish));
    issued.certificate = std::move(made.certificate);
    issued.key = std::move(made.key);
  } else {
    issued.certificate = TRY(net::issue_for_request(ca, wish, wanted.request));
  }
  issued.ca_certificate = ca.certificate;
  auto row = TRY(rooms_.access.certificates().registration(
      TRY(net::read_certificate(issued.certificate)), wanted.name));
  row.topics = fmt::format("{}", fmt::join(wanted.topics, "\n"));
  row.note = wanted.request.empty() ? "issued here" : "issued here, for the device's own key";
  return row;
}

Result<KnownCertificate> CertificateDesk::registration(
    const api::ForeignCertificate& foreign) const {
  const Certificates& certificates = rooms_.access.certificates();
  if (!foreign.name.empty()) TRY(check_name(foreign.name));
  if (foreign.is_ca) {
    return certificates.registration_of_ca(foreign.pem, foreign.name, foreign.admits);
  }
  net::Certificate certificate;
  if (foreign.pem.empty()) {
    certificate.fingerprint = TRY(net::read_fingerprint(foreign.fingerprint));
  } else {
    certificate = TRY(net::read_certificate(foreign.pem));
    if (certificate.is_ca) {
      return Error{ErrorCode::invalid_argument, "this is the certificate of a CA",
                   "let in what it signed with: nilo cert trust FILE"};
    }
  }
  auto row = TRY(certificates.registration(certificate, foreign.name));
  TRY(check_name(row.name));
  row.state = foreign.is_inactive ? State::inactive : State::active;
  row.topics = fmt::format("{}", fmt::join(foreign.topics, "\n"));
  row.note = foreign.pem.empty() ? "registered by its fingerprint" : "registered";
  return row;
}

void CertificateDesk::add(const api::ForeignCertificate& foreign,
                          const Done<api::CertificateInfo>& done) {
  const auto row = registration(foreign);
  if (!row) return done(row.error());
  rooms_.store.keep(*row, [done, info = info_of(*row)](const Result<void>& stored) {
    done(stored ? Result<api::CertificateInfo>(info)
                : Result<api::CertificateInfo>(stored.error()));
  });
}

Result<KnownCertificate> CertificateDesk::changed(const std::string& which,
                                                  const std::string& state) const {
  KnownCertificate row = TRY(rooms_.access.certificates().meant_by(which));
  const auto wanted = certificate_state_of(state);
  const bool can_be_set = wanted && (*wanted == State::active || *wanted == State::inactive ||
                                     *wanted == State::revoked);
  if (!can_be_set) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("a certificate cannot be made `{}`", printable(state, 40)),
                 "one of active, inactive, revoked"};
  }
  if (row.state == State::revoked && *wanted != State::revoked) {
    return Error{ErrorCode::conflict, fmt::format("the certificate of {} is revoked", row.name),
                 "what was revoked stays revoked: issue or register another one"};
  }
  row.state = *wanted;
  return row;
}

void CertificateDesk::remove(const std::string& which, const Done<void>& done) {
  auto row = rooms_.access.certificates().meant_by(which);
  if (!row) return done(row.error());
  if (row->state == State::active) {
    return done(Error{ErrorCode::conflict,
                      fmt::format("the certificate of {} is active", row->name),
                      "deactivate or revoke it first"});
  }
  row->state = State::removed;
  rooms_.store.keep(*row, done);
}

}  // namespace nilo::app
