#include "app/reception.h"

#include <utility>

namespace nilo::app {
namespace {

// `task(stream)` on the door's loop. Shared, because a task may be copied; and closed with the task
// if that never runs.
template <typename Task>
void run_with(MqttDoor& door, std::unique_ptr<net::Stream> stream, Task task) {
  const auto shared = std::make_shared<std::unique_ptr<net::Stream>>(std::move(stream));
  door.run_on_loop([shared, task = std::move(task)] { task(std::move(*shared)); });
}

}  // namespace

Reception::Reception(const MqttDoors& doors, std::size_t clients_max, Metrics& metrics)
    : doors_(doors),
      clients_max_(clients_max),
      refused_(metrics.counter("nilo_clients_refused_total", "",
                               "MQTT connections closed at once: no descriptors to spare.")) {
  metrics.gauge("nilo_clients", "MQTT connections.",
                [this] { return static_cast<double>(client_count()); });
}

void Reception::take(std::unique_ptr<net::Stream> stream, const std::string& remote_ip,
                     const Entrance& entrance) {
  if (client_count() >= clients_max_) return refused_.add();
  if (!entrance.tls) return doors_[0]->take(std::move(stream), remote_ip, entrance);
  // A handshake is work: the loops take turns.
  MqttDoor& door = *doors_[++handshake_count_ % doors_.size()];
  run_with(door, std::move(stream), [&door, remote_ip, &entrance](auto connected) {
    door.take(std::move(connected), remote_ip, entrance);
  });
}

void Reception::take_websocket(net::TakenStream taken, stack::Listener::Profile profile) {
  const Entrance& entrance = profile == stack::Listener::Profile::aws ? aws_websocket_ : websocket_;
  run_with(*doors_[0], std::move(taken.stream),
           [this, ip = std::move(taken.remote_ip), &entrance](auto connected) {
             take(std::move(connected), ip, entrance);
           });
}

std::size_t Reception::client_count() const {
  std::size_t count = 0;
  for (const auto& door : doors_) count += door->connection_count();
  return count;
}

}  // namespace nilo::app
