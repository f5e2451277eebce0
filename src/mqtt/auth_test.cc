// Enhanced authentication: MQTT 5.0 section 4.12.
#include <gtest/gtest.h>

#include "mqtt/fake_host.h"
#include "mqtt/test_packets.h"

namespace nilo::mqtt {
namespace {

std::string auth(Reason reason, std::string_view data, std::string_view method = "count") {
  Auth packet{reason, {}};
  if (!method.empty()) packet.properties.set(Property::authentication_method, method);
  packet.properties.set(Property::authentication_data, data);
  std::string bytes;
  encode(bytes, packet);
  return bytes;
}

std::string next(std::string_view data) { return auth(Reason::continue_authentication, data); }

void begin(Peer& peer, std::string_view data = "1", std::string_view method = "count") {
  Connect packet;
  packet.version = kV5;
  packet.client_id = "a";
  packet.properties.set(Property::authentication_method, method);
  packet.properties.set(Property::authentication_data, data);
  peer.connect(packet);
}

// Reason, method and data of the one AUTH or CONNACK in `bytes`; "" if it is neither.
std::string told_auth(std::string_view bytes) {
  Frame frame;
  std::size_t needed = 0;
  if (read_frame(bytes, kPacketSizeMax, frame, needed) != Framing::complete) return "?";
  Auth step;
  Connack answer;
  Properties* properties = nullptr;
  std::string out;
  if (frame.type == PacketType::auth && !decode(frame, kV5, step)) {
    properties = &step.properties;
    out = "auth " + std::string(text_of(step.reason));
  } else if (frame.type == PacketType::connack && !decode(frame, kV5, answer)) {
    properties = &answer.properties;
    out = "connack " + std::string(text_of(answer.reason));
  } else {
    return told(kV5, bytes);
  }
  if (properties->has(Property::authentication_method)) {
    out += " " + std::string(properties->text(Property::authentication_method)) + ":" +
           std::string(properties->text(Property::authentication_data));
  }
  return out;
}

// Logged in as "tank".
void come_in(Peer& peer) {
  begin(peer);
  peer.take();
  peer.send(next("2"));
  peer.take();
  peer.send(next("tank"));
  ASSERT_EQ(told_auth(peer.take()), "connack success count:welcome");
}

// 5.0 [MQTT-4.12.0-2] [MQTT-4.12.0-3]
TEST(Auth, GoesOnUntilTheMethodIsContent_MQTT_4_12_0_2) {
  FakeHost host;
  Peer peer(host);
  begin(peer);
  EXPECT_EQ(told_auth(peer.connack), "auth continue authentication count:1");
  peer.send(next("2"));
  EXPECT_EQ(told_auth(peer.take()), "auth continue authentication count:2");
  peer.send(next("tank"));
  EXPECT_EQ(told_auth(peer.take()), "connack success count:welcome");
  peer.send(publish(kV5, "t", "x", Qos::at_most_once));
  ASSERT_EQ(host.published.size(), 1u);
  EXPECT_EQ(host.published[0]->principal, "tank");
}

// 5.0 [MQTT-4.12.0-1]
TEST(Auth, AMethodThatIsNotOfferedIsRefused_MQTT_4_12_0_1) {
  FakeHost host;
  Peer peer(host);
  begin(peer, "1", "GS2-KRB5");
  EXPECT_EQ(told_auth(peer.connack), "connack bad authentication method");
  EXPECT_TRUE(peer.is_closed());
}

// 5.0 [MQTT-4.12.0-4]
TEST(Auth, WhoDoesNotConvinceIsRefused_MQTT_4_12_0_4) {
  FakeHost host;
  Peer peer(host);
  begin(peer);
  peer.take();
  peer.send(next("3"));
  EXPECT_EQ(told_auth(peer.take()), "connack bad user name or password");
  EXPECT_TRUE(peer.is_closed());
  EXPECT_EQ(host.broker->session_count(), 0u);
}

// 5.0 [MQTT-3.1.2-30]
TEST(Auth, NothingElseIsSaidBeforeConnack_MQTT_3_1_2_30) {
  FakeHost host;
  Peer peer(host);
  begin(peer);
  peer.take();
  peer.send(publish(kV5, "t", "x", Qos::at_most_once));
  EXPECT_EQ(told_auth(peer.take()), "connack protocol error");
  EXPECT_TRUE(host.published.empty());
  Peer polite(host);
  begin(polite);
  polite.take();
  polite.send_hex("E0 00");
  EXPECT_EQ(polite.take(), "");
  EXPECT_TRUE(polite.is_closed());
}

// 5.0 [MQTT-4.12.0-5]
TEST(Auth, TheMethodStaysTheSame_MQTT_4_12_0_5) {
  FakeHost host;
  for (const std::string_view method : {"other", ""}) {
    Peer peer(host);
    begin(peer);
    peer.take();
    peer.send(auth(Reason::continue_authentication, "2", method));
    EXPECT_EQ(told_auth(peer.take()), "connack protocol error") << method;
  }
}

// 5.0 [MQTT-4.12.0-6] [MQTT-4.12.0-7]
TEST(Auth, WithoutAMethodInConnectIsAProtocolError_MQTT_4_12_0_6) {
  FakeHost host;
  Peer peer(host, "a", kV5);
  peer.send(auth(Reason::reauthenticate, "1"));
  EXPECT_EQ(told(kV5, peer.take()), "goodbye protocol error");
}

TEST(Auth, ThatNobodyAskedForIsAProtocolError) {
  FakeHost host;
  for (const Reason reason : {Reason::continue_authentication, Reason::success}) {
    Peer peer(host);
    come_in(peer);
    peer.send(auth(reason, "1"));
    EXPECT_EQ(told(kV5, peer.take()), "goodbye protocol error");
  }
  Peer early(host);
  begin(early);
  early.take();
  early.send(auth(Reason::reauthenticate, "2"));
  EXPECT_EQ(told_auth(early.take()), "connack protocol error");
}

// 5.0 [MQTT-4.12.1-1]
TEST(Auth, AgainGoesOnBesideEverythingElse_MQTT_4_12_1_1) {
  FakeHost host;
  Peer peer(host);
  come_in(peer);
  peer.send(auth(Reason::reauthenticate, "1"));
  EXPECT_EQ(told_auth(peer.take()), "auth continue authentication count:1");
  peer.send(publish(kV5, "t", "x", Qos::at_most_once));
  EXPECT_EQ(host.published.size(), 1u);
  peer.send(next("2"));
  peer.take();
  peer.send(next("tank"));
  EXPECT_EQ(told_auth(peer.take()), "auth success count:welcome");
  peer.send(auth(Reason::reauthenticate, "1"));
  EXPECT_EQ(told_auth(peer.take()), "auth continue authentication count:1");
}

// 5.0 [MQTT-4.12.1-2]
TEST(Auth, AgainAndWrongEndsTheConnection_MQTT_4_12_1_2) {
  FakeHost host;
  Peer wrong(host);
  come_in(wrong);
  wrong.send(auth(Reason::reauthenticate, "7"));
  EXPECT_EQ(told(kV5, wrong.take()), "goodbye not authorized");
  EXPECT_TRUE(wrong.is_closed());
  Peer other(host);
  come_in(other);
  other.send(auth(Reason::reauthenticate, "1"));
  other.send(next("2"));
  other.take();
  other.send(next("pump"));  // somebody else
  EXPECT_EQ(told(kV5, other.take()), "goodbye not authorized");
}

// 5.0 [MQTT-3.15.1-1] [MQTT-3.15.2-1]
TEST(Auth, HasNoFlagsAndOneOfItsReasons_MQTT_3_15_1_1) {
  FakeHost host;
  Peer flags(host);
  come_in(flags);
  flags.send_hex("F1 00");
  EXPECT_EQ(told(kV5, flags.take()).substr(0, 7), "goodbye");
  Peer reason(host);
  come_in(reason);
  reason.send_hex("F0 02 42 00");
  EXPECT_EQ(told(kV5, reason.take()), "goodbye protocol error");
}

TEST(Auth, IsToBeDoneInTimeAndInSmallPackets) {
  Limits limits;
  limits.first_packet_size_max = 100;
  FakeHost host(limits);
  Peer slow(host);
  begin(slow);
  host.clock.advance_us(limits.connect_timeout_us);
  host.broker->tick();
  EXPECT_TRUE(slow.is_closed());
  Peer large(host);
  begin(large);
  large.take();
  large.send(next(std::string(100, 'x')));
  EXPECT_EQ(large.take(), "");
  EXPECT_TRUE(large.is_closed());
}

}  // namespace
}  // namespace nilo::mqtt
