// app/entrances.h: where devices and people come in: addresses, certificates, listening sockets.
//
//   command line, stack, DATA/certs -> plan_entrances() -> Entrance ... -> Entrances: open ports
//
// MQTT connections are handed to whoever takes them; those of HTTP to the HttpServer. Certificates
// are read again when their files change, and when they are told to.
// Threads: loop 0's, but for open(), before the loops run.
// Limits:  kReloadEvery; handshakes as in net/tls.h, beyond them connections are closed and
//          counted.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/logger.h"
#include "base/metrics.h"
#include "base/result.h"
#include "net/address.h"
#include "net/event_loop.h"
#include "net/http_server.h"
#include "net/tcp_listener.h"
#include "net/tls.h"
#include "stack/stack.h"

namespace nilo::app {

// How soon a changed certificate is seen.
inline constexpr std::chrono::seconds kReloadEvery{2};

struct Entrance {
  std::string name{};  // of [listener.NAME]; else "mqtt", "mqtts", "http", "https"
  stack::Listener::Protocol protocol{};
  stack::Listener::Profile profile{};
  net::Address address{};                // once open: where it is
  std::optional<net::TlsOptions> tls{};  // but for `may_enter`
};

// What the command line says; empty: nothing.
struct GivenAddresses {
  std::string mqtt{};
  std::string mqtts{};
  std::string http{};
  std::string https{};
  bool open = false;  // nobody but this machine
};

// An address that is given makes one entrance of its kind, with the other settings of the stack's
// first. A protocol that has listeners in the stack has only those; else there are the usual
// ports, those with TLS if the data folder has a certificate (nilo cert server).
// invalid_argument: an address, or one that others can reach where `open`.
Result<std::vector<Entrance>> plan_entrances(const GivenAddresses& given, const stack::Stack& stack,
                                             const std::string& stack_dir,
                                             const std::string& data_dir);

class Entrances {
 public:
  using Take = std::function<void(std::unique_ptr<net::Stream>, const std::string& remote_ip,
                                  const Entrance&)>;
  struct Rooms {  // all must outlive this
    net::EventLoop& loop;
    Logger& logger;
    Metrics& metrics;
  };
  // `may_enter` is asked by every handshake in which a client shows a certificate. Where HTTP
  // requires one `must_be_known` is: there is no CONNECT at which a stranger would be told.
  Entrances(const Rooms& rooms, net::CertificateCheck may_enter,
            net::CertificateCheck must_be_known = {});
  ~Entrances();

  // Those of one protocol. Errors: the port is in use, or not ours; a certificate that is none.
  Result<void> open_mqtt(const std::vector<Entrance>& planned, const Take& take);
  // `http` must be gone before this is.
  Result<void> open_http(const std::vector<Entrance>& planned, net::HttpServer& http);
  // In the order of the plan, MQTT before HTTP; never moved once all are open.
  const std::vector<std::unique_ptr<Entrance>>& all() const { return open_; }
  // The first of this kind; nullptr: there is none.
  const Entrance* first(stack::Listener::Protocol protocol, bool tls) const;
  // As devices reach MQTT: the first without TLS, else the first; none: empty.
  net::Address mqtt_address() const;
  // 0: there is none with TLS.
  std::uint16_t mqtt_tls_port() const;
  // Of the HTTP entrance that open_http() opened as number `listener`, counted from 0; asserted.
  // From any thread, once all are open.
  stack::Listener::Profile http_profile(std::size_t listener) const;

  // Reads all certificates again, changed or not. Those that are no good stay as they were.
  void reload();
  // Takes nobody in any more; HTTP is the HttpServer's to end.
  void close_mqtt();

 private:
  struct Certificates {
    std::string name;
    std::unique_ptr<net::TlsContext> context;
    std::string stamp;  // of the files when they were last read
  };

  Result<net::TlsContext*> load(const Entrance& entrance);
  void reload(Certificates& certificates);
  void reload_changed();

  Rooms rooms_;
  const net::CertificateCheck may_enter_;
  const net::CertificateCheck must_be_known_;
  std::vector<std::unique_ptr<Entrance>> open_;
  std::vector<Certificates> certificates_;
  std::vector<std::unique_ptr<net::TcpListener>> mqtt_;
  net::TimerId timer_ = net::TimerId::none;
};

}  // namespace nilo::app
