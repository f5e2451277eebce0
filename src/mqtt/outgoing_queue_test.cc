#include "mqtt/outgoing_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

namespace nilo::mqtt {
namespace {

using Answer = OutgoingQueue::Answer;

Letter letter(Qos qos = Qos::at_least_once) {
  auto message = std::make_shared<Message>();
  message->topic = "t";
  message->payload = "12345";
  return {message, nullptr, qos, false};
}

// A queue with its log.
class LoggedQueue {
 public:
  void push(Seq from, Seq to, Qos qos = Qos::at_least_once, bool is_away = false) {
    for (Seq seq = from; seq <= to; ++seq) {
      qos_[seq] = qos;
      ASSERT_TRUE(queue.push({seq, 0}, letter(qos), is_away, {}));
    }
  }
  void restore(Seq from, Seq to, Qos qos) {
    for (Seq seq = from; seq <= to; ++seq) {
      qos_[seq] = qos;
      queue.restore({seq, 0});
    }
  }
  // What is missing comes from the log. False: nothing was.
  bool fetch() {
    const std::vector<Position> places = queue.missing({});
    for (const Position& at : places) queue.fetched(at, letter(qos_.at(at.seq)));
    fetched_count += places.size();
    return !places.empty();
  }
  Outgoing* next(std::size_t receive_max) {
    Outgoing* found = nullptr;
    while ((found = queue.next(receive_max)) == nullptr && fetch()) {
    }
    return found;
  }
  // Sends what may be sent; the packet ids.
  std::vector<std::uint16_t> send_all(std::size_t receive_max = 65'535) {
    std::vector<std::uint16_t> ids;
    while (const Outgoing* const found = next(receive_max)) {
      ids.push_back(found->packet_id);
      queue.sent();
    }
    return ids;
  }
  Answer acknowledge(std::uint16_t packet_id, PacketType type, bool ok, Position& at) {
    return queue.acknowledge(packet_id, type, ok, at);
  }

  QueueTotals totals;
  OutgoingQueue queue{totals};
  std::size_t fetched_count = 0;

 private:
  std::map<Seq, Qos> qos_;
};

TEST(OutgoingQueue, TakesAsManyAndAsMuchAsItMay) {
  QueueTotals totals;
  OutgoingQueue queue(totals);
  const QueueLimits few{.count_max = 2};
  EXPECT_TRUE(queue.push({}, letter(), false, few));
  EXPECT_TRUE(queue.push({}, letter(), false, few));
  EXPECT_FALSE(queue.push({}, letter(), false, few));
  OutgoingQueue small(totals);
  const QueueLimits little{.size_max = 12};
  EXPECT_TRUE(small.push({}, letter(), false, little));
  EXPECT_TRUE(small.push({}, letter(), false, little));  // twelve bytes
  EXPECT_FALSE(small.push({}, letter(), false, little));
  EXPECT_TRUE(small.push({7, 0}, letter(), true, little)) << "the log has it";
  EXPECT_EQ(small.held_size(), 12u);
  const QueueLimits all{.all_count_max = 5};
  EXPECT_FALSE(queue.push({}, letter(), false, all));
  EXPECT_EQ(totals.count, 5u);
  EXPECT_EQ(totals.held_size, 24u);
}

TEST(OutgoingQueue, SendsNoMoreThanTheReceiveMaximum_MQTT_3_3_4_9) {
  LoggedQueue queue;
  queue.push(1, 5);
  EXPECT_EQ(queue.send_all(2), (std::vector<std::uint16_t>{1, 2}));
  Position at;
  EXPECT_EQ(queue.acknowledge(1, PacketType::puback, true, at), Answer::finished);
  EXPECT_EQ(at.seq, 1u);
  EXPECT_EQ(queue.send_all(2), (std::vector<std::uint16_t>{3}));
}

TEST(OutgoingQueue, TakesAcknowledgementsInAnyOrder) {
  LoggedQueue queue;
  queue.push(1, 3);
  queue.send_all();
  Position at;
  EXPECT_EQ(queue.acknowledge(3, PacketType::puback, true, at), Answer::finished);
  EXPECT_EQ(queue.acknowledge(1, PacketType::puback, true, at), Answer::finished);
  EXPECT_EQ(queue.queue.count(), 2u);
  EXPECT_EQ(queue.acknowledge(2, PacketType::puback, true, at), Answer::finished);
  EXPECT_TRUE(queue.queue.empty());
  EXPECT_EQ(queue.totals.held_size, 0u);
  EXPECT_EQ(queue.totals.count, 0u);
  EXPECT_EQ(queue.acknowledge(2, PacketType::puback, true, at), Answer::unknown);
}

TEST(OutgoingQueue, KnowsWhichAcknowledgementIsDue) {
  LoggedQueue queue;
  queue.push(1, 1, Qos::at_least_once);
  queue.push(2, 2, Qos::exactly_once);
  queue.send_all();
  Position at;
  EXPECT_EQ(queue.acknowledge(1, PacketType::pubrec, true, at), Answer::wrong);
  EXPECT_EQ(queue.acknowledge(2, PacketType::puback, true, at), Answer::wrong);
  EXPECT_EQ(queue.acknowledge(2, PacketType::pubcomp, true, at), Answer::wrong);
  EXPECT_EQ(queue.acknowledge(2, PacketType::pubrec, true, at), Answer::confirmed);
  EXPECT_EQ(queue.acknowledge(2, PacketType::pubcomp, true, at), Answer::wrong);
  EXPECT_TRUE(queue.queue.release(2));
  EXPECT_EQ(queue.acknowledge(2, PacketType::pubrec, true, at), Answer::released);
  EXPECT_EQ(queue.acknowledge(2, PacketType::pubcomp, true, at), Answer::finished);
  EXPECT_EQ(queue.acknowledge(0, PacketType::puback, true, at), Answer::unknown);
  EXPECT_EQ(queue.acknowledge(9, PacketType::puback, true, at), Answer::unknown);
}

TEST(OutgoingQueue, ARefusedQos2PublishIsFinished_MQTT_4_3_3_4) {
  LoggedQueue queue;
  queue.push(1, 1, Qos::exactly_once);
  queue.send_all();
  Position at;
  EXPECT_EQ(queue.acknowledge(1, PacketType::pubrec, false, at), Answer::finished);
  EXPECT_TRUE(queue.queue.empty());
}

TEST(OutgoingQueue, SendsAgainOnTheNextConnectionWithTheSameIds_MQTT_4_4_0_1) {
  LoggedQueue queue;
  queue.push(1, 4, Qos::exactly_once);
  EXPECT_EQ(queue.send_all(3), (std::vector<std::uint16_t>{1, 2, 3}));
  Position at;
  EXPECT_EQ(queue.acknowledge(1, PacketType::pubrec, true, at), Answer::confirmed);
  EXPECT_TRUE(queue.queue.release(1));
  EXPECT_EQ(queue.acknowledge(2, PacketType::pubrec, false, at), Answer::finished);
  queue.queue.rewind();
  EXPECT_EQ(queue.acknowledge(1, PacketType::pubcomp, true, at), Answer::unknown);
  ASSERT_NE(queue.next(10), nullptr);
  EXPECT_EQ(queue.next(10)->state, Outgoing::State::released);
  queue.queue.sent();
  EXPECT_EQ(queue.next(10)->packet_id, 3);
  EXPECT_EQ(queue.next(10)->state, Outgoing::State::sent);
  queue.queue.sent();
  EXPECT_EQ(queue.next(10)->packet_id, 4);
  EXPECT_EQ(queue.next(10)->state, Outgoing::State::numbered);
}

// 3.1.1 [MQTT-2.3.1-4]
// 5.0 [MQTT-2.2.1-4]
TEST(OutgoingQueue, NumbersGoRoundAndNeverAreZero_MQTT_2_2_1_3) {
  LoggedQueue queue;
  std::uint16_t last = 0;
  for (Seq seq = 1; seq <= 140'000; ++seq) {
    queue.push(seq, seq);
    const auto ids = queue.send_all();
    ASSERT_EQ(ids.size(), 1u);
    ASSERT_EQ(ids[0], last == 65'535 ? 1 : last + 1);
    last = ids[0];
    Position done;
    ASSERT_EQ(queue.acknowledge(last, PacketType::puback, true, done), Answer::finished);
    ASSERT_EQ(done.seq, seq);
  }
}

TEST(OutgoingQueue, GivesOutAllIdsAndThenWaits) {
  LoggedQueue queue;
  queue.push(1, 65'540);
  EXPECT_EQ(queue.send_all(100'000).size(), 65'535u);
  Position at;
  EXPECT_EQ(queue.acknowledge(1, PacketType::puback, true, at), Answer::finished);
  EXPECT_EQ(queue.send_all(100'000), (std::vector<std::uint16_t>{1}));
  EXPECT_EQ(queue.acknowledge(1, PacketType::puback, true, at), Answer::finished);
  EXPECT_EQ(at.seq, 65'536u);
}

TEST(OutgoingQueue, WhatWillNeverGoOutLeavesNoGap) {
  LoggedQueue queue;
  queue.push(1, 3);
  ASSERT_NE(queue.next(10), nullptr);
  EXPECT_EQ(queue.queue.give_up().seq, 1u);
  EXPECT_EQ(queue.send_all(), (std::vector<std::uint16_t>{2, 3}));
  Position at;
  EXPECT_EQ(queue.acknowledge(3, PacketType::puback, true, at), Answer::finished);
  EXPECT_EQ(at.seq, 3u);
}

TEST(OutgoingQueue, ForgetsWhatTheLogSaysIsDelivered) {
  LoggedQueue queue;
  queue.restore(10, 14, Qos::at_least_once);
  for (const Seq seq : {12u, 10u, 99u, 1u}) queue.queue.restore_settled({seq, 0});
  std::vector<Seq> left;
  while (const Outgoing* const next = queue.next(10)) {
    left.push_back(next->at.seq);
    queue.queue.sent();
  }
  EXPECT_EQ(left, (std::vector<Seq>{11, 13, 14}));
  Position at;
  EXPECT_EQ(queue.acknowledge(2, PacketType::puback, true, at), Answer::finished);
  EXPECT_EQ(at.seq, 13u);
}

TEST(OutgoingQueue, ForgetsOneMessageOfARecordAtATime) {
  LoggedQueue queue;
  for (std::uint32_t index = 0; index < 3; ++index) {
    queue.queue.restore({7, index});
  }
  queue.queue.forget(7);
  queue.queue.restore_settled({7, 2});
  queue.queue.forget(7);
  EXPECT_TRUE(queue.queue.empty());
  EXPECT_EQ(queue.totals.held_size, 0u);
  EXPECT_EQ(queue.totals.count, 0u);
}

// What a log says of QoS 1 and 2 messages on their way.
TEST(OutgoingQueue, FindsItsIdentifiersInTheLog) {
  LoggedQueue queue;
  queue.restore(10, 16, Qos::exactly_once);
  queue.queue.restore_id({65'534, {12, 0}});
  queue.queue.restore_id({65'535, {10, 0}});
  queue.queue.restore_id({3, {14, 0}});  // 1 and 2 were of QoS 1
  queue.queue.restore_id({4, {11, 0}});
  queue.queue.restore_id({5, {99, 0}});  // not there
  queue.queue.restore_confirmed(65'535);
  queue.queue.restore_settled({14, 0});
  queue.queue.restore_settled({15, 0});
  std::vector<std::pair<std::uint16_t, Seq>> sent;
  std::vector<Outgoing::State> states;
  while (const Outgoing* const next = queue.next(10)) {
    sent.emplace_back(next->packet_id, next->at.seq);
    states.push_back(next->state);
    EXPECT_EQ(queue.queue.is_logged(), sent.size() <= 3);
    queue.queue.sent();
  }
  using State = Outgoing::State;
  EXPECT_EQ(sent, (std::vector<std::pair<std::uint16_t, Seq>>{
                      {65'534, 12}, {65'535, 10}, {4, 11}, {5, 13}, {6, 16}}));
  EXPECT_EQ(states, (std::vector<State>{State::sent, State::released, State::sent, State::numbered,
                                        State::numbered}));
}

TEST(OutgoingQueue, GivesIdentifiersToWhatMayLeaveNow) {
  LoggedQueue queue;
  queue.push(1, 2, Qos::at_least_once);
  queue.push(3, 9, Qos::exactly_once);
  ASSERT_NE(queue.next(4), nullptr);
  queue.queue.sent();
  ASSERT_NE(queue.next(4), nullptr);
  queue.queue.sent();
  Position at;
  EXPECT_EQ(queue.acknowledge(2, PacketType::puback, true, at), Answer::finished);
  ASSERT_NE(queue.next(4), nullptr);
  EXPECT_FALSE(queue.queue.is_logged());
  const OutgoingQueue::Numbering numbering = queue.queue.number(4);
  EXPECT_EQ(numbering.numbered,
            (std::vector<Numbered>{{1, {1, 0}}, {3, {3, 0}}, {4, {4, 0}}, {5, {5, 0}}}));
  queue.queue.logged(numbering.mark);
  EXPECT_TRUE(queue.queue.is_logged());
  EXPECT_EQ(queue.send_all(4), (std::vector<std::uint16_t>{3, 4, 5}));
}

TEST(OutgoingQueue, AConfirmedMessageWaitsForItsReleaseAcrossConnections) {
  LoggedQueue queue;
  queue.push(1, 1, Qos::exactly_once);
  queue.send_all();
  Position at;
  EXPECT_EQ(queue.acknowledge(1, PacketType::pubrec, true, at), Answer::confirmed);
  queue.queue.rewind();
  EXPECT_EQ(queue.next(10), nullptr);
  EXPECT_TRUE(queue.queue.release(1));
  EXPECT_FALSE(queue.queue.release(1));
  queue.queue.rewind();
  EXPECT_FALSE(queue.queue.release(1));
  ASSERT_NE(queue.next(10), nullptr);
  EXPECT_EQ(queue.next(10)->state, Outgoing::State::released);
}

TEST(OutgoingQueue, HoldsNothingOfWhoIsAwayAndFetchesInOrder) {
  LoggedQueue queue;
  queue.push(1, 3'000);
  EXPECT_EQ(queue.totals.held_size, kHeldMax * 6);
  EXPECT_EQ(queue.send_all(100).size(), 100u);
  queue.queue.rewind();
  EXPECT_EQ(queue.totals.held_size, 0u);
  queue.push(3'001, 3'002, Qos::at_least_once, true);
  EXPECT_EQ(queue.totals.held_size, 0u);
  Seq last = 0;
  Position at;
  while (const Outgoing* const next = queue.next(10)) {
    EXPECT_LE(queue.totals.held_size, 2 * kHeldMax * 6);
    EXPECT_EQ(next->state == Outgoing::State::sent, last < 100);
    ASSERT_EQ(next->at.seq, ++last);
    const std::uint16_t id = next->packet_id;
    queue.queue.sent();
    ASSERT_EQ(queue.acknowledge(id, PacketType::puback, true, at), Answer::finished);
  }
  EXPECT_EQ(last, 3'002u);
  EXPECT_EQ(queue.fetched_count, 3'002u);
  EXPECT_EQ(queue.totals.count, 0u);
}

TEST(OutgoingQueue, HoldsLittleWhenAllTogetherHoldTooMuch) {
  QueueTotals totals;
  OutgoingQueue queue(totals);
  const QueueLimits limits{.held_size_max = 0};
  for (Seq seq = 1; seq <= 100; ++seq) {
    ASSERT_TRUE(queue.push({seq, 0}, letter(), false, limits));
  }
  EXPECT_EQ(totals.held_size, kHeldLittle * 6);
  EXPECT_TRUE(queue.missing(limits).empty());
}

TEST(OutgoingQueue, WhatTheLogHasLostIsLeftOut) {
  LoggedQueue queue;
  queue.push(1, 4, Qos::at_least_once, true);
  EXPECT_EQ(queue.queue.missing({}), (std::vector<Position>{{1, 0}, {2, 0}, {3, 0}, {4, 0}}));
  EXPECT_TRUE(queue.queue.fetched({1, 0}, letter()));
  EXPECT_FALSE(queue.queue.fetched({3, 0}, letter())) << "not the next one";
  EXPECT_TRUE(queue.queue.lost({2, 0}));
  EXPECT_TRUE(queue.queue.fetched({3, 0}, letter()));
  EXPECT_EQ(queue.send_all().size(), 3u);
  queue.queue.rewind();
  EXPECT_TRUE(queue.queue.lost({1, 0}));
  EXPECT_EQ(queue.send_all(), (std::vector<std::uint16_t>{2, 3}));
}

}  // namespace
}  // namespace nilo::mqtt
