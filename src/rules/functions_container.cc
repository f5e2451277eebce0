// Section "Types and containers" of docs/rules.md; cast() and CASE are syntax, not functions.
#include "rules/convert.h"
#include "rules/functions.h"

namespace nilo::rules {

namespace {

Datum item_at(const Datum& array, std::int64_t index) {
  Datum out;
  std::int64_t i = 0;
  for_each_item(array, [&](const Datum& item) {
    if (i++ == index) out = item;
  });
  return out;
}

Datum character_at(std::string_view text, std::int64_t index) {
  const auto is_begin = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  std::size_t from = 0;
  for (; from < text.size(); ++from) {
    if (is_begin(text[from]) && index-- == 0) break;
  }
  if (from == text.size()) return {};
  std::size_t to = from + 1;
  while (to < text.size() && !is_begin(text[to])) ++to;
  return Datum::text(text.substr(from, to - from));
}

Datum get(const Call& call) {
  constexpr std::size_t kMembersPerStep = 16;
  const Datum& from = call[0];
  if (!call.context.spend(from.size() / kMembersPerStep)) return {};
  if (from.is_object()) return call[1].is_text() ? from.member(call[1].as_text()) : Datum();
  if (!from.is_array() && !from.is_text()) return {};
  const auto index = to_index(call.context, call[1]);
  if (!index || *index < 0) return {};
  if (from.is_array()) return item_at(from, *index);
  return call.context.spend_on(from.as_text()) ? character_at(from.as_text(), *index) : Datum();
}

Datum get_or_default(const Call& call) {
  if (!call[0].is_undefined() && !call[0].is_null()) return call[0];
  return call.count() > 1 ? call[1] : Datum::undefined();
}

Datum is_null(const Call& call) { return Datum::boolean(call[0].is_null()); }
Datum is_undefined(const Call& call) { return Datum::boolean(call[0].is_undefined()); }

// The element's own members first; those of `common` are added where the key is free.
Datum enriched(Context& context, const Datum& element, const Datum& common) {
  const std::span<Member> members = context.make_array<Member>(element.size() + common.size());
  if (members.empty()) return Datum::object({});
  std::size_t count = 0;
  for_each_member(element, [&](std::string_view key, const Datum& value) {
    members[count++] = {key, value};
  });
  for_each_member(common, [&](std::string_view key, const Datum& value) {
    if (!context.spend(1 + element.size())) return;
    if (element.member(key).is_undefined()) members[count++] = {key, value};
  });
  return Datum::object(members.first(count));
}

// transform('enrichArray', object, array); the mode is checked with the statement.
Datum transform(const Call& call) {
  const Datum& common = call[1];
  const Datum& array = call[2];
  if (!common.is_object() || !array.is_array()) return {};
  const std::span<Datum> out = call.context.make_array<Datum>(array.size());
  bool all_objects = true;
  std::size_t count = 0;
  for_each_item(array, [&](const Datum& element) {
    all_objects = all_objects && element.is_object();
    if (!all_objects || out.empty() || call.context.stopped()) return;
    out[count++] = enriched(call.context, element, common);
  });
  return all_objects ? Datum::array(out.first(count)) : Datum::undefined();
}

constexpr FunctionInfo kFunctions[] = {
    {.name = "get", .run = get, .count_min = 2, .count_max = 2},
    {.name = "get_or_default",
     .run = get_or_default,
     .count_min = 1,
     .count_max = 2,
     .since_2016 = true},
    {.name = "isNull", .run = is_null, .count_min = 1, .count_max = 1},
    {.name = "isUndefined",
     .run = is_undefined,
     .count_min = 1,
     .count_max = 1,
     .since_2016 = true},
    {.name = "transform", .run = transform, .count_min = 3, .count_max = 3, .since_2016 = true},
};

}  // namespace

std::span<const FunctionInfo> container_functions() { return kFunctions; }

}  // namespace nilo::rules
