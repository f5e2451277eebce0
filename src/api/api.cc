#include "api/api.h"

#include <algorithm>
#include <utility>

#include "api/openapi.h"
#include "api/routes.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "net/public_address.h"

namespace nilo::api {
namespace {

constexpr std::string_view kAnsweredHelp = "HTTP requests answered, by class of status";

std::array<Counter*, 4> answer_counters(Metrics& metrics) {
  const std::string name = "nilo_http_requests_total";
  return {&metrics.counter(name, R"(code="2xx")", kAnsweredHelp),
          &metrics.counter(name, R"(code="3xx")", kAnsweredHelp),
          &metrics.counter(name, R"(code="4xx")", kAnsweredHelp),
          &metrics.counter(name, R"(code="5xx")", kAnsweredHelp)};
}

// The host of "host:port" or "[::1]:port".
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_loopback_name(std::string_view host) {
  // Digits and dots only: 127.example.com is a name like any other.
  const bool is_ipv4 = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host == "[::1]" || (is_ipv4 && host.starts_with("127."));
}

net::HttpResponse with_header(net::HttpResponse response, std::string name, std::string value) {
  response.headers.emplace_back(std::move(name), std::move(value));
  return response;
}

}  // namespace

Api::Api(Backend backend, const std::vector<EndpointSpec>& endpoints, ApiOptions options,
         const Clock& clock, Metrics& metrics, Logger& logger)
    : backend_(std::move(backend)),
      options_(std::move(options)),
      clock_(clock),
      logger_(logger),
      answered_(answer_counters(metrics)),
      routes_(make_routes(Context{backend_, clock, metrics, routes_}, endpoints)) {}

void Api::handle(net::HttpRequest request, net::Respond respond) {
  Call call;
  call.respond = counted(request, std::move(respond));
  call.request = std::move(request);
  if (const Result<void> origin = check_origin(call.request); !origin) {
    return call.respond(error_response(origin.error()));
  }
  const Route* const route = find(call);
  const bool is_for_a_program = route != nullptr && call.request.path != "/";
  if (!is_for_a_program) {
    if (auto file = options_.assets.file(call.request)) return call.respond(std::move(*file));
    if (auto page = options_.assets.page(call.request)) return call.respond(std::move(*page));
  }
  if (route == nullptr) return call.respond(no_route(call.request));
  if (route->access == Access::open) return run(*route, std::move(call));
  authenticate(*route, std::move(call));
}

// Counts and logs the answer on its way out: who turns an error into an answer logs it, once.
net::Respond Api::counted(const net::HttpRequest& request, net::Respond respond) {
  return [this, respond = std::move(respond), method = request.method, path = request.path,
          ip = request.remote_ip,
          // Not with TLS of our own: its certificate may be one that browsers do not know.
          is_tls = is_behind_tls_proxy(request)](net::HttpResponse response) {
    if (is_tls) response.headers.emplace_back("Strict-Transport-Security", "max-age=31536000");
    answered_[static_cast<std::size_t>(std::clamp(response.status / 100 - 2, 0, 3))]->add();
    if (response.status >= 400) {
      const Logger::Level level =
          response.status >= 500 ? Logger::Level::warn : Logger::Level::debug;
      logger_.write(level, "api.refused",
                    {{"method", method},
                     {"path", printable(path, 200)},
                     {"status", response.status},
                     {"ip", ip},
                     {"answer", printable(response.body, 300)}});
    }
    respond(std::move(response));
  };
}

// A page from elsewhere may make a browser send us requests, though it cannot read the answers.
// Reading is harmless; everything else must come from our own pages or from no page at all.
Result<void> Api::check_origin(const net::HttpRequest& request) const {
  const std::string_view host = request.header("host");
  if (options_.loopback_names_only && !is_loopback_name(without_port(host))) {
    return Error{ErrorCode::permission_denied,
                 "an open server answers only to localhost, not to '" + printable(host, 80) + "'",
                 "use http://localhost or http://127.0.0.1"};
  }
  constexpr std::string_view kOfProxies[] = {"x-forwarded-for", "forwarded", "x-real-ip", "via"};
  const bool is_forwarded =
      std::any_of(std::begin(kOfProxies), std::end(kOfProxies),
                  [&](std::string_view name) { return !request.header(name).empty(); });
  if (options_.loopback_names_only && is_forwarded) {
    return Error{ErrorCode::permission_denied, "an open server does not answer through a proxy",
                 "leave --open out and make tokens"};
  }
  const std::string_view origin = request.header("origin");
  // A browser sends the cookie by itself, so there it must say which page asks; a WebSocket is more
  // than reading.
  const bool is_reading = request.method == "GET" && request.header("upgrade").empty();
  const bool by_cookie = request.header("authorization").empty() &&
                         request.header("cookie").find(kSessionCookie) != std::string_view::npos;
  if (is_reading || (origin.empty() && !by_cookie)) return {};
  if (origin == "http://" + std::string(host) || origin == "https://" + std::string(host)) {
    return {};
  }
  // A page elsewhere has no cookie here: over MQTT it logs in like any device.
  const auto& invited = options_.mqtt_origins;
  const bool is_invited = std::find(invited.begin(), invited.end(), origin) != invited.end();
  if (is_invited && request.path == kMqttPath && request.method == "GET") return {};
  if (origin.empty()) {
    return Error{ErrorCode::permission_denied, "a session's request needs the header Origin",
                 "scripts show a token: Authorization: Bearer nilo_..."};
  }
  return Error{ErrorCode::permission_denied,
               "requests from pages of " + printable(origin, 80) + " are refused", ""};
}

const Route* Api::find(Call& call) const {
  for (const Route& route : routes_) {
    if (route.method == call.request.method &&
        match_path(route.path, call.request.path, call.arguments)) {
      return &route;
    }
  }
  return nullptr;
}

// 204 for OPTIONS, 405 for a path that takes other methods, else 404 with the nearest path.
net::HttpResponse Api::no_route(const net::HttpRequest& request) const {
  std::string allowed;
  std::vector<std::string_view> paths;
  std::vector<tables::SqlParameter> arguments;
  for (const Route& route : routes_) {
    paths.push_back(route.path);
    if (!match_path(route.path, request.path, arguments) && request.path != "*") continue;
    if (allowed.find(route.method) == std::string::npos) allowed += route.method + ", ";
  }
  if (!allowed.empty()) {
    allowed += "OPTIONS";
    if (request.method == "OPTIONS") {
      net::HttpResponse response;
      response.status = 204;
      return with_header(std::move(response), "Allow", allowed);
    }
    net::HttpResponse response = error_response(
        {ErrorCode::unsupported, printable(request.method, 20) + " is not possible here",
         "this path takes " + allowed});
    response.status = 405;
    return with_header(std::move(response), "Allow", allowed);
  }
  const std::string_view near = nearest(request.path, paths);
  return error_response({ErrorCode::not_found, "no such path: " + printable(request.path, 200),
                         near.empty() ? "all paths are in /api/openapi.json"
                                      : "did you mean " + std::string(near) + "?"});
}

void Api::authenticate(const Route& route, Call call) {
  const std::string ip = net::network_of(call.request.remote_ip);
  const Result<Credentials> credentials = read_credentials(call.request);
  if (!credentials) return call.respond(error_response(credentials.error()));
  // A session's 256 random bits are not guessed; old ones are shown by every tab left open.
  const bool guesses = !credentials->is_none() && credentials->session.empty();
  if (guesses && failures_.is_blocked(ip, clock_.steady_us())) {
    net::HttpResponse response =
        error_response({ErrorCode::resource_exhausted,
                        "too many wrong tokens or passwords from " + ip, "wait a minute"});
    response.status = 429;
    return call.respond(with_header(std::move(response), "Retry-After", "60"));
  }
  // std::function wants to copy what it holds, so the call is shared until there is an answer.
  const auto waiting = std::make_shared<Call>(std::move(call));
  backend_.authenticate(*credentials, [this, &route, waiting, guesses, ip](Result<Principal> who) {
    if (!who) {
      if (guesses) {
        failures_.failed(ip, clock_.steady_us());
        logger_.warn("api.login_failed", {{"ip", waiting->request.remote_ip}});
      }
      net::HttpResponse response = error_response(who.error());
      if (who.error().code == ErrorCode::resource_exhausted) response.status = 429;
      return waiting->respond(std::move(response));
    }
    if (!is_allowed(route.access, who->role)) {
      return waiting->respond(
          error_response({ErrorCode::permission_denied, "'" + who->name + "' may not do this",
                          "ask for a token with another role"}));
    }
    waiting->principal = std::move(*who);
    run(route, std::move(*waiting));
  });
}

void Api::run(const Route& route, Call call) const {
  if (const Result<void> read = read_query(route.parameters, call.request.query, call.arguments);
      !read) {
    return call.respond(error_response(read.error()));
  }
  route.handler(std::move(call));
}

std::string openapi_json(const std::vector<EndpointSpec>& endpoints) {
  const Backend nothing;
  const SystemClock clock;
  const Metrics metrics;
  const std::vector<Route> none;
  return openapi_of(make_routes(Context{nothing, clock, metrics, none}, endpoints));
}

}  // namespace nilo::api
