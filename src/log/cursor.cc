#include "log/cursor.h"

#include <algorithm>

#include "log/log.h"

namespace nilo::log {

Result<std::optional<Record>> Cursor::next() {
  for (;;) {
    switch (reader_ ? reader_->next(end_) : SegmentReader::Step::end) {
      case SegmentReader::Step::record:
        if (reader_->seq() < next_seq_) break;
        next_seq_ = reader_->seq() + 1;
        return std::optional(Record{reader_->seq(), reader_->bytes()});
      case SegmentReader::Step::damage:
        note(reader_->damage_offset(), reader_->damage_size(), reader_->seq());
        break;
      case SegmentReader::Step::failed:
        return reader_->error();
      case SegmentReader::Step::end:
        if (!extend() && !TRY(open_next_segment())) return std::optional<Record>();
        break;
    }
  }
}

// Has the open segment grown?
bool Cursor::extend() {
  return log_.segments_.with([&](const auto& segments) {
    const auto segment = std::find_if(segments.begin(), segments.end(), [&](const auto& each) {
      return each.first_seq == segment_first_seq_;
    });
    if (segment == segments.end() || segment->size <= end_) return false;
    end_ = segment->size;
    return true;
  });
}

// Moves on to the first segment not read yet, which at the beginning is the one that holds
// next_seq_. False: there is none.
Result<bool> Cursor::open_next_segment() {
  const bool is_first = segment_first_seq_ == 0;
  const Seq after = is_first ? next_seq_ : segment_first_seq_;
  const auto next = log_.segments_.with([&](const auto& segments) {
    auto found = std::find_if(segments.begin(), segments.end(),
                              [&](const auto& each) { return each.first_seq > after; });
    if (is_first && found != segments.begin()) --found;
    return found == segments.end() ? std::nullopt : std::optional(*found);
  });
  if (!next) return false;
  // Records may be missing without a damaged byte to show for it.
  const bool is_gap = reader_ && std::max(next_seq_, reader_->next_seq()) < next->first_seq;
  if (is_gap && noted_seq_ != reader_->next_seq()) note(end_, 0, reader_->next_seq());
  auto file = log_.disk_.open(log_.path_of(next->first_seq), Disk::OpenMode::read);
  if (!file) {
    // A limit may have dropped it just now; then there is a later one.
    const bool is_dropped = next->first_seq < log_.oldest_seq();
    if (is_dropped) return true;
    return file.error();
  }
  file_ = std::move(*file);
  reader_ = std::make_unique<SegmentReader>(*file_, next->first_seq);
  segment_first_seq_ = next->first_seq;
  end_ = next->size;
  return true;
}

void Cursor::note(std::uint64_t offset, std::uint64_t size, Seq first_seq) {
  ++damage_count_;
  noted_seq_ = first_seq;
  if (damages_.size() == kDamagesListedMax) return;
  damages_.push_back({segment_name(segment_first_seq_), offset, size, first_seq});
}

Result<ReplayReport> Log::replay(Seq from,
                                 const std::function<void(Seq, std::string_view)>& f) const {
  ReplayReport report;
  Cursor records = cursor(from);
  while (const std::optional<Record> record = TRY(records.next())) {
    f(record->seq, record->bytes);
    ++report.record_count;
    report.byte_count += record->bytes.size();
  }
  report.damage_count = records.damage_count();
  report.damages = records.damages();
  for (const Damage& damage : report.damages) {
    logger_.warn("log.damaged", {{"file", damage.file},
                                 {"offset", damage.offset},
                                 {"bytes", damage.size},
                                 {"first_seq", damage.first_seq}});
  }
  return report;
}

}  // namespace nilo::log
