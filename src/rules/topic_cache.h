// rules/topic_cache.h: what topic-only expressions came to, for the topics seen lately.
//
// Devices repeat their topics, so a regular expression over one need not run for every message.
// Threads: one per thread.
// Limits:  kTopicCacheSize entries by hash; a newer topic displaces an older one. A text over
//          kTextSizeMax, a container or a wide number is not kept but computed each time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rules/datum.h"

namespace nilo::rules {

struct Program;

class TopicCache {
 public:
  static constexpr std::size_t kTextSizeMax = 256;

  class Entry {
   public:
    // nullptr: not kept (yet).
    const Datum* find(std::size_t slot) const {
      return slots_[slot].is_kept ? &slots_[slot].value : nullptr;
    }
    // Copies `value`, unless it is one that is not kept.
    void keep(std::size_t slot, const Datum& value);

   private:
    friend class TopicCache;
    struct Slot {
      bool is_kept = false;
      Datum value;
      std::string text;  // what `value` points at
    };
    std::shared_ptr<const Program> program_;  // shared, so that no other one gets its address
    std::string topic_;
    std::vector<Slot> slots_;
  };

  // The entry of `program` and `topic`, empty if it was not there. Until the next call.
  Entry& entry(const std::shared_ptr<const Program>& program, std::string_view topic);

 private:
  std::vector<Entry> entries_;  // made when first asked for
};

}  // namespace nilo::rules
