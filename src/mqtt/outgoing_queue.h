// mqtt/outgoing_queue.h: the QoS 1 and 2 messages of one session, on their way out.
//
// In order of arrival: first those under way, which have a packet identifier, then those that wait.
// Identifiers are given in order, so an acknowledgement finds its message by subtraction.
//
//   under way                           waiting
//   | sent, id 7 | done, id 8 | sent, id 9 | record 1042 | record 1043 | record 1050 |
//                                          '--- held ---'
//
// A message leaves when it is done and nothing before it is under way. What an acknowledgement
// finished is handed back, so that the session can log it. Of a persistent session, an identifier
// is in the log before a QoS 2 message leaves with it, so that a client who has seen half of an
// exchange finds its other half after a crash (docs/formats/session.md).
//
// A message that waits for a persistent session is a place in the log, 16 bytes. Only the first
// few are held in memory, and none while the client is away; the others are fetched from the log
// when the client has read so far (missing(), fetched()).
//
// Threads: one loop.
// Limits:  QueueLimits, given to push(); 65,535 identifiers. kHeldMax and kHeldSizeMax messages and
//          bytes are held for one session, kFlightSizeMax under way (one at least); when all
//          sessions together hold more than held_size_max, kHeldLittle for each.
// Source:  MQTT 5.0 sections 4.3 (QoS), 4.4 (redelivery), 4.6 (order), 4.9 (flow control).
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "mqtt/host.h"
#include "mqtt/packet.h"
#include "mqtt/ring.h"
#include "value/message.h"
#include "value/record.h"

namespace nilo::mqtt {

// A message as one session gets it.
struct Letter {
  MessagePtr message{};
  std::unique_ptr<std::vector<std::uint32_t>> identifiers{};  // of subscriptions; usually absent
  Qos qos = Qos::at_least_once;
  bool retain = false;
  SharePtr share{};  // the shared subscription that let it through
};

// A message under way.
struct Outgoing {
  enum class State : std::uint8_t {
    numbered,   // has an identifier, was not sent yet
    sent,       // PUBLISH went out: PUBACK or PUBREC is due
    confirmed,  // PUBREC came and is being logged
    released,   // PUBREL went out, or may: PUBCOMP is due
    done,
  };
  Letter letter{};
  Position at{};
  std::uint16_t packet_id = 0;
  State state = State::numbered;
  bool is_shared = false;  // its letter has a share, or had before it went to the log
};

// The identifier of a queued message.
struct Numbered {
  std::uint16_t packet_id = 0;
  Position at{};
  friend bool operator==(const Numbered&, const Numbered&) = default;
};

inline constexpr std::size_t kHeldMax = 512;
inline constexpr std::size_t kHeldLittle = 8;
inline constexpr std::size_t kHeldSizeMax = 512 * 1024;
inline constexpr std::size_t kFlightSizeMax = 4 * 1024 * 1024;

struct QueueLimits {
  std::size_t count_max = ~std::size_t{0};      // messages of this session
  std::size_t size_max = ~std::size_t{0};       // bytes of those that are nowhere but here
  std::size_t all_count_max = ~std::size_t{0};  // messages of all sessions
  std::size_t held_size_max = ~std::size_t{0};  // bytes in memory, of all sessions
};

// Of all queues of a Broker.
struct QueueTotals {
  std::size_t count = 0;
  std::size_t held_size = 0;
  std::size_t received_ids = 0;  // of QoS 2 publishes not released
};

class OutgoingQueue {
 public:
  // `totals` must outlive the queue.
  explicit OutgoingQueue(QueueTotals& totals) : totals_(totals) {}
  ~OutgoingQueue();
  OutgoingQueue(const OutgoingQueue&) = delete;
  OutgoingQueue& operator=(const OutgoingQueue&) = delete;

  bool empty() const { return count() == 0; }
  std::size_t count() const { return flight_.size() + waiting_.size(); }
  // Did next() give all there is?
  bool is_all_sent() const { return position_ == end() && waiting_.empty(); }
  std::size_t held_size() const { return held_size_; }  // bytes of topics and payloads in memory

  // False: over a limit; `letter` is not taken. `at` need not rise. `is_away`: the client is; then
  // a message that is in the log is not held.
  bool push(const Position& at, Letter&& letter, bool is_away, const QueueLimits& limits);

  // The next message to send or to send again on this connection, while fewer than `receive_max`
  // are unanswered; nullptr if there is none, or it is missing. Call sent() or give_up() for it
  // before asking again.
  Outgoing* next(std::size_t receive_max);
  // Is the identifier of the message that next() gave in the log?
  bool is_logged() const { return position_ < logged_; }
  // It went out: a first time, or again (as PUBLISH with DUP, or as PUBREL when released).
  void sent();
  // It will never go out (too large, expired).
  Position give_up();

  // Gives identifiers to all that may be sent now. The result, with those that were given and not
  // logged before, is to be logged; then call logged() with the mark.
  struct Numbering {
    std::vector<Numbered> numbered;
    std::uint64_t mark = 0;
  };
  Numbering number(std::size_t receive_max);
  void logged(std::uint64_t mark);

  enum class Answer : std::uint8_t {
    unknown,    // no such identifier
    wrong,      // not what this message waits for
    confirmed,  // PUBREC: call release() when that is durable
    released,   // PUBREC once more: send PUBREL
    finished,   // `at` is delivered
  };
  // `ok`: the acknowledgement's reason is not an error.
  Answer acknowledge(std::uint16_t packet_id, PacketType type, bool ok, Position& at);
  // What was confirmed is released. False: PUBREL is not to be sent now.
  bool release(std::uint16_t packet_id);
  // What was confirmed could not be logged.
  void unconfirm(std::uint16_t packet_id);

  // The connection is gone: everything unanswered will be sent again on the next one. What the log
  // has is held no longer.
  void rewind();

  // The messages to be fetched from the log now, in the order in which they will leave; none while
  // enough are held.
  std::vector<Position> missing(const QueueLimits& limits) const;
  // What missing() asked for, in its order. False: it is not needed any more.
  bool fetched(const Position& at, Letter&& letter);
  // The log does not have it any more. False: as above.
  bool lost(const Position& at);

  // What shared subscriptions let through, and the client may take or leave: that which it did not
  // acknowledge. In the log, some may be at QoS 2; in memory, all are at QoS 1.
  struct Shared {
    std::vector<Position> logged;
    std::vector<std::pair<SharePtr, MessagePtr>> held;
  };
  Shared shared() const;

  // At replay, when `at` rises.
  void restore(const Position& at, bool is_shared = false);
  void restore_id(const Numbered& numbered);
  void restore_confirmed(std::uint16_t packet_id);
  void restore_settled(const Position& at);
  void forget(Seq seq);  // the first message of record `seq` that is still here

 private:
  struct Waiting {  // 16 bytes
    Seq seq = 0;
    std::uint32_t index = 0;
    bool is_here = true;  // else it has moved, or is done
    bool is_shared = false;
    Position at() const { return {seq, index}; }
  };

  std::uint64_t end() const { return first_ + flight_.size(); }
  std::size_t find(std::uint16_t packet_id) const;
  bool take_waiting();
  std::size_t first_waiting(const Position& at);
  std::size_t find_waiting(const Position& at);
  Outgoing* first_missing();
  bool may_hold(const QueueLimits& limits) const;
  void hold(const Letter& letter, bool is_held);
  void drop(Letter& letter);
  void finish(Outgoing& entry);
  void pop_finished();
  void forget_waiting(std::size_t index);

  QueueTotals& totals_;
  // Messages under way are numbered 0, 1, 2, ...; identifiers follow from that.
  Ring<Outgoing> flight_;
  std::uint64_t first_ = 0;     // the number of flight_.front()
  std::uint64_t position_ = 0;  // those before were sent on this connection
  std::uint64_t logged_ = 0;    // the identifiers of those before are in the log
  std::uint64_t filled_ = 0;    // no message before is missing
  std::size_t unanswered_ = 0;  // sent on this connection and not done
  Ring<Waiting> waiting_;
  Ring<Letter> letters_;  // of the first of waiting_
  std::size_t held_size_ = 0;
  std::size_t flight_size_ = 0;  // of those, so many bytes are under way
};

}  // namespace nilo::mqtt
