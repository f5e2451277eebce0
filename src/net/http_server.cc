#include "net/http_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <unordered_map>
#include <utility>

#include "net/http_parser.h"
#include "net/tcp_listener.h"
#include "net/tcp_stream.h"
#include "net/tls.h"
#include "net/websocket_connection.h"

namespace nilo::net {
namespace {

using Clock = std::chrono::steady_clock;

// What every answer carries unless the handler said it differently: a browser that is tricked into
// showing an answer that is no page may load and run nothing, and pages of others get nothing.
constexpr std::pair<std::string_view, std::string_view> kHeaders[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    {"X-Frame-Options", "DENY"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
};

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  // A line break inside would start a header of somebody else's choice.
  for (const char letter : value) out.push_back(letter == '\r' || letter == '\n' ? ' ' : letter);
  out.append("\r\n");
}

// RFC 9110 section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

std::string serialise(const HttpResponse& response, bool is_head, bool keep_alive) {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
  out.append(reason_phrase(response.status)).append("\r\n");
  append_header(out, "Date", http_date());
  if (response.status != 101) {
    append_header(out, "Connection", keep_alive ? "keep-alive" : "close");
  }
  for (const auto& [name, value] : kHeaders) {
    if (!find_value(response.headers, name)) append_header(out, name, value);
  }
  for (const auto& [name, value] : response.headers) append_header(out, name, value);
  const bool has_body = response.status != 101 && response.status != 204 && response.status != 304;
  if (has_body) {
    append_header(out, "Content-Type", response.content_type);
    append_header(out, "Content-Length", std::to_string(response.body.size()));
  }
  out.append("\r\n");
  if (has_body && !is_head) out.append(response.body);
  return out;
}

// Written here, not by a handler: the request never became one. `message` is ours or Beast's, or
// escaped by printable(); quotes are all that could still hurt JSON.
HttpResponse failure_response(int status, std::string message) {
  std::replace(message.begin(), message.end(), '"', '\'');
  std::replace(message.begin(), message.end(), '\\', '/');
  const std::string_view code = status == 408                    ? "deadline_exceeded"
                                : status == 413 || status == 431 ? "too_large"
                                : status == 503                  ? "resource_exhausted"
                                : status == 500                  ? "internal"
                                                                 : "invalid_argument";
  HttpResponse response;
  response.status = status;
  response.body.append(R"({"error":{"code":")").append(code);
  response.body.append(R"(","message":")").append(message).append("\"}}\n");
  return response;
}

}  // namespace

// All connections of a server, by number: a Respond that comes late finds its connection, or
// nothing.
class HttpServer::Connections : public std::enable_shared_from_this<Connections> {
 public:
  Connections(EventLoop& loop, HttpLimits limits, HttpHandler handler);
  ~Connections();

  Result<Address> listen(const Address& address, Logger& logger, TlsContext* tls);
  std::size_t count() const { return connections_.size(); }

 private:
  class Connection;
  friend class Connection;
  class Ticket;

  void accept(int fd, std::string remote_ip, TlsContext* tls, std::size_t listener);
  void sweep();
  void answer(std::uint64_t number, const HttpResponse& response);
  void open_websocket(std::uint64_t number);
  void hand_over(std::uint64_t number, const StreamTaker& taker);
  Respond make_respond(std::uint64_t number);

  EventLoop& loop_;
  HttpLimits limits_;
  HttpHandler handler_;
  std::vector<std::unique_ptr<TcpListener>> listeners_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::uint64_t last_number_ = 0;
  std::size_t websocket_count_ = 0;  // of connections_
  TimerId sweep_timer_ = TimerId::none;
};

// One connection: at any moment it reads a request, waits for the handler, or writes an answer.
class HttpServer::Connections::Connection final : public StreamHandler {
 public:
  Connection(Connections& all, std::uint64_t number, std::unique_ptr<Stream> stream,
             std::string remote_ip, std::size_t listener)
      : all_(all),
        number_(number),
        remote_ip_(std::move(remote_ip)),
        listener_(listener),
        stream_owner_(std::move(stream)),
        stream_(*stream_owner_),
        parser_(all.limits_.header_size_max, all.limits_.body_size_max) {}

  ~Connection() {
    if (websocket_ != nullptr) --all_.websocket_count_;
  }

  Result<void> open() { return stream_.attach(all_.loop_, *this); }
  void open_websocket() { websocket_->open(parser_.take_rest()); }
  // After this it is only to be destroyed.
  void hand_over(const StreamTaker& taker) {
    stream_.detach();
    taker({std::move(stream_owner_), parser_.take_rest(), remote_ip_, listener_});
  }

  void answer(const HttpResponse& response) {
    is_waiting_ = false;
    if (response.stream_taker) return hand_over_later(response);
    if (response.websocket != nullptr) return upgrade(response);
    const bool keep_alive = parser_.keep_alive() && !peer_ended_;
    stream_.send(serialise(response, parser_.is_head(), keep_alive));
    since_ = Clock::now();
    if (!keep_alive) {
      is_closing_ = true;
      return stream_.close_after_flush();
    }
    if (!is_working_) work();
  }

  // Closes what waited too long.
  void check(Clock::time_point now) {
    if (websocket_ != nullptr) {
      if (!websocket_->check(now)) cut();
      return;
    }
    if (is_waiting_ || is_closing_) return;
    if (std::exchange(unsent_seen_, stream_.unsent()) != stream_.unsent()) since_ = now;
    const bool is_reading = stream_.unsent() == 0 && !parser_.is_between_requests();
    if (is_reading && now - since_ >= all_.limits_.request_timeout) {
      fail({408, "the request did not arrive in time"});
    } else if (!is_reading && now - since_ >= all_.limits_.idle_timeout) {
      cut();
    }
  }

 private:
  void on_bytes(std::string_view bytes) override {
    if (websocket_ != nullptr) return websocket_->on_bytes(bytes);
    if (parser_.is_between_requests()) since_ = Clock::now();
    parser_.feed(bytes);
    work();
  }

  void on_flushed() override {
    if (websocket_ != nullptr) return websocket_->on_flushed();
    work();
  }

  bool on_end() override {
    peer_ended_ = true;
    return websocket_ == nullptr && (is_waiting_ || stream_.unsent() > 0);
  }

  void on_closed(std::string_view /*reason*/) override { all_.connections_.erase(number_); }

  // Handles requests until one has to wait: for its bytes, for its handler, or for the client to
  // read the answer before. Reading stops meanwhile, so that a client cannot fill our memory.
  void work() {
    is_working_ = true;
    while (!is_waiting_ && !is_closing_ && websocket_ == nullptr && stream_.unsent() == 0) {
      const HttpRequestParser::State state = parser_.parse();
      if (state == HttpRequestParser::State::failed) fail(parser_.failure());
      if (state != HttpRequestParser::State::complete) break;
      is_waiting_ = true;
      HttpRequest request = parser_.take();
      request.remote_ip = remote_ip_;
      request.is_encrypted = stream_.is_encrypted();
      request.certificate = stream_.peer_certificate();
      all_.handler_(std::move(request), all_.make_respond(number_));
    }
    is_working_ = false;
    if (websocket_ != nullptr) return;  // reads when it is open
    if (is_waiting_ || stream_.unsent() > 0) return stream_.pause_reading();
    stream_.resume_reading();
    if (!is_closing_ && parser_.wants_continue()) stream_.send("HTTP/1.1 100 Continue\r\n\r\n");
  }

  void fail(const HttpFailure& failure) {
    is_closing_ = true;
    stream_.send(serialise(failure_response(failure.status, failure.message), false, false));
    stream_.close_after_flush();
  }

  // At once; what was not sent is lost.
  void cut() {
    stream_.close();
    all_.connections_.erase(number_);
  }

  void upgrade(const HttpResponse& response) {
    if (all_.websocket_count_ >= all_.limits_.websockets_max) {
      return fail({503, "too many open WebSockets"});
    }
    ++all_.websocket_count_;
    websocket_ = std::make_unique<WebSocketConnection>(all_.loop_, stream_, response.websocket);
    stream_.pause_reading();
    stream_.send(serialise(response, false, true));
    // Not from here: this may be the handler's own answer.
    all_.loop_.post([weak = all_.weak_from_this(), number = number_] {
      if (const auto all = weak.lock()) all->open_websocket(number);
    });
  }

  void hand_over_later(const HttpResponse& response) {
    is_waiting_ = true;  // for somebody else: nothing is read or timed here any more
    stream_.pause_reading();
    stream_.send(serialise(response, false, true));
    // Not from here: this may be the handler's own answer.
    all_.loop_.post(
        [weak = all_.weak_from_this(), number = number_, taker = response.stream_taker] {
          if (const auto all = weak.lock()) all->hand_over(number, taker);
        });
  }

  Connections& all_;
  std::uint64_t number_;
  std::string remote_ip_;
  std::size_t listener_;
  std::unique_ptr<Stream> stream_owner_;
  Stream& stream_;
  HttpRequestParser parser_;
  std::unique_ptr<WebSocketConnection> websocket_;  // from the answer on that made it one
  Clock::time_point since_ = Clock::now();          // when what it waits for now began
  std::size_t unsent_seen_ = 0;
  bool is_waiting_ = false;  // for the handler
  bool is_working_ = false;  // in work(): an answer given at once must not start it again
  bool is_closing_ = false;  // no more requests; the stream sends the rest and ends
  bool peer_ended_ = false;
};

// What a Respond holds: answers once, and 500 if it is forgotten.
class HttpServer::Connections::Ticket {
 public:
  Ticket(EventLoop& loop, std::weak_ptr<Connections> connections, std::uint64_t number)
      : loop_(loop), connections_(std::move(connections)), number_(number) {}
  ~Ticket() {
    if (!answered_) answer(failure_response(500, "the request was dropped"));
  }

  void answer(HttpResponse response) {
    NILO_ASSERT(!answered_.exchange(true));
    if (loop_.is_own_thread()) return deliver(connections_, number_, response);
    loop_.post([connections = connections_, number = number_, response = std::move(response)] {
      deliver(connections, number, response);
    });
  }

 private:
  static void deliver(const std::weak_ptr<Connections>& connections, std::uint64_t number,
                      const HttpResponse& response) {
    if (const auto alive = connections.lock()) alive->answer(number, response);
  }

  EventLoop& loop_;
  std::weak_ptr<Connections> connections_;
  std::uint64_t number_;
  std::atomic<bool> answered_ = false;
};

HttpServer::Connections::Connections(EventLoop& loop, HttpLimits limits, HttpHandler handler)
    : loop_(loop), limits_(limits), handler_(std::move(handler)) {
  const auto period = std::min(limits_.request_timeout, limits_.idle_timeout) / 4;
  sweep_timer_ = loop_.every(std::max(period, std::chrono::milliseconds(1)), [this] { sweep(); });
}

HttpServer::Connections::~Connections() {
  loop_.cancel(sweep_timer_);
  connections_.clear();  // while the counts they keep are still here
}

Result<Address> HttpServer::Connections::listen(const Address& address, Logger& logger,
                                                TlsContext* tls) {
  const auto take = [this, tls, listener = listeners_.size()](int fd, std::string ip) {
    accept(fd, std::move(ip), tls, listener);
  };
  listeners_.push_back(TRY(TcpListener::listen(loop_, address, logger, take)));
  return listeners_.back()->address();
}

void HttpServer::Connections::accept(int fd, std::string remote_ip, TlsContext* tls,
                                     std::size_t listener) {
  std::unique_ptr<Stream> stream = std::make_unique<TcpStream>(fd);
  if (connections_.size() - websocket_count_ >= limits_.connections_max) {
    if (tls != nullptr) return tls->note_refused();  // no handshake only to say no
    const std::string refusal =
        serialise(failure_response(503, "too many connections"), false, false);
    [[maybe_unused]] const auto sent =
        ::send(fd, refusal.data(), refusal.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return;
  }
  if (tls != nullptr) stream = tls->wrap(std::move(stream));
  if (stream == nullptr) return;
  const std::uint64_t number = ++last_number_;
  auto connection = std::make_unique<Connection>(*this, number, std::move(stream),
                                                 std::move(remote_ip), listener);
  if (connection->open()) connections_.emplace(number, std::move(connection));
}

void HttpServer::Connections::sweep() {
  const Clock::time_point now = Clock::now();
  for (auto at = connections_.begin(); at != connections_.end();) {
    Connection& connection = *at->second;
    ++at;  // check() may erase this one
    connection.check(now);
  }
}

void HttpServer::Connections::answer(std::uint64_t number, const HttpResponse& response) {
  const auto found = connections_.find(number);
  if (found != connections_.end()) found->second->answer(response);
}

void HttpServer::Connections::open_websocket(std::uint64_t number) {
  const auto found = connections_.find(number);
  if (found != connections_.end()) found->second->open_websocket();
}

void HttpServer::Connections::hand_over(std::uint64_t number, const StreamTaker& taker) {
  const auto found = connections_.find(number);
  if (found == connections_.end()) return;
  const std::unique_ptr<Connection> connection = std::move(found->second);
  connections_.erase(found);
  connection->hand_over(taker);
}

Respond HttpServer::Connections::make_respond(std::uint64_t number) {
  const auto ticket = std::make_shared<Ticket>(loop_, weak_from_this(), number);
  return [ticket](HttpResponse response) { ticket->answer(std::move(response)); };
}

HttpServer::HttpServer(std::shared_ptr<Connections> connections)
    : connections_(std::move(connections)) {}

HttpServer::~HttpServer() = default;

const Address& HttpServer::address() const { return address_; }

std::size_t HttpServer::connections() const { return connections_->count(); }

Result<Address> HttpServer::listen_at(const Address& address, Logger& logger, TlsContext* tls) {
  Address bound = TRY(connections_->listen(address, logger, tls));
  if (address_.port == 0) address_ = bound;
  return bound;
}

std::unique_ptr<HttpServer> HttpServer::make(EventLoop& loop, HttpLimits limits,
                                             HttpHandler handler) {
  return std::unique_ptr<HttpServer>(
      new HttpServer(std::make_shared<Connections>(loop, limits, std::move(handler))));
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(EventLoop& loop, const Address& address,
                                                       HttpLimits limits, Logger& logger,
                                                       HttpHandler handler) {
  auto server = make(loop, limits, std::move(handler));
  TRY(server->listen_at(address, logger, nullptr));
  return server;
}

}  // namespace nilo::net
