// Section Time of docs/rules.md.
#include "rules/convert.h"
#include "rules/functions.h"
#include "rules/time_pattern.h"

namespace nilo::rules {

namespace {

// Milliseconds at which the server received the message.
Datum timestamp(const Call& call) {
  return Datum::integer(call.context.message.received_us / 1000);
}

// parse_time(pattern, milliseconds[, zone]) writes a time as text.
Datum parse_time(const Call& call) {
  const auto milliseconds = to_count(call.context, call[1]);
  if (!call[0].is_text() || !milliseconds) return {};
  if (call.count() > 2 && !call[2].is_text()) return {};
  const auto zone = TimeZone::find(call.count() > 2 ? call[2].as_text() : "UTC");
  const auto pattern = TimePattern::parse(call[0].as_text(), TimePattern::Dialect::joda);
  if (!zone || !pattern) return {};
  call.context.buffer.clear();
  if (!pattern->append(call.context.buffer, *milliseconds, *zone)) return {};
  return call.context.make_text(call.context.buffer);
}

// time_to_epoch(text, pattern) reads a time.
Datum time_to_epoch(const Call& call) {
  if (!call[0].is_text() || !call[1].is_text()) return {};
  const auto pattern = TimePattern::parse(call[1].as_text(), TimePattern::Dialect::java);
  if (!pattern) return {};
  const auto milliseconds = pattern->read(call[0].as_text());
  return milliseconds ? Datum::integer(*milliseconds) : Datum::undefined();
}

constexpr FunctionInfo kFunctions[] = {
    {.name = "parse_time", .run = parse_time, .count_min = 2, .count_max = 3, .since_2016 = true},
    {.name = "time_to_epoch",
     .run = time_to_epoch,
     .count_min = 2,
     .count_max = 2,
     .since_2016 = true},
    {.name = "timestamp", .run = timestamp, .depends = Depends::kMessage},
};

}  // namespace

std::span<const FunctionInfo> time_functions() { return kFunctions; }

}  // namespace nilo::rules
