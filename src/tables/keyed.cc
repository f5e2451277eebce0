#include "tables/keyed.h"

#include <utility>

#include "value/row.h"

namespace nilo::tables {

void LatestBatch::clear() {
  bytes_.clear();
  rows_.clear();
}

void LatestBatch::add(const KeyState& state) {
  const LatestRow& latest = state.latest;
  rows_.push_back({state.key, bytes_.size(), latest.body_size,
                   latest.bytes.size() - latest.body_size, latest.seq, latest.received_us});
  bytes_ += latest.bytes;
}

std::optional<KeyId> Keyed::find(std::string_view key) const {
  const auto at = ids_.find(key);
  if (at == ids_.end()) return std::nullopt;
  return at->second;
}

KeyId Keyed::find_or_add(std::string_view key) {
  if (const auto at = ids_.find(key); at != ids_.end()) return at->second;
  const auto id = static_cast<KeyId>(states_.size());
  const KeyState& state = states_.emplace_back(KeyState{.key = std::string(key)});
  ids_.emplace(state.key, id);
  // A flat map is at most 7/8 full and doubles, so that an entry costs about two places.
  size_ += sizeof(KeyState) + state.key.capacity() + 2 * sizeof(std::pair<std::string_view, KeyId>);
  return id;
}

void Keyed::offer(KeyId id, TimeUs time_us, Seq seq, TimeUs received_us, std::string_view body,
                  std::span<const Value> derived) {
  KeyState& state = states_[id];
  LatestRow& latest = state.latest;
  const bool is_older = std::pair(time_us, seq) < std::pair(state.time_us, latest.seq);
  if (is_older) return;
  // A replay offers again what the checkpoint held: nothing changed then.
  const bool is_known = seq == latest.seq && time_us == state.time_us;
  const std::size_t capacity_before = latest.bytes.capacity();
  latest.bytes.assign(body);
  latest.body_size = static_cast<std::uint32_t>(body.size());
  for (const Value& value : derived) put_value(latest.bytes, value);
  latest.seq = seq;
  latest.received_us = received_us;
  state.time_us = time_us;
  size_ += latest.bytes.capacity() - capacity_before;
  if (!is_known) mark_dirty(id);
}

void Keyed::mark_dirty(KeyId id) {
  KeyState& state = states_[id];
  if (state.is_dirty) return;
  state.is_dirty = true;
  dirty_.push_back(id);
}

std::vector<KeyId> Keyed::take_dirty() {
  for (const KeyId id : dirty_) states_[id].is_dirty = false;
  return std::exchange(dirty_, {});
}

}  // namespace nilo::tables
