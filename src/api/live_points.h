// api/live_points.h: points of series, as few as a chart needs, and those of the last while.
//
// Threads: one loop's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/live.h"

namespace nilo::api {

// Points of one series that stand for all that were added: these, if they are at most four, else
// the first, the lowest, the highest and the last among them. What is drawn through them has the
// same outline.
class MergedPoints {
 public:
  static constexpr std::size_t kPointsMax = 4;
  void add(LivePoint point);
  const std::vector<LivePoint>& points() const { return points_; }  // in the order added
  bool empty() const { return points_.empty(); }
  void clear() { points_.clear(); }

 private:
  std::vector<LivePoint> points_;
};

// Appends `{"of":...,"t":[...],"v":[...]}`; with "state" if the last one is an invalid reading, or
// the first that is one again. `json_of`: the series' name as JSON; `was_invalid`: before these.
void append_values(std::string& out, std::string_view json_of, const std::vector<LivePoint>& points,
                   bool was_invalid);

// The newest of something that has a Seq, up to a number of bytes: who was away for a while is told
// what it missed.
template <typename T>
class LiveHistory {
 public:
  explicit LiveHistory(std::size_t size_max) : size_max_(size_max) {}

  // Forgets all; everything after `seq` will be here.
  void restart(Seq seq) {
    items_.clear();
    size_ = 0;
    complete_since_ = seq;
  }
  void add(Seq seq, T item, std::size_t size) {
    items_.push_back({seq, std::move(item), size});
    size_ += size;
    for (; size_ > size_max_; items_.pop_front()) {
      size_ -= items_.front().size;
      complete_since_ = items_.front().seq;
    }
  }
  // Is everything after `seq` still here?
  bool has_all_after(Seq seq) const { return seq >= complete_since_; }
  // Calls f(seq, item) for everything after `seq`, in order, until it answers false.
  template <typename F>
  void for_each_after(Seq seq, F f) const {
    auto at = std::partition_point(items_.begin(), items_.end(),
                                   [seq](const Item& item) { return item.seq <= seq; });
    while (at != items_.end() && f(at->seq, at->value)) ++at;
  }

 private:
  struct Item {
    Seq seq;
    T value;
    std::size_t size;
  };
  const std::size_t size_max_;
  std::deque<Item> items_;  // seq never falls
  std::size_t size_ = 0;
  Seq complete_since_ = 0;
};

}  // namespace nilo::api
