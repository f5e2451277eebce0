// tables/text_arena.h: copies of texts that stay where they are until the arena goes.
//
// Threads: one writer; the texts given out are immutable and may be read by anybody who knows
// (through a mutex) that they are there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace nilo::tables {

class TextArena {
 public:
  std::string_view copy(std::string_view text) {
    if (text.empty()) return "";
    if (text.size() > left_) grow(text.size());
    std::memcpy(at_, text.data(), text.size());
    const std::string_view out(at_, text.size());
    at_ += text.size();
    left_ -= text.size();
    return out;
  }
  // Bytes allocated.
  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kBlockSizeMin = 1024;
  static constexpr std::size_t kBlockSizeMax = std::size_t{64} * 1024;

  // Blocks double, so that a small arena stays small.
  void grow(std::size_t wanted) {
    const std::size_t next = std::min(kBlockSizeMax, std::max(kBlockSizeMin, size_));
    left_ = std::max(wanted, next);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(left_));
    at_ = blocks_.back().get();
    size_ += left_;
  }
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
  std::size_t size_ = 0;
};

}  // namespace nilo::tables
