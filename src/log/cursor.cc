#include "log/cursor.h"

#include <algorithm>

#include "log/log.h"

namespace nilo::log {

Result<std::optional<Record>> Cursor::next() {
  for (;;) {
    switch (reader_ ? reader_->next(end_) : SegmentReader::Step::end) {
      case SegmentReader::Step::record:
        if (reader_->offset() - marked_ >= kMarkEvery) {
          marked_ = reader_->offset();
          log_.mark(reader_->next_seq(), segment_first_seq_, marked_);
        }
        if (reader_->seq() < next_seq_) break;
        next_seq_ = reader_->seq() + 1;
        return std::optional(Record{reader_->seq(), reader_->bytes()});
      case SegmentReader::Step::damage:
        note(reader_->damage_offset(), reader_->damage_size(), reader_->seq());
        break;
      case SegmentReader::Step::failed:
        return reader_->error();
      case SegmentReader::Step::end:
        if (!TRY(advance())) return std::optional<Record>();
        break;
    }
  }
}

void Cursor::seek(Seq seq) {
  next_seq_ = seq;
  const bool is_before = reader_ && reader_->next_seq() <= seq;
  if (is_before) {
    const auto mark = log_.mark_before(seq);
    if (!mark || mark->seq <= reader_->next_seq()) return;  // nothing is nearer
  }
  reader_.reset();
  segment_first_seq_ = 0;
  end_ = 0;
  read_size_ = kMarkEvery;
}

// Sees what the open segment has gained, or moves on to the next one, which at the beginning is the
// one that holds next_seq_. Both in one look: a segment has its last byte when there is a next one,
// but not a moment before. False: there is nothing new.
Result<bool> Cursor::advance() {
  const bool is_first = segment_first_seq_ == 0;
  const Seq after = is_first ? next_seq_ : segment_first_seq_;
  bool has_grown = false;
  const auto next = log_.segments_.with([&](const auto& segments) -> std::optional<Log::Segment> {
    auto found = std::find_if(segments.begin(), segments.end(),
                              [&](const auto& each) { return each.first_seq > after; });
    if (found != segments.begin()) {
      const Log::Segment& before = *std::prev(found);
      if (is_first) return before;
      has_grown = before.first_seq == segment_first_seq_ && before.size > end_;
      if (has_grown) end_ = before.size;
    }
    if (has_grown || found == segments.end()) return std::nullopt;
    return *found;
  });
  if (!next) return has_grown;
  return open(next->first_seq, next->size);
}

Result<bool> Cursor::open(Seq first_seq, std::uint64_t size) {
  // Records may be missing without a damaged byte to show for it.
  const bool is_gap = reader_ && std::max(next_seq_, reader_->next_seq()) < first_seq;
  if (is_gap && noted_seq_ != reader_->next_seq()) note(end_, 0, reader_->next_seq());
  auto file = log_.disk_.open(log_.path_of(first_seq), Disk::OpenMode::read);
  if (!file) {
    // A limit may have dropped it just now; then there is a later one.
    const bool is_dropped = first_seq < log_.oldest_seq();
    if (is_dropped) return true;
    return file.error();
  }
  file_ = std::move(*file);
  reader_ = std::make_unique<SegmentReader>(*file_, first_seq, read_size_);
  segment_first_seq_ = first_seq;
  marked_ = 0;
  if (const auto mark = log_.mark_before(next_seq_); mark && mark->segment_first_seq == first_seq) {
    reader_->start_at(mark->seq, mark->offset);
    marked_ = mark->offset;
  }
  end_ = size;
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
