#include <utility>

#include "api/handlers.h"
#include "bus/topic_filter.h"

namespace nilo::api {

void publish(const Context& context, Call& call) {
  const std::string topic(*call.text("topic"));
  if (const Result<void> checked = bus::check_topic(topic); !checked) {
    return call.respond(error_response(checked.error()));
  }
  if (topic.starts_with('$')) {
    return call.respond(error_response({ErrorCode::permission_denied,
                                        "topics that begin with '$' are the server's own",
                                        "choose another first letter"}));
  }
  if (call.principal.scope && !call.principal.scope->may_publish(topic)) {
    return call.respond(error_response({ErrorCode::permission_denied,
                                        "'" + call.principal.name + "' may not publish here",
                                        "its token is limited to other topics"}));
  }
  Message message;
  message.topic = topic;
  message.payload = std::move(call.request.body);
  message.qos = static_cast<Qos>(call.number("qos").value_or(1));
  message.retain = call.number("retain").value_or(0) != 0;
  message.received_us = context.clock.wall_us();
  message.principal = call.principal.name;
  message.source_ip = call.request.remote_ip;
  context.backend.publish(std::move(message),
                          [topic, respond = std::move(call.respond)](const Result<void>& done) {
                            if (!done) return respond(error_response(done.error()));
                            std::string out = R"({"topic":)";
                            append_json_string(out, topic);
                            respond(json_response(out + "}"));
                          });
}

}  // namespace nilo::api
