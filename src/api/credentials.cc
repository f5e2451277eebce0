#include <algorithm>
#include <optional>

#include "api/backend.h"
#include "base/base64.h"

namespace nilo::api {
namespace {

// What every token begins with (app/access.h).
constexpr std::string_view kTokenAfterColon = ":nilo_";

bool is_scheme(std::string_view text, std::string_view lower_case) {
  if (text.size() != lower_case.size()) return false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if ((text[at] | 0x20) != lower_case[at]) return false;
  }
  return true;
}

// RFC 6265 section 4.2: "a=1; b=2".
std::string_view cookie_of(const net::HttpRequest& request, std::string_view name) {
  std::string_view rest = request.header("cookie");
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
      return pair.substr(name.size() + 1);
    }
  }
  return {};
}

}  // namespace

bool is_behind_tls_proxy(const net::HttpRequest& request) {
  return request.header("x-forwarded-proto") == "https";
}

bool is_over_tls(const net::HttpRequest& request) {
  return request.is_encrypted || is_behind_tls_proxy(request);
}

Result<Credentials> read_credentials(const net::HttpRequest& request) {
  Credentials credentials;
  credentials.remote_ip = request.remote_ip;
  credentials.certificate = request.certificate;
  const std::string_view authorization = request.header("authorization");
  if (authorization.empty()) {
    credentials.session = cookie_of(request, kSessionCookie);
    return credentials;
  }
  const Error refused{ErrorCode::unauthenticated, "the Authorization header cannot be read",
                      "send 'Authorization: Bearer nilo_...' or user and password as Basic"};
  const std::size_t space = authorization.find(' ');
  if (space == std::string_view::npos) return refused;
  const std::string_view scheme = authorization.substr(0, space);
  std::string_view value = authorization.substr(space + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  if (is_scheme(scheme, "bearer")) {
    if (value.empty()) return refused;
    credentials.token = value;
    return credentials;
  }
  if (!is_scheme(scheme, "basic")) return refused;
  const std::optional<std::string> pair = base64_decoded(value);
  // A device's name may have colons, and its token says where that begins.
  const std::size_t token = pair ? pair->rfind(kTokenAfterColon) : std::string::npos;
  const bool has_token = token != std::string::npos;
  const std::size_t colon = has_token ? token : pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos || colon == 0) return refused;
  credentials.user = pair->substr(0, colon);
  credentials.password = pair->substr(colon + 1);
  return credentials;
}

}  // namespace nilo::api
