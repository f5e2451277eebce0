#include "tables/head_scan.h"

#include <algorithm>

namespace nilo::tables {

namespace {

// Runs of live rows in the chunks of a snapshot.
class HeadScan final : public Scan {
 public:
  HeadScan(const TableSchema& schema, HeadSnapshot head)
      : schema_(schema), head_(std::move(head)), row_(head_.first_row) {}

  const TableSchema& schema() const override { return schema_; }
  std::size_t row_count() const override { return head_.slots.size() * Chunk::kRowsMax; }

  std::size_t next() override {
    for (row_ += run_; slot_ < head_.slots.size(); ++slot_, row_ = 0) {
      const auto* dead = head_.slots[slot_].dead.get();
      run_ = head_.end_of(slot_) - row_;
      if (dead != nullptr) limit_run(*dead);
      if (run_ > 0) return run_;
    }
    return 0;
  }

  BlockColumn column(std::size_t number) const override {
    return head_.slots[slot_].chunk->column(number, row_);
  }

 private:
  // Steps over dead rows at row_ and ends the run before the next one.
  void limit_run(const DeadRows& dead) {
    auto at = std::lower_bound(dead.begin(), dead.end(), row_);
    for (; at != dead.end() && *at == row_; ++at) ++row_;
    const std::size_t slot_end = head_.end_of(slot_);
    const std::size_t end = at == dead.end() ? slot_end : std::min<std::size_t>(*at, slot_end);
    run_ = end > row_ ? end - row_ : 0;
  }

  const TableSchema& schema_;
  const HeadSnapshot head_;
  std::size_t slot_ = 0;
  std::size_t row_ = 0;
  std::size_t run_ = 0;
};

// The latest rows, made into a chunk a batch at a time.
class LatestScan final : public Scan {
 public:
  explicit LatestScan(const Table& table)
      : table_(table),
        format_(table.schema()),
        key_count_(table.key_count()),
        cells_(table.schema().columns.size()) {}

  const TableSchema& schema() const override { return table_.schema(); }
  std::size_t row_count() const override { return key_count_; }

  std::size_t next() override {
    if (next_key_ >= key_count_) return 0;
    table_.copy_latest(static_cast<KeyId>(next_key_), batch_);
    next_key_ += batch_.row_count();
    chunk_ = std::make_unique<Chunk>(format_);
    for (std::size_t row = 0; row < batch_.row_count(); ++row) {
      const bool is_sound = table_.cells_of(batch_, row, cells_);
      NILO_ASSERT(is_sound);
      chunk_->append(cells_, batch_.received_us(row), batch_.seq(row));
    }
    return chunk_->row_count();
  }

  BlockColumn column(std::size_t number) const override { return chunk_->column(number, 0); }

 private:
  const Table& table_;
  const ChunkFormat format_;
  const std::size_t key_count_;
  std::size_t next_key_ = 0;
  std::vector<Value> cells_;
  LatestBatch batch_;
  std::unique_ptr<Chunk> chunk_;
};

}  // namespace

std::unique_ptr<Scan> scan_latest_of(const Table& table) {
  return std::make_unique<LatestScan>(table);
}

std::unique_ptr<Scan> scan_of(const Table& table) {
  auto head = table.head_snapshot();
  if (!head) return scan_latest_of(table);
  return std::make_unique<HeadScan>(table.schema(), std::move(*head));
}

}  // namespace nilo::tables
