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
