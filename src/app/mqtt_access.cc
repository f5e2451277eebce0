#include "app/mqtt_access.h"

#include <utility>

#include "app/hashes.h"
#include "app/ingest.h"
#include "app/policy_certificate.h"
#include "app/scram.h"

namespace nilo::app {

namespace {

constexpr std::size_t kNonceBytes = 18;

bool is_ours(std::string_view topic) { return topic.starts_with("$"); }

// Where programs made for AWS IoT look; a policy may let a device in there.
bool is_reserved(std::string_view topic) { return topic.starts_with("$aws/"); }

PolicySubject subject_of(const mqtt::Login& login) {
  PolicySubject subject;
  subject.client_id = login.client_id;
  subject.source_ip = login.source_ip;
  subject.is_persistent = login.is_persistent;
  subject.has_will = login.has_will;
  return subject;
}

// Until more is known of what it showed.
RefusedLogin refused_login(const mqtt::Login& login) {
  return {std::string(login.client_id), std::string(shown_user(login.user_name)),
          std::string(login.source_ip)};
}

// Who has proven who it is gets the scope of its policies, or does not get in.
class Admission final : public mqtt::Authenticator {
 public:
  Admission(std::unique_ptr<mqtt::Authenticator> exchange, const Policies& policies,
            PolicySubject subject)
      : exchange_(std::move(exchange)), policies_(policies), subject_(std::move(subject)) {}

  Result<Step> next(std::string_view data) override {
    Step step = TRY(exchange_->next(data));
    if (step.is_done) TRY(policies_.admit(step.who, subject_));
    return step;
  }

 private:
  const std::unique_ptr<mqtt::Authenticator> exchange_;
  const Policies& policies_;
  const PolicySubject subject_;
};

}  // namespace

// Who it is, is known; what it may do says the stack.
void MqttAccess::admit(const PolicySubject& subject, Result<Principal> who, const Done& done) {
  if (who) {
    if (const auto admitted = rooms_.policies.admit(*who, subject); !admitted) {
      who = admitted.error();
    }
  }
  done(std::move(who));
}

// By the certificate of its TLS connection, which says who the client is: user name (AWS device
// SDKs put their version there) and password do not count then.
bool MqttAccess::log_in_by_certificate(const mqtt::Login& login, const Shown& shown,
                                       const Done& done) {
  const auto certificate = shown.certificate;
  if (!certificate) return false;
  PolicySubject subject = subject_of(login);
  add_certificate(subject, *certificate);
  Certificates& certificates = rooms_.access.certificates();
  auto who = certificates.by_certificate(*certificate);
  const bool is_known = who || certificates.find(certificate->fingerprint);
  if (is_known) {
    admit(subject, std::move(who), done);
    return true;
  }
  if (const auto row = certificates.vouched_for(*certificate, certificate->der)) {
    rooms_.certificates.keep(*row, [this, subject, certificate, done](const Result<void>& kept) {
      rooms_.loop.run_on_loop([this, subject, certificate, done, kept] {
        admit(subject,
              kept ? rooms_.access.certificates().by_certificate(*certificate)
                   : Result<Principal>(kept.error()),
              done);
      });
    });
    return true;
  }
  if (rooms_.access.is_open_to(login.source_ip)) return false;
  const bool shows_more = login.has_password || login.user_name.starts_with(kTokenPrefix);
  if (shows_more && !shown.needs_certificate) return false;
  RefusedLogin refused = refused_login(login);
  refused.certificate = *certificate;
  rooms_.refused_logins.add(std::move(refused));
  done(std::move(who));
  return true;
}

void MqttAccess::log_in(const mqtt::Login& login, const Shown& shown, const Done& done) {
  if (log_in_by_certificate(login, shown, done)) return;
  const Access& access = rooms_.access;
  const PolicySubject subject = subject_of(login);
  RefusedLogin refused = refused_login(login);
  const std::string_view secret = login.has_password ? login.password : login.user_name;
  if (secret.starts_with(kTokenPrefix)) {
    auto who = access.by_token(secret);
    if (!who) {
      refused.kind = Token::Kind::token;
      refused.hash = hash_of(secret);
      rooms_.refused_logins.add(std::move(refused));
    }
    return admit(subject, std::move(who), done);
  }
  if (login.has_password) return check_password(login, std::move(refused), done);
  // A name alone proves nothing: AWS device SDKs put their version there.
  if (access.is_open_to(login.source_ip)) return done(Principal{"", Role::admin});
  if (auto who = access.by_address(login.client_id, login.source_ip)) {
    return admit(subject, std::move(who), done);
  }
  rooms_.refused_logins.add(std::move(refused));
  done(Error{ErrorCode::unauthenticated, "no password or token was given",
             "make one on the server with: nilo token new NAME"});
}

void MqttAccess::check_password(const mqtt::Login& login, RefusedLogin refused, const Done& done) {
  const PolicySubject subject = subject_of(login);
  const std::string_view name = login.user_name.empty() ? login.client_id : login.user_name;
  rooms_.passwords.check(
      {std::string(name), std::string(login.password), std::string(login.source_ip)},
      [this, subject, done](Result<Principal> who) {
        rooms_.loop.run_on_loop([this, subject, done, who = std::move(who)] {
          // It may have been revoked since, when this client was not yet among those to be dropped.
          const bool is_late = who && !rooms_.access.is_current(who->credential);
          admit(subject,
                is_late ? Error{ErrorCode::unauthenticated, "this password was just revoked"} : who,
                done);
        });
      },
      [this, refused = std::move(refused)](const std::string& password) {
        rooms_.refused_logins.add_password(refused, password, rooms_.clock.steady_us());
      });
}

std::unique_ptr<mqtt::Authenticator> MqttAccess::exchange(std::string_view method,
                                                          const mqtt::Login& login) {
  if (method != kScramMethod) return nullptr;
  const std::string ip(login.source_ip);
  const auto find = [this, ip](std::string_view name) -> Result<ScramExchange::User> {
    if (rooms_.passwords.is_blocked(name, ip)) return PasswordChecks::too_many();
    return rooms_.access.by_proof(name);
  };
  const auto was_wrong = [this, ip](std::string_view name) {
    rooms_.passwords.was_wrong(name, ip);
    if (!rooms_.access.lacks_verifier(name)) return;
    // Not for the client's ears: that would say that the name is known.
    rooms_.logger.warn("mqtt.no_verifier",
                       {{"name", name}, {"why", "set its password anew to let it use SCRAM"}});
  };
  return std::make_unique<Admission>(
      std::make_unique<ScramExchange>(ScramExchange::Users{find, was_wrong},
                                      random_text(kNonceBytes)),
      rooms_.policies, subject_of(login));
}

std::optional<Principal> MqttAccess::remembered(const Message& message) const {
  if (message.principal.empty()) {
    if (!rooms_.access.is_open_to(message.source_ip)) return std::nullopt;
    return Principal{"", Role::admin};
  }
  auto who = rooms_.access.by_name(message.principal);
  PolicySubject subject;
  subject.client_id = message.client_id;
  subject.source_ip = message.source_ip;
  subject.has_will = true;
  if (!who || !rooms_.policies.admit(*who, std::move(subject))) return std::nullopt;
  return who;
}

const char* MqttAccess::why_ended(const Principal& who) const {
  if (who.credential.empty() || rooms_.access.is_current(who.credential)) return nullptr;
  return is_certificate_credential(who.credential)
             ? "the certificate that it showed is not valid any more"
             : "the token or password that it logged in with is not valid any more";
}

bool MqttAccess::may_publish(const Principal& who, std::string_view topic) {
  const bool is_open = !is_ours(topic) || topic.starts_with(kBasicIngest);
  return who.role != Role::viewer && is_open && (!who.scope || who.scope->may_publish(topic));
}

bool MqttAccess::may_subscribe(const Principal& who, std::string_view filter) {
  const bool may_reach =
      !is_ours(filter) || who.role != Role::device ||
      (is_reserved(filter) && who.scope != nullptr && who.scope->reaches_reserved());
  if (!may_reach || filter.starts_with(kBasicIngest)) return false;
  return !who.scope || who.scope->may_subscribe(filter);
}

bool MqttAccess::may_retain(const Principal& who, std::string_view topic) {
  return !who.scope || who.scope->may_retain(topic);
}

std::string MqttAccess::why_not(const Principal& who, Scope::Act act, std::string_view topic) {
  const bool publishes = act == Scope::Act::publish || act == Scope::Act::retain;
  if (who.role == Role::viewer && publishes) return "a viewer may not publish";
  if (who.scope) {
    std::string why = who.scope->why_not(act, topic);
    if (!why.empty()) return why;
  }
  return is_ours(topic) ? "topics that begin with $ are the server's own"
                        : "may not use this topic";
}

}  // namespace nilo::app
