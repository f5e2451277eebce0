// tables/tables.h: where things are remembered.
//
// In/out:  records of the log -> column heads and the latest row of each key; questions -> rows.
// The log is the truth. Heads live in memory and are rebuilt by replaying the log from its oldest
// record; the latest row of each key is also checkpointed to disk, so that it outlives the log.
//
//   open -> declare -> apply(every record of the log) -> number_new -> append what it gave
//        -> apply(what the log appends) ... and now and then checkpoint() and trim().
//
// Threads: open, declare, number_new, watch, read, trim and apply: one thread (the tables thread;
//          at start the one that replays). checkpoint: any one thread. Everything const: any
//          thread.
// Limits:  TablesOptions::head_size_max: see is_full(). kPageRowsMax rows a page.
// Formats: docs/formats/catalog.md, docs/formats/state.md.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/logger.h"
#include "base/metrics.h"
#include "base/result.h"
#include "tables/answer.h"
#include "value/record.h"
#include "value/row.h"
#include "value/schema.h"

namespace nilo::tables {

// A derived column: stored cells (in schema order) -> value. Called on the tables thread only. Text
// in the result lives until the next call of any. Rounding to Column::decimals happens here.
using Derive = std::function<Value(std::span<const Value> stored_cells)>;

struct TableDeclaration {
  TableSchema schema;
  std::vector<Derive> derive;  // one for each derived column, in schema order
};

struct TablesOptions {
  std::string state_dir;  // made if missing; one process at a time
  std::size_t head_size_max = std::size_t{1024} * 1024 * 1024;
  // Address space, not disk: the file grows as it is used.
  std::size_t state_size_max = std::size_t{8} * 1024 * 1024 * 1024;
};

struct TableInfo {
  const TableSchema* schema;
  std::uint64_t rows;  // readings kept, or keys when there is no sort key
  std::uint64_t keys;
  std::uint64_t bytes;  // of memory
};

inline constexpr std::size_t kPageRowsMax = 10'000;

struct RowQuery {
  std::string_view table{};
  std::optional<std::string_view> key{};  // value/key.h
  std::optional<TimeUs> from_us{};        // by sort key, inclusive
  std::optional<TimeUs> to_us{};          // exclusive
  std::size_t limit = 1000;               // 1 .. kPageRowsMax
  bool newest_first = false;
  std::string_view cursor{};  // RowPage::next_cursor of the same question, or empty
};

struct RowPage {
  Answer rows;              // the table's columns in schema order, then `received`
  std::string next_cursor;  // opaque; empty at the end
  Seq seq = 0;              // changes up to this record are in, later ones may be
};

// What one row changed. Views live for the call.
struct Change {
  const TableSchema& schema;
  std::string_view key;  // value/key.h
  Seq seq;
  TimeUs received_us;
  std::span<const Value> cells;  // all columns in schema order, derived ones included
};

class Scan;         // tables/scan.h
class SeriesPiece;  // tables/series.h

class Tables {
 public:
  // unavailable, resource_exhausted, corrupt: the state folder; names it.
  static Result<std::unique_ptr<Tables>> open(TablesOptions options, Logger& logger,
                                              Metrics& metrics);
  ~Tables();

  // Says once, before the first apply(), which tables there are, and loads their latest rows.
  // invalid_argument: two tables of one name, no key, too many columns (the stack's check finds
  // these earlier and says where). corrupt, unavailable: the state.
  Result<void> declare(std::vector<TableDeclaration> declarations);

  // After the replay: gives numbers to tables and columns that have none yet, and appends the
  // effects that say so to `record`. False: nothing was new, nothing appended. Rows of these
  // tables may only follow in the log when that record is durable.
  bool number_new(RecordWriter& record);

  // The table's schema and numbers, fixed after number_new(); nullptr: no such table. Lives as
  // long as this.
  const TableLayout* layout(std::string_view table) const;

  // Takes row and catalog effects, skips others. `seq` rises; what was applied already is skipped.
  // Rows of tables that are not declared (now) are skipped.
  void apply(Seq seq, std::string_view record);

  // The last record applied.
  Seq applied_seq() const;

  // Called by apply() for each row of the tables that `which` picks, private ones too, from now on
  // and for ever, in the order of watch(). Rows of a table nobody watches cost nothing more.
  // Between calls of apply().
  void watch(const std::function<bool(const TableSchema&)>& which,
             std::function<void(const Change&)> watcher);

  // What the rows of `record` say as their tables are now, without applying them: for those who
  // follow changes and begin behind the tables. Between calls of apply(), on the same thread.
  void read(Seq seq, std::string_view record, const std::function<void(const Change&)>& f);

  // Writes the latest rows that changed since the last one, in one transaction that carries the
  // sequence it covers. Readers and apply() go on meanwhile.
  // resource_exhausted: state_size_max or the disk; unavailable: the disk. Tried again next time.
  Result<void> checkpoint();
  // The log may forget records up to this one without a latest row being lost.
  Seq checkpoint_seq() const;

  // The log dropped its records before `oldest`: heads drop their rows, latest rows stay.
  void trim(Seq oldest);

  // The memory budget is reached: whoever would write rows refuses them with full_error(). Cheap.
  bool is_full() const;
  Error full_error() const;
  std::size_t memory_size() const;

  // Private tables are not among them, and scan() does not know them; rows() and latest() do.
  std::vector<TableInfo> list() const;

  // With a key: by time. Without: in the order of arrival. A table without sort key gives the
  // latest rows, by key.
  // not_found: no such table. invalid_argument: limit, cursor.
  Result<RowPage> rows(const RowQuery& query) const;
  // The latest row of each key, by key text; of one, if `key` is set (no row: an empty page).
  // `from_us`, `to_us` and `newest_first` must not be set. Errors as rows().
  Result<RowPage> latest(const RowQuery& query) const;

  // The rows of a key with from <= time < to, by time, while `visit` says true; private tables,
  // too. Each piece is as the table is when it is read. A table without sort key has no series.
  // not_found: no such table.
  Result<void> read_series(std::string_view table, std::string_view key, TimeUs from_us,
                           TimeUs to_us,
                           const std::function<bool(const SeriesPiece&)>& visit) const;
  // The latest row of a key (of each key); false: there is none, or no such table.
  bool read_latest(std::string_view table, std::string_view key,
                   const std::function<void(const Change&)>& visit) const;
  void each_latest(std::string_view table, const std::function<void(const Change&)>& visit) const;

  // For SQL: every row (or the latest of each key) as column blocks. nullptr: no such table.
  std::unique_ptr<Scan> scan(std::string_view table) const;
  std::unique_ptr<Scan> scan_latest(std::string_view table) const;

 private:
  class Impl;
  explicit Tables(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nilo::tables
