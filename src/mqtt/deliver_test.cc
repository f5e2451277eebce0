// Subscriptions, and messages to clients.
//
// One behaviour a test, named after its clause where it has one.
#include <gtest/gtest.h>

#include <set>

#include "mqtt/fake_host.h"
#include "mqtt/test_packets.h"

namespace nilo::mqtt {
namespace {

TEST(Subscribe, EachEntryGetsItsReason_MQTT_3_8_4_6) {
  FakeHost host;
  Peer peer(host, "a", kV5);
  std::string bytes;
  encode(bytes, kV5, 9, Properties(),
         std::vector<SubscribeEntry>{{"a", Qos::exactly_once},
                                     {"a#", Qos::at_most_once},
                                     {"forbidden/#", Qos::at_most_once},
                                     {"$share/g/t", Qos::at_most_once},
                                     {"$error/#", Qos::at_least_once}});
  peer.send(bytes);
  EXPECT_EQ(peer.take_hex(),
            "900800090002"
            "8F"
            "87"
            "00"
            "01");
  EXPECT_EQ(host.refusals.size(), 2u);
  Peer old(host, "b", kV3);
  old.send(subscribe(kV3, {"a#", Qos::at_most_once}));
  EXPECT_EQ(old.take_hex(), "9003000180");
}

TEST(Subscribe, SubscriptionsAreBoundedPerSession) {
  Limits limits;
  limits.subscriptions_max = 2;
  FakeHost host(limits);
  Peer peer(host, "a", kV5);
  peer.send(subscribe(kV5, {"1"}));
  peer.send(subscribe(kV5, {"2"}));
  peer.take();
  peer.send(subscribe(kV5, {"3"}));
  EXPECT_EQ(peer.take_hex(), "900400010097");
  peer.send(subscribe(kV5, {"2"}));  // replaces
  EXPECT_EQ(peer.take_hex(), "900400010000");
}

TEST(Subscribe, UnsubscribeEndsIt_MQTT_3_10_4_1) {
  FakeHost host;
  Peer peer(host, "a", kV5);
  peer.send(subscribe(kV5, kAll));
  std::string bytes;
  encode(bytes, kV5, 2, Properties(), std::vector<std::string_view>{"#", "none"});
  peer.send(bytes);
  EXPECT_EQ(peer.take_hex(),
            "900400010001"
            "B0050002000011");
  peer.send(publish(kV5, "t", "x", Qos::at_most_once));
  EXPECT_EQ(peer.take_hex(), "");
  EXPECT_EQ(host.router.subscription_count(), 0u);
}

TEST(Deliver, AtTheLowerOfBothQos_MQTT_3_8_4_8) {
  FakeHost host;
  Peer zero(host, "0", kV3);
  Peer two(host, "2", kV3);
  zero.send(subscribe(kV3, {"t", Qos::at_most_once}));
  two.send(subscribe(kV3, {"t", Qos::exactly_once}));
  zero.take();
  two.take();
  Peer publisher(host, "p", kV3);
  publisher.send(publish(kV3, "t", "a", Qos::exactly_once, 1));
  publisher.send(publish(kV3, "t", "b", Qos::at_least_once, 2));
  publisher.send(publish(kV3, "t", "c", Qos::at_most_once));
  EXPECT_EQ(told(kV3, zero.take()), "t=a q0, t=b q0, t=c q0");
  EXPECT_EQ(told(kV3, two.take()), "t=a q2 #1, t=b q1 #2, t=c q0");
}

TEST(Deliver, OverlappingSubscriptionsGiveOneMessageWithAllIdentifiers_MQTT_3_3_4_4) {
  FakeHost host;
  Peer peer(host, "a", kV5);
  peer.send(subscribe(kV5, {"t", Qos::at_most_once}, 3));
  peer.send(subscribe(kV5, {"#", Qos::at_least_once}, 4));
  peer.take();
  peer.send(publish(kV5, "t", "x", Qos::at_least_once, 9));
  const std::string out = peer.take();
  Frame frame;
  std::size_t needed = 0;
  ASSERT_EQ(read_frame(out, 1000, frame, needed), Framing::complete);
  Publish packet;
  ASSERT_FALSE(decode(frame, kV5, packet));
  EXPECT_EQ(packet.qos, Qos::at_least_once);
  std::set<std::uint32_t> identifiers;
  std::uint32_t identifier = 0;
  for (std::size_t at = 0; packet.properties.next_subscription_identifier(at, identifier);) {
    identifiers.insert(identifier);
  }
  EXPECT_EQ(identifiers, (std::set<std::uint32_t>{3, 4}));
  EXPECT_EQ(to_hex(out.substr(frame.size)), "40020009");
}

TEST(Deliver, NotToItselfWithNoLocal_MQTT_3_8_3_3) {
  FakeHost host;
  Peer peer(host, "a", kV5);
  Peer other(host, "b", kV5);
  peer.send(subscribe(kV5, {"t", Qos::at_most_once, true}));
  other.send(subscribe(kV5, {"t", Qos::at_most_once, true}));
  peer.take();
  other.take();
  peer.send(publish(kV5, "t", "x", Qos::at_most_once));
  EXPECT_EQ(told(kV5, peer.take()), "");
  EXPECT_EQ(told(kV5, other.take()), "t=x q0");
}

TEST(Deliver, PropertiesTravelAlong_MQTT_3_3_2_17) {
  FakeHost host;
  Peer peer(host, "a", kV5);
  peer.send(subscribe(kV5, {"t", Qos::at_most_once}));
  peer.take();
  std::string section;
  append_user_property(section, "k", "v");
  Publish packet;
  packet.topic = "t";
  packet.properties.set(Property::content_type, std::string_view("text/plain"));
  packet.properties.set(Property::response_topic, std::string_view("r"));
  packet.properties.set(Property::correlation_data, std::string_view("\0\1", 2));
  packet.properties.set(Property::payload_format, 1);
  packet.properties.set_repeated(section);
  std::string bytes;
  encode(bytes, kV5, packet);
  peer.send(bytes);
  EXPECT_EQ(peer.take_hex(), to_hex(bytes));
}

TEST(Deliver, TheExpiryCountsDownAndEnds_MQTT_3_3_2_6) {
  FakeHost host;
  Peer sleeper(host, "s", kV5, false, 1000);
  sleeper.send(subscribe(kV5, kAll));
  sleeper.vanish();
  Peer publisher(host, "p", kV5);
  Publish packet;
  packet.topic = "t";
  packet.qos = Qos::at_least_once;
  for (const std::uint32_t expiry_s : {10u, 60u}) {
    ++packet.packet_id;
    packet.properties.set(Property::message_expiry, expiry_s);
    std::string bytes;
    encode(bytes, kV5, packet);
    publisher.send(bytes);
  }
  host.clock.advance_us(20'000'000);
  host.broker->tick();
  Peer back(host, "s", kV5, false, 1000);
  const std::string hex = to_hex(back.connack);
  EXPECT_EQ(hex.find("020000000A"), std::string::npos);
  EXPECT_NE(hex.find("0200000028"), std::string::npos);  // 40 s left
}

TEST(Deliver, WhatTheClientDoesNotTakeIsNotSent_MQTT_3_1_2_25) {
  FakeHost host;
  Peer peer(host);
  Connect packet;
  packet.version = kV5;
  packet.client_id = "a";
  packet.properties.set(Property::maximum_packet_size, 30);
  peer.connect(packet);
  peer.send(subscribe(kV5, kAll));
  Peer publisher(host, "p", kV5);
  publisher.send(publish(kV5, "t", std::string(22, 'x'), Qos::at_least_once, 1));  // 30 bytes
  publisher.send(publish(kV5, "t", std::string(23, 'x'), Qos::at_least_once, 2));
  publisher.send(publish(kV5, "t", "y", Qos::at_least_once, 3));
  EXPECT_EQ(told(kV5, peer.take()).substr(12), " t=" + std::string(22, 'x') + " q1 #1, t=y q1 #3");
}

TEST(Deliver, NotMoreThanTheClientsReceiveMaximum_MQTT_3_3_4_9) {
  FakeHost host;
  Peer peer(host);
  Connect packet;
  packet.version = kV5;
  packet.client_id = "a";
  packet.properties.set(Property::receive_maximum, 2);
  peer.connect(packet);
  peer.send(subscribe(kV5, kAll));
  peer.take();
  Peer publisher(host, "p", kV5);
  for (std::uint16_t id = 1; id <= 4; ++id) {
    publisher.send(publish(kV5, "t", std::to_string(id), Qos::at_least_once, id));
  }
  EXPECT_EQ(told(kV5, peer.take()), "t=1 q1 #1, t=2 q1 #2");
  peer.send(ack(kV5, PacketType::puback, 1));
  EXPECT_EQ(told(kV5, peer.take()), "t=3 q1 #3");
}

TEST(Deliver, Qos2GoesThroughAllFourSteps_MQTT_4_3_3_1) {
  FakeHost host;
  Peer peer(host, "a", kV3);
  peer.send(subscribe(kV3, {"t", Qos::exactly_once}));
  peer.take();
  Peer publisher(host, "p", kV3);
  publisher.send(publish(kV3, "t", "x", Qos::exactly_once, 1));
  EXPECT_EQ(told(kV3, peer.take()), "t=x q2 #1");
  peer.send(ack(kV3, PacketType::pubrec, 1));
  EXPECT_EQ(peer.take_hex(), "62020001");
  peer.send(ack(kV3, PacketType::pubcomp, 1));
  EXPECT_FALSE(peer.is_closed());
}

TEST(Deliver, ASlowReaderLosesQos0AndKeepsQos1) {
  Limits limits;
  limits.out_buffer_size_max = 100;
  FakeHost host(limits);
  Peer slow(host, "s", kV3);
  slow.send(subscribe(kV3, kAll));
  slow.take();
  Peer publisher(host, "p", kV3);
  const std::string payload(60, 'x');
  for (std::uint16_t id = 1; id <= 4; ++id) {
    publisher.send(publish(kV3, "q1", payload, Qos::at_least_once, id));
    publisher.send(publish(kV3, "q0", payload, Qos::at_most_once));
  }
  const std::string waiting = told(kV3, host.broker->take_out(slow.id()));
  EXPECT_EQ(waiting, "q1=" + payload + " q1 #1, q0=" + payload + " q0");
  EXPECT_EQ(told(kV3, slow.take()),
            "q1=" + payload + " q1 #2, q1=" + payload + " q1 #3, q1=" + payload + " q1 #4");
}

// Else a turn that brings more than out_buffer_size_max would lose it, however fast the reader is.
TEST(Deliver, MuchForOneClientIsSentBeforeTheTurnEnds) {
  FakeHost host;
  Peer reader(host, "r", kV3);
  reader.send(subscribe(kV3, kAll));
  reader.take();
  Peer publisher(host, "p", kV3);
  const std::string bytes =
      publish(kV3, "t", std::string(kSendEarlySize / 2 - 10, 'x'), Qos::at_most_once);
  publisher.send(bytes);
  EXPECT_TRUE(host.early.empty());
  publisher.send(bytes);
  EXPECT_TRUE(host.early.empty());
  publisher.send(bytes);
  EXPECT_EQ(host.early, std::vector{reader.id()});
}

TEST(Deliver, AFullQueueDropsTheNewestAndSaysSoOnce) {
  Limits limits;
  limits.session_queue_max = 2;
  FakeHost host(limits);
  Peer sleeper(host, "s", kV3, false);
  sleeper.send(subscribe(kV3, kAll));
  sleeper.vanish();
  Peer publisher(host, "p", kV3);
  for (std::uint16_t id = 1; id <= 4; ++id) {
    publisher.send(publish(kV3, "t", std::to_string(id), Qos::at_least_once, id));
  }
  ASSERT_EQ(host.refusals.size(), 1u);
  EXPECT_EQ(host.refusals[0].what, Refusal::What::delivery);
  EXPECT_EQ(host.refusals[0].client_id, "s");
  Peer back(host, "s", kV3, false);
  EXPECT_EQ(told(kV3, back.connack), "20:0100, t=1 q1 #1, t=2 q1 #2");
}

TEST(Retained, ReachANewSubscriberAsRetained_MQTT_3_3_1_8) {
  FakeHost host;
  Peer publisher(host, "p", kV5);
  publisher.send(publish(kV5, "t", "x", Qos::at_least_once, 1, true));
  Peer peer(host, "a", kV5);
  peer.send(subscribe(kV5, {"#", Qos::at_most_once}));
  EXPECT_EQ(told(kV5, peer.take()), "90:00010000, t=x q0 retained");
  publisher.send(publish(kV5, "t", "y", Qos::at_least_once, 2, true));
  EXPECT_EQ(told(kV5, peer.take()), "t=y q0");
  peer.send(subscribe(kV5, {"#", Qos::at_most_once, false, true, 2}));
  publisher.send(publish(kV5, "t", "z", Qos::at_least_once, 3, true));
  EXPECT_EQ(told(kV5, peer.take()), "90:00010000, t=z q0 retained");
}

TEST(Retained, WhatTheServerSaysOfItselfIsThereForANewSubscriber) {
  FakeHost host;
  Peer peer(host, "a", kV3);
  peer.send(subscribe(kV3, {"$SYS/#", Qos::at_least_once}));
  EXPECT_EQ(told(kV3, peer.take()), "90:000101, $SYS/uptime=1 q0 retained");
  peer.send(subscribe(kV3, kAll));
  EXPECT_EQ(told(kV3, peer.take()), "90:000101");
}

TEST(Retained, TheSubscriberSaysWhetherItWantsThem_MQTT_3_3_1_10) {
  FakeHost host;
  Peer publisher(host, "p", kV5);
  publisher.send(publish(kV5, "t", "x", Qos::at_most_once, 0, true));
  Peer peer(host, "a", kV5);
  peer.send(subscribe(kV5, {"t", Qos::at_most_once, false, false, 1}));
  peer.send(subscribe(kV5, {"t", Qos::at_most_once, false, false, 1}));
  peer.send(subscribe(kV5, {"t", Qos::at_most_once, false, false, 2}));
  EXPECT_EQ(told(kV5, peer.take()), "90:00010000, t=x q0 retained, 90:00010000, 90:00010000");
}

// --- messages that wait in the log

TEST(Waiting, OfAClientThatIsAwayTheLogHasAllInOrder) {
  constexpr int kCount = 3'000;
  FakeHost host;
  Peer away(host, "away", kV3, false);
  away.send(subscribe(kV3, kAll));
  away.vanish();
  Peer publisher(host, "p", kV3);
  for (int i = 0; i < kCount; ++i) {
    publisher.send(publish(kV3, "t", std::to_string(i), Qos::at_least_once, 1));
  }
  FakeHost after;
  host.replay_into(after);
  for (FakeHost* const one : {&host, &after}) {
    Peer back(*one, "away", kV3, false);
    std::string bytes = back.connack.substr(4);
    int next = 0;
    while (!bytes.empty()) {
      std::string acks;
      for (std::string_view rest = bytes; !rest.empty();) {
        Frame frame;
        std::size_t needed = 0;
        ASSERT_EQ(read_frame(rest, kPacketSizeMax, frame, needed), Framing::complete);
        rest.remove_prefix(frame.size);
        Publish packet;
        ASSERT_FALSE(decode(frame, kV3, packet));
        ASSERT_EQ(packet.payload, std::to_string(next++));
        acks += ack(kV3, PacketType::puback, packet.packet_id);
      }
      back.send(acks);
      bytes = back.take();
    }
    EXPECT_EQ(next, kCount);
    EXPECT_EQ(one->fetched_count, static_cast<std::size_t>(kCount));
  }
}

TEST(Waiting, ForAllSessionsIsBoundedAndToldOnce) {
  Limits limits;
  limits.queued_max = 3;
  FakeHost host(limits);
  Peer one(host, "one", kV3, false);
  one.send(subscribe(kV3, kAll));
  one.vanish();
  Peer two(host, "two", kV3, false);
  two.send(subscribe(kV3, kAll));
  two.vanish();
  Peer publisher(host, "p", kV3);
  for (int i = 0; i < 4; ++i) publisher.send(publish(kV3, "t", "x", Qos::at_least_once, 1));
  EXPECT_EQ(host.refusals.size(), 2u) << "once for each session";
  int count = 0;
  for (const char* const client_id : {"one", "two"}) {
    Peer back(host, client_id, kV3, false);
    const std::string all = told(kV3, back.connack);
    for (std::size_t at = 0; (at = all.find("t=x", at)) != std::string::npos; ++at) ++count;
  }
  EXPECT_EQ(count, 3);
}

}  // namespace
}  // namespace nilo::mqtt
