// api/response.h: the two shapes of an answer.
#pragma once

#include <string>

#include "base/result.h"
#include "net/http.h"

namespace nilo::api {

net::HttpResponse json_response(std::string body, int status = 200);

// {"error":{"code":...,"message":...,"hint":...}} with the code's status.
net::HttpResponse error_response(const Error& error);

}  // namespace nilo::api
