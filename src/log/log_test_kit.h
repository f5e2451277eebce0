// log/log_test_kit.h: what the tests of this room share.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "base/metrics.h"
#include "log/fake_disk.h"
#include "log/log.h"

namespace nilo::log::test {

// Keeps the names of the events that were logged.
class EventLogger final : public Logger {
 public:
  void write(Level, std::string_view event, Fields) override {
    events_.with([&](auto& events) { ++events[std::string(event)]; });
  }
  int count(const std::string& event) const {
    return events_.with([&](const auto& events) {
      const auto found = events.find(event);
      return found == events.end() ? 0 : found->second;
    });
  }

 private:
  Guarded<std::map<std::string, int>> events_;
};

using Records = std::map<Seq, std::string>;

// Passes every batch's outcome on to whoever waits for it.
class CallingFollower final : public Follower {
 public:
  void on_batch(std::unique_ptr<Batch> batch, Seq first, Result<void> outcome) override {
    if (batch->done) batch->done(outcome, first);
  }
};

struct Answer {
  Result<void> outcome;
  Seq first = 0;
};

// A world for a log: disk, clock and the rest.
struct World {
  FakeDisk disk;
  FakeClock clock{1'763'000'000'000'000};
  EventLogger logger;
  Metrics metrics;
  CallingFollower follower;

  LogOptions options() const {
    LogOptions options;
    options.dir = "/log";
    return options;
  }
  Result<std::unique_ptr<Log>> try_open(const LogOptions& options) {
    return Log::open(disk, clock, logger, metrics, options);
  }
  std::unique_ptr<Log> open(const LogOptions& options) {
    auto log = try_open(options);
    if (!log) ADD_FAILURE() << log.error().message;
    return log ? std::move(*log) : nullptr;
  }
  std::unique_ptr<Log> open() { return open(options()); }
};

inline std::unique_ptr<Batch> batch_of(const std::vector<std::string>& records) {
  auto batch = std::make_unique<Batch>();
  for (const std::string& record : records) {
    batch->begin_record() += record;
    EXPECT_TRUE(batch->end_record());
  }
  return batch;
}

// Submits one batch and waits for its outcome.
inline Answer append(Log& log, const std::vector<std::string>& records) {
  std::mutex mutex;
  std::condition_variable is_done;
  std::optional<Answer> answer;
  auto batch = batch_of(records);
  batch->done = [&](const Result<void>& outcome, Seq first) {
    const std::lock_guard lock(mutex);
    answer = Answer{outcome, first};
    is_done.notify_one();
  };
  log.submit(std::move(batch));
  std::unique_lock lock(mutex);
  is_done.wait(lock, [&] { return answer.has_value(); });
  return *answer;
}

inline Records replayed(const Log& log, Seq from = 1, ReplayReport* report = nullptr) {
  Records records;
  const auto outcome = log.replay(from, [&](Seq seq, std::string_view bytes) {
    EXPECT_TRUE(records.emplace(seq, bytes).second) << "record " << seq << " twice";
  });
  EXPECT_TRUE(outcome) << outcome.error().message;
  if (outcome && report != nullptr) *report = *outcome;
  return records;
}

}  // namespace nilo::log::test
