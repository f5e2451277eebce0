// Broker: connections, sessions and messages, one behaviour a test, named after its clause.
#include "mqtt/broker.h"

#include <gtest/gtest.h>

#include "mqtt/fake_host.h"

namespace nilo::mqtt {
namespace {

constexpr Version kV3 = Version::v3_1_1;
constexpr Version kV5 = Version::v5;

std::string publish(Version version, std::string_view topic, std::string_view payload, Qos qos,
                    std::uint16_t packet_id = 0, bool retain = false) {
  Publish packet;
  packet.topic = topic;
  packet.payload = payload;
  packet.qos = qos;
  packet.packet_id = packet_id;
  packet.retain = retain;
  std::string bytes;
  encode(bytes, version, packet);
  return bytes;
}

std::string subscribe(Version version, SubscribeEntry entry, std::uint32_t identifier = 0) {
  Properties properties;
  if (identifier != 0) properties.set(Property::subscription_identifier, identifier);
  std::string bytes;
  encode(bytes, version, 1, properties, std::vector<SubscribeEntry>{entry});
  return bytes;
}

std::string ack(Version version, PacketType type, std::uint16_t packet_id) {
  std::string bytes;
  encode(bytes, version, type, Ack{packet_id, Reason::success, {}});
  return bytes;
}

// The packets in `bytes`, each as one word and what matters of it.
std::string told(Version version, std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    Frame frame;
    std::size_t needed = 0;
    if (read_frame(bytes, kPacketSizeMax, frame, needed) != Framing::complete) return out + "?";
    bytes.remove_prefix(frame.size);
    if (!out.empty()) out += ", ";
    Publish message;
    Disconnect goodbye;
    if (frame.type == PacketType::publish && !decode(frame, version, message)) {
      out += std::string(message.topic) + "=" + std::string(message.payload) + " q" +
             std::to_string(static_cast<int>(message.qos));
      if (message.packet_id != 0) out += " #" + std::to_string(message.packet_id);
      if (message.dup) out += " dup";
      if (message.retain) out += " retained";
    } else if (frame.type == PacketType::disconnect && !decode(frame, version, goodbye)) {
      out += "goodbye " + std::string(text_of(goodbye.reason));
    } else {
      out += to_hex(
          std::string(1, static_cast<char>(static_cast<unsigned>(frame.type) << 4 | frame.flags)));
      out += ":" + to_hex(frame.body);
    }
  }
  return out;
}

const SubscribeEntry kAll{"#", Qos::at_least_once};

// --- CONNECT

TEST(Connect, TheFirstPacketMustBeConnect_MQTT_3_1_0_1) {
  FakeHost host;
  Peer peer(host);
  peer.send_hex("C0 00");
  EXPECT_TRUE(peer.is_closed());
  EXPECT_EQ(peer.take_hex(), "");
  ASSERT_EQ(host.refusals.size(), 1u);
  EXPECT_EQ(host.refusals[0].what, Refusal::What::connect);
}

TEST(Connect, ASecondConnectIsAProtocolError_MQTT_3_1_0_2) {
  FakeHost host;
  Peer peer(host, "a", kV5);
  peer.send_hex("10 0E 0004 4D515454 05 02 000A 00 0001 61");
  EXPECT_TRUE(peer.is_closed());
  EXPECT_EQ(told(kV5, peer.take()), "goodbye protocol error");
}

TEST(Connect, AnnouncingHundredsOfMegabytesIsRefusedAtOnce) {
  FakeHost host;
  Peer stranger(host);
  stranger.send_hex("10 FF FF FF 7F");
  EXPECT_TRUE(stranger.is_closed());
  Peer known(host, "a", kV5);
  known.send_hex("30 80 80 80 8F");
  EXPECT_FALSE(known.is_closed());
  Peer big(host, "b", kV5);
  big.send_hex("30 80 80 80 7F");
  EXPECT_TRUE(big.is_closed());
  EXPECT_EQ(told(kV5, big.take()), "goodbye packet too large");
}

TEST(Connect, TheFirstPacketHasItsOwnLimit) {
  Limits limits;
  limits.first_packet_size_max = 15;
  FakeHost host(limits);
  Peer fits(host);
  fits.send_hex("10 0D 0004 4D515454 04 02 000A 0001 70");  // 15 bytes
  EXPECT_EQ(fits.take_hex(), "20020000");
  Peer over(host);
  over.send_hex("10 0E 0004 4D515454 04 02 000A 0002 7070");
  EXPECT_TRUE(over.is_closed());
}

TEST(Connect, AWrongPasswordIsToldInBothVersions) {
  FakeHost host;
  for (const Version version : {kV3, kV5}) {
    Peer peer(host);
    Connect packet;
    packet.version = version;
    packet.client_id = "a";
    packet.has_user_name = packet.has_password = true;
    packet.user_name = "anna";
    packet.password = "wrong";
    peer.connect(packet);
    EXPECT_TRUE(peer.is_closed());
    EXPECT_EQ(peer.connack.substr(0, 1), "\x20");
    EXPECT_EQ(static_cast<std::uint8_t>(peer.connack[3]), version == kV3 ? 4 : 0x86);
  }
  EXPECT_EQ(host.broker->session_count(), 0u);
}

TEST(Connect, WhatComesBeforeTheAnswerIsKeptAndHandledAfterIt) {
  FakeHost host;
  host.holds_logins = true;
  Peer peer(host);
  std::string bytes;
  Connect packet;
  packet.client_id = "a";
  encode(bytes, packet);
  EXPECT_FALSE(peer.send(bytes + from_hex("C0 00 C0")));
  EXPECT_FALSE(peer.send_hex("00 C0 00"));
  EXPECT_EQ(peer.take_hex(), "");
  host.broker->on_authenticated(peer.id(), Principal{"anna"});
  EXPECT_EQ(peer.take_hex(), "20020000D000D000D000");
  EXPECT_EQ(host.readable, std::vector<ConnectionId>{peer.id()});
}

TEST(Connect, ALateAnswerToAClientThatHasGoneIsIgnored) {
  FakeHost host;
  host.holds_logins = true;
  Peer peer(host, "a", kV3);
  peer.vanish();
  host.broker->on_authenticated(peer.id(), Principal{"anna"});
  EXPECT_EQ(host.broker->session_count(), 0u);
}

TEST(Connect, AnEmptyClientIdGetsOne_MQTT_3_1_3_6) {
  FakeHost host;
  Peer five(host, "", kV5);
  Connack answer;
  Frame frame;
  std::size_t needed = 0;
  ASSERT_EQ(read_frame(five.connack, 1000, frame, needed), Framing::complete);
  ASSERT_FALSE(decode(frame, kV5, answer));
  EXPECT_TRUE(answer.properties.text(Property::assigned_client_id).starts_with("nilo-"));
  Peer three(host, "", kV3);
  EXPECT_EQ(to_hex(three.connack), "20020000");
  Peer staying(host, "", kV3, false);
  EXPECT_EQ(to_hex(staying.connack), "20020002");  // [MQTT-3.1.3-8] of 3.1.1
}

TEST(Connect, AClientIdMayBeAsLongAsTheLimit) {
  FakeHost host;
  EXPECT_EQ(to_hex(Peer(host, std::string(256, 'x'), kV3).connack), "20020000");
  EXPECT_EQ(to_hex(Peer(host, std::string(257, 'x'), kV3).connack), "20020002");
}

TEST(Connect, SessionsAreBounded) {
  Limits limits;
  limits.sessions_max = 2;
  FakeHost host(limits);
  Peer one(host, "1", kV3);
  Peer two(host, "2", kV3);
  EXPECT_EQ(to_hex(Peer(host, "3", kV3).connack), "20020003");
  two.vanish();
  EXPECT_EQ(to_hex(Peer(host, "3", kV3).connack), "20020000");
}

TEST(Connect, TheSameClientIdTakesOver_MQTT_3_1_4_3) {
  FakeHost host;
  Peer old(host, "tank", kV5);
  Peer other(host, "tank", kV5);
  EXPECT_TRUE(old.is_closed());
  EXPECT_EQ(told(kV5, old.take()), "goodbye session taken over");
  EXPECT_FALSE(other.is_closed());
  EXPECT_EQ(host.broker->session_count(), 1u);
}

TEST(Connect, TakingOverAPersistentSessionLosesNoMessage) {
  FakeHost host;
  Peer old(host, "tank", kV3, false);
  old.send(subscribe(kV3, kAll));
  Peer publisher(host, "p", kV3);
  publisher.send(publish(kV3, "t", "1", Qos::at_least_once, 1));
  EXPECT_EQ(told(kV3, old.take()), "90:000101, t=1 q1 #1");
  Peer other(host, "tank", kV3, false);
  EXPECT_EQ(told(kV3, other.connack), "20:0100, t=1 q1 #1 dup");
}

TEST(Connect, NoCompleteConnectInTimeClosesTheSocket) {
  FakeHost host;
  Peer silent(host);
  Peer half(host);
  half.send_hex("10 0D 0004");
  host.clock.advance_us(9'999'999);
  host.broker->tick();
  EXPECT_FALSE(silent.is_closed() || half.is_closed());
  host.clock.advance_us(1);
  host.broker->tick();
  EXPECT_TRUE(silent.is_closed() && half.is_closed());
  EXPECT_EQ(host.broker->connection_count(), 0u);
}

TEST(Connect, ExtendedAuthenticationIsNotOffered) {
  FakeHost host;
  Peer peer(host);
  Connect packet;
  packet.version = kV5;
  packet.client_id = "a";
  packet.properties.set(Property::authentication_method, std::string_view("SCRAM-SHA-256"));
  peer.connect(packet);
  EXPECT_EQ(static_cast<std::uint8_t>(peer.connack[3]), 0x8c);
}

// --- keep alive

TEST(KeepAlive, SilenceForOneAndAHalfEndsTheConnection_MQTT_3_1_2_22) {
  FakeHost host;
  Peer peer(host, "a", kV5);  // 60 s
  host.clock.advance_us(89'999'999);
  host.broker->tick();
  EXPECT_FALSE(peer.is_closed());
  host.clock.advance_us(1);
  host.broker->tick();
  EXPECT_TRUE(peer.is_closed());
  EXPECT_EQ(told(kV5, peer.take()), "goodbye keep alive timeout");
}

TEST(KeepAlive, AnyPacketExtendsIt) {
  FakeHost host;
  Peer peer(host, "a", kV3);
  for (int i = 0; i < 5; ++i) {
    host.clock.advance_us(60'000'000);
    host.broker->tick();
    peer.send_hex("C0 00");
  }
  EXPECT_FALSE(peer.is_closed());
  EXPECT_EQ(peer.take_hex(), "D000D000D000D000D000");
}

TEST(KeepAlive, TheServerMayLowerItFor5) {
  Limits limits;
  limits.keep_alive_max_s = 30;
  FakeHost host(limits);
  Peer peer(host, "a", kV5);
  Frame frame;
  std::size_t needed = 0;
  Connack answer;
  ASSERT_EQ(read_frame(peer.connack, 1000, frame, needed), Framing::complete);
  ASSERT_FALSE(decode(frame, kV5, answer));
  EXPECT_EQ(answer.properties.number(Property::server_keep_alive, 0), 30u);
  host.clock.advance_us(45'000'000);
  host.broker->tick();
  EXPECT_TRUE(peer.is_closed());
}

// --- PUBLISH from clients

TEST(Publish, IsAcknowledgedOnlyWhenTheHostSaysSo) {
  FakeHost host;
  host.holds_publishes = true;
  Peer peer(host, "a", kV3);
  peer.send(publish(kV3, "t", "x", Qos::at_least_once, 7));
  EXPECT_EQ(peer.take_hex(), "");
  host.broker->on_published(host.tickets[0], Reason::success);
  EXPECT_EQ(peer.take_hex(), "40020007");
}

TEST(Publish, IsAcknowledgedInOrderHoweverTheHostAnswers_MQTT_4_6_0_2) {
  FakeHost host;
  host.holds_publishes = true;
  Peer peer(host, "a", kV3);
  for (std::uint16_t id = 1; id <= 3; ++id) {
    peer.send(publish(kV3, "t", "x", Qos::at_least_once, id));
  }
  host.broker->on_published(host.tickets[2], Reason::success);
  host.broker->on_published(host.tickets[1], Reason::success);
  EXPECT_EQ(peer.take_hex(), "");
  host.broker->on_published(host.tickets[0], Reason::success);
  EXPECT_EQ(peer.take_hex(), "400200014002000240020003");
  host.broker->on_published(host.tickets[0], Reason::success);  // once too often
  EXPECT_EQ(peer.take_hex(), "");
}

TEST(Publish, AnAnswerForAClientThatHasGoneIsIgnored) {
  FakeHost host;
  host.holds_publishes = true;
  Peer peer(host, "a", kV3);
  peer.send(publish(kV3, "t", "x", Qos::at_least_once, 1));
  peer.vanish();
  Peer next(host, "b", kV3);
  host.broker->on_published(host.tickets[0], Reason::success);
  EXPECT_EQ(next.take_hex(), "");
}

TEST(Publish, AFullDiskIsToldTo5AndClosesOthers) {
  FakeHost host;
  host.holds_publishes = true;
  Peer five(host, "5", kV5);
  Peer three(host, "3", kV3);
  five.send(publish(kV5, "t", "x", Qos::at_least_once, 1));
  three.send(publish(kV3, "t", "x", Qos::at_least_once, 1));
  host.broker->on_published(host.tickets[0], Reason::quota_exceeded, "disk full");
  host.broker->on_published(host.tickets[1], Reason::quota_exceeded, "disk full");
  EXPECT_EQ(five.take_hex(),
            "4010000197"
            "0C"
            "1F0009" +
                to_hex("disk full"));
  EXPECT_FALSE(five.is_closed());
  EXPECT_TRUE(three.is_closed());
  EXPECT_EQ(three.take_hex(), "");
}

TEST(Publish, AReasonThatPubackCannotSayIsTranslated) {
  FakeHost host;
  host.holds_publishes = true;
  Peer peer(host, "5", kV5);
  peer.send(publish(kV5, "t", "x", Qos::at_least_once, 1));
  host.broker->on_published(host.tickets[0], Reason::server_unavailable);
  EXPECT_EQ(peer.take_hex(), "4003000183");
}

TEST(Publish, WithoutRightsIsRefusedAndReported) {
  FakeHost host;
  Peer five(host, "5", kV5);
  five.send(publish(kV5, "forbidden/x", "x", Qos::at_least_once, 1));
  EXPECT_EQ(five.take_hex().substr(0, 10), "401B000187");
  five.send(publish(kV5, "$table/x", "x", Qos::at_most_once));
  EXPECT_FALSE(five.is_closed());
  Peer three(host, "3", kV3);
  three.send(publish(kV3, "$table/x", "x", Qos::at_least_once, 1));
  EXPECT_TRUE(three.is_closed());
  ASSERT_EQ(host.refusals.size(), 3u);
  EXPECT_EQ(host.refusals[0].topic, "forbidden/x");
  EXPECT_EQ(host.refusals[0].reason, Reason::not_authorized);
  EXPECT_TRUE(host.published.empty());
}

TEST(Publish, ATopicOfTenThousandLevelsIsRefused) {
  FakeHost host;
  Peer peer(host, "5", kV5);
  peer.send(publish(kV5, std::string(10'000, '/'), "x", Qos::at_least_once, 1));
  EXPECT_EQ(peer.take_hex().substr(4, 6), "000190");
  EXPECT_FALSE(peer.is_closed());
}

TEST(Publish, APayloadMayBeAsLargeAsTheLimit) {
  FakeHost host;
  Peer peer(host, "5", kV5);
  peer.send(publish(kV5, "t", std::string(kPayloadSizeMax, 'x'), Qos::at_least_once, 1));
  peer.send(publish(kV5, "t", std::string(kPayloadSizeMax + 1, 'x'), Qos::at_least_once, 2));
  const std::string out = peer.take_hex();
  EXPECT_EQ(out.substr(0, 10), "4003000110");
  EXPECT_EQ(out.substr(14, 6), "000297");
  EXPECT_EQ(host.published.size(), 1u);
}

TEST(Publish, ArrivesWholeHoweverItIsCut) {
  const std::string one = publish(kV5, "topic", std::string(300, 'x'), Qos::at_least_once, 1);
  for (std::size_t piece = 1; piece < one.size() * 2; piece = piece * 3 / 2 + 1) {
    FakeHost host;
    Peer peer(host, "a", kV5);
    const std::string bytes = one + one + one;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      peer.send(std::string_view(bytes).substr(at, piece));
    }
    ASSERT_EQ(host.published.size(), 3u) << piece;
    EXPECT_EQ(host.published[2]->payload, std::string(300, 'x'));
  }
}

TEST(Publish, OverTheReceiveMaximumEnds5AndPausesOthers_MQTT_3_3_4_7) {
  Limits limits;
  limits.receive_max = 4;
  FakeHost host(limits);
  host.holds_publishes = true;
  Peer five(host, "5", kV5);
  Peer three(host, "3", kV3);
  for (std::uint16_t id = 1; id <= 4; ++id) {
    five.send(publish(kV5, "t", "x", Qos::at_least_once, id));
  }
  EXPECT_FALSE(five.is_closed());
  five.send(publish(kV5, "t", "x", Qos::at_least_once, 5));
  EXPECT_EQ(told(kV5, five.take()), "goodbye receive maximum exceeded");

  host.tickets.clear();
  std::string bytes;
  for (std::uint16_t id = 1; id <= 6; ++id) bytes += publish(kV3, "t", "x", Qos::at_least_once, id);
  EXPECT_FALSE(three.send(bytes));
  EXPECT_EQ(host.tickets.size(), 4u);
  host.broker->on_published(host.tickets[0], Reason::success);
  EXPECT_EQ(host.tickets.size(), 4u);  // it resumes at half
  host.broker->on_published(host.tickets[1], Reason::success);
  EXPECT_EQ(host.tickets.size(), 6u);
  for (std::size_t i = 2; i < 6; ++i) host.broker->on_published(host.tickets[i], Reason::success);
  EXPECT_EQ(host.readable, std::vector<ConnectionId>{three.id()});
  EXPECT_EQ(three.take().size(), 24u);
}

TEST(Publish, TopicAliasesBelongToOneConnection_MQTT_3_3_2_7) {
  FakeHost host;
  Peer peer(host, "a", kV5);
  peer.send_hex("30 08 0001 74 03 23 0001 31");
  peer.send_hex("30 07 0000 03 23 0001 32");
  ASSERT_EQ(host.published.size(), 2u);
  EXPECT_EQ(host.published[1]->topic, "t");
  EXPECT_EQ(host.published[1]->payload, "2");
  Peer other(host, "b", kV5);
  other.send_hex("30 07 0000 03 23 0001 32");
  EXPECT_EQ(told(kV5, other.take()), "goodbye protocol error");
  peer.send_hex("30 08 0001 74 03 23 0010 31");  // 16 is the maximum
  EXPECT_FALSE(peer.is_closed());
  peer.send_hex("30 08 0001 74 03 23 0011 31");
  EXPECT_EQ(told(kV5, peer.take()), "goodbye topic alias invalid");
}

// --- QoS 2 from clients

TEST(Qos2In, IsPublishedOnceHoweverOftenItComes_MQTT_4_3_3_10) {
  FakeHost host;
  Peer peer(host, "a", kV3);
  peer.send(publish(kV3, "t", "x", Qos::exactly_once, 5));
  peer.send(publish(kV3, "t", "x", Qos::exactly_once, 5));
  EXPECT_EQ(host.published.size(), 1u);
  EXPECT_EQ(peer.take_hex(), "5002000550020005");
  peer.send(ack(kV3, PacketType::pubrel, 5));
  EXPECT_EQ(peer.take_hex(), "70020005");
  peer.send(publish(kV3, "t", "x", Qos::exactly_once, 5));
  EXPECT_EQ(host.published.size(), 2u);
}

TEST(Qos2In, TheNextConnectionIsAnsweredWhenTheFirstOnesPublishIsDurable) {
  FakeHost host;
  host.holds_publishes = true;
  Peer first(host, "a", kV3, false);
  first.send(publish(kV3, "t", "x", Qos::exactly_once, 5));
  first.vanish();
  Peer second(host, "a", kV3, false);
  second.send(publish(kV3, "t", "x", Qos::exactly_once, 5));
  EXPECT_EQ(second.take_hex(), "");
  host.broker->on_published(host.tickets[0], Reason::success);
  EXPECT_EQ(second.take_hex(), "50020005");
  EXPECT_EQ(host.published.size(), 1u);
}

TEST(Qos2In, ARefusedOneMayComeAgain) {
  FakeHost host;
  host.holds_publishes = true;
  Peer peer(host, "a", kV5);
  peer.send(publish(kV5, "t", "x", Qos::exactly_once, 5));
  host.broker->on_published(host.tickets[0], Reason::quota_exceeded);
  EXPECT_EQ(peer.take_hex(), "5003000597");
  peer.send(publish(kV5, "t", "x", Qos::exactly_once, 5));
  EXPECT_EQ(host.published.size(), 2u);
}

TEST(Qos2In, IdsThatAreNeverReleasedAreBounded) {
  Limits limits;
  limits.receive_max = 3;
  FakeHost host(limits);
  Peer peer(host, "a", kV3);
  for (std::uint16_t id = 1; id <= 3; ++id) {
    peer.send(publish(kV3, "t", "x", Qos::exactly_once, id));
  }
  EXPECT_FALSE(peer.is_closed());
  peer.send(publish(kV3, "t", "x", Qos::exactly_once, 4));
  EXPECT_TRUE(peer.is_closed());
}

// --- SUBSCRIBE and delivery

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
            "9E"
            "01");
  EXPECT_EQ(host.refusals.size(), 3u);
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

// --- retained

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

// --- wills

Connect with_will(Version version, std::uint32_t delay_s, std::uint32_t expiry_s) {
  Connect packet;
  packet.version = version;
  packet.client_id = "tank";
  packet.clean_start = false;
  packet.has_will = true;
  packet.will.topic = "gone";
  packet.will.payload = "tank";
  packet.will.qos = Qos::at_least_once;
  if (version == kV5) {
    packet.properties.set(Property::session_expiry, expiry_s);
    packet.will.properties.set(Property::will_delay, delay_s);
  }
  return packet;
}

TEST(Will, IsPublishedWhenTheConnectionBreaks_MQTT_3_1_2_8) {
  FakeHost host;
  Peer peer(host);
  peer.connect(with_will(kV3, 0, 0));
  peer.vanish();
  ASSERT_EQ(host.published.size(), 1u);
  EXPECT_EQ(host.published[0]->topic, "gone");
  EXPECT_EQ(host.published[0]->client_id, "tank");
}

TEST(Will, IsForgottenAfterAGoodbye_MQTT_3_1_2_10) {
  FakeHost host;
  Peer peer(host);
  peer.connect(with_will(kV3, 0, 0));
  peer.send_hex("E0 00");
  EXPECT_TRUE(peer.is_closed());
  EXPECT_TRUE(host.published.empty());
}

TEST(Will, MayBeWantedWithTheGoodbye) {
  FakeHost host;
  Peer peer(host);
  peer.connect(with_will(kV5, 0, 0));
  peer.send_hex("E0 01 04");
  EXPECT_EQ(host.published.size(), 1u);
}

TEST(Will, WaitsForItsDelayAndIsCancelledByAReturn_MQTT_3_1_3_9) {
  FakeHost host;
  Peer first(host);
  first.connect(with_will(kV5, 10, 100));
  first.vanish();
  host.clock.advance_us(9'000'000);
  host.broker->tick();
  EXPECT_TRUE(host.published.empty());
  Peer second(host);
  second.connect(with_will(kV5, 10, 100));
  host.clock.advance_us(20'000'000);
  host.broker->tick();
  EXPECT_TRUE(host.published.empty());
  second.vanish();
  host.clock.advance_us(10'000'000);
  host.broker->tick();
  EXPECT_EQ(host.published.size(), 1u);
  host.clock.advance_us(200'000'000);
  host.broker->tick();
  EXPECT_EQ(host.published.size(), 1u);
  EXPECT_EQ(host.broker->session_count(), 0u);
}

TEST(Will, ComesNoLaterThanTheEndOfTheSession) {
  FakeHost host;
  Peer peer(host);
  peer.connect(with_will(kV5, 100, 10));
  peer.vanish();
  host.clock.advance_us(10'000'000);
  host.broker->tick();
  EXPECT_EQ(host.published.size(), 1u);
  EXPECT_EQ(host.broker->session_count(), 0u);
}

TEST(Will, NeedsTheRightToPublish) {
  FakeHost host;
  Peer peer(host);
  Connect packet = with_will(kV3, 0, 0);
  packet.has_user_name = true;
  packet.user_name = "mute";
  peer.connect(packet);
  peer.vanish();
  EXPECT_TRUE(host.published.empty());
  ASSERT_EQ(host.refusals.size(), 1u);
  EXPECT_EQ(host.refusals[0].topic, "gone");
}

// --- sessions

TEST(Session, ACleanOneEndsWithItsConnectionAndCostsNothingInTheLog) {
  FakeHost host;
  Peer peer(host, "a", kV3, true);
  peer.send(subscribe(kV3, kAll));
  peer.vanish();
  EXPECT_EQ(host.broker->session_count(), 0u);
  EXPECT_EQ(host.router.subscription_count(), 0u);
  EXPECT_TRUE(host.records.empty());
}

TEST(Session, APersistentOneKeepsItsMessagesInOrder_MQTT_3_1_2_5) {
  FakeHost host;
  Peer peer(host, "a", kV3, false);
  EXPECT_EQ(to_hex(peer.connack), "20020000");
  peer.send(subscribe(kV3, kAll));
  peer.vanish();
  Peer publisher(host, "p", kV3);
  for (std::uint16_t id = 1; id <= 3; ++id) {
    publisher.send(publish(kV3, "t", std::to_string(id), Qos::at_least_once, id));
  }
  publisher.send(publish(kV3, "t", "qos 0 does not wait", Qos::at_most_once));
  Peer back(host, "a", kV3, false);
  EXPECT_EQ(told(kV3, back.connack), "20:0100, t=1 q1 #1, t=2 q1 #2, t=3 q1 #3");
}

TEST(Session, ACleanStartForgetsTheOldOne_MQTT_3_1_2_4) {
  FakeHost host;
  Peer peer(host, "a", kV3, false);
  peer.send(subscribe(kV3, kAll));
  peer.vanish();
  Peer back(host, "a", kV3, true);
  EXPECT_EQ(to_hex(back.connack), "20020000");
  EXPECT_EQ(host.router.subscription_count(), 0u);
}

TEST(Session, EndsWhenItsExpiryHasPassed_MQTT_3_1_2_23) {
  FakeHost host;
  Peer peer(host, "a", kV5, false, 100);
  peer.send(subscribe(kV5, kAll));
  peer.vanish();
  host.clock.advance_us(99'000'000);
  host.broker->tick();
  EXPECT_EQ(host.broker->session_count(), 1u);
  host.clock.advance_us(1'000'000);
  host.broker->tick();
  EXPECT_EQ(host.broker->session_count(), 0u);
}

TEST(Session, TheGoodbyeMayChangeTheExpiryButNotFromZero_MQTT_3_14_2_2) {
  FakeHost host;
  Peer zero(host, "0", kV5);
  zero.send_hex("E0 07 00 05 11 00000001");
  EXPECT_EQ(told(kV5, zero.take()), "goodbye protocol error");
  Peer some(host, "1", kV5, false, 100);
  some.send_hex("E0 07 00 05 11 00000000");
  EXPECT_EQ(host.broker->session_count(), 0u);
}

TEST(Session, ConnackAndSubackWaitUntilTheSessionIsDurable) {
  FakeHost host;
  host.holds_commits = true;
  Peer peer(host, "a", kV3, false);
  EXPECT_EQ(peer.connack, "");
  peer.send(subscribe(kV3, kAll));
  host.commits.front()({});
  host.commits.pop_front();
  EXPECT_EQ(peer.take_hex(), "20020000");
  ASSERT_EQ(host.commits.size(), 1u);
  host.commits.front()({});
  EXPECT_EQ(peer.take_hex(), "9003000101");
}

TEST(Session, AFullDiskRefusesAPersistentConnect) {
  FakeHost host;
  host.holds_commits = true;
  Peer peer(host, "a", kV5, false, 100);
  host.commits.front()(Error{ErrorCode::resource_exhausted, "disk full"});
  EXPECT_TRUE(peer.is_closed());
  EXPECT_EQ(peer.take_hex().substr(4, 4), "0097");
}

TEST(Session, SurvivesARestart) {
  FakeHost host;
  Peer peer(host, "a", kV5, false, 1000);
  peer.send(subscribe(kV5, {"t/#", Qos::at_least_once}, 7));
  peer.send(subscribe(kV5, {"u", Qos::at_least_once}));
  peer.take();
  std::string bytes;
  encode(bytes, kV5, 2, Properties(), std::vector<std::string_view>{"u"});
  peer.send(bytes);
  Peer publisher(host, "p", kV5);
  for (std::uint16_t id = 1; id <= 4; ++id) {
    publisher.send(publish(kV5, "t/x", std::to_string(id), Qos::at_least_once, id));
  }
  peer.send(ack(kV5, PacketType::puback, 1));
  peer.send(ack(kV5, PacketType::puback, 3));
  host.broker->tick();

  FakeHost after;
  host.replay_into(after);
  EXPECT_EQ(after.damaged, 0);
  EXPECT_EQ(after.router.subscription_count(), 1u);
  Peer back(after, "a", kV5, false, 1000);
  const std::string all = told(kV5, back.connack);
  EXPECT_NE(all.find("t/x=2 q1 #1, t/x=4 q1"), std::string::npos) << all;
  EXPECT_EQ(all.find("t/x=1"), std::string::npos);
  EXPECT_EQ(back.connack[2], 1) << "session present";
  Peer again(after, "p", kV5);
  again.send(publish(kV5, "t/x", "5", Qos::at_least_once, 1));
  EXPECT_EQ(told(kV5, back.take()), "t/x=5 q1 #4");
}

TEST(Session, AnEndedOneDoesNotComeBackAfterARestart) {
  FakeHost host;
  Peer peer(host, "a", kV3, false);
  peer.send(subscribe(kV3, kAll));
  peer.vanish();
  Peer clean(host, "a", kV3, true);
  FakeHost after;
  host.replay_into(after);
  EXPECT_EQ(after.broker->session_count(), 0u);
  EXPECT_EQ(after.router.subscription_count(), 0u);
}

TEST(Session, NumbersGoOnAfterARestart) {
  FakeHost host;
  Peer peer(host, "a", kV3, false);
  FakeHost after;
  host.replay_into(after);
  Peer other(after, "b", kV3, false);
  SessionEffect first;
  SessionEffect second;
  Effect effect;
  RecordReader one(after.records[0]);
  ASSERT_TRUE(one.next(effect) && read_session(effect.body, first));
  RecordReader two(after.records[1]);
  ASSERT_TRUE(two.next(effect) && read_session(effect.body, second));
  EXPECT_GT(second.number, first.number);
}

TEST(Session, AResumedOneMayBecomePersistentAndCarriesItsSubscriptions) {
  FakeHost host;
  Peer clean(host, "a", kV5, true, 100);
  clean.send(subscribe(kV5, kAll));
  clean.vanish();
  Peer brief(host, "a", kV5, false, 0);  // ends with its connection now
  EXPECT_EQ(brief.connack[2], 1);
  FakeHost none;
  host.replay_into(none);
  EXPECT_EQ(none.broker->session_count(), 0u);
  Peer publisher(host, "p", kV5);
  publisher.send(publish(kV5, "t", "x", Qos::at_least_once, 1));
  EXPECT_EQ(told(kV5, brief.take()), "t=x q1 #1");
  brief.vanish();
  EXPECT_EQ(host.broker->session_count(), 1u);  // the publisher's
}

TEST(Broker, SaysGoodbyeWhenItShutsDown) {
  FakeHost host;
  Peer five(host, "5", kV5);
  Peer three(host);
  three.connect(with_will(kV3, 0, 0));
  Peer stranger(host);
  host.broker->shut_down();
  EXPECT_EQ(told(kV5, five.take()), "goodbye server shutting down");
  EXPECT_TRUE(three.is_closed() && stranger.is_closed());
  EXPECT_TRUE(host.published.empty());
  EXPECT_EQ(host.broker->connection_count(), 0u);
}

TEST(Broker, AnIdleConnectionIsSmall) {
  EXPECT_LE(sizeof(Connection), 512u);
  EXPECT_LE(sizeof(Session), 320u);
}

}  // namespace
}  // namespace nilo::mqtt
