// net/event_loop.h: one thread that waits for many sockets and does what they ask for.
//
// A turn: wait, run what is ready (sockets, timers, posted tasks), then the deferred tasks. Over
// epoll, level-triggered; docs/decisions/0010-own-event-loop.md says why not Asio.
// Threads: post(), stop() and is_own_thread() from any thread, everything else from the thread in
//          run(), or before it runs. Tasks must not throw and must not block.
// Limits:  kEventsMax sockets a turn, the others in the next one; posted tasks are not bounded
//          here: whoever posts bounds what it has under way.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <set>
#include <span>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/guarded.h"
#include "base/result.h"

struct epoll_event;

namespace nilo::net {

inline constexpr std::size_t kEventsMax = 256;
// One read takes at most this much from a socket. Shared by all sockets of a loop, so an idle
// connection owns no read buffer.
inline constexpr std::size_t kReadBufferSize = 128 * 1024;

enum class TimerId : std::uint64_t { none = 0 };

class EventLoop {
 public:
  using Task = std::function<void()>;

  // resource_exhausted: no descriptors left.
  static Result<std::unique_ptr<EventLoop>> make();
  // Destroys tasks that did not run. Sockets and timers of this loop must be gone or never used
  // again.
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs turns until stop(). A stop() that came first makes it return after one turn, so that
  // what was posted before the stop has run.
  void run();
  void stop();
  bool is_own_thread() const;

  // Runs `task` in a later turn; in the order posted.
  void post(Task task);
  // Runs `task` at the end of this turn: how a loop submits its log batch once for all that was
  // ready. Deferred from a deferred task: end of the next turn, which does not wait.
  void defer(Task task);

  // Once after `delay`, or every `period` until cancelled. Late runs are not made up for.
  TimerId after(std::chrono::milliseconds delay, Task task);
  TimerId every(std::chrono::milliseconds period, Task task);
  // Safe for one that ran, for TimerId::none, and from inside its own task.
  void cancel(TimerId id);

  // Calls `task(signal)` on this loop instead of the default action. Call once, before any other
  // thread is started: the signals are blocked in the calling thread and in its later children.
  Result<void> on_signals(std::initializer_list<int> signals, std::function<void(int)> task);

  // Told when its descriptor is ready; `events` are epoll's (EPOLLIN, ...).
  class Watcher {
   public:
    virtual void on_ready(std::uint32_t events) = 0;

   protected:
    ~Watcher() = default;
  };
  // resource_exhausted: the kernel's limit on watches.
  Result<void> watch(int fd, std::uint32_t events, Watcher& watcher);
  void rewatch(int fd, std::uint32_t events, Watcher& watcher);
  // `watcher` is not called again, not even for what is ready in this turn.
  void unwatch(int fd, Watcher& watcher);
  // Is its on_ready() running? False again once it was unwatched in there: so a watcher learns, by
  // its address alone, that it was closed or even destroyed by somebody it called.
  bool is_turn_of(const Watcher& watcher) const { return current_ == &watcher; }

  // kReadBufferSize bytes that hold what one read brought, until the next read on this loop.
  std::span<char> read_buffer() { return {read_buffer_.get(), kReadBufferSize}; }

 private:
  struct Timer {
    std::int64_t due_us = 0;
    std::int64_t period_us = 0;  // 0 = once
    std::shared_ptr<Task> task;  // shared: it may cancel itself while it runs
  };
  class Waker;
  class SignalWatcher;

  EventLoop();
  TimerId add_timer(std::chrono::milliseconds delay, std::int64_t period_us, Task task);
  int wait_ms() const;
  void run_ready(int timeout_ms);
  void run_timers();
  void run_posted();
  void run_deferred();
  void wake();

  int epoll_fd_ = -1;
  std::unique_ptr<Waker> waker_;
  std::unique_ptr<SignalWatcher> signals_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::thread::id> thread_{};
  Guarded<std::vector<Task>> posted_;
  bool posted_here_ = false;  // by this thread, which needs nobody to wake it
  std::vector<Task> deferred_;
  std::vector<Task> running_;  // kept for its capacity
  std::unordered_map<std::uint64_t, Timer> timers_;
  std::set<std::pair<std::int64_t, std::uint64_t>> due_;  // (due_us, id)
  std::uint64_t last_timer_ = 0;
  std::unique_ptr<char[]> read_buffer_;
  std::vector<epoll_event> ready_;  // kEventsMax, the first ready_count_ are this turn's
  std::size_t ready_count_ = 0;
  Watcher* current_ = nullptr;
};

}  // namespace nilo::net
