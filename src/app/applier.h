// app/applier.h: the tables thread: takes durable batches, makes rows of them, then says so.
//
// In/out:  batches from the log's writer thread, in order -> tables and retained messages, then
//          batch->done. So whoever is acknowledged can already be answered with the row.
// Whoever follows the rows (change_observer.h) does so here, and appends what he makes of them.
// Threads: owns one, "the tables thread". on_batch() is the log's, which must not be this one;
//          append() is the tables thread's; else the owner's, or any where it says so.
// Limits:  kApplyWaitingMax bytes wait here; then the log's writer waits, so that the log fills up
//          and the doors stop reading (Log::is_backlogged).
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "app/change_observer.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/logger.h"
#include "bus/retained.h"
#include "log/log.h"
#include "tables/tables.h"

namespace nilo::app {

// Latest rows go to disk this often, if any changed.
inline constexpr std::int64_t kCheckpointEveryUs = 5'000'000;
inline constexpr std::size_t kApplyWaitingMax = 16 * 1024 * 1024;

class Applier final : public log::Follower {
 public:
  struct Rooms {  // all must outlive the Applier
    tables::Tables& tables;
    bus::Retained& retained;
    log::Log& log;
    const Clock& clock;
    Logger& logger;
    // While true, each row is told as a message `$table/<table>/<key>`.
    const std::atomic<bool>& changes_wanted;
    std::function<void(std::vector<Message>)> on_changes;
    // Called once, on this thread, when the log takes nothing more.
    std::function<void(const Error&)> on_log_failure;
  };
  explicit Applier(Rooms rooms) : rooms_(std::move(rooms)) {}
  ~Applier() override;

  void start();
  // From the next batch on. May be called at any time from any other thread; returns when it is so.
  // `observer` must outlive stop().
  void observe(ChangeObserver& observer);
  // Runs `task` on the tables thread, between two batches. From any thread; how many may wait is
  // up to those who call. After stop() it is forgotten.
  void post(std::function<void()> task);
  // Appends a record that `write` fills; then `done`, on this thread, when it is in the tables, or
  // refused. Tables thread only.
  // too_large: log::kRecordSizeMax. unavailable: the log is closing.
  using Appended = std::function<void(const Result<void>&)>;
  void append(const std::function<void(RecordWriter&)>& write, Appended done);
  // Bytes of batches that are not applied yet. From any thread.
  std::size_t waiting_size() const { return waiting_size_.load(); }
  // Before Log::stop(): append() refuses from now on.
  void close();
  // After Log::stop(): applies what is left, checkpoints and ends the thread.
  void stop();

  void on_batch(std::unique_ptr<log::Batch> batch, Seq first, Result<void> outcome) override;

  // One record, as live and replayed ones are taken alike.
  static void apply(tables::Tables& tables, bus::Retained& retained, Seq seq,
                    std::string_view record);

 private:
  struct Item {
    std::unique_ptr<log::Batch> batch;
    Seq first = 0;
    Result<void> outcome;
  };
  void run();
  void handle(Item& item);
  void watch(ChangeObserver& observer);
  void tell_due();
  std::int64_t due_us() const;
  void make_room(std::size_t size);
  void listen();
  void checkpoint();

  Rooms rooms_;
  std::mutex mutex_;  // guards items_, tasks_ and stopping_
  std::condition_variable work_;
  std::condition_variable room_;
  std::atomic<std::size_t> waiting_size_{0};  // changes under mutex_
  std::deque<Item> items_;
  std::vector<std::function<void()>> tasks_;
  bool stopping_ = false;
  Guarded<bool> is_closed_{false};
  // The tables thread's, from here on.
  std::vector<ChangeObserver*> observers_;
  std::int64_t checkpointed_us_ = 0;
  Seq trimmed_ = 0;
  bool failure_told_ = false;
  bool listening_ = false;
  std::vector<Message> changes_;  // of the batch being applied
  std::thread thread_;
};

}  // namespace nilo::app
