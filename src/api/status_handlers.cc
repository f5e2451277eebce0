#include "api/handlers.h"
#include "api/openapi.h"

namespace nilo::api {

void show_metrics(const Context& context, Call& call) {
  net::HttpResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = context.metrics.prometheus_text();
  call.respond(std::move(response));
}

void show_ready(const Context& context, Call& call) {
  const Result<void> ready = context.backend.ready();
  call.respond(ready ? json_response(R"({"status":"ready"})") : error_response(ready.error()));
}

void show_openapi(const Context& context, Call& call) {
  call.respond(json_response(openapi_of(context.routes)));
}

}  // namespace nilo::api
