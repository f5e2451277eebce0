// Topic aliases from the server to the client: MQTT 5.0 section 3.3.2.3.4.
#include <gtest/gtest.h>

#include "mqtt/fake_host.h"
#include "mqtt/test_packets.h"

namespace nilo::mqtt {
namespace {

// Topic and alias of each PUBLISH in `bytes`.
std::string aliases(std::string_view bytes) {
  std::string out;
  Frame frame;
  std::size_t needed = 0;
  while (read_frame(bytes, kPacketSizeMax, frame, needed) == Framing::complete) {
    bytes.remove_prefix(frame.size);
    Publish packet;
    if (frame.type != PacketType::publish || decode(frame, kV5, packet)) continue;
    if (!out.empty()) out += ", ";
    out += std::string(packet.topic) + ":" +
           std::to_string(packet.properties.number(Property::topic_alias, 0));
  }
  return out;
}

Peer listener(FakeHost& host, std::uint32_t alias_max, std::uint32_t size_max = 0) {
  Peer peer(host);
  Connect packet;
  packet.version = kV5;
  packet.client_id = "a";
  packet.properties.set(Property::topic_alias_maximum, alias_max);
  if (size_max != 0) packet.properties.set(Property::maximum_packet_size, size_max);
  peer.connect(packet);
  peer.send(subscribe(kV5, kAll));
  peer.take();
  return peer;
}

// 5.0 [Paho test_server_topic_alias]
TEST(TopicAlias, StandsForATopicThatTheClientHasHeard_MQTT_3_3_2_8) {
  FakeHost host;
  Peer peer = listener(host, 2);
  Peer publisher(host, "p", kV5);
  for (const char* topic : {"one", "one", "two", "three", "two"}) {
    publisher.send(publish(kV5, topic, "x", Qos::at_most_once));
  }
  publisher.send(publish(kV5, "one", "x", Qos::at_least_once, 1));
  EXPECT_EQ(aliases(peer.take()), "one:1, :1, two:2, three:0, :2, :1");
}

// 5.0 [MQTT-3.1.2-26] [MQTT-3.1.2-27]
TEST(TopicAlias, IsNotUsedUnlessTheClientAllowsIt_MQTT_3_1_2_26_and_27) {
  FakeHost host;
  Peer peer = listener(host, 0);
  Peer publisher(host, "p", kV5);
  publisher.send(publish(kV5, "one", "x", Qos::at_most_once));
  publisher.send(publish(kV5, "one", "x", Qos::at_most_once));
  EXPECT_EQ(aliases(peer.take()), "one:0, one:0");
}

// 5.0 [MQTT-3.3.2-11]
TEST(TopicAlias, IsBoundedByTheServerToo) {
  Limits limits;
  limits.topic_alias_max = 1;
  FakeHost host(limits);
  Peer peer = listener(host, 65'535);
  Peer publisher(host, "p", kV5);
  publisher.send(publish(kV5, "one", "x", Qos::at_most_once));
  publisher.send(publish(kV5, "two", "x", Qos::at_most_once));
  EXPECT_EQ(aliases(peer.take()), "one:1, two:0");
}

TEST(TopicAlias, EndsWithTheConnection_MQTT_3_3_2_7) {
  FakeHost host;
  Peer publisher(host, "p", kV5);
  for (int round = 0; round < 2; ++round) {
    Peer peer = listener(host, 5);
    publisher.send(publish(kV5, "one", "x", Qos::at_most_once));
    EXPECT_EQ(aliases(peer.take()), "one:1");
    peer.vanish();
  }
}

TEST(TopicAlias, ThatNeverWentOutIsNotUsed) {
  FakeHost host;
  Peer peer = listener(host, 5, 40);
  Peer publisher(host, "p", kV5);
  publisher.send(publish(kV5, "one", std::string(40, 'x'), Qos::at_most_once));
  publisher.send(publish(kV5, "one", "x", Qos::at_most_once));
  EXPECT_EQ(aliases(peer.take()), "one:1");
}

}  // namespace
}  // namespace nilo::mqtt
