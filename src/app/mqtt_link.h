// app/mqtt_link.h: an MQTT client with a socket, for the command line.
//
// Blocks in run_until() only. Threads: one.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "mqtt/client.h"
#include "net/address.h"

namespace nilo::app {

struct MqttLinkOptions {
  net::Address server;
  mqtt::ClientOptions client;
  std::chrono::milliseconds timeout{10'000};  // to connect, and for each answer waited for
};

class MqttLink final : mqtt::ClientHandler {
 public:
  // Connected and logged in. `on_message` is called from within run_until().
  // unavailable: no server there. unauthenticated, permission_denied: it does not want us.
  static Result<std::unique_ptr<MqttLink>> connect(
      MqttLinkOptions options, const Clock& clock,
      std::function<void(const MessageView&)> on_message = nullptr);
  ~MqttLink() override;

  mqtt::Client& client() { return client_; }

  // Sends and receives until `is_done()` or `until` (steady microseconds) is reached.
  // unavailable: the connection ended.
  Result<void> run_until(std::int64_t until_us, const std::function<bool()>& is_done);

  // Publishes, and at QoS 1 and 2 waits for the answer. Errors: the server's reason in words.
  Result<void> publish(const MessageView& message);
  // permission_denied, invalid_argument: the server refused the filter.
  Result<void> subscribe(std::string_view filter, Qos qos);
  // As subscribe, without waiting for acknowledgements of what is in flight: publishes as soon as
  // the server's quota allows it.
  Result<void> publish_pipelined(const MessageView& message);
  // Waits for what is in flight. Errors: the first refusal since connect(), and how many there
  // were.
  Result<void> drain();
  void disconnect();

  std::uint64_t acknowledged_count() const { return acknowledged_count_; }

 private:
  MqttLink(MqttLinkOptions options, const Clock& clock,
           std::function<void(const MessageView&)> on_message);
  Result<void> exchange(int wait_ms);
  Result<void> wait_for(const std::function<bool()>& is_done, std::string_view what);

  void on_connected(bool session_present) override;
  void on_published(std::uint16_t packet_id, mqtt::Reason reason) override;
  void on_subscribed(std::uint16_t packet_id, const std::vector<mqtt::Reason>& reasons) override;
  void on_message(const MessageView& message) override;
  void on_disconnected(const Error& error) override;

  const MqttLinkOptions options_;
  const Clock& clock_;
  std::function<void(const MessageView&)> message_handler_;
  mqtt::Client client_;
  int fd_ = -1;
  std::string unsent_;
  std::optional<Error> failure_;
  std::optional<mqtt::Reason> last_answer_;
  std::uint64_t acknowledged_count_ = 0;
  std::uint64_t refused_count_ = 0;
  std::optional<mqtt::Reason> first_refusal_;
};

}  // namespace nilo::app
