#include "tables/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "tables/catalog.h"
#include "tables/head_scan.h"
#include "tables/state_store.h"
#include "tables/table.h"

namespace nilo::tables {

namespace {

Result<void> check(const TableDeclaration& declaration) {
  const TableSchema& schema = declaration.schema;
  const auto refuse = [&](std::string_view why) {
    return Error{ErrorCode::invalid_argument, fmt::format("table {} {}", schema.name, why)};
  };
  const std::size_t stored = schema.stored_count();
  if (schema.name.empty()) return refuse("has no name");
  if (schema.columns.size() > kColumnsMax) return refuse("has too many columns");
  if (schema.partition_count == 0) return refuse("has no key");
  const std::size_t key_columns = schema.partition_count + (schema.has_sort_key ? 1 : 0);
  if (stored < key_columns) return refuse("has a key that is not stored");
  if (schema.has_sort_key && schema.columns[schema.sort_column()].type != Type::timestamp) {
    return refuse("has a sort key that is no timestamp");
  }
  if (declaration.derive.size() != schema.columns.size() - stored) {
    return refuse("has derived columns without an expression");
  }
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    const Column& column = schema.columns[i];
    if (column.type == Type::null) return refuse("has a column without a type");
    if (column.is_derived() != (i >= stored)) return refuse("has a stored column after a derived");
    const bool is_twice = *schema.find(column.name) != i || column.name == kReceivedColumn;
    if (is_twice) return refuse(fmt::format("has two columns `{}`", column.name));
  }
  return {};
}

Error no_table(std::string_view name) {
  return {ErrorCode::not_found, fmt::format("no table `{}`", name), "see GET /api/v1/tables"};
}

}  // namespace

class Tables::Impl {
 public:
  Impl(TablesOptions options, std::unique_ptr<StateStore> store, Logger& logger, Metrics& metrics)
      : options_(std::move(options)),
        logger_(logger),
        store_(std::move(store)),
        applied_seq_(0),
        rows_applied_(metrics.counter("nilo_tables_rows_total", "", "Rows applied to tables.")),
        rows_skipped_(metrics.counter(
            "nilo_tables_rows_skipped_total", "",
            "Rows of the log that no table of this stack can hold: removed or changed.")) {
    metrics.gauge("nilo_tables_memory_bytes", "Memory of heads and latest rows.",
                  [memory = memory_] { return static_cast<double>(memory->load()); });
  }

  Result<void> load_catalog();
  Result<void> declare(std::vector<TableDeclaration> declarations);
  bool number_new(RecordWriter& record);
  void apply(Seq seq, std::string_view record);
  Result<void> checkpoint();
  void trim(Seq oldest);

  const Table* find(std::string_view name) const {
    const auto at = std::find_if(tables_.begin(), tables_.end(),
                                 [&](const auto& table) { return table->schema().name == name; });
    return at == tables_.end() ? nullptr : at->get();
  }
  const Table* find_public(std::string_view name) const {
    const Table* table = find(name);
    return table != nullptr && !table->schema().is_private ? table : nullptr;
  }
  const std::vector<std::unique_ptr<Table>>& tables() const { return tables_; }
  Seq applied_seq() const { return applied_seq_.load(std::memory_order_acquire); }
  Seq checkpoint_seq() const { return store_->seq(); }
  std::size_t memory_size() const { return memory_->load(std::memory_order_relaxed); }
  const TablesOptions& options() const { return options_; }
  void watch(const std::function<bool(const TableSchema&)>& which,
             const std::shared_ptr<const Watcher>& watcher) {
    for (const auto& table : tables_) {
      if (which(table->schema())) table->watch(watcher);
    }
  }
  void read(Seq seq, std::string_view record, const Watcher& f);

 private:
  void apply_catalog(std::string_view body);
  Table* table_of(std::string_view row) const {  // nullptr: not declared
    const std::uint32_t id = table_id_of_row(row);
    return id < table_of_id_.size() ? table_of_id_[id] : nullptr;
  }
  void number_tables();
  // Writes what the marks of each table name; `taken` learns them.
  Result<void> write_dirty(StateTransaction& transaction,
                           std::vector<std::pair<Table*, std::vector<KeyId>>>& taken);

  const TablesOptions options_;
  Logger& logger_;
  const std::unique_ptr<StateStore> store_;
  // Shared with the gauge, which may outlive this.
  const std::shared_ptr<std::atomic<std::size_t>> memory_ =
      std::make_shared<std::atomic<std::size_t>>(0);
  std::vector<std::unique_ptr<Table>> tables_;
  std::vector<Table*> table_of_id_;  // nullptr: not declared
  Catalog catalog_;
  Guarded<std::vector<CatalogEntry>> unsaved_;  // from the log, not yet in a checkpoint
  std::atomic<Seq> applied_seq_;
  Counter& rows_applied_;
  Counter& rows_skipped_;
};

Result<void> Tables::Impl::load_catalog() {
  Result<void> outcome;
  TRY(store_->read_catalog([&](std::string_view body) {
    auto entry = parse_catalog_entry(body);
    if (!entry) {
      outcome = entry.error();
    } else if (auto added = catalog_.add(*entry); !added) {
      outcome = added.error();
    }
  }));
  return outcome;
}

Result<void> Tables::Impl::declare(std::vector<TableDeclaration> declarations) {
  NILO_ASSERT(tables_.empty());
  for (TableDeclaration& declaration : declarations) {
    TRY(check(declaration));
    if (find(declaration.schema.name) != nullptr) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("two tables `{}`", declaration.schema.name)};
    }
    tables_.push_back(std::make_unique<Table>(std::move(declaration), *memory_));
  }
  number_tables();
  for (const auto& table : tables_) {
    if (table->layout().table_id == 0) continue;
    TRY(store_->read_latest(table->layout().table_id,
                            [&](const StoredRow& row) { table->load(row); }));
    table->take_dirty();
  }
  return {};
}

void Tables::Impl::number_tables() {
  for (const auto& table : tables_) {
    table->number(catalog_);
    const std::uint32_t id = table->layout().table_id;
    if (id == 0) continue;
    if (table_of_id_.size() <= id) table_of_id_.resize(id + 1);
    table_of_id_[id] = table.get();
  }
}

bool Tables::Impl::number_new(RecordWriter& record) {
  bool is_new = false;
  const auto number_of = [&](std::uint32_t table_id, std::string_view name) {
    if (const std::uint32_t known = catalog_.find(table_id, name); known != 0) return known;
    const CatalogEntry entry = catalog_.give(table_id, name);
    record.begin(EffectKind::catalog);
    append_catalog_entry(record.out(), entry);
    record.end();
    is_new = true;
    return table_id == 0 ? entry.table_id : entry.column_id;
  };
  for (const auto& table : tables_) {
    const std::uint32_t table_id = number_of(0, table->schema().name);
    for (const Column& column : table->schema().columns) {
      if (!column.is_derived()) number_of(table_id, column.name);
    }
  }
  if (is_new) number_tables();
  return is_new;
}

void Tables::Impl::apply(Seq seq, std::string_view record) {
  if (seq <= applied_seq_.load(std::memory_order_relaxed)) return;
  RecordReader reader(record);
  Effect effect;
  while (reader.next(effect)) {
    if (effect.kind == EffectKind::catalog) apply_catalog(effect.body);
    if (effect.kind != EffectKind::row) continue;
    Table* table = table_of(effect.body);
    const bool is_applied =
        table != nullptr && table->apply(seq, reader.received_us(), effect.body);
    (is_applied ? rows_applied_ : rows_skipped_).add();
  }
  if (!reader.ok()) logger_.error("tables.record_damaged", {{"seq", seq}});
  applied_seq_.store(seq, std::memory_order_release);
}

void Tables::Impl::read(Seq seq, std::string_view record, const Watcher& f) {
  RecordReader reader(record);
  Effect effect;
  while (reader.next(effect)) {
    if (effect.kind != EffectKind::row) continue;
    Table* table = table_of(effect.body);
    if (table != nullptr) table->read(seq, reader.received_us(), effect.body, f);
  }
}

void Tables::Impl::apply_catalog(std::string_view body) {
  auto entry = parse_catalog_entry(body);
  const Result<bool> added = entry ? catalog_.add(*entry) : entry.error();
  if (!added) {
    logger_.error("tables.catalog_refused",
                  {{"reason", added.error().message}, {"hint", added.error().hint}});
    return;
  }
  if (*added) number_tables();
  unsaved_.with([&](auto& entries) { entries.push_back(std::move(*entry)); });
}

Result<void> Tables::Impl::write_dirty(StateTransaction& transaction,
                                       std::vector<std::pair<Table*, std::vector<KeyId>>>& taken) {
  LatestBatch batch;
  for (const auto& table : tables_) {
    const auto& ids = taken.emplace_back(table.get(), table->take_dirty()).second;
    for (std::size_t at = 0; at < ids.size(); at += LatestBatch::kRowsMax) {
      const std::size_t count = std::min(LatestBatch::kRowsMax, ids.size() - at);
      table->copy_latest(std::span(ids).subspan(at, count), batch);
      for (std::size_t row = 0; row < batch.row_count(); ++row) {
        TRY(transaction.put_latest(
            table->layout().table_id,
            {batch.key(row), batch.seq(row), batch.received_us(row), batch.body(row)}));
      }
    }
  }
  return {};
}

Result<void> Tables::Impl::checkpoint() {
  // First the sequence, then the rows: what is newer than it does no harm when it is replayed.
  const Seq seq = applied_seq();
  if (seq <= store_->seq()) return {};
  const auto entries = unsaved_.with([](auto& unsaved) { return unsaved; });
  std::vector<std::pair<Table*, std::vector<KeyId>>> taken;
  const auto write = [&]() -> Result<void> {
    const auto transaction = TRY(store_->begin());
    std::string body;
    for (const CatalogEntry& entry : entries) {
      body.clear();
      append_catalog_entry(body, entry);
      TRY(transaction->put_catalog(entry.table_id, entry.column_id, body));
    }
    TRY(write_dirty(*transaction, taken));
    return transaction->commit(seq);
  };
  Result<void> outcome = write();
  if (!outcome) {
    for (const auto& [table, ids] : taken) table->put_back_dirty(ids);
    return outcome;
  }
  unsaved_.with([&](auto& unsaved) {
    unsaved.erase(unsaved.begin(), unsaved.begin() + static_cast<std::ptrdiff_t>(entries.size()));
  });
  return {};
}

void Tables::Impl::trim(Seq oldest) {
  for (const auto& table : tables_) table->trim(oldest);
}

Tables::Tables(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tables::~Tables() = default;

Result<std::unique_ptr<Tables>> Tables::open(TablesOptions options, Logger& logger,
                                             Metrics& metrics) {
  auto store = TRY(StateStore::open(options.state_dir, options.state_size_max));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(store), logger, metrics);
  TRY(impl->load_catalog());
  return std::unique_ptr<Tables>(new Tables(std::move(impl)));
}

Result<void> Tables::declare(std::vector<TableDeclaration> declarations) {
  return impl_->declare(std::move(declarations));
}

bool Tables::number_new(RecordWriter& record) { return impl_->number_new(record); }

const TableLayout* Tables::layout(std::string_view table) const {
  const Table* found = impl_->find(table);
  return found == nullptr ? nullptr : &found->layout();
}

void Tables::apply(Seq seq, std::string_view record) { impl_->apply(seq, record); }

Seq Tables::applied_seq() const { return impl_->applied_seq(); }

void Tables::watch(const std::function<bool(const TableSchema&)>& which,
                   std::function<void(const Change&)> watcher) {
  impl_->watch(which, std::make_shared<const Watcher>(std::move(watcher)));
}

void Tables::read(Seq seq, std::string_view record, const std::function<void(const Change&)>& f) {
  impl_->read(seq, record, f);
}

Result<void> Tables::checkpoint() { return impl_->checkpoint(); }

Seq Tables::checkpoint_seq() const { return impl_->checkpoint_seq(); }

void Tables::trim(Seq oldest) { impl_->trim(oldest); }

bool Tables::is_full() const { return memory_size() >= impl_->options().head_size_max; }

Error Tables::full_error() const {
  const auto mb = [](std::size_t bytes) { return static_cast<double>(bytes) / 1e6; };
  return {ErrorCode::resource_exhausted,
          fmt::format("tables hold {:.1f} MB, their limit is {:.1f} MB: no new rows",
                      mb(memory_size()), mb(impl_->options().head_size_max)),
          "give the tables more: [tables] memory"};
}

std::size_t Tables::memory_size() const { return impl_->memory_size(); }

std::vector<TableInfo> Tables::list() const {
  std::vector<TableInfo> out;
  for (const auto& table : impl_->tables()) {
    const TableInfo info = table->info();
    if (!info.schema->is_private) out.push_back(info);
  }
  return out;
}

Result<RowPage> Tables::rows(const RowQuery& query) const {
  const Table* table = impl_->find(query.table);
  if (table == nullptr) return no_table(query.table);
  const Seq seq = applied_seq();
  RowPage page = TRY(table->rows(query));
  page.seq = seq;
  return page;
}

Result<RowPage> Tables::latest(const RowQuery& query) const {
  const Table* table = impl_->find(query.table);
  if (table == nullptr) return no_table(query.table);
  const Seq seq = applied_seq();
  RowPage page = TRY(table->latest(query));
  page.seq = seq;
  return page;
}

Result<void> Tables::read_series(std::string_view table, std::string_view key, TimeUs from_us,
                                 TimeUs to_us,
                                 const std::function<bool(const SeriesPiece&)>& visit) const {
  const Table* found = impl_->find(table);
  if (found == nullptr) return no_table(table);
  found->read_series(key, from_us, to_us, visit);
  return {};
}

bool Tables::read_latest(std::string_view table, std::string_view key,
                         const std::function<void(const Change&)>& visit) const {
  const Table* found = impl_->find(table);
  return found != nullptr && found->read_latest(key, visit);
}

void Tables::each_latest(std::string_view table,
                         const std::function<void(const Change&)>& visit) const {
  if (const Table* found = impl_->find(table)) found->each_latest(visit);
}

std::unique_ptr<Scan> Tables::scan(std::string_view table) const {
  const Table* found = impl_->find_public(table);
  return found == nullptr ? nullptr : scan_of(*found);
}

std::unique_ptr<Scan> Tables::scan_latest(std::string_view table) const {
  const Table* found = impl_->find_public(table);
  return found == nullptr ? nullptr : scan_latest_of(*found);
}

}  // namespace nilo::tables
