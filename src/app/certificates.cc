#include "app/certificates.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/hashes.h"
#include "app/topic_scope.h"
#include "base/utf8.h"
#include "value/value.h"

namespace nilo::app {

namespace {

using Kind = KnownCertificate::Kind;
using State = KnownCertificate::State;

constexpr std::string_view kCredentialPrefix = "certificate:";
constexpr std::size_t kDigitsShown = 16;

std::string credential_of(const KnownCertificate& known) {
  return fmt::format("{}{}:{}", kCredentialPrefix, known.created_us, known.fingerprint);
}

Principal principal_of(const KnownCertificate& known) {
  Principal who{known.name, Role::device};
  who.scope = topic_scope(known.topics);
  who.credential = credential_of(known);
  return who;
}

std::string short_form(std::string_view fingerprint) {
  return std::string(fingerprint.substr(0, kDigitsShown));
}

std::string day_of(TimeUs us) { return iso_time(us).substr(0, 10); }

// Both of the same fingerprint.
template <typename Shown>
void take_over(const Shown& shown, KnownCertificate& row) {
  row.subject = shown.subject;
  row.serial = shown.serial;
  row.issuer = shown.issuer;
  row.not_before_us = shown.not_before_us;
  row.not_after_us = shown.not_after_us;
}

bool is_over(State state) { return state == State::revoked || state == State::removed; }

}  // namespace

bool is_certificate_credential(std::string_view credential) {
  return credential.starts_with(kCredentialPrefix);
}

std::string name_for(const net::Certificate& certificate) {
  return is_device_name(certificate.common_name) ? certificate.common_name : std::string();
}

void Certificates::apply(const KnownCertificate& stored) {
  state_.with([&](auto& state) {
    KnownCertificate certificate = stored;
    const auto known = state.by_fingerprint.find(certificate.fingerprint);
    if (known != state.by_fingerprint.end()) {
      // It may have been shown since this row was made.
      if (certificate.not_after_us == 0) take_over(known->second, certificate);
      const auto named = state.by_name.find(known->second.name);
      named->second.erase(certificate.fingerprint);
      if (named->second.empty()) state.by_name.erase(named);
    }
    state.by_name[certificate.name].insert(certificate.fingerprint);
    if (certificate.kind == Kind::ca) state.cas.insert(certificate.fingerprint);
    if (certificate.not_after_us != 0 && !is_over(certificate.state)) {
      next_expiry_us_ = std::min(next_expiry_us_.load(), certificate.not_after_us);
    }
    state.by_fingerprint[certificate.fingerprint] = std::move(certificate);
  });
  ++changes_;
}

std::vector<KnownCertificate> Certificates::list() const {
  return state_.with([](const auto& state) {
    std::vector<KnownCertificate> out;
    for (const auto& [fingerprint, certificate] : state.by_fingerprint) {
      if (certificate.state != State::removed) out.push_back(certificate);
    }
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.name < b.name; });
    return out;
  });
}

std::optional<KnownCertificate> Certificates::find(std::string_view fingerprint) const {
  return state_.with([&](const auto& state) -> std::optional<KnownCertificate> {
    const auto known = state.by_fingerprint.find(fingerprint);
    if (known == state.by_fingerprint.end()) return std::nullopt;
    return known->second;
  });
}

Result<KnownCertificate> Certificates::meant_by(std::string_view text) const {
  const std::vector<KnownCertificate> all = list();
  std::vector<const KnownCertificate*> meant;
  for (const KnownCertificate& one : all) {
    if (one.name == text) meant.push_back(&one);
  }
  // Of a name's certificates, those that still count.
  const auto alive_end = std::stable_partition(
      meant.begin(), meant.end(), [](const auto* one) { return !is_over(one->state); });
  if (alive_end != meant.begin()) meant.erase(alive_end, meant.end());
  if (meant.empty() && text.size() >= kFingerprintPrefixMin) {
    for (const KnownCertificate& one : all) {
      if (one.fingerprint.starts_with(text)) meant.push_back(&one);
    }
  }
  if (meant.size() == 1) return *meant.front();
  if (meant.empty()) {
    return Error{ErrorCode::not_found, fmt::format("no certificate `{}`", printable(text, 80)),
                 "a name, or at least 8 digits of a fingerprint: nilo cert ls"};
  }
  std::string which;
  for (const KnownCertificate* one : meant) which += " " + short_form(one->fingerprint);
  return Error{ErrorCode::conflict,
               fmt::format("`{}` has {} certificates:{}", printable(text, 80), meant.size(),
                           printable(which, 400)),
               "say which one by its fingerprint"};
}

std::optional<Principal> Certificates::by_name(std::string_view name) const {
  return state_.with([&](const auto& state) -> std::optional<Principal> {
    const auto named = state.by_name.find(name);
    if (named == state.by_name.end()) return std::nullopt;
    for (const auto& fingerprint : named->second) {
      const KnownCertificate& one = state.by_fingerprint.find(fingerprint)->second;
      if (check(one)) return principal_of(one);
    }
    return std::nullopt;
  });
}

bool Certificates::is_full() const {
  return state_.with(
      [](const auto& state) { return state.by_fingerprint.size() >= kCertificatesMax; });
}

Result<KnownCertificate> Certificates::registration(const net::Certificate& certificate,
                                                    std::string_view name) const {
  KnownCertificate row;
  row.name = name.empty() ? name_for(certificate) : std::string(name);
  if (!is_device_name(row.name)) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("`{}` is not a name for a device",
                             printable(name.empty() ? certificate.common_name : name, 80)),
                 fmt::format("give one of {} with --name", kDeviceNameHint)};
  }
  const auto known = find(certificate.fingerprint);
  if (known && known->state != State::removed) {
    return Error{ErrorCode::conflict,
                 fmt::format("this certificate is known already: {}, {}", known->name,
                             word_of(known->state)),
                 known->state == State::revoked ? "what was revoked stays revoked"
                                                : "change it with: nilo cert activate, deactivate"};
  }
  if (!known && is_full()) {
    return Error{ErrorCode::resource_exhausted,
                 fmt::format("there are {} certificates already", kCertificatesMax), ""};
  }
  if (certificate.not_after_us != 0 && certificate.not_after_us <= clock_.wall_us()) {
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("this certificate has expired on {}", day_of(certificate.not_after_us)), ""};
  }
  row.fingerprint = certificate.fingerprint;
  take_over(certificate, row);
  row.created_us = clock_.wall_us();
  return row;
}

Result<KnownCertificate> Certificates::registration_of_ca(std::string_view pem,
                                                          std::string_view name,
                                                          bool admits) const {
  const net::Certificate certificate = TRY(net::read_certificate(pem));
  if (!certificate.is_ca) {
    return Error{ErrorCode::invalid_argument, "this is not the certificate of a CA",
                 "a device's own certificate: nilo cert register FILE"};
  }
  const std::string own = name_for(certificate);
  const std::string fallback = own.empty() ? "ca-" + short_form(certificate.fingerprint) : own;
  KnownCertificate row = TRY(registration(certificate, name.empty() ? fallback : name));
  if (trusted_cas().size() >= kTrustedCasMax) {
    return Error{ErrorCode::resource_exhausted,
                 fmt::format("{} CAs are trusted already", kTrustedCasMax),
                 "take one back with: nilo cert rm"};
  }
  row.kind = Kind::ca;
  row.pem = pem;
  row.admits = admits;
  row.note = "registered as a CA";
  return row;
}

std::vector<KnownCertificate> Certificates::trusted_cas() const {
  return state_.with([&](const auto& state) {
    std::vector<KnownCertificate> out;
    for (const std::string& fingerprint : state.cas) {
      const KnownCertificate& ca = state.by_fingerprint.find(fingerprint)->second;
      if (ca.kind == Kind::ca && ca.state == State::active) out.push_back(ca);
    }
    return out;
  });
}

Result<void> Certificates::check_dates(TimeUs not_before_us, TimeUs not_after_us) const {
  const TimeUs now_us = clock_.wall_us();
  if (not_after_us != 0 && not_after_us <= now_us) {
    return Error{ErrorCode::unauthenticated,
                 fmt::format("the certificate has expired on {}", day_of(not_after_us)),
                 "make another one with: nilo cert device NAME"};
  }
  if (not_before_us != 0 && not_before_us > now_us) {
    return Error{ErrorCode::unauthenticated,
                 fmt::format("the certificate is not valid before {}", iso_time(not_before_us)),
                 "is the clock of this server right?"};
  }
  return {};
}

Result<void> Certificates::check(const KnownCertificate& known) const {
  if (known.kind != Kind::device) {
    return Error{ErrorCode::unauthenticated, "this is the certificate of a CA, not of a device"};
  }
  if (known.state != State::active) {
    return Error{ErrorCode::unauthenticated,
                 fmt::format("the certificate of {} is {}", known.name,
                             is_over(known.state) ? "revoked" : word_of(known.state)),
                 is_over(known.state) ? "make another one with: nilo cert device NAME"
                                      : fmt::format("let it in with: nilo cert activate {}",
                                                    short_form(known.fingerprint))};
  }
  return check_dates(known.not_before_us, known.not_after_us);
}

Result<void> Certificates::may_connect(const net::Certificate& shown) const {
  TRY(check_dates(shown.not_before_us, shown.not_after_us));
  const auto known = find(shown.fingerprint);
  return known ? check(*known) : Result<void>();
}

void Certificates::complete(const net::Certificate& shown) {
  state_.with([&](auto& state) {
    const auto known = state.by_fingerprint.find(shown.fingerprint);
    if (known == state.by_fingerprint.end()) return;
    take_over(shown, known->second);
    next_expiry_us_ = std::min(next_expiry_us_.load(), shown.not_after_us);
  });
}

Result<Principal> Certificates::by_certificate(const net::Certificate& shown) {
  TRY(check_dates(shown.not_before_us, shown.not_after_us));
  const auto known = find(shown.fingerprint);
  if (!known) {
    return Error{ErrorCode::unauthenticated,
                 fmt::format("nobody here knows the certificate {}", short_form(shown.fingerprint)),
                 "register it with: nilo cert register"};
  }
  TRY(check(*known));
  if (known->not_after_us == 0) complete(shown);
  return principal_of(*known);
}

// Its own name if that is free, so that nobody becomes somebody else by a name in a certificate.
std::string Certificates::free_name_for(const net::Certificate& shown) const {
  const std::string own = name_for(shown);
  const bool is_free = state_.with([&](const auto& state) { return !state.by_name.contains(own); });
  return !own.empty() && is_free ? own : "device-" + short_form(shown.fingerprint);
}

std::optional<KnownCertificate> Certificates::vouched_for(const net::Certificate& shown,
                                                          std::string_view der) const {
  if (find(shown.fingerprint) || is_full()) return std::nullopt;
  for (const KnownCertificate& ca : trusted_cas()) {
    const bool is_valid = check_dates(ca.not_before_us, ca.not_after_us).has_value();
    if (!is_valid || !net::is_signed_by(der, ca.pem)) continue;
    auto row = registration(shown, free_name_for(shown));
    if (!row) return std::nullopt;
    row->state = ca.admits ? State::active : State::pending;
    row->note = fmt::format("came by itself; {} vouches for it", ca.name);
    return *row;
  }
  return std::nullopt;
}

bool Certificates::is_current(std::string_view credential) const {
  if (!is_certificate_credential(credential)) return false;
  const std::size_t colon = credential.rfind(':');
  const auto known = find(credential.substr(colon + 1));
  return known && credential_of(*known) == credential && check(*known).has_value();
}

// One that expires changes who is current, too.
std::uint64_t Certificates::changes() const {
  if (clock_.wall_us() >= next_expiry_us_) {
    state_.with([&](const auto& state) {
      const TimeUs now_us = clock_.wall_us();
      TimeUs next_us = INT64_MAX;
      for (const auto& [fingerprint, one] : state.by_fingerprint) {
        if (one.not_after_us > now_us) next_us = std::min(next_us, one.not_after_us);
      }
      next_expiry_us_ = next_us;
    });
    ++expiries_;
  }
  return changes_ + expiries_;
}

}  // namespace nilo::app
