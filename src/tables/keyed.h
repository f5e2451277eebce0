// tables/keyed.h: the keys of one table, and the latest row of each.
//
// "Latest" is by sort key, or by arrival where there is none. Keys get ids 0, 1, 2, ... in the
// order they are first seen; they are never forgotten while the process lives, and their number
// counts against the memory budget.
//
// Threads: none of its own; the table's mutex guards it. Key texts stay where they are.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tables/head.h"
#include "value/record.h"

namespace nilo::tables {

using KeyId = std::uint32_t;

// A row as bytes: the body of its effect (value/row.h), then the values of the derived columns.
struct LatestRow {
  std::string bytes;
  std::uint32_t body_size = 0;
  Seq seq = 0;  // 0: no row yet
  TimeUs received_us = 0;
};

struct KeyState {
  std::string key;
  LatestRow latest{};
  TimeUs time_us = std::numeric_limits<TimeUs>::min();  // of `latest`, by sort key
  bool is_dirty = false;                                // not yet in a checkpoint
  Series series{};                                      // rows in the head
};

// Copies of latest rows, for work that is done after the table's mutex is let go.
class LatestBatch {
 public:
  static constexpr std::size_t kRowsMax = 1024;  // what a table copies at a time

  void clear();
  void add(const KeyState& state);

  std::size_t row_count() const { return rows_.size(); }
  std::string_view key(std::size_t row) const { return rows_[row].key; }
  Seq seq(std::size_t row) const { return rows_[row].seq; }
  TimeUs received_us(std::size_t row) const { return rows_[row].received_us; }
  std::string_view body(std::size_t row) const {
    return std::string_view(bytes_).substr(rows_[row].at, rows_[row].body_size);
  }
  std::string_view derived(std::size_t row) const {
    return std::string_view(bytes_).substr(rows_[row].at + rows_[row].body_size,
                                           rows_[row].derived_size);
  }

 private:
  struct Row {
    std::string_view key;  // stays put in its table
    std::size_t at;
    std::size_t body_size;
    std::size_t derived_size;
    Seq seq;
    TimeUs received_us;
  };
  std::string bytes_;
  std::vector<Row> rows_;
};

class Keyed {
 public:
  std::size_t count() const { return states_.size(); }
  std::size_t size() const { return size_; }  // bytes allocated, series not included

  std::optional<KeyId> find(std::string_view key) const;
  KeyId find_or_add(std::string_view key);
  KeyState& state(KeyId id) { return states_[id]; }
  const KeyState& state(KeyId id) const { return states_[id]; }

  // Makes this the latest row unless the one there is newer: by time, then by sequence. A table
  // without sort key passes the same `time_us` always.
  void offer(KeyId id, TimeUs time_us, Seq seq, TimeUs received_us, std::string_view body,
             std::span<const Value> derived);

  // Marks a latest row as not checkpointed.
  void mark_dirty(KeyId id);
  // The marked ones; their marks are taken away.
  std::vector<KeyId> take_dirty();

  // Runs `f(KeyState&)` for every key.
  template <typename F>
  void for_each(F&& f) {
    for (KeyState& state : states_) f(state);
  }

 private:
  std::deque<KeyState> states_;  // a deque: key texts stay put
  boost::unordered_flat_map<std::string_view, KeyId> ids_;
  std::vector<KeyId> dirty_;
  std::size_t size_ = 0;
};

}  // namespace nilo::tables
