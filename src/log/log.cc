#include "log/log.h"

#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <utility>

#include "base/assert.h"

namespace nilo::log {

Log::Log(Disk& disk, const Clock& clock, Logger& logger, Metrics& metrics, LogOptions options)
    : disk_(disk),
      clock_(clock),
      logger_(logger),
      options_(std::move(options)),
      byte_counter_(metrics.counter("nilo_log_bytes_total", "", "Bytes made durable in the log.")),
      record_counter_(
          metrics.counter("nilo_log_records_total", "", "Records made durable in the log.")),
      sync_counter_(metrics.counter("nilo_log_syncs_total", "", "Successful syncs of the log.")),
      sync_time_counter_(metrics.counter("nilo_log_sync_microseconds_total", "",
                                         "Time spent in syncs of the log.")) {}

Log::~Log() { stop(); }

std::string Log::path_of(Seq first_seq) const {
  return fmt::format("{}/{}", options_.dir, segment_name(first_seq));
}

void Log::start(Follower& follower) {
  NILO_ASSERT(follower_ == nullptr);
  follower_ = &follower;
  thread_ = std::thread([this] { run(); });
}

void Log::submit(std::unique_ptr<Batch> batch) {
  pending_size_ += batch->size();
  {
    const std::lock_guard lock(mutex_);
    NILO_ASSERT(!is_stopping_);
    pending_.push_back(std::move(batch));
  }
  work_.notify_one();
}

void Log::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  work_.notify_one();
  if (thread_.joinable()) thread_.join();
}

std::uint64_t Log::size() const {
  return segments_.with([](const auto& segments) {
    std::uint64_t size = 0;
    for (const Segment& segment : segments) size += segment.size;
    return size;
  });
}

std::optional<Error> Log::failure() const {
  return failure_.with([](const auto& failure) { return failure; });
}

void Log::run() {
  try {
    for (Group group = take_group(); !group.empty(); group = take_group()) {
      commit(std::move(group));
    }
  } catch (const std::exception& exception) {
    // Out of memory, or a follower's bug: what was acknowledged is on disk; the rest is not.
    logger_.error("log.thread_died", {{"reason", exception.what()}});
    std::abort();
  }
}

// Waits for work. Empty: all is done and the log stops.
Log::Group Log::take_group() {
  std::unique_lock lock(mutex_);
  work_.wait(lock, [&] { return !pending_.empty() || is_stopping_; });
  Group group;
  std::size_t size = 0;
  while (!pending_.empty()) {
    size += pending_.front()->size();
    if (!group.empty() && size > kWriteSizeMax) break;
    group.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
  return group;
}

void Log::commit(Group group) {
  const Seq first = next_seq_;
  Seq next = first;
  std::size_t size = 0;
  for (const auto& batch : group) {
    batch->seal(next);
    next += batch->count();
    size += batch->size();
  }
  const Result<void> outcome = write(group, size);
  if (outcome) {
    next_seq_ = next;
    record_counter_.add(next - first);
    byte_counter_.add(size);
    if (std::exchange(is_refusing_, false)) logger_.info("log.writing_again");
    drop_old_segments();
  } else if (!std::exchange(is_refusing_, true)) {
    logger_.error("log.write_refused", {{"reason", outcome.error().message}});
  }
  Seq batch_first = first;
  for (auto& batch : group) {
    const std::size_t count = batch->count();
    follower_->on_batch(std::move(batch), batch_first, outcome);
    batch_first += count;
  }
  pending_size_ -= size;
}

// Writes and syncs the group: all of it, or the file is as before.
Result<void> Log::write(const Group& group, std::size_t size) {
  if (auto reason = failure()) return *std::move(reason);
  if (size == 0) return {};
  const auto last = [&] {
    return segments_.with([](const auto& segments) { return segments.back(); });
  };
  Segment segment = last();
  if (segment.size > 0 && segment.size + size > options_.segment_size_max) {
    TRY(add_segment(next_seq_));
    segment = last();
  }
  std::string header;
  if (segment.size == 0) {
    header = encode(SegmentHeader{kFormatVersion, segment.first_seq, segment.created_us});
  }
  std::vector<std::string_view> pieces{header};
  for (const auto& batch : group) pieces.push_back(batch->bytes_);
  const auto written = write_all(*file_, segment.size, pieces);
  if (!written) return take_back(segment.size, written.error());
  const auto synced = sync();
  if (!synced) {
    // What the page cache still shows must not pass for durable when the log is opened again.
    ignore(file_->truncate(segment.size));
    return fail(synced.error());
  }
  segments_.with([&](auto& segments) { segments.back().size += header.size() + size; });
  const std::uint64_t begin = segment.size + header.size();
  if (begin < marked_ || begin - marked_ >= kMarkEvery) {
    marked_ = begin;
    mark(next_seq_, segment.first_seq, begin);
  }
  return {};
}

void Log::mark(Seq seq, Seq segment_first_seq, std::uint64_t offset) const {
  marks_.with([&](auto& marks) { marks[seq] = {seq, segment_first_seq, offset}; });
}

std::optional<Log::Mark> Log::mark_before(Seq seq) const {
  return marks_.with([&](const auto& marks) -> std::optional<Mark> {
    const auto after = marks.upper_bound(seq);
    if (after == marks.begin()) return std::nullopt;
    return std::prev(after)->second;
  });
}

Result<void> Log::sync() {
  const std::int64_t begin_us = clock_.steady_us();
  TRY(file_->sync());
  sync_counter_.add();
  sync_time_counter_.add(static_cast<std::uint64_t>(clock_.steady_us() - begin_us));
  return {};
}

// Cuts off what a failed write may have left behind, durably: a refused record never comes back.
Error Log::take_back(std::uint64_t offset, const Error& why) {
  auto cut = file_->truncate(offset);
  if (cut) cut = file_->sync();
  if (!cut) return fail(cut.error());
  return why;
}

Error Log::fail(const Error& why) {
  Error failure{ErrorCode::unavailable, fmt::format("the log stopped: {}", why.message),
                "what was acknowledged is safe; check the disk, then start nilo again"};
  logger_.error("log.failed", {{"reason", why.message}});
  failure_.with([&](auto& ours) { ours = failure; });
  return failure;
}

void Log::drop_old_segments() {
  while (const auto segment = take_droppable()) {
    const auto removed = disk_.remove(path_of(segment->first_seq));
    logger_.info("log.segment_dropped",
                 {{"file", segment_name(segment->first_seq)},
                  {"bytes", segment->size},
                  {"error", removed ? std::string() : removed.error().message}});
  }
}

// Forgets the oldest segment, if a limit says so and all its records are released.
std::optional<Log::Segment> Log::take_droppable() {
  const bool has_limit = options_.size_max > 0 || options_.age_max_us > 0;
  if (!has_limit) return std::nullopt;
  const bool is_too_large = options_.size_max > 0 && size() > options_.size_max;
  return segments_.with([&](auto& segments) -> std::optional<Segment> {
    if (segments.size() < 2 || released_seq_ < segments[1].first_seq) return std::nullopt;
    const bool is_too_old =
        options_.age_max_us > 0 && segments[1].created_us < clock_.wall_us() - options_.age_max_us;
    if (!is_too_large && !is_too_old) return std::nullopt;
    const Segment oldest = segments.front();
    segments.pop_front();
    oldest_seq_ = segments.front().first_seq;
    marks_.with([&](auto& marks) { marks.erase(marks.begin(), marks.lower_bound(oldest_seq_)); });
    return oldest;
  });
}

}  // namespace nilo::log
