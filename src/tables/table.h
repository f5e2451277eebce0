// tables/table.h: one table: its numbers, its head, its keys, and one mutex around them.
//
// Threads: apply, read, watch, load, number and trim: the tables thread (at start the one that
//          replays). The rest: any thread; what needs the mutex copies or takes references under it
//          and works on these afterwards.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "tables/catalog.h"
#include "tables/head.h"
#include "tables/keyed.h"
#include "tables/scan.h"
#include "tables/state_store.h"
#include "tables/tables.h"

namespace nilo::tables {

using Watcher = std::function<void(const Change&)>;

class Table {
 public:
  // `memory`: the bytes of all tables, kept up to date. Asserted: a sound declaration.
  Table(TableDeclaration declaration, std::atomic<std::size_t>& memory);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  const TableLayout& layout() const { return layout_; }
  const TableSchema& schema() const { return layout_.schema; }

  // Takes the numbers the catalog has for this table and its columns.
  void number(const Catalog& catalog);

  // Hears of each applied row.
  void watch(std::shared_ptr<const Watcher> watcher) { watchers_.push_back(std::move(watcher)); }

  // False: the row cannot be read as this table is declared now.
  bool apply(Seq seq, TimeUs received_us, std::string_view body);
  // Tells `f` what apply() would tell, and changes nothing.
  void read(Seq seq, TimeUs received_us, std::string_view body, const Watcher& f);
  // A latest row from the keyed state. Marked as changed: take_dirty() when all are loaded.
  void load(const StoredRow& row);
  void trim(Seq oldest);

  // The keys whose latest row changed since the last call; and again if these could not be kept.
  std::vector<KeyId> take_dirty();
  void put_back_dirty(const std::vector<KeyId>& ids);

  TableInfo info() const;
  Result<RowPage> rows(const RowQuery& query) const;
  Result<RowPage> latest(const RowQuery& query) const;

  // As of Tables.
  void read_series(std::string_view key, TimeUs from_us, TimeUs to_us,
                   const std::function<bool(const SeriesPiece&)>& visit) const;
  bool read_latest(std::string_view key, const std::function<void(const Change&)>& visit) const;
  void each_latest(const std::function<void(const Change&)>& visit) const;

  // For scans.
  std::optional<HeadSnapshot> head_snapshot() const;  // nullopt: no sort key
  std::size_t key_count() const;
  // Copies the latest rows of `ids`, at most LatestBatch::kRowsMax.
  void copy_latest(std::span<const KeyId> ids, LatestBatch& out) const;
  // Copies the latest rows of at most LatestBatch::kRowsMax keys from `first` on.
  void copy_latest(KeyId first, LatestBatch& out) const;
  // All columns of a row of the batch; text points into the batch. False: it cannot be read.
  bool cells_of(const LatestBatch& batch, std::size_t row, std::span<Value> cells) const;

 private:
  struct State {
    Keyed keyed;
    std::optional<Head> head;  // if there is a sort key
    std::size_t published_size = 0;
    std::size_t size() const { return keyed.size() + (head ? head->size() : 0); }
  };

  // Fills cells_ and key_ from a row's body.
  bool decode(std::string_view body);
  std::span<const Value> derived() const {
    return std::span<const Value>(cells_).subspan(schema().stored_count());
  }
  TimeUs sort_time() const;
  void publish_size(State& state);

  Answer empty_answer() const;
  void add_row(Answer& answer, const RowRef& row) const;
  Result<RowPage> rows_of_key(const RowQuery& query) const;
  Result<RowPage> rows_by_arrival(const RowQuery& query) const;
  RowPage latest_of_keys(const std::vector<std::string_view>& keys) const;
  void tell_latest(const LatestBatch& batch, std::span<Value> cells,
                   const std::function<void(const Change&)>& visit) const;

  TableLayout layout_;
  const std::vector<Derive> derive_;
  std::atomic<std::size_t>& memory_;
  std::optional<RowReader> reader_;
  Guarded<State> state_;
  std::vector<std::shared_ptr<const Watcher>> watchers_;  // the tables thread's
  // Scratch of the tables thread.
  std::vector<Value> cells_;
  std::string key_;
  std::vector<std::string> derived_texts_;  // one for each derived column
};

}  // namespace nilo::tables
