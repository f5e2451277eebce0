#include "app/refused_logins.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/hashes.h"
#include "base/utf8.h"

namespace nilo::app {

void RefusedLogins::add(RefusedLogin login) {
  kept_.with([&](Kept& kept) {
    kept.remove_if([&](const RefusedLogin& one) {
      return one.client_id == login.client_id && one.user == login.user && one.ip == login.ip;
    });
    kept.push_front(std::move(login));
    if (kept.size() > kRefusedLoginsMax) kept.pop_back();
  });
}

void RefusedLogins::add_password(RefusedLogin login, std::string_view password,
                                 std::int64_t now_us) {
  login.kind = Token::Kind::password;
  const auto before = find(login.client_id, login.user, login.ip);
  const bool is_due = now_us >= next_hash_us_ && password.size() <= kPasswordSizeMax;
  if (is_due) {
    next_hash_us_ = now_us + kRefusedHashEveryUs;
    if (auto hash = password_hash(password)) login.hash = std::move(*hash);
  } else if (before && !before->hash.empty()) {
    return;  // a client that tries again and again keeps what was hashed
  }
  add(std::move(login));
}

std::optional<RefusedLogin> RefusedLogins::find(std::string_view client_id, std::string_view user,
                                                std::string_view ip) const {
  return kept_.with([&](const Kept& kept) -> std::optional<RefusedLogin> {
    const auto found = std::find_if(kept.begin(), kept.end(), [&](const RefusedLogin& one) {
      return one.client_id == client_id && one.user == user && one.ip == ip;
    });
    if (found == kept.end()) return std::nullopt;
    return *found;
  });
}

// A password is looked up by the user name (by the client id where there is none), so that must be
// the name, and may only be a device's. Tokens and addresses are looked up by their hash: any name
// that is free will do.
std::string RefusedLogins::name_for(const RefusedLogin& login) const {
  const std::string& shown = login.user.empty() ? login.client_id : login.user;
  if (login.kind == Token::Kind::password) {
    if (!is_device_name(shown)) return {};
    const auto known = access_.token(shown);
    const bool is_free = !known || known->revoked;
    const bool is_device_with_another =
        known && known->role == Role::device && known->kind == Token::Kind::password;
    return is_free || is_device_with_another ? shown : std::string();
  }
  std::string base = is_device_name(shown) ? shown.substr(0, 56) : "device";
  if (!access_.token(base)) return base;
  for (int number = 2; number < 1000; ++number) {
    std::string name = fmt::format("{}-{}", base, number);
    if (!access_.token(name)) return name;
  }
  return {};
}

// The first of what it says of itself that is a device's name, or could be one.
std::string RefusedLogins::device_name_for(const RefusedLogin& login) const {
  for (const std::string& shown : {login.certificate->common_name, login.user, login.client_id}) {
    const auto token = access_.token(shown);
    const bool is_other = token && !token->revoked && token->role != Role::device;
    if (is_device_name(shown) && !is_other) return shown;
  }
  return "device-" + login.certificate->fingerprint.substr(0, 16);
}

std::optional<RefusedCertificate> RefusedLogins::certificate_of(std::string_view client_id,
                                                                std::string_view user,
                                                                std::string_view ip) const {
  const auto login = find(client_id, user, ip);
  const bool is_certificate = login && login->certificate;
  // What is known already was revoked or deactivated by somebody.
  if (!is_certificate || access_.certificates().find(login->certificate->fingerprint)) {
    return std::nullopt;
  }
  return RefusedCertificate{
      *login->certificate, device_name_for(*login),
      fmt::format("allowed: client {} from {}", printable(client_id, 80), ip)};
}

std::optional<std::string> RefusedLogins::would_allow(std::string_view client_id,
                                                      std::string_view user,
                                                      std::string_view ip) const {
  const auto login = find(client_id, user, ip);
  if (!login) return std::nullopt;
  if (login->certificate) {
    const auto shown = certificate_of(client_id, user, ip);
    if (!shown) return std::nullopt;
    return fmt::format("Let in whoever has the key of certificate {} ({}), as device {}.",
                       shown->certificate.fingerprint.substr(0, 16),
                       printable(shown->certificate.subject, 80), shown->name);
  }
  const std::string name = name_for(*login);
  if (name.empty()) return std::nullopt;
  switch (login->kind) {
    case Token::Kind::address:
      if (client_id.empty()) return std::nullopt;
      return fmt::format(
          "Let the client id {} in from {} without a password, as {}. Anybody at that address who "
          "gives this id gets in, too.",
          printable(client_id, 80), ip, name);
    case Token::Kind::token:
      // What was revoked stays revoked.
      if (access_.has_hash(login->hash)) return std::nullopt;
      return fmt::format("Let in whoever shows this token, as device {}.", name);
    case Token::Kind::password:
      if (login->hash.empty()) return std::nullopt;
      return access_.token(name)
                 ? fmt::format("Let {} in with the password it showed; the one from before ends.",
                               name)
                 : fmt::format("Let {} in with the password it showed.", name);
  }
  return std::nullopt;
}

Result<Token> RefusedLogins::token_for(std::string_view client_id, std::string_view user,
                                       std::string_view ip, TimeUs now_us) const {
  const auto login = find(client_id, user, ip);
  if (!login || !would_allow(client_id, user, ip)) {
    return Error{ErrorCode::not_found, "this client cannot be allowed",
                 "make a token for it: nilo token new NAME"};
  }
  Token token;
  token.name = name_for(*login);
  token.kind = login->kind;
  token.hash =
      login->kind == Token::Kind::address ? hash_of(address_key(client_id, ip)) : login->hash;
  token.created_us = now_us;
  // Another password is no reason for more rights than were given.
  if (const auto before = access_.token(token.name)) token.topics = before->topics;
  token.note = fmt::format("allowed: client {} from {}", printable(client_id, 80), ip);
  return token;
}

}  // namespace nilo::app
