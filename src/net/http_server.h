// net/http_server.h: HTTP/1.1 on one loop.
//
// In/out:  bytes of many connections -> HttpHandler -> answers, in the order asked. One request a
//          connection is under way; what a client sends ahead waits in the kernel. An answer with a
//          WebSocketHandler (net/websocket.h) ends HTTP on its connection; one with a StreamTaker
//          gives the connection away.
// Threads: the loop's; the Respond of a request may be called from any thread.
// Limits:  HttpLimits. Too much of a header is 431, of a body 413; too slow is 408; one
//          connection or WebSocket too many is answered 503 and closed; over TLS, just closed.
// Source:  RFC 9112. Content-Length together with Transfer-Encoding, and bad chunks, are refused.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "base/logger.h"
#include "base/result.h"
#include "net/address.h"
#include "net/event_loop.h"
#include "net/http.h"

namespace nilo::net {

class TlsContext;  // net/tls.h

struct HttpLimits {
  std::size_t header_size_max = 16 * 1024;  // of the request line, and of all fields
  std::size_t body_size_max = 1024 * 1024;
  std::size_t connections_max = 1024;  // that are no WebSockets
  std::size_t websockets_max = 1024;
  // From the first byte of a request to its last.
  std::chrono::milliseconds request_timeout{10'000};
  // Nothing asked, or an answer of which nothing is read.
  std::chrono::milliseconds idle_timeout{30'000};
};

class HttpServer {
 public:
  // Serves nobody before listen_at(). `handler` is called on the loop; it must not block.
  static std::unique_ptr<HttpServer> make(EventLoop& loop, HttpLimits limits, HttpHandler handler);
  // make() and listen_at() in one, without TLS.
  static Result<std::unique_ptr<HttpServer>> listen(EventLoop& loop, const Address& address,
                                                    HttpLimits limits, Logger& logger,
                                                    HttpHandler handler);
  // Closes all connections. Answers that come later are dropped. The loop must still exist, and
  // outlive every Respond.
  ~HttpServer();

  // Another door, open from now on; where it is. With `tls`, which must outlive this, HTTPS.
  // Errors: as TcpListener::listen.
  Result<Address> listen_at(const Address& address, Logger& logger, TlsContext* tls);

  // The first door's.
  const Address& address() const;
  std::size_t connections() const;

 private:
  class Connections;
  explicit HttpServer(std::shared_ptr<Connections> connections);
  std::shared_ptr<Connections> connections_;  // Responds hold it weakly
  Address address_{};
};

}  // namespace nilo::net
