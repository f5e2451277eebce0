#include "net/event_loop.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace nilo::net {
namespace {

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Error system_error(ErrorCode code, std::string what) {
  return {code, std::move(what) + ": " + std::generic_category().message(errno),
          "see ulimit -n and /proc/sys/fs/epoll/max_user_watches"};
}

}  // namespace

// An eventfd that ends a wait: written by other threads after they posted.
class EventLoop::Waker final : public Watcher {
 public:
  explicit Waker(int fd) : fd_(fd) {}
  ~Waker() { ::close(fd_); }
  void wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);  // full = awake already
  }
  void on_ready(std::uint32_t /*events*/) override {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto size = ::read(fd_, &count, sizeof count);
  }

 private:
  int fd_;
};

class EventLoop::SignalWatcher final : public Watcher {
 public:
  SignalWatcher(int fd, std::function<void(int)> task) : fd_(fd), task_(std::move(task)) {}
  ~SignalWatcher() { ::close(fd_); }
  void on_ready(std::uint32_t /*events*/) override {
    signalfd_siginfo info{};
    while (::read(fd_, &info, sizeof info) == sizeof info) task_(static_cast<int>(info.ssi_signo));
  }

 private:
  int fd_;
  std::function<void(int)> task_;
};

EventLoop::EventLoop()
    : read_buffer_(std::make_unique<char[]>(kReadBufferSize)), ready_(kEventsMax) {}

EventLoop::~EventLoop() {
  if (epoll_fd_ >= 0) ::close(epoll_fd_);
}

Result<std::unique_ptr<EventLoop>> EventLoop::make() {
  std::unique_ptr<EventLoop> loop(new EventLoop);
  loop->epoll_fd_ = ::epoll_create1(EPOLL_CLOEXEC);
  const int wake_fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_fd >= 0) loop->waker_ = std::make_unique<Waker>(wake_fd);
  if (loop->epoll_fd_ < 0 || wake_fd < 0) {
    return system_error(ErrorCode::resource_exhausted, "cannot make an event loop");
  }
  TRY(loop->watch(wake_fd, EPOLLIN, *loop->waker_));
  return loop;
}

void EventLoop::run() {
  thread_ = std::this_thread::get_id();
  do {
    run_ready(wait_ms());
    run_timers();
    run_posted();
    run_deferred();
  } while (!stopping_);
  stopping_ = false;
  thread_ = std::thread::id{};
}

void EventLoop::stop() {
  stopping_ = true;
  wake();
}

bool EventLoop::is_own_thread() const { return thread_ == std::this_thread::get_id(); }

void EventLoop::wake() { waker_->wake(); }

void EventLoop::post(Task task) {
  const bool was_empty = posted_.with([&](std::vector<Task>& posted) {
    posted.push_back(std::move(task));
    return posted.size() == 1;
  });
  if (is_own_thread()) {
    posted_here_ = true;
  } else if (was_empty) {
    wake();
  }
}

void EventLoop::defer(Task task) { deferred_.push_back(std::move(task)); }

TimerId EventLoop::after(std::chrono::milliseconds delay, Task task) {
  return add_timer(delay, 0, std::move(task));
}

TimerId EventLoop::every(std::chrono::milliseconds period, Task task) {
  NILO_ASSERT(period.count() > 0);
  return add_timer(period, std::chrono::microseconds(period).count(), std::move(task));
}

TimerId EventLoop::add_timer(std::chrono::milliseconds delay, std::int64_t period_us, Task task) {
  const std::uint64_t id = ++last_timer_;
  const std::int64_t due_us = now_us() + std::chrono::microseconds(delay).count();
  timers_.emplace(id, Timer{due_us, period_us, std::make_shared<Task>(std::move(task))});
  due_.emplace(due_us, id);
  return TimerId{id};
}

void EventLoop::cancel(TimerId id) {
  const auto found = timers_.find(static_cast<std::uint64_t>(id));
  if (found == timers_.end()) return;
  due_.erase({found->second.due_us, found->first});
  timers_.erase(found);
}

Result<void> EventLoop::on_signals(std::initializer_list<int> signals,
                                   std::function<void(int)> task) {
  NILO_ASSERT(signals_ == nullptr);
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  const int fd = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) return system_error(ErrorCode::resource_exhausted, "cannot wait for signals");
  signals_ = std::make_unique<SignalWatcher>(fd, std::move(task));
  return watch(fd, EPOLLIN, *signals_);
}

Result<void> EventLoop::watch(int fd, std::uint32_t events, Watcher& watcher) {
  epoll_event event{.events = events, .data = {.ptr = &watcher}};
  if (::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
    return system_error(ErrorCode::resource_exhausted, "cannot watch one more descriptor");
  }
  return {};
}

void EventLoop::rewatch(int fd, std::uint32_t events, Watcher& watcher) {
  epoll_event event{.events = events, .data = {.ptr = &watcher}};
  NILO_ASSERT(::epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0);
}

void EventLoop::unwatch(int fd, Watcher& watcher) {
  // ENOENT: it could not be watched in the first place.
  NILO_ASSERT(::epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr) == 0 || errno == ENOENT);
  if (current_ == &watcher) current_ = nullptr;
  for (std::size_t at = 0; at < ready_count_; ++at) {
    if (ready_[at].data.ptr == &watcher) ready_[at].data.ptr = nullptr;
  }
}

int EventLoop::wait_ms() const {
  if (!deferred_.empty() || posted_here_) return 0;
  if (due_.empty()) return -1;
  const std::int64_t left_us = due_.begin()->first - now_us();
  // Rounded up: waking a moment too early would spin. A minute at most keeps it an int.
  return static_cast<int>(std::clamp<std::int64_t>((left_us + 999) / 1000, 0, 60'000));
}

void EventLoop::run_ready(int timeout_ms) {
  const int count =
      ::epoll_wait(epoll_fd_, ready_.data(), static_cast<int>(kEventsMax), timeout_ms);
  NILO_ASSERT(count >= 0 || errno == EINTR);
  ready_count_ = static_cast<std::size_t>(std::max(count, 0));
  for (std::size_t at = 0; at < ready_count_; ++at) {
    current_ = static_cast<Watcher*>(ready_[at].data.ptr);
    if (current_ != nullptr) current_->on_ready(ready_[at].events);  // null: unwatched meanwhile
  }
  current_ = nullptr;
  ready_count_ = 0;
}

void EventLoop::run_timers() {
  if (due_.empty()) return;
  const std::int64_t now = now_us();
  while (!due_.empty() && due_.begin()->first <= now) {
    const std::uint64_t id = due_.begin()->second;
    due_.erase(due_.begin());
    const auto found = timers_.find(id);
    const std::shared_ptr<Task> task = found->second.task;
    if (found->second.period_us == 0) {
      timers_.erase(found);
    } else {
      found->second.due_us = now + found->second.period_us;
      due_.emplace(found->second.due_us, id);
    }
    (*task)();
  }
}

void EventLoop::run_posted() {
  posted_here_ = false;
  posted_.with([&](std::vector<Task>& posted) { running_.swap(posted); });
  for (Task& task : running_) task();
  running_.clear();
}

void EventLoop::run_deferred() {
  running_.swap(deferred_);
  for (Task& task : running_) task();
  running_.clear();
}

}  // namespace nilo::net
