// Messages from clients.
//
// One behaviour a test, named after its clause where it has one.
#include <gtest/gtest.h>

#include "mqtt/fake_host.h"
#include "mqtt/test_packets.h"

namespace nilo::mqtt {
namespace {

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
  five.send(publish(kV5, "forbidden/x", "x", Qos::at_most_once));
  EXPECT_FALSE(five.is_closed());
  Peer three(host, "3", kV3);
  three.send(publish(kV3, "forbidden/x", "x", Qos::at_least_once, 1));
  EXPECT_TRUE(three.is_closed());
  ASSERT_EQ(host.refusals.size(), 3u);
  EXPECT_EQ(host.refusals[0].topic, "forbidden/x");
  EXPECT_EQ(host.refusals[0].reason, Reason::not_authorized);
  EXPECT_TRUE(host.published.empty());
}

TEST(Publish, ToTopicsOfTheServerIsAnsweredWithoutWordsAndReported) {
  FakeHost host;
  Peer five(host, "5", kV5);
  five.send(publish(kV5, "$table/x", "x", Qos::at_least_once, 1));
  EXPECT_EQ(five.take_hex(), "4003000190");
  five.send(publish(kV5, "$table/x", "x", Qos::at_most_once));
  Peer three(host, "3", kV3);
  three.send(publish(kV3, "$table/x", "x", Qos::at_least_once, 1));
  EXPECT_EQ(three.take_hex(), "40020001");
  ASSERT_EQ(host.refusals.size(), 3u);
  for (const FakeHost::Refused& refused : host.refusals) {
    EXPECT_EQ(refused.topic, "$table/x");
    EXPECT_EQ(refused.reason, Reason::topic_name_invalid);
    EXPECT_EQ(refused.why, "topics that begin with $ are the server's own");
  }
  EXPECT_TRUE(host.published.empty());
}

TEST(Publish, APayloadThatIsNotTheTextItIsSaidToBeIsRefused_MQTT_3_3_2_3_2) {
  FakeHost host;
  Peer peer(host, "a", kV5);
  Publish packet;
  packet.topic = "t";
  packet.payload = "caf\xe9";
  packet.qos = Qos::at_least_once;
  packet.packet_id = 1;
  packet.properties.set(Property::payload_format, 1);
  std::string bytes;
  encode(bytes, kV5, packet);
  peer.send(bytes);
  EXPECT_EQ(peer.take_hex().substr(4, 6), "000199");
  EXPECT_TRUE(host.published.empty());
  packet.payload = "caf\xc3\xa9";
  bytes.clear();
  encode(bytes, kV5, packet);
  peer.send(bytes);
  EXPECT_EQ(host.published.size(), 1u);
}

TEST(Publish, ATopicMayHaveAsManyLevelsAsTheLimit) {
  FakeHost host;
  Peer peer(host, "5", kV5);
  peer.send(publish(kV5, std::string(kTopicLevelsMax - 1, '/'), "x", Qos::at_least_once, 1));
  EXPECT_EQ(peer.take_hex(), "4003000110");
  peer.send(publish(kV5, std::string(kTopicLevelsMax, '/'), "x", Qos::at_least_once, 2));
  EXPECT_EQ(peer.take_hex().substr(4, 6), "000290");
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

// The second connection of `a`, whose first one has published 5 and gone before it was durable.
Peer after_a_lost_one(FakeHost& host, Version version) {
  host.holds_publishes = true;
  Peer first(host, "a", version, false, 60);
  first.send(publish(version, "t", "x", Qos::exactly_once, 5));
  first.vanish();
  return Peer(host, "a", version, false, 60);
}

TEST(Qos2In, TheNextConnectionIsAnsweredWhenTheFirstOnesPublishIsDurable) {
  FakeHost host;
  Peer second = after_a_lost_one(host, kV3);
  second.send(publish(kV3, "t", "x", Qos::exactly_once, 5));
  EXPECT_EQ(second.take_hex(), "");
  host.broker->on_published(host.tickets[0], Reason::success);
  EXPECT_EQ(second.take_hex(), "50020005");
  EXPECT_EQ(host.published.size(), 1u);
}

// One answer for each time it was sent there: a second PUBREC would bring a second PUBCOMP, which
// the client may take for that of its next message with this identifier.
TEST(Qos2In, TheNextConnectionIsAnsweredOnceWhenItAsksAfterwards) {
  FakeHost host;
  Peer second = after_a_lost_one(host, kV3);
  host.broker->on_published(host.tickets[0], Reason::success);
  EXPECT_EQ(second.take_hex(), "");
  second.send(publish(kV3, "t", "x", Qos::exactly_once, 5));
  EXPECT_EQ(second.take_hex(), "50020005");
  EXPECT_EQ(host.published.size(), 1u);
}

TEST(Qos2In, TheNextConnectionHearsThatTheFirstOnesPublishWasRefused) {
  for (const Version version : {kV3, kV5}) {
    FakeHost host;
    Peer second = after_a_lost_one(host, version);
    second.send(publish(version, "t", "x", Qos::exactly_once, 5));
    host.broker->on_published(host.tickets[0], Reason::quota_exceeded);
    EXPECT_EQ(second.take_hex(), version == kV5 ? "5003000597" : "");
    EXPECT_EQ(second.is_closed(), version == kV3);
  }
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

TEST(Publish, WhoIsNotReadBecauseNobodyIsIsNotSilent) {
  FakeHost host;
  Peer peer(host);
  peer.connect(with_keep_alive(30));
  host.broker->set_reads(false);
  host.clock.advance_us(50'000'000);
  host.broker->tick();
  EXPECT_FALSE(peer.is_closed());
  host.clock.advance_us(40'000'000);
  host.broker->tick();
  host.broker->set_reads(true);
  host.clock.advance_us(10'000'000);
  host.broker->tick();
  EXPECT_FALSE(peer.is_closed()) << "it has 45 s from when it could be heard";
  host.clock.advance_us(40'000'000);
  host.broker->tick();
  EXPECT_TRUE(peer.is_closed());
}

TEST(Publish, WhoIsNotReadUntilTheDiskHasItIsNotSilent) {
  Limits limits;
  limits.receive_max = 2;
  FakeHost host(limits);
  host.holds_publishes = true;
  Peer peer(host);
  peer.connect(with_keep_alive(30));
  std::string bytes;
  for (std::uint16_t id = 1; id <= 3; ++id) {
    bytes += publish(kV3, "t", "x", Qos::at_least_once, id);
  }
  EXPECT_FALSE(peer.send(bytes)) << "the third one waits";
  host.clock.advance_us(100'000'000);
  host.broker->tick();
  EXPECT_FALSE(peer.is_closed());
  host.clock.advance_us(20'000'000);
  host.broker->tick();
  for (std::size_t i = 0; i < 2; ++i) host.broker->on_published(host.tickets[i], Reason::success);
  EXPECT_EQ(host.published.size(), 3u);
  host.clock.advance_us(44'000'000);
  host.broker->tick();
  EXPECT_FALSE(peer.is_closed()) << "the third one was read just now";
  host.clock.advance_us(2'000'000);
  host.broker->tick();
  EXPECT_TRUE(peer.is_closed()) << "now it is silent";
}

// At QoS 2, none of them released.
void publish_ids(Peer& peer, Version version, std::uint16_t first, std::uint16_t last) {
  for (std::uint16_t id = first; id <= last; ++id) {
    peer.send(publish(version, "t", "x", Qos::exactly_once, id));
  }
}

TEST(Qos2In, IdsThatAreNeverReleasedAreBounded) {
  Limits limits;
  limits.receive_max = 3;
  FakeHost host(limits);
  Peer peer(host, "a", kV5);
  publish_ids(peer, kV5, 1, 3);
  EXPECT_FALSE(peer.is_closed());
  publish_ids(peer, kV5, 4, 4);
  EXPECT_TRUE(peer.is_closed());
}

TEST(Qos2In, WhoHasAsManyAsMayBeCanRepeatThem) {
  Limits limits;
  limits.receive_max = 3;
  FakeHost host(limits);
  Connect packet;
  packet.version = kV5;
  packet.client_id = "a";
  packet.clean_start = false;
  packet.properties.set(Property::session_expiry, 100);
  Peer before(host);
  before.connect(packet);
  publish_ids(before, kV5, 1, 3);
  before.vanish();
  Peer after(host);
  after.connect(packet);
  after.take();
  publish_ids(after, kV5, 1, 3);
  EXPECT_FALSE(after.is_closed());
  EXPECT_EQ(host.published.size(), 3u);
}

TEST(Qos2In, WhenThereAreTooManyOfAllNobodyHasMoreThanIsFair) {
  Limits limits;
  limits.receive_max = 3;
  limits.received_max = 5;
  FakeHost host(limits);
  Peer first(host, "a", kV3);
  publish_ids(first, kV3, 1, 5);
  EXPECT_FALSE(first.is_closed());
  Peer second(host, "b", kV3);
  publish_ids(second, kV3, 1, 3);
  EXPECT_FALSE(second.is_closed());
  publish_ids(second, kV3, 4, 4);
  EXPECT_TRUE(second.is_closed());
  for (std::uint16_t id = 1; id <= 4; ++id) first.send(ack(kV3, PacketType::pubrel, id));
  Peer third(host, "c", kV3);
  publish_ids(third, kV3, 1, 4);
  EXPECT_FALSE(third.is_closed()) << "there is room again";
}

// Below 5.0 a client knows no maximum, and its PUBRELs come after all of its publishes.
TEST(Qos2In, Below5MoreThanMayBeUnansweredAreTakenAtOnce) {
  Limits limits;
  limits.receive_max = 3;
  FakeHost host(limits);
  Peer peer(host, "a", kV3);
  std::string bytes;
  for (std::uint16_t id = 1; id <= 50; ++id) {
    bytes += publish(kV3, "t", "x", Qos::exactly_once, id);
  }
  for (std::uint16_t id = 1; id <= 50; ++id) bytes += ack(kV3, PacketType::pubrel, id);
  peer.send(bytes);
  EXPECT_FALSE(peer.is_closed());
  EXPECT_EQ(host.published.size(), 50u);
}

}  // namespace
}  // namespace nilo::mqtt
