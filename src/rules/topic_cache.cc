#include "rules/topic_cache.h"

#include <functional>

#include "rules/scratch.h"
#include "rules/syntax.h"

namespace nilo::rules {

void TopicCache::Entry::keep(std::size_t slot, const Datum& value) {
  Slot& kept = slots_[slot];
  switch (value.kind()) {
    case Kind::undefined:
    case Kind::null:
    case Kind::boolean:
    case Kind::integer:
    case Kind::real:
      kept.value = value;
      kept.is_kept = true;
      return;
    case Kind::text:
      if (value.as_text().size() > kTextSizeMax) return;
      kept.text = value.as_text();
      kept.value = Datum::text(kept.text);
      kept.is_kept = true;
      return;
    default:
      return;
  }
}

TopicCache::Entry& TopicCache::entry(const std::shared_ptr<const Program>& program,
                                     std::string_view topic) {
  static_assert((kTopicCacheSize & (kTopicCacheSize - 1)) == 0);
  if (entries_.empty()) entries_.resize(kTopicCacheSize);
  const std::size_t hash =
      std::hash<std::string_view>()(topic) ^ (reinterpret_cast<std::uintptr_t>(program.get()) >> 4);
  Entry& entry = entries_[hash & (kTopicCacheSize - 1)];
  if (entry.program_ != program || entry.topic_ != topic) {
    entry.program_ = program;
    entry.topic_ = topic;
    entry.slots_.clear();
    entry.slots_.resize(program->slot_count);
  }
  return entry;
}

}  // namespace nilo::rules
