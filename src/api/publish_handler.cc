#include <fmt/format.h>

#include <atomic>
#include <utility>

#include "api/handlers.h"
#include "bus/topic_filter.h"
#include "net/websocket.h"

namespace nilo::api {
namespace {

constexpr std::string_view kMqttProtocols[] = {"mqtt", "mqttv3.1"};

Result<void> check_topic(const Principal& who, const std::string& topic, bool retain) {
  TRY(bus::check_topic(topic));
  if (topic.starts_with('$') && !topic.starts_with(kBasicIngest)) {
    return Error{ErrorCode::permission_denied, "topics that begin with '$' are the server's own",
                 "choose another first letter"};
  }
  if (!who.scope) return {};
  const auto refused = [&](Scope::Act act) {
    return Error{ErrorCode::permission_denied, "'" + who.name + "' may not publish here",
                 who.scope->why_not(act, topic)};
  };
  if (!who.scope->may_publish(topic)) return refused(Scope::Act::publish);
  if (retain && !who.scope->may_retain(topic)) return refused(Scope::Act::retain);
  return {};
}

// The body of the request, to `topic`. `done` hears when it is on disk, or why it never will be.
void publish(const Context& context, Call& call, const std::string& topic, Qos qos,
             Done<void> done) {
  const bool retain = call.number("retain").value_or(0) != 0;
  Message message;
  message.topic = topic;
  message.payload = std::move(call.request.body);
  message.qos = static_cast<Qos>(call.number("qos").value_or(static_cast<std::int64_t>(qos)));
  message.retain = retain;
  message.received_us = context.clock.wall_us();
  message.principal = call.principal.name;
  message.source_ip = call.request.remote_ip;
  if (const Result<void> checked = check_topic(call.principal, topic, retain); !checked) {
    if (checked.error().code == ErrorCode::permission_denied) {
      const Error& why = checked.error();
      message.payload.clear();
      const char* const colon = why.hint.empty() ? "" : ": ";
      context.backend.publish_refused(std::move(message), why.message + colon + why.hint);
    }
    return done(checked);
  }
  context.backend.publish(std::move(message), std::move(done));
}

// What somebody quotes who asks about one message.
std::string next_trace_id(TimeUs now_us) {
  static std::atomic<std::uint64_t> count{0};
  const auto time = static_cast<std::uint64_t>(now_us);
  return fmt::format("{:08x}-{:04x}-{:04x}-0000-{:012x}", time >> 32, time >> 16 & 0xffff,
                     time & 0xffff, ++count);
}

net::HttpResponse traced(net::HttpResponse response, std::string_view message,
                         const std::string& trace_id) {
  response.body = R"({"message":)";
  append_json_string(response.body, message);
  response.body.append(R"(,"traceId":")").append(trace_id).append("\"}\n");
  return response;
}

}  // namespace

void publish(const Context& context, Call& call) {
  const std::string topic(*call.text("topic"));
  publish(context, call, topic, Qos::at_least_once,
          [topic, respond = call.respond](const Result<void>& done) {
            if (!done) return respond(error_response(done.error()));
            std::string out = R"({"topic":)";
            append_json_string(out, topic);
            respond(json_response(out + "}"));
          });
}

// The path, the answer and the default are those of AWS IoT's data plane, whose devices come here.
void publish_to_path(const Context& context, Call& call) {
  const std::string topic(*call.text("topic"));
  const std::string trace_id = next_trace_id(context.clock.wall_us());
  publish(context, call, topic, Qos::at_most_once,
          [trace_id, respond = call.respond](const Result<void>& done) {
            if (done) return respond(traced(json_response(""), "OK", trace_id));
            respond(traced(error_response(done.error()), done.error().message, trace_id));
          });
}

// Anybody may open it: MQTT asks who it is, and has limits until it knows.
void open_mqtt(const Context& context, Call& call) {
  if (!context.backend.take_mqtt) {
    return call.respond(error_response({ErrorCode::unsupported, "there is no MQTT here", ""}));
  }
  auto accepted =
      net::accept_websocket_stream(call.request, kMqttProtocols, context.backend.take_mqtt);
  call.respond(accepted ? std::move(*accepted) : error_response(accepted.error()));
}

}  // namespace nilo::api
