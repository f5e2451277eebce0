// base/guarded.h: a value that can only be touched while its mutex is held.
//
//   Guarded<Queue> queue;
//   queue.with([](Queue& q) { q.push(1); });
//
// Source: the idea is KJ's MutexGuarded.
#pragma once

#include <mutex>
#include <utility>

namespace nilo {

template <typename T>
class Guarded {
 public:
  template <typename... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

  // Runs `f(value)` under the mutex and returns what it returns. Do not block in `f`, and do not
  // let a reference to the value escape.
  template <typename F>
  decltype(auto) with(F&& f) {
    const std::lock_guard lock(mutex_);
    return std::forward<F>(f)(value_);
  }
  template <typename F>
  decltype(auto) with(F&& f) const {
    const std::lock_guard lock(mutex_);
    return std::forward<F>(f)(std::as_const(value_));
  }

 private:
  mutable std::mutex mutex_;
  T value_;
};

}  // namespace nilo
