// QoS 2 of persistent sessions, both ways, across crashes: every place where the power may fail.
// At random: exactly_once_model_test.cc.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "mqtt/late_host.h"

namespace nilo::mqtt {
namespace {

class Persistent final {
 public:
  Persistent(LateHost& host, std::string_view client_id) : peer_(host) {
    Connect packet;
    packet.version = kV3;
    packet.client_id = client_id;
    packet.clean_start = false;
    packet.keep_alive_s = 0;
    peer_.connect(packet);
    host.sync_all();
    connack_ = peer_.connack + peer_.take();
  }
  Peer& peer() { return peer_; }
  // What came since, without the CONNACK.
  std::string told() {
    std::string bytes = std::exchange(connack_, {}) + peer_.take();
    if (bytes.size() >= 4 && bytes[0] == 0x20) bytes.erase(0, 4);
    return mqtt::told(kV3, bytes);
  }

 private:
  Peer peer_;
  std::string connack_;
};

// --- from clients

TEST(Received, IsRememberedWithItsMessage_MQTT_4_3_3_10) {
  LateHost host;
  Persistent client(host, "a");
  client.peer().send(publish(kV3, "t", "1", Qos::exactly_once, 7));
  EXPECT_EQ(client.told(), "") << "PUBREC before the disk has it";
  const std::size_t without = host.durable;
  host.sync_all();
  EXPECT_EQ(client.told(), "50:0007");
  {
    const auto after = after_crash(host, without);
    Persistent again(*after, "a");
    again.peer().send(publish(kV3, "t", "1", Qos::exactly_once, 7));
    after->sync_all();
    EXPECT_EQ(again.told(), "50:0007");
    EXPECT_EQ(after->records.size(), without + 1) << "it was lost, so it is taken";
  }
  const auto after = after_crash(host, host.durable);
  Persistent again(*after, "a");
  again.peer().send(publish(kV3, "t", "1", Qos::exactly_once, 7));
  EXPECT_EQ(again.told(), "50:0007");
  after->sync_all();
  EXPECT_EQ(after->records.size(), host.durable) << "it was taken before";
}

TEST(Received, IsForgottenBeforePubcompLeaves_MQTT_4_3_3_12) {
  LateHost host;
  Persistent client(host, "a");
  client.peer().send(publish(kV3, "t", "1", Qos::exactly_once, 7));
  host.sync_all();
  EXPECT_EQ(client.told(), "50:0007");
  const std::size_t unreleased = host.durable;
  client.peer().send(ack(kV3, PacketType::pubrel, 7));
  EXPECT_EQ(client.told(), "") << "PUBCOMP before the disk has it";
  host.sync_all();
  EXPECT_EQ(client.told(), "70:0007");
  {
    const auto after = after_crash(host, unreleased);
    Persistent again(*after, "a");
    again.peer().send(ack(kV3, PacketType::pubrel, 7));
    after->sync_all();
    EXPECT_EQ(again.told(), "70:0007");
  }
  const auto after = after_crash(host, host.durable);
  Persistent again(*after, "a");
  again.peer().send(publish(kV3, "t", "2", Qos::exactly_once, 7));
  after->sync_all();
  EXPECT_EQ(after->records.size(), host.durable + 1) << "the identifier means a new message now";
}

TEST(Received, AReleaseThatIsRepeatedOnANewConnectionIsAnsweredThere) {
  LateHost host;
  Persistent client(host, "a");
  client.peer().send(publish(kV3, "t", "1", Qos::exactly_once, 7));
  host.sync_all();
  client.peer().send(ack(kV3, PacketType::pubrel, 7));
  Peer again(host);
  Connect packet;
  packet.client_id = "a";
  packet.clean_start = false;
  again.connect(packet);
  again.send(ack(kV3, PacketType::pubrel, 7));
  host.sync_all();
  EXPECT_EQ(told(kV3, again.take()), "70:0007");
}

TEST(Received, OfASessionThatEndsWithItsConnectionIsNotLogged) {
  FakeHost host;
  Peer peer(host, "a", kV3);
  peer.send(publish(kV3, "t", "1", Qos::exactly_once, 7));
  EXPECT_EQ(told(kV3, peer.take()), "50:0007");
  peer.send(ack(kV3, PacketType::pubrel, 7));
  EXPECT_EQ(told(kV3, peer.take()), "70:0007");
  EXPECT_TRUE(host.records.empty());
}

TEST(Received, AReleaseThatTheDiskRefusesEndsTheConnection) {
  FakeHost host;
  Peer peer(host, "a", kV5, false, 100);
  peer.send(publish(kV5, "t", "1", Qos::exactly_once, 7));
  peer.take();
  host.holds_commits = true;
  peer.send(ack(kV5, PacketType::pubrel, 7));
  ASSERT_EQ(host.commits.size(), 1u);
  host.commits.front()(Error{ErrorCode::resource_exhausted, "disk full"});
  EXPECT_TRUE(peer.is_closed());
  host.holds_commits = false;
  Peer again(host, "a", kV5, false, 100);
  again.send(ack(kV5, PacketType::pubrel, 7));
  EXPECT_EQ(told(kV5, again.take()), "70:0007");
}

// --- to clients

// A subscriber "s" at QoS 2 for whom "1" was published, and all is synced.
struct Delivering {
  LateHost host;
  std::unique_ptr<Persistent> subscriber;
  std::unique_ptr<Persistent> publisher;
  Delivering() {
    subscriber = std::make_unique<Persistent>(host, "s");
    subscriber->peer().send(subscribe(kV3, kAllOnce));
    host.sync_all();
    subscriber->told();
    publisher = std::make_unique<Persistent>(host, "p");
    publisher->peer().send(publish(kV3, "t", "1", Qos::exactly_once, 1));
  }
};

TEST(Delivered, HasAnIdentifierOnDiskBeforeItLeaves) {
  Delivering at;
  ASSERT_TRUE(at.host.sync());  // the message
  EXPECT_EQ(at.subscriber->told(), "") << "PUBLISH before the disk has its identifier";
  const std::size_t unnumbered = at.host.durable;
  at.host.sync_all();
  EXPECT_EQ(at.subscriber->told(), "t=1 q2 #1");
  {
    const auto after = after_crash(at.host, unnumbered);
    Persistent again(*after, "s");
    after->sync_all();
    EXPECT_EQ(again.told(), "t=1 q2 #1");
  }
  const auto after = after_crash(at.host, at.host.durable);
  Persistent again(*after, "s");
  EXPECT_EQ(again.told(), "t=1 q2 #1 dup");
}

TEST(Delivered, IsConfirmedOnDiskBeforePubrelLeaves_MQTT_4_3_3_5) {
  Delivering at;
  at.host.sync_all();
  at.subscriber->told();
  at.subscriber->peer().send(ack(kV3, PacketType::pubrec, 1));
  EXPECT_EQ(at.subscriber->told(), "") << "PUBREL before the disk has it";
  const std::size_t unconfirmed = at.host.durable;
  at.host.sync_all();
  EXPECT_EQ(at.subscriber->told(), "62:0001");
  {
    const auto after = after_crash(at.host, unconfirmed);
    Persistent again(*after, "s");
    EXPECT_EQ(again.told(), "t=1 q2 #1 dup");
  }
  const auto after = after_crash(at.host, at.host.durable);
  Persistent again(*after, "s");
  EXPECT_EQ(again.told(), "62:0001");
  again.peer().send(ack(kV3, PacketType::pubcomp, 1));
  after->broker->tick();
  after->sync_all();
  const auto last = after_crash(*after, after->durable);
  Persistent third(*last, "s");
  EXPECT_EQ(third.told(), "");
}

TEST(Delivered, IdentifiersGoOnAfterThoseInTheLog) {
  Delivering at;
  at.host.sync_all();
  at.subscriber->told();
  const auto after = after_crash(at.host, at.host.durable);
  Persistent again(*after, "s");
  Persistent publisher(*after, "p");
  publisher.peer().send(publish(kV3, "t", "2", Qos::exactly_once, 2));
  after->sync_all();
  EXPECT_EQ(again.told(), "t=1 q2 #1 dup, t=2 q2 #2");
}

TEST(Delivered, ARetainedMessageIsExactlyOnceToo) {
  LateHost host;
  Message message;
  message.topic = "t";
  message.payload = "kept";
  message.qos = Qos::exactly_once;
  message.retain = true;
  host.retained.set(std::make_shared<const Message>(message));
  Persistent client(host, "s");
  client.peer().send(subscribe(kV3, kAllOnce));
  host.sync_all();
  EXPECT_EQ(client.told(), "90:000102, t=kept q2 #1 retained");
  const auto after = after_crash(host, host.durable);
  Persistent again(*after, "s");
  EXPECT_EQ(again.told(), "t=kept q2 #1 dup retained");
}

}  // namespace
}  // namespace nilo::mqtt
