// mqtt/received_ids.h: the QoS 2 publishes of a client that it has not released yet.
//
// Threads: one loop.
// Limits:  as many as there are packet identifiers; receive_max and received_max of Limits
//          (mqtt/host.h) are lower.
// Source:  MQTT 5.0 section 4.3.3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

namespace nilo::mqtt {

struct ReceivedId {
  bool is_durable = false;    // a repeated PUBLISH is answered when this is true
  bool is_releasing = false;  // PUBREL came and is being logged
  // The connection that repeated the PUBLISH before that: it waits for the answer of the first one.
  std::uint64_t repeated_on = 0;
};

// Costs a pointer while there are none: most sessions never have any.
class ReceivedIds {
 public:
  // `total`: how many there are of all sessions; must outlive this.
  explicit ReceivedIds(std::size_t& total) : total_(total) {}
  ~ReceivedIds() { total_ -= size(); }
  ReceivedIds(const ReceivedIds&) = delete;
  ReceivedIds& operator=(const ReceivedIds&) = delete;

  std::size_t size() const { return ids_ ? ids_->size() : 0; }
  // nullptr: it is not there. Stays where it is until it is erased.
  ReceivedId* find(std::uint16_t packet_id) {
    if (!ids_) return nullptr;
    const auto at = ids_->find(packet_id);
    return at == ids_->end() ? nullptr : &at->second;
  }
  ReceivedId& add(std::uint16_t packet_id) {
    if (!ids_) ids_ = std::make_unique<Ids>();
    const auto [at, is_new] = ids_->try_emplace(packet_id);
    total_ += is_new ? 1 : 0;
    return at->second;
  }
  void erase(std::uint16_t packet_id) {
    if (!ids_) return;
    total_ -= ids_->erase(packet_id);
    if (ids_->empty() && ids_->bucket_count() > kBucketsKept) ids_.reset();
  }

 private:
  using Ids = std::unordered_map<std::uint16_t, ReceivedId>;
  static constexpr std::size_t kBucketsKept = 256;

  std::size_t& total_;
  std::unique_ptr<Ids> ids_;
};

}  // namespace nilo::mqtt
