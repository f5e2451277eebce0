// Shared subscriptions: MQTT 5.0 section 4.8.2, for both versions.
#include <gtest/gtest.h>

#include "mqtt/fake_host.h"
#include "mqtt/test_packets.h"

namespace nilo::mqtt {
namespace {

const SubscribeEntry kShared{"$share/g/t/+", Qos::at_least_once};
const SubscribeEntry kSharedTwice{"$share/g/t/+", Qos::exactly_once};

Peer member(FakeHost& host, std::string_view name, std::uint32_t expiry_s = 0,
            const SubscribeEntry& entry = kShared) {
  Peer peer(host, name, kV5, expiry_s == 0, expiry_s);
  peer.send(subscribe(kV5, entry));
  peer.take();
  return peer;
}

void send(Peer& publisher, int count, Qos qos = Qos::at_most_once) {
  for (int i = 1; i <= count; ++i) {
    const auto id = static_cast<std::uint16_t>(qos == Qos::at_most_once ? 0 : i);
    publisher.send(publish(kV5, "t/" + std::to_string(i), "x", qos, id));
  }
}

// Somebody comes as `a` and wants nothing of its old session. Not answered while that one ends.
Peer asks_anew(FakeHost& host, bool clean_start = true) {
  Peer peer(host);
  Connect packet;
  packet.version = kV5;
  packet.client_id = "a";
  packet.clean_start = clean_start;
  peer.connect(packet);
  return peer;
}

// 5.0 [Paho test_shared_subscriptions]
TEST(SharedSubscription, EachMessageReachesOneMember) {
  FakeHost host;
  Peer a = member(host, "a");
  Peer b = member(host, "b");
  Peer publisher(host, "p", kV5);
  send(publisher, 4);
  EXPECT_EQ(told(kV5, a.take()), "t/1=x q0, t/3=x q0");
  EXPECT_EQ(told(kV5, b.take()), "t/2=x q0, t/4=x q0");
}

TEST(SharedSubscription, WorksForOlderClientsToo) {
  FakeHost host;
  Peer old(host, "old", kV3);
  old.send(subscribe(kV3, kShared));
  EXPECT_EQ(old.take_hex(), "9003000101");
  Peer b = member(host, "b");
  Peer publisher(host, "p", kV5);
  send(publisher, 2);
  EXPECT_EQ(told(kV3, old.take()), "t/1=x q0");
  EXPECT_EQ(told(kV5, b.take()), "t/2=x q0");
  old.send(subscribe(kV3, {"$share/g", Qos::at_most_once}));
  EXPECT_EQ(old.take_hex(), "9003000180");
}

TEST(SharedSubscription, ConnackDoesNotDenyIt_MQTT_3_2_2_3_13) {
  FakeHost host;
  Peer peer(host, "a", kV5);
  Connack answer;
  Frame frame;
  std::size_t needed = 0;
  ASSERT_EQ(read_frame(peer.connack, kPacketSizeMax, frame, needed), Framing::complete);
  ASSERT_FALSE(decode(frame, kV5, answer));
  EXPECT_FALSE(answer.properties.has(Property::shared_available));
}

// 5.0 [MQTT-3.8.3-4]
TEST(SharedSubscription, NoLocalIsAProtocolError_MQTT_3_8_3_4) {
  FakeHost host;
  Peer peer(host, "a", kV5);
  peer.send(subscribe(kV5, {"$share/g/t", Qos::at_most_once, true}));
  EXPECT_TRUE(peer.is_closed());
  EXPECT_EQ(host.refusals.at(0).reason, Reason::protocol_error);
}

TEST(SharedSubscription, BringsNothingRetained) {
  FakeHost host;
  Peer publisher(host, "p", kV5);
  publisher.send(publish(kV5, "t/1", "x", Qos::at_most_once, 0, true));
  Peer peer(host, "a", kV5);
  peer.send(subscribe(kV5, kShared));
  EXPECT_EQ(peer.take_hex(), "900400010001");
}

TEST(SharedSubscription, NeedsTheRightToWhatItHears) {
  FakeHost host;
  Peer peer(host, "a", kV5);
  peer.send(subscribe(kV5, {"$share/g/forbidden/x", Qos::at_most_once}));
  EXPECT_EQ(host.refusals.at(0).reason, Reason::not_authorized);
  EXPECT_EQ(host.router.subscription_count(), 0u);
}

// 5.0 [MQTT-4.8.2-3]
TEST(SharedSubscription, IsKeptApartFromAnotherOne_MQTT_4_8_2_3) {
  FakeHost host;
  Peer peer = member(host, "a");
  peer.send(subscribe(kV5, {"t/+", Qos::at_most_once}));
  peer.send(subscribe(kV5, {"$share/other/t/+", Qos::exactly_once}));
  peer.take();
  Peer publisher(host, "p", kV5);
  send(publisher, 1, Qos::exactly_once);
  EXPECT_EQ(told(kV5, peer.take()), "t/1=x q0, t/1=x q1 #1, t/1=x q2 #2");
}

TEST(SharedSubscription, EndsWithItsUnsubscribe) {
  FakeHost host;
  Peer peer = member(host, "a");
  std::string bytes;
  encode(bytes, kV5, 2, {}, std::vector<std::string_view>{"t/+", "$share/g/t/+"});
  peer.send(bytes);
  EXPECT_EQ(peer.take_hex(), "B0050002001100");
  EXPECT_EQ(host.router.subscription_count(), 0u);
}

TEST(SharedSubscription, AMemberThatIsAwayIsPassedOverWhileAnotherIsThere) {
  FakeHost host;
  Peer a = member(host, "a", 50);
  Peer b = member(host, "b", 50);
  Peer publisher(host, "p", kV5);
  a.vanish();
  send(publisher, 2, Qos::at_least_once);
  EXPECT_EQ(told(kV5, b.take()), "t/1=x q1 #1, t/2=x q1 #2");
  b.vanish();
  publisher.send(publish(kV5, "t/3", "x", Qos::at_least_once, 3));
  publisher.send(publish(kV5, "t/4", "x", Qos::at_least_once, 4));
  Peer again(host, "a", kV5, false, 50);
  EXPECT_NE(again.connack.find("t/3"), std::string::npos);
  EXPECT_EQ(again.connack.find("t/4"), std::string::npos);
}

TEST(SharedSubscription, AMemberThatDoesNotKeepUpIsPassedOver) {
  FakeHost host;
  Peer slow(host);
  Connect packet;
  packet.version = kV5;
  packet.client_id = "slow";
  packet.properties.set(Property::receive_maximum, 1);
  slow.connect(packet);
  slow.send(subscribe(kV5, kShared));
  slow.take();
  Peer b = member(host, "b");
  Peer publisher(host, "p", kV5);
  send(publisher, 6, Qos::at_least_once);
  // It waits with one that it may not be sent yet, and gets no more.
  EXPECT_EQ(told(kV5, slow.take()), "t/1=x q1 #1");
  EXPECT_EQ(told(kV5, b.take()), "t/2=x q1 #1, t/4=x q1 #2, t/5=x q1 #3, t/6=x q1 #4");
  slow.send(ack(kV5, PacketType::puback, 1));
  EXPECT_EQ(told(kV5, slow.take()), "t/3=x q1 #2");
}

TEST(SharedSubscription, WhatWasNotAcknowledgedGoesToAnotherMemberWhenTheSessionEnds) {
  FakeHost host;
  Peer a = member(host, "a", 50);
  Peer b = member(host, "b");
  Peer publisher(host, "p", kV5);
  send(publisher, 2, Qos::at_least_once);
  EXPECT_EQ(told(kV5, a.take()), "t/1=x q1 #1");
  EXPECT_EQ(told(kV5, b.take()), "t/2=x q1 #1");
  a.vanish();
  EXPECT_EQ(b.take(), "");  // it may come back [MQTT-4.8.2-4]
  host.clock.advance_us(51'000'000);
  host.broker->tick();
  EXPECT_EQ(told(kV5, b.take()), "t/1=x q1 #2");
  b.vanish();  // clean: ends now, and nobody is left
  EXPECT_EQ(host.router.subscription_count(), 0u);
}

TEST(SharedSubscription, ACleanStartEndsTheOldSessionForOthersToo) {
  FakeHost host;
  Peer a = member(host, "a", 50);
  send(a, 1, Qos::at_least_once);
  Peer b = member(host, "b");
  Peer again(host, "a", kV5, true);
  EXPECT_EQ(told(kV5, b.take()), "t/1=x q1 #1");
}

// What a crash leaves at each moment: the message belongs to the old session or to the other
// member.
TEST(SharedSubscription, ASessionEndsInTheLogAfterOthersHaveWhatWasShared) {
  FakeHost host;
  Peer a = member(host, "a", 50);
  Peer publisher(host, "p", kV5);
  send(publisher, 1, Qos::at_least_once);
  a.vanish();
  member(host, "b", 50).vanish();
  const std::size_t before = host.records.size();
  host.holds_hand_ons = true;
  Peer again = asks_anew(host);
  Peer third = asks_anew(host);
  EXPECT_EQ(again.connack + third.connack, "") << "the old session is not over";
  EXPECT_EQ(host.records.size(), before);
  ASSERT_EQ(host.hand_ons.size(), 1u);
  host.hand_ons.front()();
  EXPECT_EQ(told(kV5, again.take()).substr(0, 7), "20:0000") << "accepted, and there is no session";
  EXPECT_EQ(told(kV5, third.take()).substr(0, 7), "20:0000") << "and then takes it over";
  for (std::size_t count = before; count <= host.records.size(); ++count) {
    FakeHost after;
    host.replay_into(after, count);
    std::string heard;
    for (const std::string_view name : {"a", "b"}) {
      Peer member_again(after, name, kV5, false, 50);
      heard += member_again.connack;
    }
    EXPECT_NE(heard.find("t/1"), std::string::npos) << "of " << count << " records";
  }
}

TEST(SharedSubscription, WhoseLoginEndsWhileTheOldSessionEndsIsTurnedAway) {
  FakeHost host;
  Peer a = member(host, "a", 50);
  Peer publisher(host, "p", kV5);
  send(publisher, 1, Qos::at_least_once);
  host.holds_hand_ons = true;
  Peer again = asks_anew(host);
  host.broker->drop_clients([](const Principal&) { return "ended"; });
  EXPECT_EQ(told(kV5, again.take()).substr(0, 7), "20:0087");
  EXPECT_TRUE(again.is_closed());
  ASSERT_EQ(host.hand_ons.size(), 1u);
  host.hand_ons.front()();
  EXPECT_EQ(host.broker->session_count(), 0u);
}

TEST(SharedSubscription, WhoIsGoneBeforeTheOldSessionEndedIsForgotten) {
  FakeHost host;
  Peer a = member(host, "a", 50);
  Peer publisher(host, "p", kV5);
  send(publisher, 1, Qos::at_least_once);
  host.holds_hand_ons = true;
  a.vanish();
  host.clock.advance_us(51'000'000);
  host.broker->tick();
  ASSERT_EQ(host.hand_ons.size(), 1u);
  Peer again = asks_anew(host, false);
  again.vanish();
  host.hand_ons.front()();
  EXPECT_EQ(host.broker->session_count(), 1u) << "the publisher's";
  Peer third(host, "a", kV5);
  EXPECT_EQ(host.broker->session_count(), 2u);
}

// 5.0 [MQTT-4.8.2-5]
TEST(SharedSubscription, WhatWasUnderWayAtQos2StaysWithItsSession_MQTT_4_8_2_5) {
  FakeHost host;
  Peer a = member(host, "a", 0, kSharedTwice);
  Peer b = member(host, "b", 0, kSharedTwice);
  Peer publisher(host, "p", kV5);
  send(publisher, 1, Qos::exactly_once);
  EXPECT_EQ(told(kV5, a.take()), "t/1=x q2 #1");
  a.vanish();
  EXPECT_EQ(b.take(), "");
}

// 5.0 [MQTT-4.8.2-4]
TEST(SharedSubscription, AQos2DeliveryIsCompletedToItsMember_MQTT_4_8_2_4) {
  FakeHost host;
  Peer a = member(host, "a", 50, kSharedTwice);
  Peer b = member(host, "b", 50, kSharedTwice);
  Peer publisher(host, "p", kV5);
  send(publisher, 1, Qos::exactly_once);
  EXPECT_EQ(told(kV5, a.take()), "t/1=x q2 #1");
  a.vanish();
  Peer again(host, "a", kV5, false, 50);
  EXPECT_NE(again.connack.find("t/1"), std::string::npos);
  EXPECT_EQ(b.take(), "");
}

// 5.0 [MQTT-4.8.2-1] [MQTT-4.8.2-2]
TEST(SharedSubscription, WithoutANameOrAFilterIsAProtocolError_MQTT_4_8_2_1) {
  for (const std::string_view filter : {"$share//t", "$share/g", "$share/g/", "$share/g+/t"}) {
    FakeHost host;
    Peer peer(host, "a", kV5);
    peer.send(subscribe(kV5, {filter, Qos::at_most_once}));
    EXPECT_EQ(told(kV5, peer.take()), "goodbye protocol error") << filter;
  }
}

// 5.0 [MQTT-4.8.2-6]
TEST(SharedSubscription, ARefusalIsFinal_MQTT_4_8_2_6) {
  FakeHost host;
  Peer a = member(host, "a");
  Peer b = member(host, "b");
  Peer publisher(host, "p", kV5);
  send(publisher, 1, Qos::at_least_once);
  std::string refusal;
  encode(refusal, kV5, PacketType::puback, Ack{1, Reason::quota_exceeded, {}});
  a.send(refusal);
  a.vanish();
  EXPECT_EQ(b.take(), "");
}

TEST(SharedSubscription, OutlivesTheProcessWithWhatWaits) {
  FakeHost host;
  {
    Peer a = member(host, "a", 50);
    a.vanish();
    Peer publisher(host, "p", kV5);
    send(publisher, 2, Qos::at_least_once);
  }
  FakeHost after;
  host.replay_into(after);
  EXPECT_EQ(after.damaged, 0);
  Peer b = member(after, "b");
  Peer publisher(after, "p", kV5);
  publisher.send(publish(kV5, "t/3", "x", Qos::at_least_once, 3));
  EXPECT_EQ(told(kV5, b.take()), "t/3=x q1 #1");  // "a" is known, and away
  after.clock.advance_us(51'000'000);
  after.broker->tick();
  EXPECT_EQ(told(kV5, b.take()), "t/1=x q1 #2, t/2=x q1 #3");
}

}  // namespace
}  // namespace nilo::mqtt
