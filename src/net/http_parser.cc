#include "net/http_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>

namespace nilo::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& letter : out) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return out;
}

std::string_view view_of(boost::beast::string_view text) { return {text.data(), text.size()}; }

template <typename Fields>
NameValues copy_headers(const Fields& fields) {
  NameValues headers;
  for (const auto& field : fields) {
    headers.emplace_back(lower_case(view_of(field.name_string())), view_of(field.value()));
  }
  return headers;
}

// Lets `parser` take from the front of `pending` until it `has_enough`.
template <typename Parser, typename Enough>
error_code consume_until(Parser& parser, std::string& pending, const Enough& has_enough) {
  error_code error;
  std::size_t used = 0;
  while (!has_enough(parser) && used < pending.size() && !error) {
    used +=
        parser.put(boost::asio::const_buffer(pending.data() + used, pending.size() - used), error);
  }
  pending.erase(0, used);
  return error;
}

template <typename Parser>
error_code consume(Parser& parser, std::string& pending) {
  return consume_until(parser, pending, [](const Parser& one) { return one.is_done(); });
}

}  // namespace

struct HttpRequestParser::Parser {
  http::request_parser<http::string_body> beast;
  // As they stood before the body. What follows a chunked body (trailers, RFC 9110 section 6.5.1)
  // Beast adds to its fields, but a proxy before us has checked no Authorization or Origin there.
  std::optional<NameValues> headers{};
};

HttpRequestParser::HttpRequestParser(std::size_t header_size_max, std::size_t body_size_max)
    : header_size_max_(header_size_max), body_size_max_(body_size_max) {}

HttpRequestParser::~HttpRequestParser() = default;

HttpRequestParser::State HttpRequestParser::fail(int status, std::string message) {
  failure_ = {status, std::move(message)};
  return State::failed;
}

HttpRequestParser::State HttpRequestParser::parse() {
  if (pending_.empty()) return State::incomplete;
  if (parser_ == nullptr) {
    parser_ = std::make_unique<Parser>();
    parser_->beast.header_limit(static_cast<std::uint32_t>(header_size_max_));
    parser_->beast.body_limit(body_size_max_);
    said_continue_ = false;
  }
  // Not eager, it stops at the end of the header.
  error_code error;
  if (!parser_->headers)
    error = consume_until(parser_->beast, pending_,
                          [](const auto& one) { return one.is_header_done(); });
  if (!error && parser_->beast.is_header_done()) {
    if (!parser_->headers) parser_->headers = copy_headers(parser_->beast.get());
    parser_->beast.eager(true);
    error = consume(parser_->beast, pending_);
  }
  if (error == http::error::header_limit) {
    return fail(431, "the header is over " + std::to_string(header_size_max_) + " bytes");
  }
  if (error == http::error::body_limit) {
    return fail(413, "the body is over " + std::to_string(body_size_max_) + " bytes");
  }
  if (error && error != http::error::need_more) return fail(400, "not HTTP: " + error.message());
  if (parser_->beast.is_done()) return finish();
  // What Beast leaves until there is more of it: a part of a header, or of a chunk's first line.
  if (pending_.size() > header_size_max_) return fail(431, "a line without an end");
  return State::incomplete;
}

bool HttpRequestParser::wants_continue() {
  if (parser_ == nullptr || said_continue_ || !parser_->beast.is_header_done()) return false;
  said_continue_ = boost::beast::iequals(parser_->beast.get()[http::field::expect], "100-continue");
  return said_continue_;
}

// Checks what Beast leaves to its user, and makes the request ours.
HttpRequestParser::State HttpRequestParser::finish() {
  const std::unique_ptr<Parser> parser = std::move(parser_);
  http::request<http::string_body>& message = parser->beast.get();
  // RFC 9112 section 6.1: a coding we do not know leaves the length of the body unknown.
  if (message.count(http::field::transfer_encoding) > 0 &&
      (!boost::beast::iequals(message[http::field::transfer_encoding], "chunked") ||
       message.count(http::field::transfer_encoding) > 1 || message.version() < 11)) {
    return fail(400, "Transfer-Encoding can only be 'chunked'");
  }
  if (message.version() >= 11 && message.count(http::field::host) != 1) {
    return fail(400, "exactly one Host header is needed");  // RFC 9112 section 3.2
  }
  Result<HttpTarget> target = parse_target(view_of(message.target()));
  if (!target) return fail(400, target.error().message);

  keep_alive_ = message.keep_alive();
  is_head_ = message.method() == http::verb::head;
  request_ = HttpRequest{};
  request_.method = is_head_ ? "GET" : std::string(view_of(message.method_string()));
  request_.path = std::move(target->path);
  request_.query = std::move(target->query);
  request_.headers = std::move(*parser->headers);
  request_.body = std::move(message.body());
  return State::complete;
}

struct HttpResponseParser::Parser {
  http::response_parser<http::string_body> beast;
};

HttpResponseParser::HttpResponseParser(std::size_t body_size_max, bool is_head)
    : parser_(std::make_unique<Parser>()) {
  parser_->beast.eager(true);
  parser_->beast.skip(is_head);
  parser_->beast.body_limit(body_size_max);
}

HttpResponseParser::~HttpResponseParser() = default;

Result<bool> HttpResponseParser::feed(std::string_view bytes) {
  pending_.append(bytes);
  const error_code error = consume(parser_->beast, pending_);
  if (error == http::error::body_limit) {
    return Error{ErrorCode::too_large, "the answer is too large", "ask for less, with LIMIT"};
  }
  if (error && error != http::error::need_more) {
    return Error{ErrorCode::unavailable, "the answer is not HTTP: " + error.message(),
                 "is this the HTTP port?"};
  }
  return parser_->beast.is_done();
}

Result<void> HttpResponseParser::end() {
  error_code error = http::error::partial_message;
  if (parser_->beast.got_some()) parser_->beast.put_eof(error);
  if (error) return Error{ErrorCode::unavailable, "the server closed before it had answered"};
  return {};
}

HttpResponse HttpResponseParser::take() {
  http::response<http::string_body>& message = parser_->beast.get();
  HttpResponse response;
  response.status = static_cast<int>(message.result_int());
  response.content_type = view_of(message[http::field::content_type]);
  response.headers = copy_headers(message);
  response.body = std::move(message.body());
  return response;
}

}  // namespace nilo::net
