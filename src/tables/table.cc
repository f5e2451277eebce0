#include "tables/table.h"

#include <algorithm>

#include "base/bytes.h"
#include "tables/derived.h"
#include "tables/series.h"
#include "value/key.h"

namespace nilo::tables {

Table::Table(TableDeclaration declaration, std::atomic<std::size_t>& memory)
    : layout_{std::move(declaration.schema), 0, {}},
      derive_(std::move(declaration.derive)),
      memory_(memory),
      cells_(layout_.schema.columns.size()),
      derived_texts_(derive_.size()) {
  const std::size_t stored = schema().stored_count();
  NILO_ASSERT(derive_.size() == cells_.size() - stored);
  layout_.column_ids.resize(stored);
  reader_.emplace(layout_);
  if (schema().has_sort_key) {
    state_.with([this](State& state) { state.head.emplace(schema()); });
  }
}

void Table::number(const Catalog& catalog) {
  layout_.table_id = catalog.find(0, schema().name);
  if (layout_.table_id == 0) return;
  for (std::size_t i = 0; i < layout_.column_ids.size(); ++i) {
    layout_.column_ids[i] = catalog.find(layout_.table_id, schema().columns[i].name);
  }
  reader_.emplace(layout_);
}

bool Table::decode(std::string_view body) {
  const std::size_t stored = layout_.column_ids.size();
  const std::span<Value> cells(cells_);
  if (!reader_->read(body, cells.first(stored))) return false;
  const std::size_t key_columns = schema().partition_count + (schema().has_sort_key ? 1 : 0);
  const auto is_null = [](const Value& cell) { return cell.is_null(); };
  // A key column whose type was changed: the old rows have no place in this table any more.
  if (std::any_of(cells.begin(), cells.begin() + static_cast<std::ptrdiff_t>(key_columns),
                  is_null)) {
    return false;
  }
  for (std::size_t i = 0; i < derive_.size(); ++i) {
    Value value = derived_cell(schema().columns[stored + i], derive_[i](cells.first(stored)));
    if (value.type() == Type::text) {
      value = Value::text(derived_texts_[i].assign(value.as_text()));
    }
    cells[stored + i] = value;
  }
  key_.clear();
  append_key_text(key_, cells.first(schema().partition_count));
  return true;
}

TimeUs Table::sort_time() const {
  return schema().has_sort_key ? cells_[schema().sort_column()].as_int64() : 0;
}

void Table::publish_size(State& state) {
  const std::size_t size = state.size();
  if (size == state.published_size) return;
  memory_.fetch_add(size - state.published_size, std::memory_order_relaxed);
  state.published_size = size;
}

bool Table::apply(Seq seq, TimeUs received_us, std::string_view body) {
  if (!decode(body)) return false;
  state_.with([&](State& state) {
    const KeyId id = state.keyed.find_or_add(key_);
    if (state.head) {
      KeyState& of = state.keyed.state(id);
      state.head->append(of.series, of.time_us, cells_, received_us, seq);
    }
    state.keyed.offer(id, sort_time(), seq, received_us, body, derived());
    publish_size(state);
  });
  for (const auto& watcher : watchers_) (*watcher)({schema(), key_, seq, received_us, cells_});
  return true;
}

void Table::read(Seq seq, TimeUs received_us, std::string_view body, const Watcher& f) {
  if (decode(body)) f({schema(), key_, seq, received_us, cells_});
}

void Table::load(const StoredRow& row) {
  if (!decode(row.body)) return;
  state_.with([&](State& state) {
    const KeyId id = state.keyed.find_or_add(key_);
    state.keyed.offer(id, sort_time(), row.seq, row.received_us, row.body, derived());
    publish_size(state);
  });
}

void Table::trim(Seq oldest) {
  state_.with([&](State& state) {
    if (!state.head) return;
    state.head->trim(oldest);
    state.keyed.for_each([&](KeyState& key) { state.head->forget(key.series); });
    publish_size(state);
  });
}

std::vector<KeyId> Table::take_dirty() {
  return state_.with([](State& state) { return state.keyed.take_dirty(); });
}

void Table::put_back_dirty(const std::vector<KeyId>& ids) {
  state_.with([&](State& state) {
    for (const KeyId id : ids) state.keyed.mark_dirty(id);
  });
}

void Table::copy_latest(std::span<const KeyId> ids, LatestBatch& out) const {
  NILO_ASSERT(ids.size() <= LatestBatch::kRowsMax);
  out.clear();
  state_.with([&](const State& state) {
    for (const KeyId id : ids) out.add(state.keyed.state(id));
  });
}

std::size_t Table::key_count() const {
  return state_.with([](const State& state) { return state.keyed.count(); });
}

void Table::copy_latest(KeyId first, LatestBatch& out) const {
  out.clear();
  state_.with([&](const State& state) {
    const std::size_t end = std::min(state.keyed.count(), first + LatestBatch::kRowsMax);
    for (std::size_t id = first; id < end; ++id) {
      out.add(state.keyed.state(static_cast<KeyId>(id)));
    }
  });
}

bool Table::cells_of(const LatestBatch& batch, std::size_t row, std::span<Value> cells) const {
  const std::size_t stored = layout_.column_ids.size();
  if (!reader_->read(batch.body(row), cells.first(stored))) return false;
  ByteReader in(batch.derived(row));
  for (Value& cell : cells.subspan(stored)) {
    if (!get_value(in, cell)) return false;
  }
  return in.ok();
}

void Table::read_series(std::string_view key, TimeUs from_us, TimeUs to_us,
                        const std::function<bool(const SeriesPiece&)>& visit) const {
  if (!schema().has_sort_key) return;
  SeriesPiece piece;
  while (from_us < to_us) {
    const bool is_known = state_.with([&](const State& state) {
      const auto id = state.keyed.find(key);
      if (!id) return false;
      const Series& series = state.keyed.state(*id).series;
      state.head->find_piece(series, from_us, to_us, kPieceRowsMax, piece);
      return true;
    });
    if (!is_known || piece.size() == 0 || !visit(piece)) return;
    if (piece.size() < kPieceRowsMax) return;
    from_us = piece.time_us(piece.size() - 1) + 1;
  }
}

void Table::tell_latest(const LatestBatch& batch, std::span<Value> cells,
                        const std::function<void(const Change&)>& visit) const {
  for (std::size_t row = 0; row < batch.row_count(); ++row) {
    if (batch.seq(row) == 0 || !cells_of(batch, row, cells)) continue;
    visit({schema(), batch.key(row), batch.seq(row), batch.received_us(row), cells});
  }
}

bool Table::read_latest(std::string_view key,
                        const std::function<void(const Change&)>& visit) const {
  LatestBatch batch;
  state_.with([&](const State& state) {
    if (const auto id = state.keyed.find(key)) batch.add(state.keyed.state(*id));
  });
  std::vector<Value> cells(schema().columns.size());
  tell_latest(batch, cells, visit);
  return batch.row_count() > 0;
}

void Table::each_latest(const std::function<void(const Change&)>& visit) const {
  std::vector<Value> cells(schema().columns.size());
  LatestBatch batch;
  const std::size_t count = key_count();
  for (std::size_t first = 0; first < count; first += LatestBatch::kRowsMax) {
    copy_latest(static_cast<KeyId>(first), batch);
    tell_latest(batch, cells, visit);
  }
}

std::optional<HeadSnapshot> Table::head_snapshot() const {
  return state_.with([](const State& state) -> std::optional<HeadSnapshot> {
    if (!state.head) return std::nullopt;
    return state.head->snapshot();
  });
}

TableInfo Table::info() const {
  return state_.with([this](const State& state) {
    const std::size_t keys = state.keyed.count();
    return TableInfo{&schema(), state.head ? state.head->row_count() : keys, keys, state.size()};
  });
}

}  // namespace nilo::tables
