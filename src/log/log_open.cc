// Opening a log: what is there, and where does it end?
//
// A crash leaves the end of the last segment in any state: bytes that were written and not synced
// may be there or not, sector by sector. None of them was acknowledged. What follows the last
// intact record is cut off; what is intact counts, once it is synced (a killed process leaves
// records that only the page cache knows).
#include <fmt/format.h>

#include <algorithm>

#include "log/log.h"
#include "log/segment.h"

namespace nilo::log {

namespace {

constexpr std::string_view kLockName = "LOCK";

// Says for people what the disk said.
Error with_hint(Error error, const std::string& dir) {
  if (error.code == ErrorCode::conflict) {
    return {ErrorCode::conflict, fmt::format("another process uses the folder {}", dir),
            "stop the other nilo, or choose another folder with --data"};
  }
  if (error.code == ErrorCode::permission_denied) {
    error.hint =
        "make the folder writable for the user that runs nilo, or choose another with "
        "--data";
  }
  return error;
}

}  // namespace

Result<std::unique_ptr<Log>> Log::open(Disk& disk, const Clock& clock, Logger& logger,
                                       Metrics& metrics, LogOptions options) {
  NILO_ASSERT(options.next_seq_min > 0);
  const std::string dir = options.dir;
  std::unique_ptr<Log> log(new Log(disk, clock, logger, metrics, std::move(options)));
  auto loaded = log->load();
  if (!loaded) return with_hint(std::move(loaded).error(), dir);
  return log;
}

Result<void> Log::load() {
  TRY(disk_.make_dir(options_.dir));
  lock_ = TRY(disk_.lock(fmt::format("{}/{}", options_.dir, kLockName)));
  std::deque<Segment> segments;
  // From the newest to the oldest: one without a header is not newer than the next.
  TimeUs created_before_us = clock_.wall_us();
  std::vector<std::string> names = TRY(disk_.list(options_.dir));
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    const std::optional<Seq> first_seq = first_seq_of(*name);
    if (!first_seq) continue;
    segments.push_front(TRY(load_segment(*first_seq, created_before_us)));
    created_before_us = segments.front().created_us;
  }
  if (segments.empty()) return add_segment(options_.next_seq_min);
  if (segments.size() > 1) {  // the clock may have been wrong when the last one began, or be now
    Segment& last = segments.back();
    last.created_us = std::max(last.created_us, segments[segments.size() - 2].created_us);
  }
  oldest_seq_ = segments.front().first_seq;
  segments_.with([&](auto& ours) { ours = std::move(segments); });
  TRY(recover_tail());
  if (next_seq_ < options_.next_seq_min) TRY(add_segment(options_.next_seq_min));
  return {};
}

Result<Log::Segment> Log::load_segment(Seq first_seq, TimeUs created_before_us) {
  const auto file = TRY(disk_.open(path_of(first_seq), Disk::OpenMode::read));
  Segment segment{first_seq, TRY(file->size()), created_before_us};
  char bytes[kSegmentHeaderSize];
  const std::size_t count = TRY(file->read_at(0, bytes));
  const auto header = decode_segment_header({bytes, count});
  if (!header || header->first_seq != first_seq) {
    // The name says all that is needed to read on.
    if (count == kSegmentHeaderSize) {
      logger_.warn("log.header_damaged", {{"file", segment_name(first_seq)}});
    }
    return segment;
  }
  if (header->version > kFormatVersion) {
    return Error{ErrorCode::unsupported,
                 fmt::format("{} has log format {}; this nilo knows {}", path_of(first_seq),
                             header->version, kFormatVersion),
                 "start the newer nilo that wrote it"};
  }
  segment.created_us = header->created_us;
  return segment;
}

Result<void> Log::recover_tail() {
  Segment last = segments_.with([](const auto& segments) { return segments.back(); });
  file_ = TRY(disk_.open(path_of(last.first_seq), Disk::OpenMode::read_write));
  SegmentReader reader(*file_, last.first_seq);
  std::uint64_t good_size = 0;
  for (auto step = reader.next(last.size); step != SegmentReader::Step::end;
       step = reader.next(last.size)) {
    if (step == SegmentReader::Step::failed) return reader.error();
    if (step == SegmentReader::Step::record) good_size = reader.offset();
  }
  // A segment without records begins anew, its header included: that may be torn, too.
  if (last.size > std::max<std::uint64_t>(good_size, kSegmentHeaderSize)) {
    logger_.warn("log.tail_cut", {{"file", segment_name(last.first_seq)},
                                  {"offset", good_size},
                                  {"bytes", last.size - good_size}});
  }
  TRY(file_->truncate(good_size));
  TRY(file_->sync());
  TRY(disk_.sync_dir(options_.dir));
  segments_.with([&](auto& segments) { segments.back().size = good_size; });
  next_seq_ = reader.next_seq();
  return {};
}

// Makes an empty segment, the last one from now on. Its header is written with its first records.
Result<void> Log::add_segment(Seq first_seq) {
  auto file = TRY(disk_.open(path_of(first_seq), Disk::OpenMode::create));
  const auto synced = disk_.sync_dir(options_.dir);
  if (!synced) return fail(synced.error());
  file_ = std::move(file);
  segments_.with([&](auto& segments) {
    const TimeUs now_us = clock_.wall_us();
    const TimeUs created_us =
        segments.empty() ? now_us : std::max(now_us, segments.back().created_us);
    segments.push_back({first_seq, 0, created_us});
    oldest_seq_ = segments.front().first_seq;
  });
  next_seq_ = first_seq;
  return {};
}

}  // namespace nilo::log
