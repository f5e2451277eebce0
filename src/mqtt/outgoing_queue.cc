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

}  // namespace

bool OutgoingQueue::push(const Position& at, Letter&& letter, std::size_t count_max,
                         std::size_t size_max) {
  const std::size_t size = size_of(letter);
  if (count() >= count_max || size_ + size > size_max) return false;
  size_ += size;
  waiting_.push_back({at});
  letters_.push_back(std::move(letter));
  return true;
}

Outgoing* OutgoingQueue::next(std::size_t receive_max) {
  for (;; ++position_) {
    const bool is_new = position_ == end();
    if (is_new && (unanswered_ >= receive_max || !take_waiting())) return nullptr;
    Outgoing& entry = flight_[position_ - first_];
    if (entry.state == Outgoing::State::done) continue;
    if (unanswered_ >= receive_max) return nullptr;
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
  return first_ + index < position_;
}

void OutgoingQueue::release_all() {
  for (std::size_t index = 0; index < flight_.size(); ++index) {
    Outgoing& entry = flight_[index];
    if (entry.state == Outgoing::State::confirmed) entry.state = Outgoing::State::released;
  }
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
    flight_.push_back({{}, {}, id_of(end()), Outgoing::State::done});
  }
  flight_.push_back(
      {std::move(letters_[index]), numbered.at, numbered.packet_id, Outgoing::State::sent});
  forget_waiting(index);
  position_ = first_;
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
  if (index < waiting_.size()) {
    size_ -= size_of(letters_[index]);
    return forget_waiting(index);
  }
  for (std::size_t i = 0; i < flight_.size(); ++i) {
    if (flight_[i].state == Outgoing::State::done || flight_[i].at != at) continue;
    finish(flight_[i]);
    return pop_finished();
  }
}

void OutgoingQueue::forget(Seq seq) {
  std::size_t index = first_waiting({seq, 0});
  while (index < waiting_.size() && waiting_[index].at.seq == seq && !waiting_[index].is_here) {
    ++index;
  }
  if (index < waiting_.size()) restore_settled({seq, waiting_[index].at.index});
}

// The place in flight_ of this identifier; not below its size if there is none.
std::size_t OutgoingQueue::find(std::uint16_t packet_id) const {
  if (packet_id == 0) return kIdCount;
  return (packet_id + kIdCount - id_of(first_)) % kIdCount;
}

// Moves the first message that waits under way. False: none does, or all identifiers are given.
bool OutgoingQueue::take_waiting() {
  if (waiting_.empty() || flight_.size() >= kIdCount) return false;
  flight_.push_back(
      {std::move(letters_.front()), waiting_.front().at, id_of(end()), Outgoing::State::numbered});
  forget_waiting(0);
  return true;
}

// Where the first message at `at` or later waits. At replay only: there they are in order.
std::size_t OutgoingQueue::first_waiting(const Position& at) {
  std::size_t low = 0;
  std::size_t high = waiting_.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (waiting_[middle].at < at) {
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
  const bool waits = index < waiting_.size() && waiting_[index].at == at && waiting_[index].is_here;
  return waits ? index : waiting_.size();
}

// The front of waiting_ always is here.
void OutgoingQueue::forget_waiting(std::size_t index) {
  waiting_[index].is_here = false;
  letters_[index] = Letter();
  while (!waiting_.empty() && !waiting_.front().is_here) {
    waiting_.pop_front();
    letters_.pop_front();
  }
  if (!waiting_.empty()) return;
  waiting_.shrink();
  letters_.shrink();
}

void OutgoingQueue::finish(Outgoing& entry) {
  size_ -= size_of(entry.letter);
  entry.letter.message.reset();
  entry.letter.identifiers.reset();
  entry.state = Outgoing::State::done;
}

void OutgoingQueue::pop_finished() {
  while (!flight_.empty() && flight_.front().state == Outgoing::State::done) {
    flight_.pop_front();
    ++first_;
  }
  position_ = std::max(position_, first_);
  if (flight_.empty()) flight_.shrink();
}

}  // namespace nilo::mqtt
