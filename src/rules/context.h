// rules/context.h: what one evaluation knows and fills; the inside of a Scratch.
//
// Threads: one per thread.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/scratch.h"
#include "rules/statement.h"
#include "rules/syntax.h"
#include "rules/topic_cache.h"
#include "value/json.h"
#include "value/message.h"

namespace nilo::rules {

// Memory that is handed out piece by piece and taken back all at once. Kept between evaluations.
class Arena {
 public:
  // nullptr once kArenaSizeMax bytes are out; exhausted() remembers it.
  void* allocate(std::size_t size);
  bool exhausted() const { return exhausted_; }
  void reset();

 private:
  static constexpr std::size_t kChunkSize = 64 * 1024;
  struct Chunk {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size;
  };
  std::vector<Chunk> chunks_;
  std::size_t chunk_ = 0;  // the one in use
  std::size_t used_ = 0;   // bytes of it
  std::size_t total_ = 0;
  bool exhausted_ = false;
};

struct Context {
  // --- what the evaluation is about
  std::shared_ptr<const Program> program;
  MessageView message;
  std::span<const Value> cells;  // of an Expression
  Datum scope;                   // what names and * refer to, inside a nested SELECT
  bool is_nested = false;
  Datum variables[kVariablesMax];     // computed when first used
  std::uint32_t variables_known = 0;  // bits
  std::size_t variables_size = 0;     // of all of them, as JSON

  // --- its payload, parsed when first asked for
  enum class Payload : std::uint8_t { unread, json, other };
  Payload payload_state = Payload::unread;
  JsonDocument payload_document;
  Datum payload;

  // --- its means
  Arena arena;
  std::size_t steps_left = 0;
  std::string error;   // not empty: stop
  std::string buffer;  // for functions that build a text; nobody keeps it over another call
  std::vector<std::unique_ptr<JsonDocument>> documents;  // of decode()
  std::size_t documents_used = 0;
  std::string last_pattern_text;  // of a regular expression that is no literal
  std::shared_ptr<const Pattern> last_pattern;
  std::string trace_id;
  TopicCache topic_cache;
  TopicCache::Entry* topic_entry = nullptr;  // of this message and program

  // --- its result
  Outcome outcome = Outcome::no_match;
  std::vector<Datum> results;  // one per item of the outermost SELECT
  std::vector<Output> outputs;

  void begin(const std::shared_ptr<const Program>& next);
  bool stopped() const { return !error.empty(); }
  // The first reason wins. Returns Undefined, for the caller to return.
  Datum stop(std::string_view reason);
  // Counts work; false once there has been too much.
  bool spend(std::size_t steps) {
    if (steps <= steps_left) [[likely]] {
      steps_left -= steps;
      return true;
    }
    stop_for_steps();
    return false;
  }
  bool spend_on(std::string_view text) { return spend(text.size() / kStepBytes); }
  void stop_for_steps();

  // Keeps a variable's value; stops when the variables together exceed kResultSizeMax as JSON.
  void set_variable(std::size_t index, const Datum& value);

  // The payload as JSON; stops when it is none.
  Datum payload_as_json();

  // A document that stays until the next evaluation.
  JsonDocument& next_document();

  // Copies into the arena. Undefined (and stopped) when it is full.
  Datum make_text(std::string_view text);
  Datum make_decimal(const Decimal& number);
  // Int if it fits 34 digits, else a Decimal. Asserted: whole.
  Datum make_int(const Decimal& whole);
  // Room for `count` values; empty (and stopped) when the arena is full.
  template <typename T>
  std::span<T> make_array(std::size_t count) {
    void* at = count > kArenaSizeMax / sizeof(T) ? nullptr : arena.allocate(count * sizeof(T));
    if (at == nullptr) {
      stop_for_memory();
      return {};
    }
    T* first = static_cast<T*>(at);
    for (std::size_t i = 0; i < count; ++i) new (first + i) T();
    return {first, count};
  }
  void stop_for_memory();
};

}  // namespace nilo::rules
