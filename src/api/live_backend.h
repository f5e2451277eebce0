// api/live_backend.h: what the API needs from the house for open pages and refused clients.
//
// Threads: functions of any thread, but where one says otherwise.
#pragma once

#include <functional>
#include <memory>

#include "api/refused.h"
#include "net/websocket.h"

namespace nilo::api {

struct LiveBackend {
  // A connection's handler, which asks now and then whether its login still holds. On the HTTP
  // server's loop.
  std::function<std::shared_ptr<net::WebSocketHandler>(std::function<bool()> may_stay)> open;
  RefusedBackend refused;
};

}  // namespace nilo::api
