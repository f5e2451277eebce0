// Client: against the real Broker, and against servers that misbehave.
#include "mqtt/client.h"

#include <gtest/gtest.h>

#include "mqtt/fake_host.h"

namespace nilo::mqtt {
namespace {

class Events : public ClientHandler {
 public:
  void on_connected(bool session_present) override {
    told += session_present ? "connected again; " : "connected; ";
  }
  void on_published(std::uint16_t packet_id, Reason reason) override {
    told += "published " + std::to_string(packet_id) + " " + std::string(text_of(reason)) + "; ";
  }
  void on_subscribed(std::uint16_t /*packet_id*/, const std::vector<Reason>& reasons) override {
    for (const Reason reason : reasons) told += "subscribed " + std::string(text_of(reason)) + "; ";
  }
  void on_message(const MessageView& message) override {
    told += std::string(message.topic) + "=" + std::string(message.payload) + "; ";
    if (message.properties != nullptr) properties = *message.properties;
  }
  void on_disconnected(const Error& error) override {
    told += "over: " + std::string(info_of(error.code).name) + ": " + error.message + "; ";
  }
  std::string take() { return std::exchange(told, {}); }

  std::string told;
  MessageProperties properties;
};

// A client wired to a broker.
struct Wire {
  explicit Wire(FakeHost& the_host, ClientOptions options = {})
      : host(the_host),
        client(std::move(options), events, the_host.clock),
        id(host.broker->open("::1")) {
    client.start();
    run();
  }
  // Moves bytes until both are quiet.
  void run() {
    for (bool moved = true; moved;) {
      const std::string up = client.take_out();
      if (!up.empty()) host.broker->receive(id, up);
      std::string down = host.broker->take_out(id);
      const auto at = host.closed.find(id);
      if (at != host.closed.end()) down += std::exchange(at->second, {});
      client.receive(down);
      moved = !up.empty() || !down.empty();
    }
  }
  FakeHost& host;
  Events events;
  Client client;
  ConnectionId id;
};

MessageView message(std::string_view topic, std::string_view payload, Qos qos) {
  MessageView view;
  view.topic = topic;
  view.payload = payload;
  view.qos = qos;
  return view;
}

// 3.1.1 [MQTT-3.1.0-1] [MQTT-2.3.1-2]
// 5.0 [MQTT-3.1.0-1] [MQTT-2.2.1-3]
TEST(Client, PublishesAndHearsInAllVersions) {
  for (const Version version : {Version::v3_1, Version::v3_1_1, Version::v5}) {
    FakeHost host;
    ClientOptions options;
    options.version = version;
    options.client_id = "c";
    Wire wire(host, options);
    EXPECT_EQ(wire.events.take(), "connected; ");
    wire.client.subscribe({{"t/#", Qos::exactly_once}});
    wire.run();
    EXPECT_EQ(wire.events.take(), "subscribed granted QoS 2; ");
    EXPECT_EQ(wire.client.publish(message("t/0", "a", Qos::at_most_once)).value(), 0);
    EXPECT_EQ(wire.client.publish(message("t/1", "b", Qos::at_least_once)).value(), 2);
    EXPECT_EQ(wire.client.in_flight_count(), 1u);
    wire.run();
    EXPECT_EQ(wire.events.take(), "t/0=a; t/1=b; published 2 success; ");
    EXPECT_EQ(wire.client.in_flight_count(), 0u);
    wire.client.disconnect();
    wire.run();
    EXPECT_EQ(host.broker->connection_count(), 0u);
  }
}

TEST(Client, PublishesAtQos2UntilTheExchangeEnds) {
  for (const Version version : {Version::v3_1_1, Version::v5}) {
    FakeHost host;
    host.holds_publishes = true;
    ClientOptions options;
    options.version = version;
    Wire wire(host, options);
    wire.events.take();
    const auto packet_id = wire.client.publish(message("t", "x", Qos::exactly_once));
    ASSERT_TRUE(packet_id);
    wire.run();
    EXPECT_EQ(wire.client.in_flight_count(), 1u);
    host.broker->on_published(host.tickets.at(0), Reason::success);
    wire.run();
    EXPECT_EQ(wire.events.take(), "published 1 success; ");
    EXPECT_EQ(wire.client.in_flight_count(), 0u);
    EXPECT_EQ(host.published.size(), 1u);
  }
}

TEST(Client, TakesARefusedQos2PublishForItsEnd) {
  FakeHost host;
  host.holds_publishes = true;
  Wire wire(host);
  wire.events.take();
  ASSERT_TRUE(wire.client.publish(message("t", "x", Qos::exactly_once)));
  wire.run();
  host.broker->on_published(host.tickets.at(0), Reason::quota_exceeded);
  wire.run();
  EXPECT_EQ(wire.events.take(), "published 1 quota exceeded; ");
  EXPECT_EQ(wire.client.in_flight_count(), 0u);
}

// 3.1.1 [MQTT-4.5.0-2] [MQTT-4.3.3-2]
// 5.0 [MQTT-4.5.0-2] [MQTT-4.3.3-10]
TEST(Client, TakesQos2Once) {
  FakeHost host;
  Wire wire(host);
  wire.client.subscribe({{"t", Qos::exactly_once}});
  wire.run();
  wire.events.take();
  Peer publisher(host, "p", Version::v3_1_1);
  publisher.send_hex("34 06 0001 74 0001 78");
  wire.run();
  EXPECT_EQ(wire.events.take(), "t=x; ");
}

TEST(Client, CarriesPropertiesAndWill) {
  FakeHost host;
  ClientOptions options;
  Message will;
  will.topic = "gone";
  will.properties.content_type = "text/plain";
  options.will = will;
  Wire wire(host, options);
  wire.client.subscribe({{"t", Qos::at_most_once}});
  MessageProperties properties;
  properties.user = {{"k", "v"}};
  properties.has_expiry = true;
  properties.expiry_s = 9;
  MessageView view = message("t", "x", Qos::at_most_once);
  view.properties = &properties;
  ASSERT_TRUE(wire.client.publish(view));
  wire.run();
  EXPECT_EQ(wire.events.properties.user, properties.user);
  EXPECT_EQ(wire.events.properties.expiry_s, 9u);
  host.broker->closed(wire.id);
  EXPECT_EQ(host.published.back()->topic, "gone");
  EXPECT_EQ(host.published.back()->properties.content_type, "text/plain");
}

// 5.0 [MQTT-3.3.4-7]
TEST(Client, KeepsTheServersReceiveMaximum) {
  Limits limits;
  limits.receive_max = 2;
  FakeHost host(limits);
  host.holds_publishes = true;
  Wire wire(host);
  EXPECT_EQ(wire.client.send_quota(), 2u);
  ASSERT_TRUE(wire.client.publish(message("t", "1", Qos::at_least_once)));
  ASSERT_TRUE(wire.client.publish(message("t", "2", Qos::at_least_once)));
  const auto third = wire.client.publish(message("t", "3", Qos::at_least_once));
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, ErrorCode::resource_exhausted);
  wire.run();
  host.broker->on_published(host.tickets[0], Reason::success);
  wire.run();
  EXPECT_EQ(wire.client.send_quota(), 1u);
}

// 5.0 [MQTT-3.2.2-15]
TEST(Client, KnowsTheServersPacketSize) {
  FakeHost host;
  Wire wire(host);
  const std::string big(Limits().packet_size_max, 'x');
  const auto refused = wire.client.publish(message("t", big, Qos::at_least_once));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_large);
  EXPECT_TRUE(wire.client.take_out().empty());
}

TEST(Client, SaysWhyItWasRefused) {
  FakeHost host;
  ClientOptions options;
  options.user_name = "anna";
  options.password = "wrong";
  Wire wire(host, options);
  EXPECT_EQ(wire.events.take(),
            "over: unauthenticated: the server refuses: bad user name or password: no such user; ");
}

// 3.1.1 [MQTT-3.1.2-23]
// 5.0 [MQTT-3.1.2-20]
TEST(Client, PingsAndGivesUpOnASilentServer) {
  FakeHost host;
  Wire wire(host);
  wire.events.take();
  host.clock.advance_us(45'000'000);
  wire.client.tick();
  wire.run();
  host.clock.advance_us(45'000'000);
  wire.client.tick();
  EXPECT_EQ(to_hex(wire.client.take_out()), "C000");
  host.clock.advance_us(60'000'000);
  wire.client.tick();
  EXPECT_EQ(wire.events.take(), "over: deadline_exceeded: the server does not answer PINGREQ; ");
}

TEST(Client, LeavesAServerThatMisbehaves) {
  const char* const cases[] = {
      "D0 00",                                    // before CONNACK
      "20 03 02 00 00",                           // reserved flag
      "20 03 00 00 00 20 03 00 00 00",            // twice
      "20 03 00 00 00 30 03 00 00 00",            // no topic
      "20 03 00 00 00 C0 00",                     // a client's packet
      "20 03 00 00 00 90 01 00",                  // cut short
      "20 03 00 00 00 40 02 00 00",               // packet identifier 0
      "20 03 00 00 00 30 07 0001 74 03 23 0011",  // an alias above what we take
      "FF FF FF FF FF FF",
  };
  for (const char* const bytes : cases) {
    FakeClock clock(0);
    Events events;
    Client client({}, events, clock);
    client.start();
    client.receive(from_hex(bytes));
    EXPECT_NE(events.told.find("over: "), std::string::npos) << bytes;
    client.receive(from_hex("20 03 00 00 00"));
    EXPECT_EQ(events.told.find("over: "), events.told.rfind("over: ")) << bytes;
  }
}

}  // namespace
}  // namespace nilo::mqtt
