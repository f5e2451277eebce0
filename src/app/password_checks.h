// app/password_checks.h: passwords are checked one after the other, off every event loop.
//
// Slow by design (argon2id takes 0.1 s), so a flood of logins costs one thread and no device that
// shows a token notices.
// Threads: safe to share. Limits: kPasswordChecksMax wait; more are refused.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "app/access.h"
#include "app/worker.h"

namespace nilo::app {

inline constexpr std::size_t kPasswordChecksMax = 64;

class PasswordChecks {
 public:
  // `access` must outlive this.
  explicit PasswordChecks(const Access& access) : access_(access), worker_(kPasswordChecksMax) {}

  // `done` is called once, on the worker's thread, or at once with resource_exhausted. `refused` is
  // called before, if the password is wrong.
  void check(std::string name, std::string password,
             const std::function<void(Result<Principal>)>& done,
             const std::function<void(const std::string& password)>& refused = {}) {
    const bool taken =
        post([this, name = std::move(name), password = std::move(password), done, refused] {
          auto who = access_.by_password(name, password);
          if (!who && refused) refused(password);
          done(std::move(who));
        });
    if (!taken) done(busy());
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

  const Access& access_;
  Worker worker_;
};

}  // namespace nilo::app
