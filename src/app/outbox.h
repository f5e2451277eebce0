// app/outbox.h: sends the notices that wait in sys_notices and writes down what became of them.
//
//   row "waiting" -> queue of its channel -> server outside -> row "sent", "waiting" or "parked"
//
// Each channel (mail, webhook) has a thread of its own, so a mail server that hangs holds up no
// webhook. The table drives it all: a row that says "waiting" is queued, at the start as well as
// when it is written, and the row with the outcome takes it out.
//
// What may happen twice: the next notice of a channel is tried only when the outcome of the last is
// durable. If the process dies after a server took a notice and before that record was synced, that
// one notice of each channel is sent again, with the same Message-ID; so is one that a server had
// all of but never said so. Nothing else is sent twice, and nothing is lost.
//
// Threads: one for each channel, from start() to stop(). saw() and on_change() from the tables
//          thread, hurry() from any.
// Limits:  app/notice_queue.h: tries, back-off, age. A server is given the time limits of
//          net/mail.h and net/http_post.h. Stopping waits kStopPatienceUs for the transfers under
//          way; one that is cut off is tried again after the next start.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "app/change_observer.h"
#include "app/notice_ledger.h"
#include "app/notice_queue.h"
#include "app/notices.h"
#include "base/clock.h"
#include "base/logger.h"
#include "base/metrics.h"
#include "net/delivery.h"

namespace nilo::app {

inline constexpr std::int64_t kStopPatienceUs = 3'000'000;
// A channel sends one notice in so long, at most: in a storm of thousands the cores are the
// readings' (each mail wakes threads a dozen times), and no mail server likes more.
inline constexpr std::chrono::milliseconds kPace{40};

class Outbox final : public ChangeObserver {
 public:
  struct Channel {
    std::string_view name;  // Notice::channel
    // Called on the channel's thread only; blocks.
    std::function<net::Delivery(const Notice&, const net::GiveUp&)> send;
    // The server a notice is for: what fails together.
    std::function<std::string(const Notice&)> server_of;
  };
  struct Rooms {  // all must outlive the Outbox
    // The notice of this number as the table has it.
    std::function<std::optional<Notice>(std::int64_t)> find;
    // Writes its row; returns when it is durable and in the table, or refused. Any thread.
    std::function<Result<void>(const Notice&)> record;
    NoticeLedger& ledger;
    const Clock& clock;
    Logger& logger;
    Metrics& metrics;
  };
  Outbox(Rooms rooms, std::vector<Channel> channels);
  ~Outbox() override;

  void start();
  void stop();

  // A notice as its row says, from the table at the start, from on_change() later.
  void saw(const Notice& notice);
  // Its server is not to be left alone any longer, and the notice is to be tried now.
  void hurry(const Notice& notice);

  bool watches(const TableSchema& schema) const override { return schema.name == kNoticesTable; }
  void on_change(const tables::Change& change) override { saw(notice_of(change.cells)); }

 private:
  struct Worker {
    Channel channel;
    std::mutex mutex{};  // guards the queue and since_us
    std::condition_variable work{};
    NoticeQueue queue{};
    // When it began to wait, by Clock::steady_us; of the one under way, too.
    std::unordered_map<std::int64_t, std::int64_t> since_us{};
    std::chrono::steady_clock::time_point
        free_at{};  // of this machine: a test's clock stands still
    std::thread thread{};
    Counter* accepted = nullptr;
    Counter* refused = nullptr;
    Counter* failed = nullptr;
  };

  Worker* worker_of(const Notice& notice);
  NoticeQueue::Entry entry_of(Worker& worker, const Notice& notice) const;
  void run(Worker& worker);
  std::optional<std::int64_t> next(Worker& worker);
  void settle(Worker& worker, Notice notice, const net::Delivery& delivery);
  void server_failed(Worker& worker, const Notice& notice, const std::string& reason);
  void server_recovered(Worker& worker, const Notice& notice);
  bool record(Worker& worker, const Notice& notice);
  std::int64_t age_us(Worker& worker, const Notice& notice) const;
  static bool forget(Worker& worker, std::int64_t number);
  bool is_stopping() const { return stopping_since_us_.load() != 0; }
  bool is_out_of_patience() const;

  Rooms rooms_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<std::int64_t> stopping_since_us_{0};  // Clock::steady_us + 1; 0: not stopping
  Counter& lost_;
};

}  // namespace nilo::app
