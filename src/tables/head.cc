#include "tables/head.h"

#include <algorithm>

#include "tables/series.h"

namespace nilo::tables {

Head::Head(const TableSchema& schema) : sort_column_(schema.sort_column()), format_(schema) {
  NILO_ASSERT(schema.has_sort_key);
}

TimeUs Head::time_of(std::uint32_t low) const {
  const RowNumber row = full(low);
  return slot_of(row).chunk->cell((row - base_) % Chunk::kRowsMax, sort_column_).as_int64();
}

Series::const_iterator Head::lower_bound(const Series& series, TimeUs time_us) const {
  return std::lower_bound(
      series.begin(), series.end(), time_us,
      [this](std::uint32_t row, TimeUs wanted_us) { return time_of(row) < wanted_us; });
}

void Head::append(Series& series, TimeUs newest_us, std::span<const Value> cells,
                  TimeUs received_us, Seq seq) {
  if (last_ == nullptr || last_->is_full()) {
    const bool will_fill = last_ != nullptr;
    last_ = std::make_shared<Chunk>(format_);
    if (will_fill) last_->fetch_pages();
    slots_.push_back({last_, nullptr});
    size_ += last_->size();
  }
  const std::size_t size_before = last_->size();
  last_->append(cells, received_us, seq);
  size_ += last_->size() - size_before;

  const auto row = static_cast<std::uint32_t>(end_++);
  const std::size_t capacity_before = series.capacity();
  const TimeUs time_us = cells[sort_column_].as_int64();
  const bool is_newest = newest_us < time_us || series.empty() || time_of(series.back()) < time_us;
  const auto at = is_newest ? series.end() : lower_bound(series, time_us);
  if (at != series.end() && time_of(*at) == time_us) {
    kill(full(*at));
    series[static_cast<std::size_t>(at - series.begin())] = row;
  } else {
    series.insert(at, row);
    ++live_count_;
  }
  size_ += (series.capacity() - capacity_before) * sizeof(std::uint32_t);
}

void Head::kill(RowNumber row) {
  auto& slot = slots_[static_cast<std::size_t>((row - base_) / Chunk::kRowsMax)];
  auto dead = slot.dead ? std::make_shared<DeadRows>(*slot.dead) : std::make_shared<DeadRows>();
  const auto offset = static_cast<std::uint16_t>((row - base_) % Chunk::kRowsMax);
  dead->insert(std::lower_bound(dead->begin(), dead->end(), offset), offset);
  slot.dead = std::move(dead);
  size_ += sizeof(std::uint16_t);
}

void Head::trim(Seq oldest) {
  const auto seq_of = [this](RowNumber row) {
    return slot_of(row).chunk->seq((row - base_) % Chunk::kRowsMax);
  };
  // The first row of `oldest` or later: rows lie in the log's order.
  RowNumber low = begin_;
  for (RowNumber high = end_; low < high;) {
    const RowNumber middle = low + (high - low) / 2;
    seq_of(middle) < oldest ? low = middle + 1 : high = middle;
  }
  begin_ = low;
  const auto is_behind = [this] {
    return !slots_.empty() && base_ + slots_.front().chunk->row_count() <= begin_ &&
           slots_.front().chunk->is_full();
  };
  while (is_behind()) {
    const HeadSlot& slot = slots_.front();
    size_ -= slot.chunk->size() + (slot.dead ? slot.dead->size() * sizeof(std::uint16_t) : 0);
    if (slot.chunk == last_) last_ = nullptr;
    slots_.pop_front();
    base_ += Chunk::kRowsMax;
  }
}

void Head::forget(Series& series) {
  // Signed distance on the circle of row numbers: rows before begin_ are negative.
  const auto is_gone = [begin = static_cast<std::uint32_t>(begin_)](std::uint32_t row) {
    return static_cast<std::int32_t>(row - begin) < 0;
  };
  live_count_ -= std::erase_if(series, is_gone);
}

HeadSnapshot Head::snapshot() const {
  HeadSnapshot out;
  if (begin_ == end_) return out;
  out.slots.assign(slots_.begin(), slots_.end());
  out.first_row = static_cast<std::size_t>(begin_ - base_);
  out.last_end = slots_.back().chunk->row_count();
  return out;
}

std::vector<RowRef> Head::find(const Series& series, TimeUs from_us, TimeUs to_us,
                               std::size_t limit, bool newest_first) const {
  auto first = lower_bound(series, from_us);
  auto end = lower_bound(series, to_us);
  if (end < first) end = first;
  const auto count = std::min<std::size_t>(limit, static_cast<std::size_t>(end - first));
  if (newest_first) {
    first = end - static_cast<std::ptrdiff_t>(count);
  } else {
    end = first + static_cast<std::ptrdiff_t>(count);
  }
  std::vector<RowRef> out;
  out.reserve(count);
  for (auto at = first; at != end; ++at) {
    const RowNumber row = full(*at);
    out.push_back({slot_of(row).chunk, (row - base_) % Chunk::kRowsMax});
  }
  if (newest_first) std::reverse(out.begin(), out.end());
  return out;
}

void Head::find_piece(const Series& series, TimeUs from_us, TimeUs to_us, std::size_t limit,
                      SeriesPiece& out) const {
  out.sort_column_ = sort_column_;
  out.chunks_.clear();
  out.rows_.clear();
  const auto end = lower_bound(series, to_us);
  for (auto at = lower_bound(series, from_us); at < end && out.rows_.size() < limit; ++at) {
    const RowNumber row = full(*at);
    const auto& chunk = slot_of(row).chunk;
    if (out.chunks_.empty() || out.chunks_.back() != chunk) out.chunks_.push_back(chunk);
    out.rows_.push_back({static_cast<std::uint32_t>(out.chunks_.size() - 1),
                         static_cast<std::uint32_t>((row - base_) % Chunk::kRowsMax)});
  }
}

}  // namespace nilo::tables
