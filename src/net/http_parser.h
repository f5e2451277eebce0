// net/http_parser.h: bytes to HTTP messages, without sockets.
//
// Boost.Beast's parser behind a fence: http_parser.cc is the only file that sees it.
// Threads: none of its own. Limits: given; a client sends at most one read ahead of them.
// Source:  RFC 9112.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"

namespace nilo::net {

// Why a connection is beyond help, and the status that says so.
struct HttpFailure {
  int status = 400;
  std::string message;
};

// Requests from one connection, one after the other.
class HttpRequestParser {
 public:
  enum class State { incomplete, complete, failed };

  HttpRequestParser(std::size_t header_size_max, std::size_t body_size_max);
  ~HttpRequestParser();

  void feed(std::string_view bytes) { pending_.append(bytes); }
  // Looks at what was fed. complete: take() it, then parse() on. After failed nothing follows.
  State parse();

  // After complete: the request without remote_ip, and how to answer it.
  HttpRequest take() { return std::move(request_); }
  bool keep_alive() const { return keep_alive_; }
  bool is_head() const { return is_head_; }

  // What came after the last request, when the connection stops being HTTP.
  std::string take_rest() { return std::move(pending_); }

  // After failed.
  const HttpFailure& failure() const { return failure_; }

  // After incomplete: nothing of the next request is here yet.
  bool is_between_requests() const { return parser_ == nullptr && pending_.empty(); }
  // After incomplete: the client waits for "100 Continue" before it sends the body. True once for
  // each request.
  bool wants_continue();

 private:
  struct Parser;
  State fail(int status, std::string message);
  State finish();

  std::size_t header_size_max_;
  std::size_t body_size_max_;
  std::string pending_;
  std::unique_ptr<Parser> parser_;  // only while a request is under way: idle costs nothing
  HttpRequest request_;
  HttpFailure failure_;
  bool keep_alive_ = false;
  bool is_head_ = false;
  bool said_continue_ = false;
};

// One answer; for clients.
class HttpResponseParser {
 public:
  // `is_head`: the answer has no body whatever its header says.
  HttpResponseParser(std::size_t body_size_max, bool is_head);
  ~HttpResponseParser();

  // True once the answer is whole. unavailable: not HTTP. too_large: over body_size_max.
  Result<bool> feed(std::string_view bytes);
  // The server closed: the end of an answer without a length.
  // unavailable: in the middle of one with a length, or before any.
  Result<void> end();
  HttpResponse take();

 private:
  struct Parser;
  std::string pending_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace nilo::net
