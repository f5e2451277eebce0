// Pages of rows: Table::rows and Table::latest.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "tables/table.h"

namespace nilo::tables {

namespace {

// A page of long texts ends early rather than growing.
constexpr std::size_t kPageSizeMax = std::size_t{8} * 1024 * 1024;

Error bad_cursor(std::string_view cursor) {
  return {ErrorCode::invalid_argument, fmt::format("`{}` is no cursor of this table", cursor),
          "leave it out, or give `next` of the page before as it was"};
}

template <typename T>
bool take_number(std::string_view& text, T& number) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

Result<void> check(const RowQuery& query) {
  if (query.limit >= 1 && query.limit <= kPageRowsMax) return {};
  return Error{ErrorCode::invalid_argument, fmt::format("limit {} is out of range", query.limit),
               fmt::format("1 to {}", kPageRowsMax)};
}

bool is_within(const RowQuery& query, TimeUs time_us) {
  return (!query.from_us || time_us >= *query.from_us) && (!query.to_us || time_us < *query.to_us);
}

// Where a page by arrival goes on: after the first `count` rows of record `seq`. Rows of one
// record are neighbours.
struct ArrivalCursor {
  Seq seq = 0;
  std::size_t count = 0;

  static Result<ArrivalCursor> parse(std::string_view text) {
    ArrivalCursor out;
    std::string_view left = text;
    const bool sound = take_number(left, out.seq) && left.starts_with('.') &&
                       (left.remove_prefix(1), take_number(left, out.count)) && left.empty();
    if (!sound) return bad_cursor(text);
    return out;
  }
  std::string text() const { return fmt::format("{}.{}", seq, count); }
  void pass(Seq passed) {
    count = passed == seq ? count + 1 : 1;
    seq = passed;
  }
};

// The visible rows of a snapshot, from either end.
class ArrivalWalk {
 public:
  ArrivalWalk(const HeadSnapshot& head, bool newest_first)
      : head_(head), newest_first_(newest_first), slot_(newest_first ? head.slots.size() : 0) {
    if (!newest_first && !head.slots.empty()) row_ = head.begin_of(0);
  }

  // The next live row; a null chunk at the end.
  RowRef next() {
    while (step()) {
      const HeadSlot& slot = head_.slots[slot_];
      const bool is_dead = slot.dead && std::binary_search(slot.dead->begin(), slot.dead->end(),
                                                           static_cast<std::uint16_t>(at_));
      if (!is_dead) return {slot.chunk, at_};
    }
    return {nullptr, 0};
  }

  // Jumps over whole chunks that lie before the record `seq`.
  void skip_chunks_before(Seq seq) {
    if (newest_first_) {
      while (slot_ > 0 && seq_at(slot_ - 1, head_.begin_of(slot_ - 1)) > seq) --slot_;
    } else {
      while (slot_ + 1 < head_.slots.size() && seq_at(slot_, head_.end_of(slot_) - 1) < seq) {
        row_ = head_.begin_of(++slot_);
      }
    }
  }

 private:
  Seq seq_at(std::size_t slot, std::size_t row) const { return head_.slots[slot].chunk->seq(row); }

  bool step() {
    if (newest_first_) {
      while (row_ == 0 || row_ == head_.begin_of(slot_)) {
        if (slot_ == 0) return false;
        row_ = head_.end_of(--slot_);
      }
      at_ = --row_;
      return true;
    }
    while (slot_ < head_.slots.size() && row_ == head_.end_of(slot_)) {
      row_ = 0;
      ++slot_;
    }
    if (slot_ == head_.slots.size()) return false;
    at_ = row_++;
    return true;
  }

  const HeadSnapshot& head_;
  const bool newest_first_;
  std::size_t slot_;
  std::size_t row_ = 0;
  std::size_t at_ = 0;
};

}  // namespace

Answer Table::empty_answer() const {
  std::vector<AnswerColumn> columns;
  for (const Column& column : schema().columns) {
    columns.push_back({column.name, std::string(word_of(column.type)), column.unit});
  }
  columns.push_back({std::string(kReceivedColumn), std::string(word_of(Type::timestamp)), {}});
  return Answer(std::move(columns));
}

void Table::add_row(Answer& answer, const RowRef& row) const {
  for (std::size_t column = 0; column < schema().columns.size(); ++column) {
    answer.add(row.chunk->cell(row.row, column));
  }
  answer.add(Value::timestamp(row.chunk->received_us(row.row)));
}

Result<RowPage> Table::rows(const RowQuery& query) const {
  if (!schema().has_sort_key) return latest(query);
  TRY(check(query));
  return query.key ? rows_of_key(query) : rows_by_arrival(query);
}

// Cursor: the time of the last row given.
Result<RowPage> Table::rows_of_key(const RowQuery& query) const {
  TimeUs from_us = query.from_us.value_or(std::numeric_limits<TimeUs>::min());
  TimeUs to_us = query.to_us.value_or(std::numeric_limits<TimeUs>::max());
  if (!query.cursor.empty()) {
    TimeUs last_us = 0;
    std::string_view left = query.cursor;
    const bool sound =
        take_number(left, last_us) && left.empty() && last_us < std::numeric_limits<TimeUs>::max();
    if (!sound) return bad_cursor(query.cursor);
    if (query.newest_first) {
      to_us = std::min(to_us, last_us);
    } else {
      from_us = std::max(from_us, last_us + 1);
    }
  }
  // One more than asked for tells whether there is a next page.
  const auto found = state_.with([&](const State& state) {
    const auto id = state.keyed.find(*query.key);
    if (!id) return std::vector<RowRef>();
    return state.head->find(state.keyed.state(*id).series, from_us, to_us, query.limit + 1,
                            query.newest_first);
  });
  RowPage page{empty_answer(), {}, 0};
  for (const RowRef& row : found) {
    const std::size_t count = page.rows.row_count();
    if (count == query.limit || (count > 0 && page.rows.size() >= kPageSizeMax)) {
      const Value& last = page.rows.cell(count - 1, schema().sort_column());
      page.next_cursor = fmt::format("{}", last.as_int64());
      break;
    }
    add_row(page.rows, row);
  }
  return page;
}

Result<RowPage> Table::rows_by_arrival(const RowQuery& query) const {
  const auto head = *head_snapshot();
  ArrivalWalk walk(head, query.newest_first);
  ArrivalCursor passed;
  std::optional<ArrivalCursor> start;
  if (!query.cursor.empty()) {
    start = TRY(ArrivalCursor::parse(query.cursor));
    walk.skip_chunks_before(start->seq);
  }
  // Of rows behind the cursor, those of its own record are counted: they come first in the walk.
  const auto is_given = [&](Seq seq) {
    if (!start) return false;
    if (seq == start->seq) return passed.count <= start->count;
    return query.newest_first ? seq > start->seq : seq < start->seq;
  };
  RowPage page{empty_answer(), {}, 0};
  std::string cursor;
  for (RowRef row = walk.next(); row.chunk != nullptr; row = walk.next()) {
    passed.pass(row.chunk->seq(row.row));
    const TimeUs time_us = row.chunk->cell(row.row, schema().sort_column()).as_int64();
    if (is_given(passed.seq) || !is_within(query, time_us)) continue;
    const std::size_t count = page.rows.row_count();
    if (count == query.limit || (count > 0 && page.rows.size() >= kPageSizeMax)) {
      page.next_cursor = cursor;
      break;
    }
    add_row(page.rows, row);
    cursor = passed.text();
  }
  return page;
}

// Cursor: the key of the last row given.
Result<RowPage> Table::latest(const RowQuery& query) const {
  TRY(check(query));
  if (query.from_us || query.to_us || query.newest_first) {
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("from, to and order do not apply to the latest rows of {}", schema().name),
        "latest rows come by key"};
  }
  if (query.key) return latest_of_keys({*query.key});
  std::vector<std::string_view> keys;
  state_.with([&](const State& state) {
    for (std::size_t id = 0; id < state.keyed.count(); ++id) {
      const std::string& key = state.keyed.state(static_cast<KeyId>(id)).key;
      if (query.cursor.empty() || key > query.cursor) keys.push_back(key);
    }
  });
  const std::size_t count = std::min(keys.size(), query.limit);
  const bool has_more = keys.size() > count;
  std::partial_sort(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(count), keys.end());
  keys.resize(count);
  RowPage page = latest_of_keys(keys);
  const std::size_t given = page.rows.row_count();
  if (given > 0 && (has_more || given < count)) page.next_cursor = keys[given - 1];
  return page;
}

RowPage Table::latest_of_keys(const std::vector<std::string_view>& keys) const {
  RowPage page{empty_answer(), {}, 0};
  std::vector<Value> cells(schema().columns.size());
  LatestBatch batch;
  for (std::size_t at = 0; at < keys.size(); at += LatestBatch::kRowsMax) {
    const std::size_t end = std::min(keys.size(), at + LatestBatch::kRowsMax);
    batch.clear();
    state_.with([&](const State& state) {
      for (std::size_t i = at; i < end; ++i) {
        if (const auto id = state.keyed.find(keys[i])) batch.add(state.keyed.state(*id));
      }
    });
    for (std::size_t row = 0; row < batch.row_count(); ++row) {
      if (page.rows.row_count() > 0 && page.rows.size() >= kPageSizeMax) return page;
      const bool is_sound = cells_of(batch, row, cells);
      NILO_ASSERT(is_sound);
      for (const Value& cell : cells) page.rows.add(cell);
      page.rows.add(Value::timestamp(batch.received_us(row)));
    }
  }
  return page;
}

}  // namespace nilo::tables
