// mqtt/ring.h: a queue with access by position that costs nothing while empty.
//
// Why not std::deque: an empty one holds 576 bytes, and every idle connection has two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace nilo::mqtt {

template <typename T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t index) {
    NILO_ASSERT(index < size_);
    return slots_[(begin_ + index) & (slots_.size() - 1)];
  }
  const T& operator[](std::size_t index) const {
    NILO_ASSERT(index < size_);
    return slots_[(begin_ + index) & (slots_.size() - 1)];
  }
  T& front() { return (*this)[0]; }

  T& push_back(T value) {
    if (size_ == slots_.size()) grow();
    ++size_;
    T& slot = (*this)[size_ - 1];
    slot = std::move(value);
    return slot;
  }
  void pop_front() {
    front() = T();
    begin_ = static_cast<std::uint32_t>((begin_ + 1) & (slots_.size() - 1));
    --size_;
  }
  // Asserted: empty(). Gives back what a burst made of it.
  void shrink() {
    NILO_ASSERT(empty());
    if (slots_.size() <= kSlotsKept) return;
    slots_ = std::vector<T>();
    begin_ = 0;
  }

 private:
  static constexpr std::size_t kSlotsKept = 16;

  void grow() {
    std::vector<T> larger(slots_.empty() ? 4 : slots_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) larger[i] = std::move((*this)[i]);
    slots_ = std::move(larger);
    begin_ = 0;
  }

  std::vector<T> slots_;     // a power of two of them
  std::uint32_t begin_ = 0;  // 32 bits: there are three in each session
  std::uint32_t size_ = 0;
};

}  // namespace nilo::mqtt
