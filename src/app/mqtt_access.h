// app/mqtt_access.h: who is an MQTT client, and what may it do?
//
//   certificate | token, name and password | SCRAM  ->  who it is   (access.h, certificates.h)
//   who it is  ->  what its policies let it do, or that it may not connect   (policies.h)
//   a topic or filter  ->  yes, no, and why not
//
// Who is turned away at CONNECT is kept for a person to let in (refused_logins.h).
// Threads: one loop's; what is slow is done on others and comes back to it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "app/access.h"
#include "app/certificate_store.h"
#include "app/loop_batch.h"
#include "app/password_checks.h"
#include "app/policies.h"
#include "app/refused_logins.h"
#include "base/clock.h"
#include "base/logger.h"
#include "base/result.h"
#include "mqtt/authenticator.h"
#include "mqtt/host.h"
#include "net/tls.h"
#include "value/policy.h"
#include "value/principal.h"

namespace nilo::app {

class MqttAccess {
 public:
  struct Rooms {  // all must outlive this
    Access& access;
    const CertificateStore& certificates;
    const Policies& policies;
    PasswordChecks& passwords;
    RefusedLogins& refused_logins;
    const Clock& clock;
    Logger& logger;
    Post& loop;  // where answers are given
  };
  // What a connection showed before its CONNECT, and where.
  struct Shown {
    std::shared_ptr<const net::PeerCertificate> certificate{};  // nullptr: none
    bool needs_certificate = false;                             // nothing else counts there
  };
  using Done = std::function<void(Result<Principal>)>;

  explicit MqttAccess(const Rooms& rooms) : rooms_(rooms) {}

  // `done` is called on the loop, once: at once, or later if a password has to be checked or a
  // certificate to be stored.
  void log_in(const mqtt::Login& login, const Shown& shown, const Done& done);
  // A login in several steps; nullptr: not by this method.
  std::unique_ptr<mqtt::Authenticator> exchange(std::string_view method, const mqtt::Login& login);

  // Who left `message` in a life of the server before, with the rights that its login has now.
  // What only a connection shows is not known of it: policies that ask for that do not hold.
  std::optional<Principal> remembered(const Message& message) const;

  // Does what let `who` in still hold? nullptr: yes; else a literal that says what does not.
  const char* why_ended(const Principal& who) const;

  // What the server says of itself ($error, $table, $alert) is for people, not for devices.
  static bool may_publish(const Principal& who, std::string_view topic);
  static bool may_subscribe(const Principal& who, std::string_view filter);
  static bool may_retain(const Principal& who, std::string_view topic);
  static std::string why_not(const Principal& who, Scope::Act act, std::string_view topic);

 private:
  // False: it shows none, or one that nobody knows and something else besides.
  bool log_in_by_certificate(const mqtt::Login& login, const Shown& shown, const Done& done);
  void check_password(const mqtt::Login& login, RefusedLogin refused, const Done& done);
  void admit(const PolicySubject& subject, Result<Principal> who, const Done& done);

  const Rooms rooms_;
};

}  // namespace nilo::app
