#include "mqtt/outgoing_queue.h"

#include <algorithm>
#include <utility>

namespace nilo::mqtt {
namespace {

constexpr std::uint64_t kIdCount = 65'535;

std::uint16_t id_of(std::uint64_t number) {
  return static_cast<std::uint16_t>(1 + number % kIdCount);
}

std::size_t size_of(const Letter& letter) {
  if (letter.message == nullptr) return 0;
  return letter.message->topic.size() + letter.message->payload.size();
}

// Is its message in the log only, and to be sent?
bool is_missing(const Outgoing& entry) {
  return entry.letter.message == nullptr &&
         (entry.state == Outgoing::State::sent || entry.state == Outgoing::State::numbered);
}

}  // namespace

OutgoingQueue::~OutgoingQueue() {
  totals_.count -= count();
  totals_.held_size -= held_size_;
}

bool OutgoingQueue::push(const Position& at, Letter&& letter, bool is_away,
                         const QueueLimits& limits) {
  if (count() >= limits.count_max || totals_.count >= limits.all_count_max) return false;
  const bool is_logged = at.seq != 0;
  if (!is_logged && held_size_ + size_of(letter) > limits.size_max) return false;
  const bool is_next = letters_.size() == waiting_.size();
  waiting_.push_back({at.seq, at.index, true, letter.share != nullptr});
  ++totals_.count;
  if (is_logged && (is_away || !is_next || !may_hold(limits))) return true;
  hold(letter, true);
  letters_.push_back(std::move(letter));
  return true;
}

void OutgoingQueue::restore(const Position& at, bool is_shared) {
  waiting_.push_back({at.seq, at.index, true, is_shared});
  ++totals_.count;
}

// May one more be held, of those that can be fetched again?
bool OutgoingQueue::may_hold(const QueueLimits& limits) const {
  const bool is_scarce = totals_.held_size >= limits.held_size_max;
  return letters_.size() < (is_scarce ? kHeldLittle : kHeldMax) &&
         (letters_.empty() || held_size_ - flight_size_ < kHeldSizeMax);
}

OutgoingQueue::Shared OutgoingQueue::shared() const {
  Shared out;
  const auto add = [&](const Position& at, const Letter* letter) {
    if (at.seq != 0) {
      out.logged.push_back(at);
    } else if (letter != nullptr && letter->message && letter->qos == Qos::at_least_once) {
      out.held.emplace_back(letter->share, letter->message);
    }
  };
  for (std::size_t i = 0; i < flight_.size(); ++i) {
    const Outgoing& entry = flight_[i];
    const bool is_open =
        entry.state == Outgoing::State::numbered || entry.state == Outgoing::State::sent;
    if (is_open && entry.is_shared) add(entry.at, &entry.letter);
  }
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (!waiting_[i].is_here || !waiting_[i].is_shared) continue;
    add(waiting_[i].at(), i < letters_.size() ? &letters_[i] : nullptr);
  }
  return out;
}

std::vector<Position> OutgoingQueue::missing(const QueueLimits& limits) const {
  std::vector<Position> places;
  for (std::uint64_t number = position_; number < end() && places.size() < kHeldMax; ++number) {
    const Outgoing& entry = flight_[number - first_];
    if (is_missing(entry)) places.push_back(entry.at);
  }
  const bool is_scarce = totals_.held_size >= limits.held_size_max;
  const std::size_t wanted = is_scarce ? kHeldLittle : kHeldMax;
  // Half of what may be held is left when more is asked for, so that the client need not wait.
  if (letters_.size() > wanted / 2 || held_size_ - flight_size_ > kHeldSizeMax / 2) return places;
  for (std::size_t i = letters_.size(); i < waiting_.size() && places.size() < wanted; ++i) {
    if (waiting_[i].is_here) places.push_back(waiting_[i].at());
  }
  return places;
}

// The first message under way that is to be sent again and is missing, from filled_ on; or end().
Outgoing* OutgoingQueue::first_missing() {
  for (filled_ = std::max(filled_, first_); filled_ < end(); ++filled_) {
    Outgoing& entry = flight_[filled_ - first_];
    if (is_missing(entry)) return &entry;
  }
  return nullptr;
}

bool OutgoingQueue::fetched(const Position& at, Letter&& letter) {
  if (Outgoing* const entry = first_missing()) {
    if (entry->at != at) return false;
    hold(letter, true);
    flight_size_ += size_of(letter);
    entry->letter = std::move(letter);
    return true;
  }
  while (letters_.size() < waiting_.size() && !waiting_[letters_.size()].is_here) {
    letters_.push_back({});
  }
  if (letters_.size() == waiting_.size() || waiting_[letters_.size()].at() != at) return false;
  hold(letter, true);
  letters_.push_back(std::move(letter));
  return true;
}

bool OutgoingQueue::lost(const Position& at) {
  if (Outgoing* const entry = first_missing()) {
    if (entry->at != at) return false;
    finish(*entry);
    pop_finished();
    return true;
  }
  const std::size_t index = letters_.size();
  if (index == waiting_.size() || waiting_[index].at() != at) return false;
  forget_waiting(index);
  return true;
}

Outgoing* OutgoingQueue::next(std::size_t receive_max) {
  for (;; ++position_) {
    const bool is_new = position_ == end();
    if (is_new && (unanswered_ >= receive_max || !take_waiting())) return nullptr;
    Outgoing& entry = flight_[position_ - first_];
    if (entry.state == Outgoing::State::done) continue;
    if (unanswered_ >= receive_max) return nullptr;
    if (is_missing(entry)) return nullptr;
    if (entry.state != Outgoing::State::confirmed) return &entry;
    ++unanswered_;  // its PUBREL leaves with release()
  }
}

void OutgoingQueue::sent() {
  Outgoing& entry = flight_[position_ - first_];
  ++position_;
  if (entry.state == Outgoing::State::numbered) entry.state = Outgoing::State::sent;
  ++unanswered_;
}

Position OutgoingQueue::give_up() {
  Outgoing& entry = flight_[position_ - first_];
  ++position_;
  const Position at = entry.at;
  finish(entry);
  pop_finished();
  return at;
}

OutgoingQueue::Numbering OutgoingQueue::number(std::size_t receive_max) {
  while (unanswered_ + (end() - position_) < receive_max && take_waiting()) {
  }
  Numbering result{{}, end()};
  for (std::uint64_t number = std::max(logged_, first_); number < end(); ++number) {
    const Outgoing& entry = flight_[number - first_];
    if (entry.state == Outgoing::State::done) continue;
    result.numbered.push_back({entry.packet_id, entry.at});
  }
  return result;
}

void OutgoingQueue::logged(std::uint64_t mark) { logged_ = std::max(logged_, mark); }

OutgoingQueue::Answer OutgoingQueue::acknowledge(std::uint16_t packet_id, PacketType type, bool ok,
                                                 Position& at) {
  const std::size_t index = find(packet_id);
  if (first_ + index >= position_) return Answer::unknown;
  Outgoing* const entry = &flight_[index];
  if (entry->state == Outgoing::State::done) return Answer::unknown;
  const bool is_qos_1 = entry->letter.qos == Qos::at_least_once;
  switch (type) {
    case PacketType::puback:
      if (!is_qos_1) return Answer::wrong;
      break;
    case PacketType::pubrec:
      if (is_qos_1) return Answer::wrong;
      if (ok) {
        if (entry->state == Outgoing::State::released) return Answer::released;
        entry->state = Outgoing::State::confirmed;
        return Answer::confirmed;
      }
      break;  // refused: there will be no PUBREL [MQTT-4.3.3-4]
    case PacketType::pubcomp:
      if (entry->state != Outgoing::State::released) return Answer::wrong;
      break;
    default:
      return Answer::wrong;
  }
  at = entry->at;
  finish(*entry);
  --unanswered_;
  pop_finished();
  return Answer::finished;
}

bool OutgoingQueue::release(std::uint16_t packet_id) {
  const std::size_t index = find(packet_id);
  if (index >= flight_.size()) return false;
  Outgoing& entry = flight_[index];
  if (entry.state != Outgoing::State::confirmed) return false;
  entry.state = Outgoing::State::released;
  flight_size_ -= size_of(entry.letter);
  drop(entry.letter);
  return first_ + index < position_;
}

void OutgoingQueue::unconfirm(std::uint16_t packet_id) {
  const std::size_t index = find(packet_id);
  if (index >= flight_.size()) return;
  Outgoing& entry = flight_[index];
  if (entry.state == Outgoing::State::confirmed) entry.state = Outgoing::State::sent;
}

void OutgoingQueue::rewind() {
  position_ = first_;
  unanswered_ = 0;
  for (std::size_t i = 0; i < flight_.size(); ++i) {
    Outgoing& entry = flight_[i];
    if (entry.at.seq == 0 || entry.letter.message == nullptr) continue;
    flight_size_ -= size_of(entry.letter);
    drop(entry.letter);
  }
  filled_ = first_;
  if (waiting_.empty() || waiting_.front().seq == 0) return;
  for (std::size_t i = 0; i < letters_.size(); ++i) drop(letters_[i]);
  letters_ = Ring<Letter>();
}

// Identifiers that were given between two that were logged belong to what is done, or to QoS 1,
// which may have any.
void OutgoingQueue::restore_id(const Numbered& numbered) {
  const std::size_t index = find_waiting(numbered.at);
  if (index == waiting_.size() || numbered.packet_id == 0) return;
  if (flight_.empty()) first_ = numbered.packet_id - 1u;
  const std::uint64_t gap = (numbered.packet_id + kIdCount - id_of(end())) % kIdCount;
  if (flight_.size() + gap >= kIdCount) return;
  for (std::uint64_t i = 0; i < gap; ++i) {
    flight_.push_back({{}, {}, id_of(end()), Outgoing::State::done, false});
    ++totals_.count;
  }
  // Only QoS 2 needs its state; what it really was is known when it is fetched.
  flight_.push_back({{nullptr, nullptr, Qos::exactly_once, false, nullptr},
                     numbered.at,
                     numbered.packet_id,
                     Outgoing::State::sent,
                     waiting_[index].is_shared});
  ++totals_.count;
  forget_waiting(index);
  position_ = first_;
  filled_ = first_;
  logged_ = end();
}

void OutgoingQueue::restore_confirmed(std::uint16_t packet_id) {
  const std::size_t index = find(packet_id);
  if (index >= flight_.size()) return;
  Outgoing& entry = flight_[index];
  if (entry.state == Outgoing::State::sent) entry.state = Outgoing::State::released;
}

void OutgoingQueue::restore_settled(const Position& at) {
  const std::size_t index = find_waiting(at);
  if (index < waiting_.size()) return forget_waiting(index);
  for (std::size_t i = 0; i < flight_.size(); ++i) {
    if (flight_[i].state == Outgoing::State::done || flight_[i].at != at) continue;
    finish(flight_[i]);
    return pop_finished();
  }
}

void OutgoingQueue::forget(Seq seq) {
  std::size_t index = first_waiting({seq, 0});
  while (index < waiting_.size() && waiting_[index].seq == seq && !waiting_[index].is_here) {
    ++index;
  }
  if (index < waiting_.size()) restore_settled(waiting_[index].at());
}

// The place in flight_ of this identifier; not below its size if there is none.
std::size_t OutgoingQueue::find(std::uint16_t packet_id) const {
  if (packet_id == 0) return kIdCount;
  return (packet_id + kIdCount - id_of(first_)) % kIdCount;
}

// Moves the first message that waits under way. False: none is here, or all identifiers are given,
// or enough is under way.
bool OutgoingQueue::take_waiting() {
  if (letters_.empty() || flight_.size() >= kIdCount) return false;
  if (flight_size_ > 0 && flight_size_ >= kFlightSizeMax) return false;
  flight_size_ += size_of(letters_.front());
  flight_.push_back({std::move(letters_.front()), waiting_.front().at(), id_of(end()),
                     Outgoing::State::numbered, waiting_.front().is_shared});
  letters_.front() = Letter();
  ++totals_.count;  // forget_waiting() takes one off
  forget_waiting(0);
  return true;
}

// Where the first message at `at` or later waits. At replay only: there they are in order.
std::size_t OutgoingQueue::first_waiting(const Position& at) {
  std::size_t low = 0;
  std::size_t high = waiting_.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (waiting_[middle].at() < at) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// The place in waiting_ of the message at `at`; its size if it does not wait.
std::size_t OutgoingQueue::find_waiting(const Position& at) {
  const std::size_t index = first_waiting(at);
  const bool waits =
      index < waiting_.size() && waiting_[index].at() == at && waiting_[index].is_here;
  return waits ? index : waiting_.size();
}

// The front of waiting_ always is here.
void OutgoingQueue::forget_waiting(std::size_t index) {
  waiting_[index].is_here = false;
  if (index < letters_.size()) drop(letters_[index]);
  while (!waiting_.empty() && !waiting_.front().is_here) {
    waiting_.pop_front();
    --totals_.count;
    if (!letters_.empty()) letters_.pop_front();
  }
  if (!waiting_.empty()) return;
  waiting_.shrink();
  letters_.shrink();
}

void OutgoingQueue::hold(const Letter& letter, bool is_held) {
  const std::size_t size = size_of(letter);
  held_size_ = is_held ? held_size_ + size : held_size_ - size;
  totals_.held_size = is_held ? totals_.held_size + size : totals_.held_size - size;
}

// Its QoS stays known.
void OutgoingQueue::drop(Letter& letter) {
  hold(letter, false);
  letter.message.reset();
  letter.identifiers.reset();
  letter.share.reset();
}

void OutgoingQueue::finish(Outgoing& entry) {
  flight_size_ -= size_of(entry.letter);
  drop(entry.letter);
  entry.state = Outgoing::State::done;
}

void OutgoingQueue::pop_finished() {
  while (!flight_.empty() && flight_.front().state == Outgoing::State::done) {
    flight_.pop_front();
    --totals_.count;
    ++first_;
  }
  position_ = std::max(position_, first_);
  if (flight_.empty()) flight_.shrink();
}

}  // namespace nilo::mqtt
