// app/worker.h: one thread for slow work, so that no event loop waits for it. It is started by the
// first task.
//
// Threads: post() from any thread. Limits: as many tasks waiting as given; more are refused.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace nilo::app {

class Worker {
 public:
  explicit Worker(std::size_t waiting_max) : waiting_max_(waiting_max) {}
  // Finishes the task under way; those waiting are dropped.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // False: too many are waiting.
  bool post(std::function<void()> task);

 private:
  void run();

  const std::size_t waiting_max_;
  std::mutex mutex_;  // guards tasks_ and stopping_, and the start of thread_
  std::condition_variable work_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace nilo::app
