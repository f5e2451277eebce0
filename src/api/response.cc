#include "api/response.h"

#include <utility>

#include "value/value.h"

namespace nilo::api {

net::HttpResponse json_response(std::string body, int status) {
  net::HttpResponse response;
  response.status = status;
  response.body = std::move(body) + "\n";
  return response;
}

net::HttpResponse done_response() {
  net::HttpResponse response;
  response.status = 204;
  return response;
}

std::function<void(Result<void>)> answer_done(net::Respond respond) {
  return [respond = std::move(respond)](const Result<void>& done) {
    respond(done ? done_response() : error_response(done.error()));
  };
}

net::HttpResponse error_response(const Error& error) {
  std::string out = R"({"error":{"code":")";
  out.append(info_of(error.code).name);
  append_json_string(out += R"(","message":)", error.message);
  if (!error.hint.empty()) append_json_string(out += R"(,"hint":)", error.hint);
  net::HttpResponse response = json_response(out + "}}", info_of(error.code).http_status);
  if (error.code == ErrorCode::unauthenticated) {
    response.headers.emplace_back("WWW-Authenticate", R"(Bearer realm="nilometer")");
  }
  return response;
}

}  // namespace nilo::api
