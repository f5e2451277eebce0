// app/reception.h: MQTT connections that just came in, from whichever entrance, find a door.
//
// Threads: take() on loop 0, the others from any.
// Limits:  `clients_max` connections; one more is closed at once and counted.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "app/entrances.h"
#include "app/mqtt_door.h"
#include "base/metrics.h"
#include "net/http.h"
#include "net/stream.h"

namespace nilo::app {

class Reception {
 public:
  // `doors` may still be empty; there is one when somebody comes.
  Reception(const MqttDoors& doors, std::size_t clients_max, Metrics& metrics);

  // `entrance` outlives the doors.
  void take(std::unique_ptr<net::Stream> stream, const std::string& remote_ip,
            const Entrance& entrance);
  // A WebSocket, whose TLS was HTTP's affair. `profile`: of the listener that it came by.
  void take_websocket(net::TakenStream taken, stack::Listener::Profile profile);

  std::size_t client_count() const;

 private:
  const MqttDoors& doors_;
  const std::size_t clients_max_;
  const Entrance websocket_{.name = "websocket"};
  const Entrance aws_websocket_{.name = "websocket", .profile = stack::Listener::Profile::aws};
  std::size_t handshake_count_ = 0;
  Counter& refused_;
};

}  // namespace nilo::app
