// The profile `aws` of a listener: what AWS IoT Core does differently, and only there.
#include <gtest/gtest.h>

#include "mqtt/fake_host.h"
#include "mqtt/test_packets.h"

namespace nilo::mqtt {
namespace {

class AwsLimits : public testing::Test {
 protected:
  AwsLimits() { host_.listener = &limits_; }

  // The PUBACK's reason code of QoS 1 over 5.0.
  int reason_of(std::string_view topic, std::string_view payload = "x") {
    Peer peer(host_, "reason", kV5);
    peer.send(publish(kV5, topic, payload, Qos::at_least_once, 7));
    const std::string bytes = peer.take();
    return bytes.size() < 5 ? 0 : static_cast<std::uint8_t>(bytes[4]);
  }
  // The answer of the CONNACK.
  int code_of(const Connect& packet) {
    Peer peer(host_);
    peer.connect(packet);
    return peer.connack.empty() ? -1 : static_cast<std::uint8_t>(peer.connack[3]);
  }
  // How long the server waits for a sign of life, in whole minutes at most 60; 0: for ever.
  int patience_min(std::uint16_t keep_alive_s, Version version) {
    Connect packet;
    packet.version = version;
    packet.client_id = "k";
    packet.keep_alive_s = keep_alive_s;
    Peer peer(host_);
    peer.connect(packet);
    for (int minute = 1; minute <= 60; ++minute) {
      host_.clock.advance_us(60'000'000);
      host_.broker->tick();
      if (peer.is_closed()) return minute;
    }
    return 0;
  }

  const Limits limits_ = aws_limits();
  FakeHost host_;
};

TEST_F(AwsLimits, BoundTopicsAndPayloads) {
  EXPECT_EQ(reason_of("a/b/c/d/e/f/g/h"), 0x10);
  EXPECT_EQ(reason_of("a/b/c/d/e/f/g/h/i"), 0x90);
  EXPECT_EQ(reason_of(std::string(256, 'x')), 0x10);
  EXPECT_EQ(reason_of(std::string(257, 'x')), 0x90);
  EXPECT_EQ(reason_of("x", std::string(128 * 1024, 'x')), 0x10);
  EXPECT_EQ(reason_of("x", std::string(128 * 1024 + 1, 'x')), 0x97);
  host_.listener = nullptr;
  EXPECT_EQ(reason_of("a/b/c/d/e/f/g/h/i"), 0x10) << "elsewhere they do not hold";
  EXPECT_EQ(reason_of(std::string(257, 'x')), 0x10);
}

TEST_F(AwsLimits, BoundHowManyPublishesAreReadInASecond) {
  const auto burst = [](int count) {
    std::string bytes;
    for (int i = 0; i < count; ++i) bytes += publish(kV5, "t", "x", Qos::at_most_once);
    return bytes;
  };
  Peer peer(host_, "fast", kV5);
  Peer other(host_, "other", kV5);
  EXPECT_TRUE(peer.send(burst(99)));
  EXPECT_FALSE(peer.send(burst(151))) << "after the hundredth it is read no more";
  EXPECT_EQ(host_.published.size(), 100u);
  EXPECT_TRUE(other.send(burst(1))) << "others are not held back";
  host_.broker->tick();
  EXPECT_EQ(host_.published.size(), 101u) << "the second is not over";
  EXPECT_TRUE(host_.readable.empty());
  for (const std::size_t published : {201u, 251u}) {
    host_.clock.advance_us(1'000'000);
    host_.broker->tick();
    EXPECT_EQ(host_.published.size(), published);
  }
  EXPECT_EQ(host_.readable, std::vector<ConnectionId>{peer.id()});
  host_.listener = nullptr;
  Peer standard(host_, "standard", kV5);
  EXPECT_TRUE(standard.send(burst(500))) << "elsewhere nobody counts";
}

TEST_F(AwsLimits, WhoIsHeldBackIsNotSilent) {
  Connect packet;
  packet.version = kV5;
  packet.client_id = "fast";
  packet.keep_alive_s = 30;
  Peer peer(host_);
  peer.connect(packet);
  std::string bytes;
  for (int i = 0; i < 6'000; ++i) bytes += publish(kV5, "t", "x", Qos::at_most_once);
  peer.send(bytes);
  for (int second = 0; second < 60; ++second) {
    host_.clock.advance_us(1'000'000);
    host_.broker->tick();
  }
  EXPECT_EQ(host_.published.size(), 6'000u);
  EXPECT_FALSE(peer.is_closed());
  host_.clock.advance_us(46'000'000);
  host_.broker->tick();
  EXPECT_TRUE(peer.is_closed()) << "now it is";
}

TEST_F(AwsLimits, WhoIsHeldBackMayGoMeanwhile) {
  Peer peer(host_, "fast", kV5);
  std::string bytes;
  for (int i = 0; i < 200; ++i) bytes += publish(kV5, "t", "x", Qos::at_most_once);
  peer.send(bytes);
  peer.vanish();
  host_.clock.advance_us(1'000'000);
  host_.broker->tick();
  EXPECT_EQ(host_.published.size(), 100u);
}

TEST_F(AwsLimits, BoundClientIds) {
  Connect packet;
  packet.version = kV3;
  const std::string longest(128, 'x');
  packet.client_id = longest;
  EXPECT_EQ(code_of(packet), 0);
  const std::string longer(129, 'x');
  packet.client_id = longer;
  EXPECT_EQ(code_of(packet), 2);
}

TEST_F(AwsLimits, BoundSubscriptions) {
  Peer peer(host_, "s", kV5);
  for (int i = 0; i < 50; ++i) {
    peer.send(subscribe(kV5, {"f/" + std::to_string(i), Qos::at_least_once}));
    EXPECT_EQ(peer.take().back(), 1) << i;
  }
  peer.send(subscribe(kV5, {"f/50", Qos::at_least_once}));
  EXPECT_EQ(static_cast<std::uint8_t>(peer.take().back()), 0x97);
}

TEST_F(AwsLimits, TakeEightFiltersAtOnce) {
  Peer peer(host_, "s", kV3);
  std::string body = "00 01";
  for (int i = 0; i < 9; ++i) body += " 00 01 6" + std::to_string(i + 1) + " 01";
  peer.send_hex("82 26 " + body);
  EXPECT_EQ(peer.take_hex(),
            "900B00010101010101010101"
            "80");
}

TEST_F(AwsLimits, KnowNoExactlyOnce) {
  Peer peer(host_, "q", kV5);
  EXPECT_NE(to_hex(peer.connack).find("2401"), std::string::npos) << "Maximum QoS 1";
  peer.send(subscribe(kV5, {"q", Qos::exactly_once}));
  EXPECT_EQ(peer.take().back(), 1) << "granted QoS 1";
  peer.send(publish(kV5, "q", "x", Qos::exactly_once, 7));
  EXPECT_TRUE(peer.is_closed());
  EXPECT_EQ(peer.take_hex().substr(0, 2), "E0");
  EXPECT_EQ(host_.refusals.back().reason, Reason::qos_not_supported);
  Connect packet = with_will(kV5, 0, 0);
  packet.will.qos = Qos::exactly_once;
  EXPECT_EQ(code_of(packet), 0x9b);
}

TEST_F(AwsLimits, CapTheKeepAliveOfBothVersions) {
  for (const Version version : {kV3, kV5}) {
    EXPECT_EQ(patience_min(0, version), 30) << "1200 s and a half";
    EXPECT_EQ(patience_min(5000, version), 30);
    EXPECT_EQ(patience_min(1, version), 1) << "30 s and a half";
  }
  host_.listener = nullptr;
  EXPECT_EQ(patience_min(0, kV3), 0);
}

TEST_F(AwsLimits, EndASessionAfterAnHour) {
  Peer peer(host_, "p", kV3, false);
  peer.vanish();
  host_.clock.advance_us(3'599'000'000);
  host_.broker->tick();
  EXPECT_EQ(host_.broker->session_count(), 1u);
  host_.clock.advance_us(2'000'000);
  host_.broker->tick();
  EXPECT_EQ(host_.broker->session_count(), 0u);
}

TEST_F(AwsLimits, BringNoRetainedMessagesForWildcards) {
  Peer other(host_, "o", kV5);
  Message kept;
  kept.topic = "kept/a";
  kept.payload = "x";
  kept.retain = true;
  host_.retained.set(std::make_shared<const Message>(kept));
  Peer peer(host_, "r", kV5);
  peer.send(subscribe(kV5, {"kept/+", Qos::at_least_once}));
  EXPECT_EQ(peer.take().find("kept/a"), std::string::npos);
  peer.send(subscribe(kV5, {"kept/a", Qos::at_least_once}));
  EXPECT_NE(peer.take().find("kept/a"), std::string::npos);
}

TEST_F(AwsLimits, DoNotHearTheParentOfAWildcard) {
  Peer peer(host_, "w", kV5);
  peer.send(subscribe(kV5, {"a/#", Qos::at_most_once}));
  peer.take();
  Peer other(host_, "o", kV5);
  other.send(publish(kV5, "a", "x", Qos::at_most_once));
  EXPECT_EQ(peer.take(), "");
  other.send(publish(kV5, "a/", "x", Qos::at_most_once));
  EXPECT_NE(peer.take(), "");
}

TEST_F(AwsLimits, LetAHundredMessagesBeUnderWay) {
  Peer peer(host_, "f", kV3);
  peer.send(subscribe(kV3, {"f", Qos::at_least_once}));
  peer.take();
  host_.listener = nullptr;
  Peer other(host_, "o", kV3);
  for (std::uint16_t i = 1; i <= 101; ++i) {
    other.send(publish(kV3, "f", "x", Qos::at_least_once, i));
  }
  const std::string bytes = peer.take();
  EXPECT_EQ(bytes.size(), 100u * (2 + 2 + 1 + 2 + 1));
}

}  // namespace
}  // namespace nilo::mqtt
