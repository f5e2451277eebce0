// log/log.h: the one durable log: append, group commit, replay, cursors.
//
// In/out:  batches of records from any number of loops -> numbered records on disk, in order.
// Threads: start() makes one writer thread. submit() and the questions may be called from any
//          thread; open(), replay(), start(), stop() from the owner's.
// Limits:  LogOptions. A waiting record waits for at most the sync under way and its own: the
//          writer takes all that is pending (kWriteSizeMax at most), writes, syncs, starts again.
//          Over pending_size_max the loops stop reading from their sockets (is_backlogged).
// Source:  docs/formats/log.md; Rebello et al., "Can Applications Recover from fsync Failures?",
//          USENIX ATC 2020: after a failed sync nothing is acknowledged any more.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/logger.h"
#include "base/metrics.h"
#include "base/result.h"
#include "log/batch.h"
#include "log/cursor.h"
#include "log/disk.h"

namespace nilo::log {

inline constexpr std::size_t kWriteSizeMax = 1024 * 1024;  // a larger batch is written alone

struct LogOptions {
  std::string dir;
  std::uint64_t segment_size_max = 64 * 1024 * 1024;
  std::uint64_t size_max = 0;   // bytes of all segments; 0 = no limit
  std::int64_t age_max_us = 0;  // 0 = no limit
  std::size_t pending_size_max = 64 * 1024 * 1024;
  // Numbers below are known to be taken (a checkpoint covers them), even if the disk lost them.
  Seq next_seq_min = 1;
};

// Hears what became of every batch, in order of submission, on the writer thread: applies durable
// records and calls batch->done. A refused batch (`outcome` an error) is not on disk:
// resource_exhausted may pass; after unavailable see Log::failure().
class Follower {
 public:
  virtual ~Follower() = default;
  virtual void on_batch(std::unique_ptr<Batch> batch, Seq first, Result<void> outcome) = 0;
};

class Log {
 public:
  // Opens or makes the log in `options.dir`; reads its last segment and cuts a torn tail at the
  // last good record, with a line `log.tail_cut`. All references must outlive the log.
  // conflict: another process has the folder. permission_denied: it cannot be written.
  // unsupported: written by a newer version. The disk's errors otherwise.
  static Result<std::unique_ptr<Log>> open(Disk& disk, const Clock& clock, Logger& logger,
                                           Metrics& metrics, LogOptions options);
  // Stops, if stop() was not called.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Calls f(seq, record) for every readable record from `from` on, in order. Damage is reported
  // (a line `log.damaged` each, at most kDamagesListedMax) and skipped.
  Result<ReplayReport> replay(Seq from, const std::function<void(Seq, std::string_view)>& f) const;

  Cursor cursor(Seq from) const { return Cursor(*this, from); }

  // Starts the writer thread. `follower` must outlive stop(). Once.
  void start(Follower& follower);

  // Takes the batch; the follower hears of it, also when it is refused. An empty batch is heard
  // of when all before it are. Not after stop().
  void submit(std::unique_ptr<Batch> batch);

  // Too much waits for the disk: read no more from the sockets until this is false again.
  bool is_backlogged() const { return pending_size_.load() >= options_.pending_size_max; }

  Seq next_seq() const { return next_seq_.load(); }        // of the next record to be written
  Seq synced_seq() const { return next_seq_.load() - 1; }  // of the last durable record; 0 = none
  Seq oldest_seq() const { return oldest_seq_.load(); }    // nothing before it is kept
  std::uint64_t size() const;                              // bytes of all segments

  // Says that records before `seq` are kept elsewhere too, so the limits may drop them. Nothing
  // is dropped that was not released; whole segments only, never the last one.
  void release(Seq seq) { released_seq_.store(seq); }

  // Why the log takes nothing more until it is opened again (a sync failed, or a failed write
  // could not be taken back).
  std::optional<Error> failure() const;

  // Writes and syncs all that was submitted, tells the follower and ends the thread.
  void stop();

 private:
  friend class Cursor;
  using Group = std::vector<std::unique_ptr<Batch>>;  // written and synced together
  struct Segment {
    Seq first_seq = 0;
    std::uint64_t size = 0;  // durable bytes; 0 = not even its header
    TimeUs created_us = 0;   // never less than that of the segment before
  };

  // A place where a record begins.
  struct Mark {
    Seq seq = 0;
    Seq segment_first_seq = 0;
    std::uint64_t offset = 0;
  };

  Log(Disk& disk, const Clock& clock, Logger& logger, Metrics& metrics, LogOptions options);
  // A reader or the writer came by record `seq`, or the end before it.
  void mark(Seq seq, Seq segment_first_seq, std::uint64_t offset) const;
  // The last one not after `seq`.
  std::optional<Mark> mark_before(Seq seq) const;
  std::string path_of(Seq first_seq) const;

  // open(): log_open.cc
  Result<void> load();
  Result<Segment> load_segment(Seq first_seq, TimeUs created_before_us);
  Result<void> recover_tail();
  Result<void> add_segment(Seq first_seq);

  // The writer thread.
  void run();
  Group take_group();
  void commit(Group group);
  Result<void> write(const Group& group, std::size_t size);
  Result<void> sync();
  Error take_back(std::uint64_t offset, const Error& why);
  Error fail(const Error& why);
  void drop_old_segments();
  std::optional<Segment> take_droppable();

  Disk& disk_;
  const Clock& clock_;
  Logger& logger_;
  const LogOptions options_;
  Counter& byte_counter_;
  Counter& record_counter_;
  Counter& sync_counter_;
  Counter& sync_time_counter_;

  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<File> file_;                  // the last segment; the writer thread's
  Guarded<std::deque<Segment>> segments_;       // oldest first, never empty once open
  mutable Guarded<std::map<Seq, Mark>> marks_;  // what readers learn of the segments
  std::uint64_t marked_ = 0;                    // the writer thread's: its last mark in file_
  Guarded<std::optional<Error>> failure_;
  std::atomic<Seq> next_seq_{1};
  std::atomic<Seq> oldest_seq_{1};
  std::atomic<Seq> released_seq_{0};
  std::atomic<std::size_t> pending_size_{0};

  std::mutex mutex_;  // guards the next two
  std::deque<std::unique_ptr<Batch>> pending_;
  bool is_stopping_ = false;
  std::condition_variable work_;
  bool is_refusing_ = false;  // the writer thread's: the last write was refused
  Follower* follower_ = nullptr;
  std::thread thread_;
};

}  // namespace nilo::log
