// mqtt/outgoing_queue.h: the QoS 1 and 2 messages of one session, on their way out.
//
// One queue in order of arrival: first those that have a packet identifier, then those that wait.
// Identifiers are given in order, so an acknowledgement finds its message by subtraction.
//
//   | sent, id 7 | done, id 8 | sent, id 9 | waiting | waiting |
//
// A message leaves when it is done and nothing before it is under way. What an acknowledgement
// finished is handed back, so that the session can log it.
//
// Threads: one loop.
// Limits:  count_max and size_max, given to push(); 65,535 identifiers.
// Source:  MQTT 5.0 sections 4.3 (QoS), 4.4 (redelivery), 4.6 (order), 4.9 (flow control).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "mqtt/packet.h"
#include "mqtt/ring.h"
#include "value/message.h"
#include "value/record.h"

namespace nilo::mqtt {

struct Outgoing {
  enum class State : std::uint8_t {
    waiting,
    sent,      // PUBLISH went out: PUBACK or PUBREC is due
    released,  // PUBREL went out: PUBCOMP is due
    done,
  };
  MessagePtr message{};
  Seq seq = 0;  // the record that queued it; 0 = none
  std::unique_ptr<std::vector<std::uint32_t>> identifiers{};
  std::uint16_t packet_id = 0;  // 0 = none yet
  Qos qos = Qos::at_least_once;
  bool retain = false;
  State state = State::waiting;
};

class OutgoingQueue {
 public:
  bool empty() const { return ring_.empty(); }
  std::size_t count() const { return ring_.size(); }
  std::size_t size() const { return size_; }  // bytes of topics and payloads

  // False: over a limit; `entry` is not taken.
  bool push(Outgoing&& entry, std::size_t count_max, std::size_t size_max);

  // The next message to send or to send again on this connection, while fewer than `receive_max`
  // are unanswered; nullptr if there is none. It has an identifier. Call sent() or give_up() for
  // it before asking again.
  Outgoing* next(std::size_t receive_max);
  // It went out: a first time, or again (as PUBLISH with DUP, or as PUBREL when released).
  void sent();
  // It will never go out (too large, expired). Returns its seq.
  Seq give_up();

  enum class Answer : std::uint8_t {
    unknown,   // no such identifier
    wrong,     // not what this message waits for
    released,  // PUBREC: send PUBREL
    finished,  // `seq` is delivered
  };
  // `ok`: the acknowledgement's reason is not an error.
  Answer acknowledge(std::uint16_t packet_id, PacketType type, bool ok, Seq& seq);

  // The connection is gone: everything unanswered will be sent again on the next one.
  void rewind();
  // At replay: the message of record `seq` was delivered.
  void forget(Seq seq);

 private:
  bool give_id(Outgoing& entry);
  Outgoing* find(std::uint16_t packet_id);
  void finish(Outgoing& entry);
  void pop_finished();

  Ring<Outgoing> ring_;
  std::size_t size_ = 0;
  std::size_t numbered_ = 0;    // the first so many have an identifier
  std::size_t position_ = 0;    // the first so many were sent on this connection
  std::size_t unanswered_ = 0;  // of those, so many are not done
  std::uint16_t last_id_ = 0;
};

}  // namespace nilo::mqtt
