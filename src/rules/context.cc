#include "rules/context.h"

#include <fmt/format.h>

#include <cstring>

#include "rules/scratch.h"

namespace nilo::rules {

void* Arena::allocate(std::size_t size) {
  constexpr std::size_t kAlign = alignof(std::max_align_t);
  size = (size + kAlign - 1) & ~(kAlign - 1);
  if (size > kArenaSizeMax - total_) {
    exhausted_ = true;
    return nullptr;
  }
  while (chunk_ < chunks_.size() && chunks_[chunk_].size - used_ < size) {
    ++chunk_;
    used_ = 0;
  }
  if (chunk_ == chunks_.size()) {
    const std::size_t chunk_size = size > kChunkSize ? size : kChunkSize;
    chunks_.push_back({std::make_unique<std::byte[]>(chunk_size), chunk_size});
  }
  void* out = chunks_[chunk_].bytes.get() + used_;
  used_ += size;
  total_ += size;
  return out;
}

void Arena::reset() {
  // Large chunks were for one unusual message: do not keep them for ever.
  if (chunks_.size() > 1) chunks_.resize(1);
  if (!chunks_.empty() && chunks_[0].size > kChunkSize) chunks_.clear();
  chunk_ = 0;
  used_ = 0;
  total_ = 0;
  exhausted_ = false;
}

void Context::begin(const std::shared_ptr<const Program>& next) {
  if (program != next) program = next;
  message = {};
  cells = {};
  is_nested = false;
  variables_known = 0;
  variables_size = 0;
  payload_state = Payload::unread;
  arena.reset();
  steps_left = kStepsMax;
  error.clear();
  constexpr std::size_t kDocumentsKept = 4;
  if (documents.size() > kDocumentsKept) documents.resize(kDocumentsKept);
  documents_used = 0;
  trace_id.clear();
  topic_entry = nullptr;
  outcome = Outcome::no_match;
  results.clear();
}

Datum Context::stop(std::string_view reason) {
  if (!stopped()) error = reason;
  steps_left = 0;
  return {};
}

void Context::stop_for_steps() { stop("took too many steps"); }

void Context::stop_for_memory() {
  stop(fmt::format("needs more than {} MiB of memory", kArenaSizeMax >> 20));
}

void Context::set_variable(std::size_t index, const Datum& value) {
  buffer.clear();
  append_json(buffer, value);
  variables_size += buffer.size();
  if (variables_size > kResultSizeMax) {
    stop(fmt::format("the SET variables are larger than {} KiB", kResultSizeMax >> 10));
  }
  variables[index] = value;
  variables_known |= std::uint32_t{1} << index;
}

Datum Context::payload_as_json() {
  if (payload_state == Payload::unread) {
    const auto root = payload_document.parse(message.payload);
    payload_state = root ? Payload::json : Payload::other;
    if (!root) return stop("payload is " + root.error().message);
    payload = Datum::of(**root);
  }
  return payload_state == Payload::json ? payload : Datum::undefined();
}

JsonDocument& Context::next_document() {
  if (documents_used == documents.size()) documents.push_back(std::make_unique<JsonDocument>());
  return *documents[documents_used++];
}

Datum Context::make_text(std::string_view text) {
  const std::span<char> copy = make_array<char>(text.size());
  if (copy.size() != text.size()) return {};
  if (!text.empty()) std::memcpy(copy.data(), text.data(), text.size());
  return Datum::text({copy.data(), copy.size()});
}

Datum Context::make_decimal(const Decimal& number) {
  const std::span<Decimal> room = make_array<Decimal>(1);
  if (room.empty()) return {};
  room[0] = number;
  return Datum::decimal(Kind::decimal, room.data());
}

Datum Context::make_int(const Decimal& whole) {
  if (const auto small = whole.to_int64()) return Datum::integer(*small);
  const Datum out = make_decimal(whole);
  if (out.is_undefined() || !whole.is_int()) return out;
  return Datum::decimal(Kind::wide_int, &out.as_decimal());
}

}  // namespace nilo::rules
