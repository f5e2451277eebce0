// Section "The message" of docs/rules.md.
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "rules/convert.h"
#include "rules/digest.h"
#include "rules/functions.h"

namespace nilo::rules {

namespace {

std::string_view visible_topic(std::string_view topic) {
  if (!topic.starts_with(kBasicIngest)) return topic;
  const std::size_t slash = topic.find('/', kBasicIngest.size());
  return slash == std::string_view::npos ? topic : topic.substr(slash + 1);
}

// topic() or topic(n), segments counting from 1.
Datum topic(const Call& call) {
  std::string_view text = visible_topic(call.context.message.topic);
  if (call.count() == 0) return Datum::text(text);
  const auto wanted = to_count(call.context, call[0]);
  if (!wanted || *wanted < 1) return {};
  for (std::int64_t segment = 1; segment < *wanted; ++segment) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return {};
    text.remove_prefix(slash + 1);
  }
  return Datum::text(text.substr(0, text.find('/')));
}

Datum text_or_undefined(std::string_view text) {
  return text.empty() ? Datum::undefined() : Datum::text(text);
}

Datum client_id(const Call& call) {
  const std::string_view id = call.context.message.client_id;
  return Datum::text(id.empty() ? std::string_view("n/a") : id);
}
Datum principal(const Call& call) { return text_or_undefined(call.context.message.principal); }
Datum source_ip(const Call& call) { return text_or_undefined(call.context.message.source_ip); }
Datum sql_version(const Call& call) { return Datum::text(call.context.program->version); }

// A random UUID (RFC 4122, version 4). Empty: the system gives no random bytes.
std::string new_uuid_text() {
  unsigned char b[16];
  if (getentropy(b, sizeof b) != 0) return {};
  b[6] = static_cast<unsigned char>((b[6] & 0x0f) | 0x40);
  b[8] = static_cast<unsigned char>((b[8] & 0x3f) | 0x80);
  char text[37];
  std::snprintf(text, sizeof text,
                "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
                b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
                b[15]);
  return text;
}

Datum new_uuid(const Call& call) { return call.context.make_text(new_uuid_text()); }

// The same for all uses in one message.
Datum trace_id(const Call& call) {
  Context& context = call.context;
  if (context.message.client_id.empty()) return {};
  if (context.trace_id.empty()) context.trace_id = new_uuid_text();
  return Datum::text(context.trace_id);
}

Datum get_mqtt_property(const Call& call) {
  const MessageProperties none;
  if (!call[0].is_text()) return {};
  const MessageProperties* given = call.context.message.properties;
  const MessageProperties& properties = given == nullptr ? none : *given;
  const std::string_view name = call[0].as_text();
  if (name == "content_type") return text_or_undefined(properties.content_type);
  if (name == "response_topic") return text_or_undefined(properties.response_topic);
  if (name == "format_indicator") {
    return Datum::text(properties.payload_is_utf8 ? "UTF8_DATA" : "UNSPECIFIED_BYTES");
  }
  if (name == "correlation_data" && !properties.correlation_data.empty()) {
    call.context.buffer.clear();
    append_base64(call.context.buffer, properties.correlation_data);
    return call.context.make_text(call.context.buffer);
  }
  return {};
}

// With a key: its values. Without: one object a property.
Datum get_user_properties(const Call& call) {
  const MessageProperties* properties = call.context.message.properties;
  const std::size_t size = properties == nullptr ? 0 : properties->user.size();
  if (call.count() > 0 && !call[0].is_text()) return {};
  const std::span<Datum> out = call.context.make_array<Datum>(size);
  std::size_t count = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto& [key, value] = properties->user[i];
    if (call.count() > 0) {
      if (key == call[0].as_text()) out[count++] = Datum::text(value);
      continue;
    }
    const std::span<Member> member = call.context.make_array<Member>(1);
    if (member.empty()) return {};
    member[0] = {key, Datum::text(value)};
    out[count++] = Datum::object(member);
  }
  if (call.count() > 0 && count == 0) return {};
  return Datum::array(out.first(count));
}

constexpr FunctionInfo message(std::string_view name, Datum (*run)(const Call&),
                               std::size_t count_min = 0, std::size_t count_max = 0) {
  return {.name = name,
          .run = run,
          .count_min = count_min,
          .count_max = count_max,
          .depends = Depends::kMessage};
}

constexpr FunctionInfo kFunctions[] = {
    message("clientid", client_id),
    message("get_mqtt_property", get_mqtt_property, 1, 1),
    message("get_user_properties", get_user_properties, 0, 1),
    message("newuuid", new_uuid),
    message("principal", principal),
    {.name = "sourceip", .run = source_ip, .since_2016 = true, .depends = Depends::kMessage},
    {.name = "sql_version", .run = sql_version},
    {.name = "topic", .run = topic, .count_max = 1, .depends = Depends::kTopic},
    message("traceid", trace_id),
};

}  // namespace

std::span<const FunctionInfo> message_functions() { return kFunctions; }

}  // namespace nilo::rules
