// mqtt/client.h: the other side of the wire, for `nilo pub`, `sub` and `simulate`.
//
// In/out:  bytes from the server -> calls to a ClientHandler; publish() and subscribe() -> bytes.
// Threads: one; no sockets in here.
// Limits:  as many unanswered publishes as the server takes (its receive maximum, at most 65,535).
// Source:  MQTT 5.0 and 3.1.1. QoS 0, 1 and 2, out and in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mqtt/codec.h"

namespace nilo::mqtt {

struct ClientOptions {
  Version version = Version::v5;
  std::string client_id{};  // empty: the server gives one
  bool clean_start = true;
  std::uint32_t session_expiry_s = 0;  // 5.0
  std::uint16_t keep_alive_s = 60;     // 0 = none
  std::optional<std::string> user_name{};
  std::optional<std::string> password{};
  std::optional<Message> will{};
  std::size_t packet_size_max = 64u << 20;
};

class ClientHandler {
 public:
  virtual ~ClientHandler() = default;
  virtual void on_connected(bool session_present) = 0;
  // The answer to a publish() or subscribe() of this packet id. At QoS 2: the end of the exchange.
  virtual void on_published(std::uint16_t packet_id, Reason reason) = 0;
  virtual void on_subscribed(std::uint16_t packet_id, const std::vector<Reason>& reasons) = 0;
  // Acknowledged when this returns. received_us is 0.
  virtual void on_message(const MessageView& message) = 0;
  // The connection is over; nothing follows. unauthenticated: the server does not know us.
  virtual void on_disconnected(const Error& error) = 0;
};

class Client {
 public:
  // `handler` and `clock` must outlive the client.
  Client(ClientOptions options, ClientHandler& handler, const Clock& clock);

  // Writes the CONNECT; once, first.
  void start();
  // Bytes from the server. After on_disconnected() they are ignored.
  void receive(std::string_view bytes);
  // What to send; empty when there is nothing.
  std::string take_out();
  // The socket is gone.
  void closed(std::string_view why);
  // Every second or so: PINGREQ, and giving up on a server that does not answer it.
  void tick();

  bool is_connected() const { return state_ == State::connected; }
  // Publishes that may be sent now.
  std::size_t send_quota() const;
  std::size_t in_flight_count() const { return unanswered_count_; }

  // Packet id; 0 at QoS 0, which is not answered. Only while connected (asserted).
  // too_large: more than the server takes. resource_exhausted: quota is 0.
  Result<std::uint16_t> publish(const MessageView& message);
  std::uint16_t subscribe(const std::vector<SubscribeEntry>& entries);
  std::uint16_t unsubscribe(const std::vector<std::string_view>& filters);
  // Says goodbye: take_out(), then close the socket.
  void disconnect();

 private:
  enum class State : std::uint8_t { idle, connecting, connected, over };

  void handle(const Frame& frame);
  void handle_connack(const Frame& frame);
  void handle_publish(const Frame& frame);
  void handle_ack(const Frame& frame);
  void handle_suback(const Frame& frame);
  void fail(ErrorCode code, std::string message);
  std::uint16_t next_packet_id();

  ClientOptions options_;
  ClientHandler& handler_;
  const Clock& clock_;
  State state_ = State::idle;
  std::string in_;  // the beginning of a packet that is not complete
  std::string out_;
  std::vector<bool> in_use_;    // packet ids that wait for an answer
  std::vector<bool> received_;  // QoS 2 ids handled and not yet released
  std::vector<std::string> aliases_;
  std::size_t unanswered_count_ = 0;
  std::size_t receive_max_ = 65'535;  // the server's
  std::size_t send_size_max_ = 0;     // the server's; 0 = any
  std::uint16_t keep_alive_s_ = 0;
  std::uint16_t last_packet_id_ = 0;
  std::int64_t sent_us_ = 0;
  std::int64_t ping_sent_us_ = 0;  // 0: none is unanswered
};

}  // namespace nilo::mqtt
