#include "mqtt/outgoing_queue.h"

#include <utility>

namespace nilo::mqtt {
namespace {

constexpr std::size_t kIdCount = 65'535;

std::size_t size_of(const Outgoing& entry) {
  return entry.message->topic.size() + entry.message->payload.size();
}

}  // namespace

bool OutgoingQueue::push(Outgoing&& entry, std::size_t count_max, std::size_t size_max) {
  const std::size_t size = size_of(entry);
  if (ring_.size() >= count_max || size_ + size > size_max) return false;
  size_ += size;
  ring_.push_back(std::move(entry));
  return true;
}

Outgoing* OutgoingQueue::next(std::size_t receive_max) {
  for (; position_ < ring_.size(); ++position_) {
    Outgoing& entry = ring_[position_];
    const bool is_done = entry.state == Outgoing::State::done;
    if (!is_done && unanswered_ >= receive_max) return nullptr;
    if (position_ == numbered_ && !give_id(entry)) return nullptr;
    if (!is_done) return &entry;
  }
  return nullptr;
}

void OutgoingQueue::sent() {
  Outgoing& entry = ring_[position_++];
  if (entry.state == Outgoing::State::waiting) entry.state = Outgoing::State::sent;
  ++unanswered_;
}

Seq OutgoingQueue::give_up() {
  Outgoing& entry = ring_[position_++];
  const Seq seq = entry.seq;
  finish(entry);
  pop_finished();
  return seq;
}

OutgoingQueue::Answer OutgoingQueue::acknowledge(std::uint16_t packet_id, PacketType type, bool ok,
                                                 Seq& seq) {
  Outgoing* const entry = find(packet_id);
  if (entry == nullptr || entry->state == Outgoing::State::done) return Answer::unknown;
  const bool is_qos_1 = entry->qos == Qos::at_least_once;
  switch (type) {
    case PacketType::puback:
      if (!is_qos_1) return Answer::wrong;
      break;
    case PacketType::pubrec:
      if (is_qos_1) return Answer::wrong;
      if (ok) {
        entry->state = Outgoing::State::released;
        return Answer::released;
      }
      break;  // refused: there will be no PUBREL [MQTT-4.3.3-4]
    case PacketType::pubcomp:
      if (entry->state != Outgoing::State::released) return Answer::wrong;
      break;
    default:
      return Answer::wrong;
  }
  seq = entry->seq;
  finish(*entry);
  --unanswered_;
  pop_finished();
  return Answer::finished;
}

void OutgoingQueue::rewind() {
  position_ = 0;
  unanswered_ = 0;
}

// A replay queues messages in the order of the log, so their numbers rise. It may forget one that
// found the queue full: a search from the front would take all of a long queue for each of those.
void OutgoingQueue::forget(Seq seq) {
  std::size_t low = 0;
  std::size_t high = ring_.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (ring_[middle].seq < seq) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == ring_.size()) return;
  Outgoing& entry = ring_[low];
  if (entry.seq != seq || entry.state == Outgoing::State::done) return;
  finish(entry);
  pop_finished();
}

bool OutgoingQueue::give_id(Outgoing& entry) {
  if (numbered_ == kIdCount) return false;
  last_id_ = last_id_ == kIdCount ? std::uint16_t{1} : static_cast<std::uint16_t>(last_id_ + 1);
  entry.packet_id = last_id_;
  ++numbered_;
  return true;
}

Outgoing* OutgoingQueue::find(std::uint16_t packet_id) {
  if (position_ == 0 || packet_id == 0) return nullptr;
  const std::size_t first = ring_.front().packet_id;
  const std::size_t index = (packet_id + kIdCount - first) % kIdCount;
  return index < position_ ? &ring_[index] : nullptr;
}

void OutgoingQueue::finish(Outgoing& entry) {
  size_ -= size_of(entry);
  entry.message.reset();
  entry.state = Outgoing::State::done;
}

void OutgoingQueue::pop_finished() {
  while (!ring_.empty() && ring_.front().state == Outgoing::State::done) {
    ring_.pop_front();
    if (numbered_ > 0) --numbered_;
    if (position_ > 0) --position_;
  }
  if (ring_.empty()) ring_.shrink();
}

}  // namespace nilo::mqtt
