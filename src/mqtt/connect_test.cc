// Connections: CONNECT, keep alive, the end.
//
// One behaviour a test, named after its clause where it has one.
#include <gtest/gtest.h>

#include "mqtt/fake_host.h"
#include "mqtt/test_packets.h"

namespace nilo::mqtt {
namespace {

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
  ASSERT_EQ(host.refusals.size(), 2u);
  EXPECT_EQ(host.refusals[0].client_id, "a");
  EXPECT_EQ(host.refusals[0].why, "no such user");
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

// The text of response information in the CONNACK of a client that asked with `asked`.
std::string response_information(FakeHost& host, std::string_view client_id, std::uint32_t asked,
                                 std::string_view user = {}) {
  Peer peer(host);
  Connect packet;
  packet.version = kV5;
  packet.client_id = client_id;
  packet.has_user_name = !user.empty();
  packet.user_name = user;
  packet.properties.set(Property::request_response_information, asked);
  peer.connect(packet);
  Frame frame;
  std::size_t needed = 0;
  Connack answer;
  EXPECT_EQ(read_frame(peer.connack, kPacketSizeMax, frame, needed), Framing::complete);
  EXPECT_FALSE(decode(frame, kV5, answer));
  return std::string(answer.properties.text(Property::response_information));
}

TEST(Connect, WhoAsksIsToldWhereToBeAnswered_MQTT_3_1_2_28) {
  FakeHost host;
  EXPECT_EQ(response_information(host, "tank", 1), "response/tank/");
  EXPECT_EQ(response_information(host, "tank", 0), "");
  EXPECT_EQ(response_information(host, "a/b", 1), "");
  EXPECT_EQ(response_information(host, "tank", 1, "deaf"), "");
}

TEST(Connect, AWillThatIsNotTheTextItIsSaidToBeIsRefused) {
  FakeHost host;
  Peer peer(host);
  Connect packet = with_will(kV5, 0, 0);
  packet.will.payload = "\xff";
  packet.will.properties.set(Property::payload_format, 1);
  peer.connect(packet);
  EXPECT_EQ(to_hex(peer.connack).substr(4, 4), "0099");
  EXPECT_TRUE(peer.is_closed());
}

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

}  // namespace
}  // namespace nilo::mqtt
