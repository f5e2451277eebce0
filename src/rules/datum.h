// rules/datum.h: one value while a rule is evaluated.
//
// 16 bytes, trivially copied: texts and containers are views into the message, the Program or the
// arena of the Context, all of which outlive the evaluation.
// Threads: values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "rules/decimal.h"
#include "value/json.h"

namespace nilo::rules {

struct Member;

enum class Kind : std::uint8_t {
  undefined,  // no value at all: a missing attribute, or a function's wrong argument
  null,
  boolean,
  integer,   // Int within 64 bits
  wide_int,  // Int beyond, up to 34 digits
  decimal,
  real,      // a Decimal computed in double precision: finite
  verbatim,  // a number of the payload as it was written, not looked at yet: Int or Decimal
  text,      // UTF-8
  array,     // built by the rule
  object,    // built by the rule; no two members of one key
  json,      // array or object of a parsed document
};

class Datum {
 public:
  Datum() = default;
  static Datum undefined() { return {}; }
  static Datum null() { return Datum(Kind::null); }
  static Datum boolean(bool yes) {
    Datum out(Kind::boolean);
    out.integer_ = yes ? 1 : 0;
    return out;
  }
  static Datum integer(std::int64_t number) {
    Datum out(Kind::integer);
    out.integer_ = number;
    return out;
  }
  static Datum real(double number) {
    Datum out(Kind::real);
    out.real_ = number;
    return out;
  }
  // `kind`: wide_int or decimal.
  static Datum decimal(Kind kind, const Decimal* number) {
    Datum out(kind);
    out.decimal_ = number;
    return out;
  }
  static Datum text(std::string_view bytes) { return Datum(Kind::text, bytes); }
  static Datum verbatim(std::string_view digits) { return Datum(Kind::verbatim, digits); }
  static Datum array(std::span<const Datum> items) {
    Datum out(Kind::array);
    out.size_ = static_cast<std::uint32_t>(items.size());
    out.items_ = items.data();
    return out;
  }
  static Datum object(std::span<const Member> members);
  // A node of a parsed document; scalars become what they are.
  static Datum of(const JsonNode& node);

  Kind kind() const { return kind_; }
  bool is_undefined() const { return kind_ == Kind::undefined; }
  bool is_null() const { return kind_ == Kind::null; }
  bool is_text() const { return kind_ == Kind::text; }
  bool is_true() const { return kind_ == Kind::boolean && integer_ != 0; }
  bool is_false() const { return kind_ == Kind::boolean && integer_ == 0; }
  bool is_number() const { return kind_ >= Kind::integer && kind_ <= Kind::verbatim; }
  bool is_array() const {
    return kind_ == Kind::array || (kind_ == Kind::json && node_->is_array());
  }
  bool is_object() const {
    return kind_ == Kind::object || (kind_ == Kind::json && node_->is_object());
  }

  // Each asserts its kind.
  std::int64_t as_integer() const {
    NILO_ASSERT(kind_ == Kind::integer);
    return integer_;
  }
  double as_real() const {
    NILO_ASSERT(kind_ == Kind::real);
    return real_;
  }
  const Decimal& as_decimal() const {
    NILO_ASSERT(kind_ == Kind::decimal || kind_ == Kind::wide_int);
    return *decimal_;
  }
  std::string_view as_text() const {
    NILO_ASSERT(kind_ == Kind::text || kind_ == Kind::verbatim);
    return {text_, size_};
  }
  std::span<const Datum> built_items() const {
    NILO_ASSERT(kind_ == Kind::array);
    return {items_, size_};
  }
  std::span<const Member> built_members() const;
  const JsonNode& as_node() const {
    NILO_ASSERT(kind_ == Kind::json);
    return *node_;
  }

  // Elements or members; 0 for scalars.
  std::size_t size() const;
  // An object's member, or Undefined.
  Datum member(std::string_view key) const;

 private:
  explicit Datum(Kind kind) : kind_(kind) {}
  Datum(Kind kind, std::string_view bytes)
      : kind_(kind), size_(static_cast<std::uint32_t>(bytes.size())), text_(bytes.data()) {}

  Kind kind_ = Kind::undefined;
  std::uint32_t size_ = 0;
  union {
    std::int64_t integer_ = 0;
    double real_;
    const char* text_;
    const Decimal* decimal_;
    const Datum* items_;
    const Member* members_;
    const JsonNode* node_;
  };
};

struct Member {
  std::string_view key;
  Datum value;
};

// Visits the elements of any array, built or parsed: visit(Datum).
template <typename Visit>
void for_each_item(const Datum& array, Visit&& visit) {
  if (array.kind() == Kind::array) {
    for (const Datum& item : array.built_items()) visit(item);
  } else if (array.kind() == Kind::json) {
    for (const JsonNode& item : array.as_node().elements()) visit(Datum::of(item));
  }
}

// Visits the members of any object: visit(std::string_view key, Datum value).
template <typename Visit>
void for_each_member(const Datum& object, Visit&& visit) {
  if (object.kind() == Kind::object) {
    for (const Member& member : object.built_members()) visit(member.key, member.value);
  } else if (object.kind() == Kind::json) {
    for (const JsonMember& member : object.as_node().members()) {
      visit(member.key, Datum::of(member.value));
    }
  }
}

// Appends `value` as JSON without white space. Numbers of the payload digit for digit; Undefined
// members and elements are left out; Undefined itself appends nothing. Nesting is bounded by the
// payload's (kJsonDepthMax) and the statement's (kNestingMax).
void append_json(std::string& out, const Datum& value);

}  // namespace nilo::rules
