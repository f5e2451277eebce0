// api/response.h: the shapes of an answer.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "net/http.h"

namespace nilo::api {

net::HttpResponse json_response(std::string body, int status = 200);

// 204: it is done, there is nothing more to say.
net::HttpResponse done_response();
// Answers with that, or with what went wrong.
std::function<void(Result<void>)> answer_done(net::Respond respond);

// {"error":{"code":...,"message":...,"hint":...}} with the code's status.
net::HttpResponse error_response(const Error& error);

}  // namespace nilo::api
