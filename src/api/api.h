// api/api.h: REST: requests of browsers, scripts and devices, answered from tables and bus.
//
// In/out:  HttpRequest -> route -> who asks -> checked parameters -> handler -> HttpResponse.
//          Files of the web folder and its page (assets.h) are answered to anybody.
//          Every error is {"error":{"code","message","hint"}} with the status of error_code.h.
// Threads: handle() from any thread; usually the HTTP server's loop. Never blocks beyond what the
//          Backend's functions do.
// Limits:  net::HttpLimits on each request; kAuthFailuresMax wrong tokens a minute and address.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/assets.h"
#include "api/backend.h"
#include "api/failure_limiter.h"
#include "api/route.h"
#include "base/clock.h"
#include "base/logger.h"
#include "base/metrics.h"
#include "net/http.h"

namespace nilo::api {

inline constexpr std::string_view kMqttPath = "/mqtt";

struct ApiOptions {
  // With --open: only answers requests for a loopback name, so that a web page elsewhere cannot
  // reach us by a DNS name that it lets point here (DNS rebinding).
  bool loopback_names_only = false;
  Assets assets{};
  // Of pages elsewhere that may open a WebSocket for MQTT: "https://tanks.example.org".
  std::vector<std::string> mqtt_origins{};
};

class Api {
 public:
  // References must outlive this; this must outlive every request under way.
  Api(Backend backend, const std::vector<EndpointSpec>& endpoints, ApiOptions options,
      const Clock& clock, Metrics& metrics, Logger& logger);
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  // A net::HttpHandler.
  void handle(net::HttpRequest request, net::Respond respond);

  const std::vector<Route>& routes() const { return routes_; }

 private:
  net::Respond counted(const net::HttpRequest& request, net::Respond respond);
  Result<void> check_origin(const net::HttpRequest& request) const;
  const Route* find(Call& call) const;
  net::HttpResponse no_route(const net::HttpRequest& request) const;
  void authenticate(const Route& route, Call call);
  void run(const Route& route, Call call) const;

  Backend backend_;
  ApiOptions options_;
  const Clock& clock_;
  Logger& logger_;
  FailureLimiter failures_;
  std::array<Counter*, 4> answered_;  // 2xx, 3xx, 4xx, 5xx
  std::vector<Route> routes_;
};

// OpenAPI 3.1 for what a server with these endpoints answers (GET /api/openapi.json).
std::string openapi_json(const std::vector<EndpointSpec>& endpoints);

}  // namespace nilo::api
