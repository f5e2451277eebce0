// What a broker tells of its clients, and what it says of itself.
#include <gtest/gtest.h>

#include "mqtt/fake_host.h"
#include "mqtt/test_packets.h"

namespace nilo::mqtt {
namespace {

TEST(Presence, IsToldOfWhoComesListensAndGoes) {
  FakeHost host;
  Peer peer(host, "a", kV5);
  peer.send(subscribe(kV5, {"x/#", Qos::at_least_once}));
  peer.send(subscribe(kV5, {"forbidden/#", Qos::at_least_once}));
  peer.send_hex("A2 08 00 01 00 00 03 78 2F 23");  // UNSUBSCRIBE x/#
  peer.send_hex("E0 00");
  const std::vector<std::string> told{"connected a", "subscribed a x/#", "unsubscribed a x/#",
                                      "disconnected a 1"};
  EXPECT_EQ(host.presences, told);
}

TEST(Presence, SaysWhyAConnectionEnded) {
  const auto end_of = [](const std::function<void(FakeHost&, Peer&)>& act) {
    FakeHost host;
    Peer peer(host, "a", kV3);
    act(host, peer);
    for (const std::string& told : host.presences) {
      if (told.starts_with("disconnected a ")) return std::stoi(told.substr(15));
    }
    return -1;
  };
  using End = Presence::End;
  const auto number = [](End end) { return static_cast<int>(end); };
  EXPECT_EQ(end_of([](FakeHost&, Peer& peer) { peer.vanish(); }), number(End::lost));
  EXPECT_EQ(end_of([](FakeHost& host, Peer&) { const Peer other(host, "a", kV3); }),
            number(End::taken_over));
  EXPECT_EQ(end_of([](FakeHost& host, Peer&) {
              host.clock.advance_us(91'000'000);
              host.broker->tick();
            }),
            number(End::keep_alive));
  EXPECT_EQ(end_of([](FakeHost&, Peer& peer) {
              peer.send(publish(kV3, "forbidden", "x", Qos::at_most_once));
            }),
            number(End::forbidden));
  EXPECT_EQ(end_of([](FakeHost&, Peer& peer) { peer.send_hex("F0 00"); }),
            number(End::client_error));
  EXPECT_EQ(end_of([](FakeHost& host, Peer&) { host.broker->shut_down(); }),
            number(End::shut_down));
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

TEST(Broker, SaysWhyAClientMayNotStay) {
  FakeHost host;
  Peer barn(host, "a", kV5, true, 0, "barn");
  Peer tank(host, "b", kV5, true, 0, "tank");
  host.broker->drop_clients([](const Principal& who) -> const char* {
    return who.name == "barn" ? "its token is revoked" : nullptr;
  });
  const std::string goodbye = barn.take();
  EXPECT_EQ(told(kV5, goodbye), "goodbye not authorized");
  EXPECT_NE(goodbye.find("its token is revoked"), std::string::npos);
  EXPECT_TRUE(barn.is_closed());
  EXPECT_FALSE(tank.is_closed());
}

TEST(Broker, CountsMessagesAtEachTick) {
  FakeHost host;
  Peer peer(host, "a", kV3);
  peer.send(subscribe(kV3, kAll));
  peer.send(publish(kV3, "t", "x", Qos::at_most_once));
  host.broker->tick();
  const std::string text = host.metrics.prometheus_text();
  EXPECT_NE(text.find("nilo_mqtt_messages_received_total 1"), std::string::npos) << text;
  EXPECT_NE(text.find("nilo_mqtt_messages_sent_total 1"), std::string::npos) << text;
}

TEST(Broker, BytesThatTrickleInAreNoSignOfLife_MQTT_3_1_2_22) {
  FakeHost host;
  Peer peer(host);
  peer.connect(with_keep_alive(10));
  const std::string bytes = publish(kV3, "t", std::string(100, 'x'), Qos::at_most_once, 0);
  for (std::size_t i = 0; i < 15; ++i) {
    EXPECT_FALSE(peer.is_closed());
    peer.send(bytes.substr(i, 1));
    host.clock.advance_us(kSecondUs);
    host.broker->tick();
  }
  EXPECT_TRUE(peer.is_closed());
}

TEST(Broker, ALargePacketOnASlowLineIsOne) {
  FakeHost host;
  Peer peer(host);
  peer.connect(with_keep_alive(10));
  std::string bytes = publish(kV3, "t", std::string(20'000, 'x'), Qos::at_most_once, 0);
  while (!bytes.empty()) {
    peer.send(bytes.substr(0, 1'100));
    bytes.erase(0, 1'100);
    host.clock.advance_us(9 * kSecondUs);
    host.broker->tick();
  }
  EXPECT_FALSE(peer.is_closed());
  EXPECT_EQ(host.published.size(), 1u);
}

TEST(Broker, AnIdleConnectionIsSmall) {
  EXPECT_LE(sizeof(Connection), 512u);
  EXPECT_LE(sizeof(Session), 384u);
}

}  // namespace
}  // namespace nilo::mqtt
