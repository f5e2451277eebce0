// mqtt/connection.h: one network connection, as far as the protocol is concerned.
//
//   first_packet -> authenticating -> committing -> open -> closed
//
// `committing` waits until the session is durable. While it is neither first_packet nor open,
// bytes are kept, not read.
// Threads: one loop. Owned by its Broker. An idle one is a few hundred bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mqtt/codec.h"
#include "mqtt/host.h"
#include "mqtt/ring.h"
#include "mqtt/session.h"

namespace nilo::mqtt {

// A PUBLISH that is not answered yet, in order of arrival: answers leave in this order
// [MQTT-4.6.0-2, 4.6.0-3].
struct Unanswered {
  std::uint16_t packet_id = 0;
  Qos qos = Qos::at_least_once;
  Reason reason = Reason::success;
  bool is_known = false;               // the reason is
  std::unique_ptr<std::string> why{};  // for people; usually absent
};

struct Connection {
  enum class State : std::uint8_t { first_packet, authenticating, committing, open, closed };

  ConnectionId id = 0;
  Session* session = nullptr;  // set while open or committing
  State state = State::first_packet;
  Version version = Version::v3_1_1;
  bool is_reading = false;    // inside the loop over its packets
  bool is_paused = false;     // receive() answered false
  bool is_announced = false;  // send_ready() was called since take_out()
  bool wants_reasons = true;  // 5.0: request problem information
  std::uint16_t keep_alive_s = 0;
  std::uint16_t receive_max = 65'535;            // the client's
  std::size_t packet_size_max = kPacketSizeMax;  // the client's
  std::int64_t last_seen_us = 0;
  std::int64_t due_us = kNoTimer;  // its entry in the Broker's connection timers
  std::string source_ip{};
  Principal principal{};
  std::string connect_packet{};  // while authenticating: the whole CONNECT
  std::string in{};              // what could not be handled yet
  std::string out{};             // what was not taken yet
  Ring<Unanswered> unanswered{};
  std::uint32_t first_ticket = 0;  // the number of unanswered.front()
  std::vector<std::string> aliases{};
  std::unique_ptr<StoredWill> will{};
};

}  // namespace nilo::mqtt
