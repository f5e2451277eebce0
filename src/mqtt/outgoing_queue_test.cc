#include "mqtt/outgoing_queue.h"

#include <gtest/gtest.h>

namespace nilo::mqtt {
namespace {

using Answer = OutgoingQueue::Answer;
constexpr std::size_t kMany = 100'000;

Outgoing entry(Seq seq, Qos qos = Qos::at_least_once) {
  auto message = std::make_shared<Message>();
  message->topic = "t";
  message->payload = "12345";
  return {message, seq, nullptr, 0, qos};
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
  for (Seq seq = from; seq <= to; ++seq) ASSERT_TRUE(queue.push(entry(seq, qos), kMany, kMany * 6));
}

TEST(OutgoingQueue, TakesAsManyAndAsMuchAsItMay) {
  OutgoingQueue queue;
  EXPECT_TRUE(queue.push(entry(1), 2, 100));
  EXPECT_TRUE(queue.push(entry(2), 2, 100));
  EXPECT_FALSE(queue.push(entry(3), 2, 100));
  OutgoingQueue small;
  EXPECT_TRUE(small.push(entry(1), 100, 12));
  EXPECT_TRUE(small.push(entry(2), 100, 12));  // twelve bytes
  EXPECT_FALSE(small.push(entry(3), 100, 17));
  EXPECT_EQ(small.size(), 12u);
}

TEST(OutgoingQueue, SendsNoMoreThanTheReceiveMaximum_MQTT_3_3_4_9) {
  OutgoingQueue queue;
  push(queue, 1, 5);
  EXPECT_EQ(send_all(queue, 2), (std::vector<std::uint16_t>{1, 2}));
  Seq seq = 0;
  EXPECT_EQ(queue.acknowledge(1, PacketType::puback, true, seq), Answer::finished);
  EXPECT_EQ(seq, 1u);
  EXPECT_EQ(send_all(queue, 2), (std::vector<std::uint16_t>{3}));
}

TEST(OutgoingQueue, TakesAcknowledgementsInAnyOrder) {
  OutgoingQueue queue;
  push(queue, 1, 3);
  send_all(queue);
  Seq seq = 0;
  EXPECT_EQ(queue.acknowledge(3, PacketType::puback, true, seq), Answer::finished);
  EXPECT_EQ(queue.acknowledge(1, PacketType::puback, true, seq), Answer::finished);
  EXPECT_EQ(queue.count(), 2u);
  EXPECT_EQ(queue.acknowledge(2, PacketType::puback, true, seq), Answer::finished);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(queue.acknowledge(2, PacketType::puback, true, seq), Answer::unknown);
}

TEST(OutgoingQueue, KnowsWhichAcknowledgementIsDue) {
  OutgoingQueue queue;
  push(queue, 1, 1, Qos::at_least_once);
  push(queue, 2, 2, Qos::exactly_once);
  send_all(queue);
  Seq seq = 0;
  EXPECT_EQ(queue.acknowledge(1, PacketType::pubrec, true, seq), Answer::wrong);
  EXPECT_EQ(queue.acknowledge(2, PacketType::puback, true, seq), Answer::wrong);
  EXPECT_EQ(queue.acknowledge(2, PacketType::pubcomp, true, seq), Answer::wrong);
  EXPECT_EQ(queue.acknowledge(2, PacketType::pubrec, true, seq), Answer::released);
  EXPECT_EQ(queue.acknowledge(2, PacketType::pubcomp, true, seq), Answer::finished);
  EXPECT_EQ(queue.acknowledge(0, PacketType::puback, true, seq), Answer::unknown);
  EXPECT_EQ(queue.acknowledge(9, PacketType::puback, true, seq), Answer::unknown);
}

TEST(OutgoingQueue, ARefusedQos2PublishIsFinished_MQTT_4_3_3_4) {
  OutgoingQueue queue;
  push(queue, 1, 1, Qos::exactly_once);
  send_all(queue);
  Seq seq = 0;
  EXPECT_EQ(queue.acknowledge(1, PacketType::pubrec, false, seq), Answer::finished);
  EXPECT_TRUE(queue.empty());
}

TEST(OutgoingQueue, SendsAgainOnTheNextConnectionWithTheSameIds_MQTT_4_4_0_1) {
  OutgoingQueue queue;
  push(queue, 1, 4, Qos::exactly_once);
  EXPECT_EQ(send_all(queue, 3), (std::vector<std::uint16_t>{1, 2, 3}));
  Seq seq = 0;
  EXPECT_EQ(queue.acknowledge(1, PacketType::pubrec, true, seq), Answer::released);
  EXPECT_EQ(queue.acknowledge(2, PacketType::pubrec, false, seq), Answer::finished);
  queue.rewind();
  EXPECT_EQ(queue.acknowledge(1, PacketType::pubcomp, true, seq), Answer::unknown);
  ASSERT_NE(queue.next(10), nullptr);
  EXPECT_EQ(queue.next(10)->state, Outgoing::State::released);
  queue.sent();
  EXPECT_EQ(queue.next(10)->packet_id, 3);
  EXPECT_EQ(queue.next(10)->state, Outgoing::State::sent);
  queue.sent();
  EXPECT_EQ(queue.next(10)->packet_id, 4);
  EXPECT_EQ(queue.next(10)->state, Outgoing::State::waiting);
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
    Seq done = 0;
    ASSERT_EQ(queue.acknowledge(last, PacketType::puback, true, done), Answer::finished);
    ASSERT_EQ(done, seq);
  }
}

TEST(OutgoingQueue, GivesOutAllIdsAndThenWaits) {
  OutgoingQueue queue;
  push(queue, 1, 65'540);
  EXPECT_EQ(send_all(queue, kMany).size(), 65'535u);
  Seq seq = 0;
  EXPECT_EQ(queue.acknowledge(1, PacketType::puback, true, seq), Answer::finished);
  EXPECT_EQ(send_all(queue, kMany), (std::vector<std::uint16_t>{1}));
  EXPECT_EQ(queue.acknowledge(1, PacketType::puback, true, seq), Answer::finished);
  EXPECT_EQ(seq, 65'536u);
}

TEST(OutgoingQueue, WhatWillNeverGoOutLeavesNoGap) {
  OutgoingQueue queue;
  push(queue, 1, 3);
  ASSERT_NE(queue.next(10), nullptr);
  EXPECT_EQ(queue.give_up(), 1u);
  EXPECT_EQ(send_all(queue), (std::vector<std::uint16_t>{2, 3}));
  Seq seq = 0;
  EXPECT_EQ(queue.acknowledge(3, PacketType::puback, true, seq), Answer::finished);
  EXPECT_EQ(seq, 3u);
}

TEST(OutgoingQueue, ForgetsWhatTheLogSaysIsDelivered) {
  OutgoingQueue queue;
  push(queue, 10, 14);
  for (const Seq seq : {12u, 10u, 99u, 1u}) queue.forget(seq);
  std::vector<Seq> left;
  while (const Outgoing* const next = queue.next(10)) {
    left.push_back(next->seq);
    queue.sent();
  }
  EXPECT_EQ(left, (std::vector<Seq>{11, 13, 14}));
  Seq seq = 0;
  EXPECT_EQ(queue.acknowledge(3, PacketType::puback, true, seq), Answer::finished);
  EXPECT_EQ(seq, 13u);
}

}  // namespace
}  // namespace nilo::mqtt
