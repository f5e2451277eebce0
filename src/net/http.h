// net/http.h: the words of HTTP: a request, an answer, a target.
//
// Threads: values.
// Source: RFC 9110 (semantics), RFC 3986 (percent encoding).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/stream.h"

namespace nilo::net {

using NameValues = std::vector<std::pair<std::string, std::string>>;

// The last value of `name`; nothing if there is none.
std::optional<std::string_view> find_value(const NameValues& pairs, std::string_view name);

struct HttpRequest {
  std::string method;  // HEAD arrives as GET: the server leaves the body out
  std::string path;    // decoded: "/api/v1/tables"; UTF-8, begins with '/' (or is "*")
  NameValues query;    // decoded, in the order written
  NameValues headers;  // names in lower case
  std::string body;
  std::string remote_ip;
  bool is_encrypted = false;                             // it came over TLS
  std::shared_ptr<const PeerCertificate> certificate{};  // what the client showed there

  // `name` in lower case; empty if there is none.
  std::string_view header(std::string_view name) const;
};

class WebSocketHandler;  // net/websocket.h

// A connection that is HTTP no more, for its next owner: detached, with what was read already.
struct TakenStream {
  std::unique_ptr<Stream> stream;
  std::string bytes;
  std::string remote_ip;
  std::size_t listener = 0;  // by which it came, in the order of HttpServer::listen_at()
};
using StreamTaker = std::function<void(TakenStream)>;

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";  // empty: no body
  std::string body{};
  NameValues headers{};  // besides those the server writes itself
  // With status 101 (net::accept_websocket() makes such an answer): who takes the connection over.
  std::shared_ptr<WebSocketHandler> websocket{};
  // With status 101, too: who gets the connection itself.
  StreamTaker stream_taker{};

  // `name` in lower case (the client reads them so); empty if there is none.
  std::string_view header(std::string_view name) const;
};

// Answers one request; from any thread; exactly once. One that is dropped without an answer
// answers 500.
using Respond = std::function<void(HttpResponse)>;
using HttpHandler = std::function<void(HttpRequest, Respond)>;

std::string_view reason_phrase(int status);

struct HttpTarget {
  std::string path;
  NameValues query;
};
inline constexpr std::size_t kQueryParametersMax = 100;

// Splits and decodes "/a%20b?x=1&y=2+3" ('+' is a space in the query only).
// invalid_argument: a bad escape, bytes that are not UTF-8, NUL or (but below /topics/) an encoded
// '/' in the path, or too many parameters.
Result<HttpTarget> parse_target(std::string_view target);

// "a b&c" -> "a%20b%26c": safe as one query value or path segment.
std::string percent_encode(std::string_view text);

}  // namespace nilo::net
