// mqtt/connection.h: one network connection, as far as the protocol is concerned.
//
//   first_packet -> authenticating -> committing -> open -> closed
//                    |          ^
//                    challenged-+
//
// `challenged` waits for the client's next step of an enhanced authentication, `committing` until
// the session is durable. While authenticating or committing, bytes are kept, not read.
// Threads: one loop. Owned by its Broker. An idle one is a few hundred bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mqtt/authenticator.h"
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

// The topics that this client knows by a number, first come, first served: those it hears first
// tend to be those it hears often, and a table that never changes needs no bookkeeping.
struct KnownTopics {
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view topic) const {
      return std::hash<std::string_view>()(topic);
    }
  };
  std::unordered_map<std::string, std::uint16_t, Hash, std::equal_to<>> aliases{};
};

// An enhanced authentication, under way or done; then the method is kept for the next one.
struct Exchange {
  std::string method{};
  std::string last_data{};                       // of the server, as it is to be sent
  std::unique_ptr<Authenticator> authenticator;  // nullptr: done
  bool awaits_client = false;
};

struct Connection {
  enum class State : std::uint8_t {
    first_packet,
    authenticating,
    challenged,
    committing,
    open,
    closed
  };

  ConnectionId id = 0;
  const Limits* limits = nullptr;  // of its listener; never nullptr
  Session* session = nullptr;      // set while open or committing
  State state = State::first_packet;
  Version version = Version::v3_1_1;
  bool is_reading = false;     // inside the loop over its packets
  bool is_paused = false;      // receive() answered false
  bool is_announced = false;   // send_ready() was called since take_out()
  bool wants_reasons = true;   // 5.0: request problem information
  bool was_forbidden = false;  // a delivery; so that one refusal is told, not thousands
  std::uint16_t keep_alive_s = 0;
  std::uint16_t receive_max = 65'535;            // the client's
  std::uint16_t known_topics_max = 0;            // the client's topic alias maximum, and ours
  std::size_t packet_size_max = kPacketSizeMax;  // the client's
  Presence::End end = Presence::End::lost;       // why, as soon as it is known
  TimeUs since_us = 0;                           // wall clock; when it was let in
  std::int64_t last_seen_us = 0;
  std::int64_t due_us = kNoTimer;   // its entry in the Broker's connection timers
  std::int64_t publish_second = 0;  // where its limits bound the rate: when it last published,
  std::uint32_t publish_count = 0;  // and how often in that second
  std::uint32_t in_seen = 0;        // of `in`: how much of it counted as a sign of life
  std::string source_ip{};
  Principal principal{};
  std::string connect_packet{};  // while authenticating: the whole CONNECT
  std::string in{};              // what could not be handled yet
  std::string out{};             // what was not taken yet
  Ring<Unanswered> unanswered{};
  std::uint32_t first_ticket = 0;               // the number of unanswered.front()
  std::vector<std::string> aliases{};           // the client's: topic of alias - 1
  std::unique_ptr<KnownTopics> known_topics{};  // ours; nullptr while there are none
  std::unique_ptr<StoredWill> will{};
  std::unique_ptr<Exchange> exchange{};  // nullptr: no enhanced authentication
};

}  // namespace nilo::mqtt
