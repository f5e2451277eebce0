#include "app/entrances.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/assert.h"
#include "net/tcp_stream.h"

namespace nilo::app {
namespace {

using Protocol = stack::Listener::Protocol;
using Clients = stack::Listener::Clients;

// The four kinds of doors that there are without a word in the stack.
struct Kind {
  std::string_view name;
  Protocol protocol;
  bool tls;
  int port;
};
constexpr Kind kKinds[] = {{"mqtt", Protocol::mqtt, false, 1883},
                           {"mqtts", Protocol::mqtt, true, 8883},
                           {"http", Protocol::http, false, 8080},
                           {"https", Protocol::http, true, 8443}};

const std::string& given_for(const Kind& kind, const GivenAddresses& given) {
  if (kind.protocol == Protocol::mqtt) return kind.tls ? given.mqtts : given.mqtt;
  return kind.tls ? given.https : given.http;
}

bool is_file(const std::string& path) {
  std::error_code failure;
  return std::filesystem::is_regular_file(path, failure);
}

class Planner {
 public:
  Planner(const GivenAddresses& given, const stack::Stack& stack, std::string stack_dir,
          const std::string& data_dir)
      : given_(given),
        stack_(stack),
        stack_dir_(std::move(stack_dir)),
        certificate_file_(data_dir + "/certs/server.crt"),
        key_file_(data_dir + "/certs/server.key"),
        ca_file_(data_dir + "/certs/ca.crt") {}

  Result<std::vector<Entrance>> plan() {
    for (const Kind& kind : kKinds) TRY(plan(kind));
    return std::move(planned_);
  }

 private:
  Result<void> plan(const Kind& kind) {
    const std::string& given = given_for(kind, given_);
    std::vector<const stack::Listener*> declared;
    bool has_protocol = false;
    for (const stack::Listener& listener : stack_.listeners) {
      has_protocol |= listener.protocol == kind.protocol;
      const bool is_kind = listener.protocol == kind.protocol && listener.tls == kind.tls;
      if (is_kind) declared.push_back(&listener);
    }
    const stack::Listener usual = usual_listener(kind);
    if (!given.empty()) return add(declared.empty() ? usual : *declared.front(), given, kind);
    for (const stack::Listener* listener : declared) TRY(add(*listener, listener->address, kind));
    const bool is_usual = !has_protocol && (!kind.tls || is_file(certificate_file_));
    if (is_usual) TRY(add(usual, usual.address, kind));
    return {};
  }

  stack::Listener usual_listener(const Kind& kind) const {
    stack::Listener listener;
    listener.name = kind.name;
    listener.protocol = kind.protocol;
    listener.tls = kind.tls;
    listener.address = fmt::format("{}:{}", given_.open ? "127.0.0.1" : "", kind.port);
    const bool is_mqtt = kind.protocol == Protocol::mqtt;
    if (is_mqtt && kind.tls) listener.clients = Clients::optional;
    const auto& set = is_mqtt ? stack_.settings.mqtt_listen : stack_.settings.http_listen;
    if (!kind.tls && set) listener.address = *set;
    return listener;
  }

  Result<void> add(const stack::Listener& listener, const std::string& address, const Kind& kind) {
    Entrance entrance;
    entrance.name = listener.name;
    entrance.protocol = listener.protocol;
    entrance.profile = listener.profile;
    entrance.address = TRY(net::parse_address(address, kind.port));
    if (given_.open && !entrance.address.is_loopback()) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("--open lets in whoever reaches {}", entrance.address.text()),
                   "listen on 127.0.0.1, or leave --open out and make tokens"};
    }
    if (listener.tls) entrance.tls = tls_of(listener);
    planned_.push_back(std::move(entrance));
    return {};
  }

  std::string in_stack(const std::string& file) const {
    return file.starts_with('/') ? file : stack_dir_ + "/" + file;
  }

  net::TlsOptions tls_of(const stack::Listener& listener) const {
    net::TlsOptions tls;
    for (std::size_t i = 0; i < listener.certificates.size(); ++i) {
      tls.identities.push_back({in_stack(listener.certificates[i]), in_stack(listener.keys[i])});
    }
    if (tls.identities.empty()) tls.identities = {{certificate_file_, key_file_}};
    tls.clients = static_cast<net::TlsOptions::Clients>(listener.clients);
    if (!listener.ca.empty()) tls.client_ca_file = in_stack(listener.ca);
    if (listener.ca.empty() && is_file(ca_file_)) tls.client_ca_file = ca_file_;
    if (listener.protocol == Protocol::mqtt) {
      tls.protocols = {"x-amzn-mqtt-ca", "mqtt"};
    } else {
      tls.protocols = {"http/1.1", "x-amzn-http-ca"};
      tls.device_protocol = "x-amzn-http-ca";
    }
    return tls;
  }

  const GivenAddresses& given_;
  const stack::Stack& stack_;
  const std::string stack_dir_;
  const std::string certificate_file_;
  const std::string key_file_;
  const std::string ca_file_;
  std::vector<Entrance> planned_;
};

// Another text when a file has changed, come or gone.
std::string stamp_of(const std::vector<std::string>& files) {
  std::string stamp;
  for (const std::string& file : files) {
    struct stat found {};
    const bool is_there = ::stat(file.c_str(), &found) == 0;
    stamp += fmt::format("{}:{}:{}.{}:{};", is_there, found.st_ino, found.st_mtim.tv_sec,
                         found.st_mtim.tv_nsec, found.st_size);
  }
  return stamp;
}

net::TlsOptions::Counters counters_of(Protocol protocol, Metrics& metrics) {
  const char* const label = protocol == Protocol::mqtt ? "protocol=\"mqtt\"" : "protocol=\"http\"";
  return {&metrics.counter("nilo_tls_handshakes_refused_total", label,
                           "TLS connections closed at once: too many of them."),
          &metrics.counter("nilo_tls_handshakes_failed_total", label,
                           "TLS handshakes that came to nothing.")};
}

}  // namespace

Result<std::vector<Entrance>> plan_entrances(const GivenAddresses& given, const stack::Stack& stack,
                                             const std::string& stack_dir,
                                             const std::string& data_dir) {
  return Planner(given, stack, stack_dir, data_dir).plan();
}

Entrances::Entrances(const Rooms& rooms, net::CertificateCheck may_enter,
                     net::CertificateCheck must_be_known)
    : rooms_(rooms), may_enter_(std::move(may_enter)), must_be_known_(std::move(must_be_known)) {
  timer_ = rooms_.loop.every(kReloadEvery, [this] { reload_changed(); });
}

Entrances::~Entrances() { rooms_.loop.cancel(timer_); }

// nullptr: without TLS.
Result<net::TlsContext*> Entrances::load(const Entrance& entrance) {
  if (!entrance.tls) return static_cast<net::TlsContext*>(nullptr);
  net::TlsOptions options = *entrance.tls;
  const bool is_strict =
      entrance.protocol == Protocol::http && options.clients == net::TlsOptions::Clients::required;
  options.may_enter = is_strict && must_be_known_ ? must_be_known_ : may_enter_;
  options.counters = counters_of(entrance.protocol, rooms_.metrics);
  Certificates loaded;
  loaded.name = entrance.name;
  loaded.context = TRY(net::TlsContext::load(std::move(options)));
  loaded.stamp = stamp_of(loaded.context->files());
  certificates_.push_back(std::move(loaded));
  return certificates_.back().context.get();
}

Result<void> Entrances::open_mqtt(const std::vector<Entrance>& planned, const Take& take) {
  for (const Entrance& wanted : planned) {
    if (wanted.protocol != Protocol::mqtt) continue;
    auto entrance = std::make_unique<Entrance>(wanted);
    net::TlsContext* const tls = TRY(load(wanted));
    mqtt_.push_back(TRY(net::TcpListener::listen(
        rooms_.loop, wanted.address, rooms_.logger,
        [tls, take, at = entrance.get()](int fd, const std::string& remote_ip) {
          std::unique_ptr<net::Stream> stream = std::make_unique<net::TcpStream>(fd);
          if (tls != nullptr) stream = tls->wrap(std::move(stream));
          if (stream == nullptr) return;
          take(std::move(stream), remote_ip, *at);
        })));
    entrance->address = mqtt_.back()->address();
    open_.push_back(std::move(entrance));
  }
  return {};
}

Result<void> Entrances::open_http(const std::vector<Entrance>& planned, net::HttpServer& http) {
  for (const Entrance& wanted : planned) {
    if (wanted.protocol != Protocol::http) continue;
    auto entrance = std::make_unique<Entrance>(wanted);
    net::TlsContext* const tls = TRY(load(wanted));
    entrance->address = TRY(http.listen_at(wanted.address, rooms_.logger, tls));
    open_.push_back(std::move(entrance));
  }
  return {};
}

const Entrance* Entrances::first(Protocol protocol, bool tls) const {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const auto& entrance) {
    return entrance->protocol == protocol && entrance->tls.has_value() == tls;
  });
  return found == open_.end() ? nullptr : found->get();
}

net::Address Entrances::mqtt_address() const {
  for (const bool tls : {false, true}) {
    const Entrance* const entrance = first(Protocol::mqtt, tls);
    if (entrance != nullptr) return entrance->address;
  }
  return {};
}

std::uint16_t Entrances::mqtt_tls_port() const {
  const Entrance* const entrance = first(Protocol::mqtt, true);
  return entrance == nullptr ? std::uint16_t{0} : entrance->address.port;
}

stack::Listener::Profile Entrances::http_profile(std::size_t listener) const {
  for (const auto& entrance : open_) {
    if (entrance->protocol == Protocol::http && listener-- == 0) return entrance->profile;
  }
  NILO_ASSERT(false);
  return {};
}

void Entrances::reload(Certificates& certificates) {
  // Before they are read: what changes meanwhile is seen the next time.
  certificates.stamp = stamp_of(certificates.context->files());
  if (const auto done = certificates.context->reload(); !done) {
    rooms_.logger.error("tls.reload_failed", {{"listener", certificates.name},
                                              {"reason", done.error().message},
                                              {"still", "the certificate from before"}});
    return;
  }
  rooms_.logger.info("tls.reloaded", {{"listener", certificates.name}});
}

void Entrances::reload() {
  for (Certificates& each : certificates_) reload(each);
}

void Entrances::reload_changed() {
  for (Certificates& each : certificates_) {
    if (each.stamp != stamp_of(each.context->files())) reload(each);
  }
}

void Entrances::close_mqtt() { mqtt_.clear(); }

}  // namespace nilo::app
