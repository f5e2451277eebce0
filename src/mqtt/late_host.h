// mqtt/late_host.h: for tests: a broker's host whose log takes its time, and loses its end in a
// crash.
//
// A crash is a second host that starts from a part of the first one's log: at least all that
// somebody was told is durable.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "mqtt/fake_host.h"
#include "mqtt/test_packets.h"

namespace nilo::mqtt {

// A host whose log answers late and in order, as the real one does.
class LateHost final : public FakeHost {
 public:
  void publish(const MessageView& view, const Ticket& ticket) override {
    const auto message = std::make_shared<const Message>(Message::copy_of(view));
    std::vector<bus::Match> matches;
    std::vector<bus::GroupPtr> groups;  // none is made here
    router.match(view.topic, matches, groups);
    std::vector<Delivery> queued;
    for (const bus::Match& match : matches) {
      const auto delivery = delivery_of(match, view, ticket.publisher);
      if (delivery && is_persistent(delivery->session)) queued.push_back(*delivery);
    }
    const Seq seq = append([&](RecordWriter& record) {
      if (!queued.empty()) append_queued(record, view, queued);
      if (ticket.is_received()) append_received(record, ticket.publisher, ticket.packet_id);
    });
    later([this, message, queued, seq, ticket](const Result<void>& outcome) {
      ASSERT_TRUE(outcome);
      for (const Delivery& delivery : queued) broker->deliver(delivery, message, {seq, 0});
      if (ticket.wants_answer()) broker->on_published(ticket, Reason::success);
    });
  }
  void queue(bus::Target /*target*/, const Delivery& delivery, const MessagePtr& message) override {
    const Seq seq = append([&](RecordWriter& record) {
      append_queued(record, message->view(), {&delivery, 1});
    });
    later([this, delivery, message, seq](const Result<void>& outcome) {
      ASSERT_TRUE(outcome);
      broker->deliver(delivery, message, {seq, 0});
    });
  }
  void commit(const std::function<void(RecordWriter&)>& write,
              std::function<void(const Result<void>&)> done) override {
    append(write);
    later(std::move(done));
  }

  // The log has one more record. False: it has them all.
  bool sync() {
    if (pending_.empty()) return false;
    ++durable;
    const auto done = std::move(pending_.front());
    pending_.pop_front();
    done(Result<void>());
    return true;
  }
  void sync_all() {
    while (sync()) {
    }
  }
  void begin() { durable = records.size(); }

  std::size_t durable = 0;

 private:
  void later(std::function<void(const Result<void>&)> done) { pending_.push_back(std::move(done)); }

  std::deque<std::function<void(const Result<void>&)>> pending_;
};

inline const SubscribeEntry kAllOnce{"#", Qos::exactly_once};

// What `first` leaves when it is killed with `count` records on disk.
inline std::unique_ptr<LateHost> after_crash(const LateHost& first, std::size_t count) {
  auto next = std::make_unique<LateHost>();
  first.replay_into(*next, count);
  next->begin();
  EXPECT_EQ(next->damaged, 0);
  return next;
}

}  // namespace nilo::mqtt
