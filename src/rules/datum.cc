#include "rules/datum.h"

#include "value/value.h"

namespace nilo::rules {

Datum Datum::object(std::span<const Member> members) {
  Datum out(Kind::object);
  out.size_ = static_cast<std::uint32_t>(members.size());
  out.members_ = members.data();
  return out;
}

std::span<const Member> Datum::built_members() const {
  NILO_ASSERT(kind_ == Kind::object);
  return {members_, size_};
}

namespace {

// The common number: an Int of at most 18 digits. "-0" is not one, because its sign would be lost.
bool read_integer(std::string_view digits, std::int64_t& out) {
  const bool negative = digits[0] == '-';
  if (digits.size() > 18 || digits == "-0") return false;
  std::int64_t number = 0;
  for (const char c : digits.substr(negative ? 1 : 0)) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + (c - '0');
  }
  out = negative ? -number : number;
  return true;
}

}  // namespace

Datum Datum::of(const JsonNode& node) {
  switch (node.kind()) {
    case JsonKind::null:
      return null();
    case JsonKind::boolean:
      return boolean(node.is_true());
    case JsonKind::number: {
      std::int64_t number = 0;
      return read_integer(node.text(), number) ? integer(number) : verbatim(node.text());
    }
    case JsonKind::string:
      return text(node.text());
    case JsonKind::array:
    case JsonKind::object:
      break;
  }
  Datum out(Kind::json);
  out.node_ = &node;
  return out;
}

std::size_t Datum::size() const {
  if (kind_ == Kind::json) return node_->size();
  return kind_ == Kind::array || kind_ == Kind::object ? size_ : 0;
}

Datum Datum::member(std::string_view key) const {
  if (kind_ == Kind::json) {
    const JsonNode* found = node_->find(key);
    return found == nullptr ? Datum() : of(*found);
  }
  if (kind_ == Kind::object) {
    for (const Member& member : built_members()) {
      if (member.key == key) return member.value;
    }
  }
  return {};
}

namespace {

void append_array(std::string& out, const Datum& array) {
  out += '[';
  bool first = true;
  for (const Datum& item : array.built_items()) {
    if (item.is_undefined()) continue;
    if (!first) out += ',';
    first = false;
    append_json(out, item);
  }
  out += ']';
}

void append_object(std::string& out, const Datum& object) {
  out += '{';
  bool first = true;
  for (const Member& member : object.built_members()) {
    if (member.value.is_undefined()) continue;
    if (!first) out += ',';
    first = false;
    append_json_string(out, member.key);
    out += ':';
    append_json(out, member.value);
  }
  out += '}';
}

}  // namespace

void append_json(std::string& out, const Datum& value) {
  switch (value.kind()) {
    case Kind::undefined:
      return;
    case Kind::null:
      out += "null";
      return;
    case Kind::boolean:
      out += value.is_true() ? "true" : "false";
      return;
    case Kind::integer:
      out += std::to_string(value.as_integer());
      return;
    case Kind::wide_int:
      value.as_decimal().append_int(out);
      return;
    case Kind::decimal:
      value.as_decimal().append_decimal(out);
      return;
    case Kind::real:
      if (const auto exact = Decimal::of_double(value.as_real())) exact->append_decimal(out);
      return;
    case Kind::verbatim:
      out += value.as_text();
      return;
    case Kind::text:
      append_json_string(out, value.as_text());
      return;
    case Kind::array:
      append_array(out, value);
      return;
    case Kind::object:
      append_object(out, value);
      return;
    case Kind::json:
      nilo::append_json(out, value.as_node());
      return;
  }
}

}  // namespace nilo::rules
