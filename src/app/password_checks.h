// app/password_checks.h: passwords are checked one after the other, off every event loop.
//
// Slow by design (argon2id takes 0.1 s), so a flood of logins costs one thread and no device that
// shows a token notices.
// Threads: safe to share.
// Limits:  kPasswordChecksMax wait; more are refused. A name that was wrong
// api::kAuthFailuresMax times in api::kAuthWindowUs from an address is refused there, unlooked at,
// until the time has passed; others at that address are not.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "api/failure_limiter.h"
#include "app/access.h"
#include "app/worker.h"
#include "net/public_address.h"

namespace nilo::app {

inline constexpr std::size_t kPasswordChecksMax = 64;

class PasswordChecks {
 public:
  struct Shown {
    std::string name;
    std::string password;
    std::string ip;
  };
  // Both must outlive this.
  PasswordChecks(const Access& access, const Clock& clock)
      : access_(access), clock_(clock), worker_(kPasswordChecksMax) {}

  // `done` is called once, on the worker's thread, or at once with resource_exhausted. `refused` is
  // called before, if the password was looked at and is wrong.
  void check(const Shown& shown, const std::function<void(Result<Principal>)>& done,
             const std::function<void(const std::string& password)>& refused = {}) {
    const std::string from = from_of(shown.name, shown.ip);
    if (wrong_.is_blocked(from, clock_.steady_us())) return done(too_many());
    const bool taken = post([this, shown, from, done, refused] {
      // Many may have waited together.
      if (wrong_.is_blocked(from, clock_.steady_us())) return done(too_many());
      auto who = access_.by_password(shown.name, shown.password);
      if (!who) wrong_.failed(from, clock_.steady_us());
      if (!who && refused) refused(shown.password);
      done(std::move(who));
    });
    if (!taken) done(busy());
  }

  // For proofs of a password (scram.h), which count as wrong passwords do: is `name` refused now?
  bool is_blocked(std::string_view name, std::string_view ip) const {
    return wrong_.is_blocked(from_of(name, ip), clock_.steady_us());
  }
  void was_wrong(std::string_view name, std::string_view ip) {
    wrong_.failed(from_of(name, ip), clock_.steady_us());
  }
  static Error too_many() {
    return {ErrorCode::resource_exhausted, "too many wrong passwords for this name",
            "wait a minute"};
  }

  // As Access::make_token(), which hashes too.
  void make_token(const NewToken& wanted, const std::function<void(Result<Access::Made>)>& done) {
    if (!post([this, wanted, done] { done(access_.make_token(wanted)); })) done(busy());
  }

  // Other work of the kind, after what waits already. False: too much does.
  bool post(std::function<void()> task) { return worker_.post(std::move(task)); }

 private:
  static Error busy() {
    return {ErrorCode::resource_exhausted, "too many logins at once", "try again later"};
  }

  static std::string from_of(std::string_view name, std::string_view ip) {
    return net::network_of(ip) + '\n' + std::string(name);
  }

  const Access& access_;
  const Clock& clock_;
  api::FailureLimiter wrong_;
  Worker worker_;
};

}  // namespace nilo::app
