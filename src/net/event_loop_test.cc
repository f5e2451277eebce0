#include "net/event_loop.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "net/test_net.h"

namespace nilo::net {
namespace {

using std::chrono::milliseconds;

TEST(EventLoop, RunsPostedTasksOfOneThreadInTheirOrder) {
  LoopThread thread;
  std::vector<int> seen;
  for (int number = 0; number < 1000; ++number) {
    thread.loop().post([&seen, number] { seen.push_back(number); });
  }
  thread.call([] {});
  ASSERT_EQ(seen.size(), 1000U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST(EventLoop, TakesTasksFromManyThreads) {
  LoopThread thread;
  int sum = 0;  // touched by the loop only
  std::vector<std::thread> posters;
  for (int poster = 0; poster < 4; ++poster) {
    posters.emplace_back([&] {
      for (int count = 0; count < 1000; ++count) thread.loop().post([&sum] { ++sum; });
    });
  }
  for (std::thread& poster : posters) poster.join();
  EXPECT_EQ(thread.call([&] { return sum; }), 4000);
}

TEST(EventLoop, RunsDeferredTasksAfterAllThatIsReadyInThisTurn) {
  auto loop = EventLoop::make().value();
  std::string order;
  loop->post([&] {
    loop->defer([&] { order += 'd'; });
    order += 'a';
  });
  loop->post([&] { order += 'b'; });
  loop->stop();
  loop->run();
  EXPECT_EQ(order, "abd");
}

TEST(EventLoop, RunsATaskDeferredByADeferredOneWithoutWaiting) {
  auto loop = EventLoop::make().value();
  int turns = 0;
  loop->defer([&] {
    loop->defer([&] {
      ++turns;
      loop->stop();
    });
  });
  loop->run();
  EXPECT_EQ(turns, 1);
}

// Nobody wakes a loop for what it posts itself.
TEST(EventLoop, RunsATaskPostedByAPostedOneWithoutWaiting) {
  auto loop = EventLoop::make().value();
  int turns = 0;
  loop->post([&] {
    loop->post([&] {
      ++turns;
      loop->stop();
    });
  });
  loop->run();
  EXPECT_EQ(turns, 1);
}

TEST(EventLoop, RunsWhatWasPostedBeforeItWasStopped) {
  auto loop = EventLoop::make().value();
  bool ran = false;
  loop->post([&] { ran = true; });
  loop->stop();
  loop->run();
  EXPECT_TRUE(ran);
}

TEST(EventLoop, RunsTimersInTheOrderTheyAreDue) {
  auto loop = EventLoop::make().value();
  std::string order;
  loop->after(milliseconds(20), [&] {
    order += 'c';
    loop->stop();
  });
  loop->after(milliseconds(10), [&] { order += 'b'; });
  loop->after(milliseconds(0), [&] { order += 'a'; });
  loop->run();
  EXPECT_EQ(order, "abc");
}

TEST(EventLoop, RepeatsATimerUntilItCancelsItself) {
  auto loop = EventLoop::make().value();
  int count = 0;
  TimerId timer = TimerId::none;
  timer = loop->every(milliseconds(1), [&] {
    if (++count < 3) return;
    loop->cancel(timer);
    loop->after(milliseconds(5), [&] { loop->stop(); });
  });
  loop->run();
  EXPECT_EQ(count, 3);
}

TEST(EventLoop, NeverRunsACancelledTimer) {
  auto loop = EventLoop::make().value();
  bool ran = false;
  const TimerId first = loop->after(milliseconds(0), [&] { ran = true; });
  loop->cancel(first);
  loop->cancel(first);
  loop->cancel(TimerId::none);
  loop->after(milliseconds(2), [&] { loop->stop(); });
  loop->run();
  EXPECT_FALSE(ran);
}

TEST(EventLoop, KnowsItsOwnThread) {
  LoopThread thread;
  EXPECT_FALSE(thread.loop().is_own_thread());
  EXPECT_TRUE(thread.call([&] { return thread.loop().is_own_thread(); }));
}

TEST(EventLoop, TurnsASignalIntoACall) {
  auto loop = EventLoop::make().value();
  int seen = 0;
  ASSERT_TRUE(loop->on_signals({SIGUSR1}, [&](int signal) {
    seen = signal;
    loop->stop();
  }));
  ::kill(::getpid(), SIGUSR1);
  loop->run();
  EXPECT_EQ(seen, SIGUSR1);
}

// Both descriptors are ready in the same turn; whichever is first unwatches both.
TEST(EventLoop, DoesNotCallAWatcherThatWasUnwatchedInThisTurn) {
  auto loop = EventLoop::make().value();
  struct Pair {
    struct One final : EventLoop::Watcher {
      void on_ready(std::uint32_t /*events*/) override { all->called(); }
      Pair* all = nullptr;
      int fd = -1;
    };
    void called() {
      ++calls;
      for (One& one : ones) loop->unwatch(one.fd, one);
      loop->stop();
    }
    EventLoop* loop;
    One ones[2];
    int calls = 0;
  } pair{loop.get(), {}};
  for (Pair::One& one : pair.ones) {
    one.all = &pair;
    one.fd = ::eventfd(1, EFD_NONBLOCK);
    ASSERT_TRUE(loop->watch(one.fd, EPOLLIN, one));
  }
  loop->run();
  EXPECT_EQ(pair.calls, 1);
  for (const Pair::One& one : pair.ones) ::close(one.fd);
}

}  // namespace
}  // namespace nilo::net
