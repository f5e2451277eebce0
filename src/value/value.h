// value/value.h: one cell of a row.
//
// A Value is a view of 24 bytes: text and json point at bytes somebody else keeps (a payload, a
// record, a column). Copying is free; keeping one longer than those bytes is a bug.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/clock.h"
#include "base/result.h"

namespace nilo {

// Stored on disk as this number (docs/formats/record.md): never renumber.
enum class Type : std::uint8_t {
  null = 0,       // no value; not a column type
  int64 = 1,      // stack word: int
  float64 = 2,    // stack word: double
  boolean = 3,    // stack word: bool
  text = 4,       // stack word: text; UTF-8
  timestamp = 5,  // stack word: timestamp; microseconds since 1970 UTC
  json = 6,       // stack word: json; minified JSON text
};

// The stack's word for a type ("int", "double", ...), and back.
// invalid_argument: lists the words.
std::string_view word_of(Type type);
Result<Type> type_of_word(std::string_view word);

class Value {
 public:
  Value() = default;
  static Value null() { return {}; }
  static Value int64(std::int64_t number) { return Value(Type::int64, number); }
  static Value timestamp(TimeUs us) { return Value(Type::timestamp, us); }
  static Value boolean(bool yes) { return Value(Type::boolean, yes ? 1 : 0); }
  static Value float64(double number) {
    Value out;
    out.type_ = Type::float64;
    out.float64_ = number;
    return out;
  }
  static Value text(std::string_view bytes) { return Value(Type::text, bytes); }
  static Value json(std::string_view bytes) { return Value(Type::json, bytes); }

  Type type() const { return type_; }
  bool is_null() const { return type_ == Type::null; }

  // Asserted: the type fits. as_int64 also serves timestamp and boolean (0, 1); as_text also json.
  std::int64_t as_int64() const {
    NILO_ASSERT(type_ == Type::int64 || type_ == Type::timestamp || type_ == Type::boolean);
    return int64_;
  }
  double as_float64() const {
    NILO_ASSERT(type_ == Type::float64);
    return float64_;
  }
  bool as_boolean() const {
    NILO_ASSERT(type_ == Type::boolean);
    return int64_ != 0;
  }
  std::string_view as_text() const {
    NILO_ASSERT(type_ == Type::text || type_ == Type::json);
    return {text_, text_size_};
  }

  // Same type and same value; NaN equals NaN, so that rows can be compared.
  bool operator==(const Value& other) const;

 private:
  Value(Type type, std::int64_t number) : type_(type), int64_(number) {}
  Value(Type type, std::string_view bytes)
      : type_(type), text_size_(static_cast<std::uint32_t>(bytes.size())), text_(bytes.data()) {}

  Type type_ = Type::null;
  std::uint32_t text_size_ = 0;
  union {
    std::int64_t int64_ = 0;
    double float64_;
    const char* text_;
  };
};

// Appends the value as JSON: null, 17 significant digits at most for doubles (shortest that reads
// back), timestamps as "2026-11-22T10:00:00.123456Z", NaN and infinities as null.
void append_json(std::string& out, const Value& value);

// Appends `text` as a JSON string with quotes. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// "2026-11-22T10:00:00.123456Z" without trailing zeros of the fraction; UTC.
std::string iso_time(TimeUs us);

// Reads ISO 8601 / RFC 3339 date-times: "T" or a space, optional fraction (cut to microseconds),
// "Z" or +hh:mm; none means UTC. A date alone is its midnight.
// invalid_argument: not such a text, or no such day.
Result<TimeUs> parse_iso_time(std::string_view text);

}  // namespace nilo
