#include "mqtt/outgoing_queue.h"

#include <gtest/gtest.h>

namespace nilo::mqtt {
namespace {

using Answer = OutgoingQueue::Answer;
constexpr std::size_t kMany = 100'000;

Letter letter(Qos qos = Qos::at_least_once) {
  auto message = std::make_shared<Message>();
  message->topic = "t";
  message->payload = "12345";
  return {message, nullptr, qos, false};
}

// Sends what may be sent; the packet ids.
std::vector<std::uint16_t> send_all(OutgoingQueue& queue, std::size_t receive_max = 65'535) {
  std::vector<std::uint16_t> ids;
  while (const Outgoing* const next = queue.next(receive_max)) {
    ids.push_back(next->packet_id);
    queue.sent();
  }
  return ids;
}

void push(OutgoingQueue& queue, Seq from, Seq to, Qos qos = Qos::at_least_once) {
  for (Seq seq = from; seq <= to; ++seq) {
    ASSERT_TRUE(queue.push({seq, 0}, letter(qos), kMany, kMany * 6));
  }
}

TEST(OutgoingQueue, TakesAsManyAndAsMuchAsItMay) {
  OutgoingQueue queue;
  EXPECT_TRUE(queue.push({1, 0}, letter(), 2, 100));
  EXPECT_TRUE(queue.push({2, 0}, letter(), 2, 100));
  EXPECT_FALSE(queue.push({3, 0}, letter(), 2, 100));
  OutgoingQueue small;
  EXPECT_TRUE(small.push({1, 0}, letter(), 100, 12));
  EXPECT_TRUE(small.push({2, 0}, letter(), 100, 12));  // twelve bytes
  EXPECT_FALSE(small.push({3, 0}, letter(), 100, 17));
  EXPECT_EQ(small.size(), 12u);
}

TEST(OutgoingQueue, SendsNoMoreThanTheReceiveMaximum_MQTT_3_3_4_9) {
  OutgoingQueue queue;
  push(queue, 1, 5);
  EXPECT_EQ(send_all(queue, 2), (std::vector<std::uint16_t>{1, 2}));
  Position at;
  EXPECT_EQ(queue.acknowledge(1, PacketType::puback, true, at), Answer::finished);
  EXPECT_EQ(at.seq, 1u);
  EXPECT_EQ(send_all(queue, 2), (std::vector<std::uint16_t>{3}));
}

TEST(OutgoingQueue, TakesAcknowledgementsInAnyOrder) {
  OutgoingQueue queue;
  push(queue, 1, 3);
  send_all(queue);
  Position at;
  EXPECT_EQ(queue.acknowledge(3, PacketType::puback, true, at), Answer::finished);
  EXPECT_EQ(queue.acknowledge(1, PacketType::puback, true, at), Answer::finished);
  EXPECT_EQ(queue.count(), 2u);
  EXPECT_EQ(queue.acknowledge(2, PacketType::puback, true, at), Answer::finished);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(queue.acknowledge(2, PacketType::puback, true, at), Answer::unknown);
}

TEST(OutgoingQueue, KnowsWhichAcknowledgementIsDue) {
  OutgoingQueue queue;
  push(queue, 1, 1, Qos::at_least_once);
  push(queue, 2, 2, Qos::exactly_once);
  send_all(queue);
  Position at;
  EXPECT_EQ(queue.acknowledge(1, PacketType::pubrec, true, at), Answer::wrong);
  EXPECT_EQ(queue.acknowledge(2, PacketType::puback, true, at), Answer::wrong);
  EXPECT_EQ(queue.acknowledge(2, PacketType::pubcomp, true, at), Answer::wrong);
  EXPECT_EQ(queue.acknowledge(2, PacketType::pubrec, true, at), Answer::confirmed);
  EXPECT_EQ(queue.acknowledge(2, PacketType::pubcomp, true, at), Answer::wrong);
  EXPECT_TRUE(queue.release(2));
  EXPECT_EQ(queue.acknowledge(2, PacketType::pubrec, true, at), Answer::released);
  EXPECT_EQ(queue.acknowledge(2, PacketType::pubcomp, true, at), Answer::finished);
  EXPECT_EQ(queue.acknowledge(0, PacketType::puback, true, at), Answer::unknown);
  EXPECT_EQ(queue.acknowledge(9, PacketType::puback, true, at), Answer::unknown);
}

TEST(OutgoingQueue, ARefusedQos2PublishIsFinished_MQTT_4_3_3_4) {
  OutgoingQueue queue;
  push(queue, 1, 1, Qos::exactly_once);
  send_all(queue);
  Position at;
  EXPECT_EQ(queue.acknowledge(1, PacketType::pubrec, false, at), Answer::finished);
  EXPECT_TRUE(queue.empty());
}

TEST(OutgoingQueue, SendsAgainOnTheNextConnectionWithTheSameIds_MQTT_4_4_0_1) {
  OutgoingQueue queue;
  push(queue, 1, 4, Qos::exactly_once);
  EXPECT_EQ(send_all(queue, 3), (std::vector<std::uint16_t>{1, 2, 3}));
  Position at;
  EXPECT_EQ(queue.acknowledge(1, PacketType::pubrec, true, at), Answer::confirmed);
  EXPECT_TRUE(queue.release(1));
  EXPECT_EQ(queue.acknowledge(2, PacketType::pubrec, false, at), Answer::finished);
  queue.rewind();
  EXPECT_EQ(queue.acknowledge(1, PacketType::pubcomp, true, at), Answer::unknown);
  ASSERT_NE(queue.next(10), nullptr);
  EXPECT_EQ(queue.next(10)->state, Outgoing::State::released);
  queue.sent();
  EXPECT_EQ(queue.next(10)->packet_id, 3);
  EXPECT_EQ(queue.next(10)->state, Outgoing::State::sent);
  queue.sent();
  EXPECT_EQ(queue.next(10)->packet_id, 4);
  EXPECT_EQ(queue.next(10)->state, Outgoing::State::numbered);
}

// 3.1.1 [MQTT-2.3.1-4]
// 5.0 [MQTT-2.2.1-4]
TEST(OutgoingQueue, NumbersGoRoundAndNeverAreZero_MQTT_2_2_1_3) {
  OutgoingQueue queue;
  std::uint16_t last = 0;
  for (Seq seq = 1; seq <= 140'000; ++seq) {
    push(queue, seq, seq);
    const auto ids = send_all(queue);
    ASSERT_EQ(ids.size(), 1u);
    ASSERT_EQ(ids[0], last == 65'535 ? 1 : last + 1);
    last = ids[0];
    Position done;
    ASSERT_EQ(queue.acknowledge(last, PacketType::puback, true, done), Answer::finished);
    ASSERT_EQ(done.seq, seq);
  }
}

TEST(OutgoingQueue, GivesOutAllIdsAndThenWaits) {
  OutgoingQueue queue;
  push(queue, 1, 65'540);
  EXPECT_EQ(send_all(queue, kMany).size(), 65'535u);
  Position at;
  EXPECT_EQ(queue.acknowledge(1, PacketType::puback, true, at), Answer::finished);
  EXPECT_EQ(send_all(queue, kMany), (std::vector<std::uint16_t>{1}));
  EXPECT_EQ(queue.acknowledge(1, PacketType::puback, true, at), Answer::finished);
  EXPECT_EQ(at.seq, 65'536u);
}

TEST(OutgoingQueue, WhatWillNeverGoOutLeavesNoGap) {
  OutgoingQueue queue;
  push(queue, 1, 3);
  ASSERT_NE(queue.next(10), nullptr);
  EXPECT_EQ(queue.give_up().seq, 1u);
  EXPECT_EQ(send_all(queue), (std::vector<std::uint16_t>{2, 3}));
  Position at;
  EXPECT_EQ(queue.acknowledge(3, PacketType::puback, true, at), Answer::finished);
  EXPECT_EQ(at.seq, 3u);
}

TEST(OutgoingQueue, ForgetsWhatTheLogSaysIsDelivered) {
  OutgoingQueue queue;
  push(queue, 10, 14);
  for (const Seq seq : {12u, 10u, 99u, 1u}) queue.restore_settled({seq, 0});
  std::vector<Seq> left;
  while (const Outgoing* const next = queue.next(10)) {
    left.push_back(next->at.seq);
    queue.sent();
  }
  EXPECT_EQ(left, (std::vector<Seq>{11, 13, 14}));
  Position at;
  EXPECT_EQ(queue.acknowledge(3, PacketType::puback, true, at), Answer::finished);
  EXPECT_EQ(at.seq, 13u);
}

TEST(OutgoingQueue, ForgetsOneMessageOfARecordAtATime) {
  OutgoingQueue queue;
  for (std::uint32_t index = 0; index < 3; ++index) {
    ASSERT_TRUE(queue.push({7, index}, letter(), kMany, kMany));
  }
  queue.forget(7);
  queue.restore_settled({7, 2});
  queue.forget(7);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.size(), 0u);
}

// What a log says of QoS 1 and 2 messages on their way.
TEST(OutgoingQueue, FindsItsIdentifiersInTheLog) {
  OutgoingQueue queue;
  push(queue, 10, 16, Qos::exactly_once);
  queue.restore_id({65'534, {12, 0}});
  queue.restore_id({65'535, {10, 0}});
  queue.restore_id({3, {14, 0}});  // 1 and 2 were of QoS 1
  queue.restore_id({4, {11, 0}});
  queue.restore_id({5, {99, 0}});  // not there
  queue.restore_confirmed(65'535);
  queue.restore_settled({14, 0});
  queue.restore_settled({15, 0});
  std::vector<std::pair<std::uint16_t, Seq>> sent;
  std::vector<Outgoing::State> states;
  while (const Outgoing* const next = queue.next(10)) {
    sent.emplace_back(next->packet_id, next->at.seq);
    states.push_back(next->state);
    EXPECT_EQ(queue.is_logged(), sent.size() <= 3);
    queue.sent();
  }
  using State = Outgoing::State;
  EXPECT_EQ(sent, (std::vector<std::pair<std::uint16_t, Seq>>{
                      {65'534, 12}, {65'535, 10}, {4, 11}, {5, 13}, {6, 16}}));
  EXPECT_EQ(states, (std::vector<State>{State::sent, State::released, State::sent, State::numbered,
                                        State::numbered}));
}

TEST(OutgoingQueue, GivesIdentifiersToWhatMayLeaveNow) {
  OutgoingQueue queue;
  push(queue, 1, 2, Qos::at_least_once);
  push(queue, 3, 9, Qos::exactly_once);
  ASSERT_NE(queue.next(4), nullptr);
  queue.sent();
  ASSERT_NE(queue.next(4), nullptr);
  queue.sent();
  Position at;
  EXPECT_EQ(queue.acknowledge(2, PacketType::puback, true, at), Answer::finished);
  ASSERT_NE(queue.next(4), nullptr);
  EXPECT_FALSE(queue.is_logged());
  const OutgoingQueue::Numbering numbering = queue.number(4);
  EXPECT_EQ(numbering.numbered,
            (std::vector<Numbered>{{1, {1, 0}}, {3, {3, 0}}, {4, {4, 0}}, {5, {5, 0}}}));
  queue.logged(numbering.mark);
  EXPECT_TRUE(queue.is_logged());
  EXPECT_EQ(send_all(queue, 4), (std::vector<std::uint16_t>{3, 4, 5}));
}

TEST(OutgoingQueue, AConfirmedMessageWaitsForItsReleaseAcrossConnections) {
  OutgoingQueue queue;
  push(queue, 1, 1, Qos::exactly_once);
  send_all(queue);
  Position at;
  EXPECT_EQ(queue.acknowledge(1, PacketType::pubrec, true, at), Answer::confirmed);
  queue.rewind();
  EXPECT_EQ(queue.next(10), nullptr);
  EXPECT_TRUE(queue.release(1));
  EXPECT_FALSE(queue.release(1));
  queue.rewind();
  EXPECT_FALSE(queue.release(1));
  ASSERT_NE(queue.next(10), nullptr);
  EXPECT_EQ(queue.next(10)->state, Outgoing::State::released);
}

}  // namespace
}  // namespace nilo::mqtt
