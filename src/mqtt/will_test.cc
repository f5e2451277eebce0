// Wills: what is published for a client that left without a goodbye, also across a crash.
//
// One behaviour a test, named after its clause where it has one.
#include <gtest/gtest.h>

#include <functional>

#include "mqtt/fake_host.h"
#include "mqtt/test_packets.h"

namespace nilo::mqtt {
namespace {

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
  EXPECT_EQ(peer.connack, from_hex("20 02 00 05"));
  EXPECT_TRUE(peer.is_closed());
  ASSERT_EQ(host.refusals.size(), 1u);
  EXPECT_EQ(host.refusals[0].why, "its will: may not publish here");
}

TEST(Will, NeedsTheRightToPublishStillWhenItIsPublished) {
  FakeHost host;
  Peer peer(host);
  peer.connect(with_will(kV3, 0, 0));
  host.closed_topic = "gone";
  peer.vanish();
  EXPECT_TRUE(host.published.empty());
  ASSERT_EQ(host.refusals.size(), 1u);
  EXPECT_EQ(host.refusals[0].topic, "gone");
}

// --- across a crash

TEST(WillAcrossACrash, IsPublishedOnceWhenTheClientStaysAway) {
  for (const Version version : {kV3, kV5}) {
    for (const bool is_persistent : {true, false}) {
      FakeHost host;
      Peer peer(host);
      Connect packet = with_will(version, 0, is_persistent ? 100 : 0);
      packet.clean_start = !is_persistent;
      peer.connect(packet);
      FakeHost after;
      host.replay_into(after);
      wait_for(after, 9);
      EXPECT_TRUE(after.published.empty()) << "it may come back";
      wait_for(after, 1);
      ASSERT_EQ(after.published.size(), 1u);
      EXPECT_EQ(after.published[0]->topic, "gone");
      FakeHost third;
      after.replay_into(third);
      wait_for(third, 60);
      EXPECT_TRUE(third.published.empty()) << "it was published before the second crash";
    }
  }
}

TEST(WillAcrossACrash, IsCancelledByAReturn) {
  for (const bool is_persistent : {true, false}) {
    FakeHost host;
    Peer peer(host);
    Connect packet = with_will(kV5, 0, is_persistent ? 100 : 0);
    packet.clean_start = !is_persistent;
    peer.connect(packet);
    FakeHost after;
    host.replay_into(after);
    Peer again(after);
    packet.has_will = false;
    again.connect(packet);
    again.vanish();
    FakeHost third;
    after.replay_into(third);
    for (FakeHost* one : {&after, &third}) {
      wait_for(*one, 60);
      EXPECT_TRUE(one->published.empty());
    }
  }
}

TEST(WillAcrossACrash, IsNotThereAfterAGoodbyeOrOnceItWasPublished) {
  for (const bool says_goodbye : {true, false}) {
    FakeHost host;
    Peer peer(host);
    peer.connect(with_will(kV3, 0, 0));
    if (says_goodbye) {
      peer.send_hex("E0 00");
    } else {
      peer.vanish();
    }
    FakeHost after;
    host.replay_into(after);
    wait_for(after, 60);
    EXPECT_TRUE(after.published.empty());
  }
}

TEST(WillAcrossACrash, WaitsForItsDelay) {
  FakeHost host;
  Peer peer(host);
  peer.connect(with_will(kV5, 30, 100));
  FakeHost after;
  host.replay_into(after);
  wait_for(after, 29);
  EXPECT_TRUE(after.published.empty());
  wait_for(after, 1);
  EXPECT_EQ(after.published.size(), 1u);
}

// The will of "former", on `gone`, after a restart at which `change` was made.
void expect_refused(const std::function<void(FakeHost&)>& change) {
  FakeHost host;
  Peer peer(host);
  Connect packet = with_will(kV3, 0, 0);
  packet.has_user_name = true;
  packet.user_name = "former";
  peer.connect(packet);
  FakeHost after;
  change(after);
  host.replay_into(after);
  wait_for(after, 60);
  EXPECT_TRUE(after.published.empty());
  EXPECT_EQ(after.refusals.size(), 1u);
  FakeHost third;
  after.replay_into(third);
  wait_for(third, 60);
  EXPECT_TRUE(third.published.empty());
}

TEST(WillAcrossACrash, OfALoginThatIsNoMoreIsNotPublished) {
  expect_refused([](FakeHost& after) { after.gone = "former"; });
}

TEST(WillAcrossACrash, IsNotPublishedWhereItsLoginMayNotAnyMore) {
  expect_refused([](FakeHost& after) { after.closed_topic = "gone"; });
}

TEST(WillAcrossACrash, StaysWhenTheServerIsStopped) {
  FakeHost host;
  Peer peer(host);
  peer.connect(with_will(kV3, 0, 0));
  host.broker->shut_down();
  EXPECT_TRUE(host.published.empty());
  FakeHost after;
  host.replay_into(after);
  wait_for(after, 60);
  EXPECT_EQ(after.published.size(), 1u);
}

}  // namespace
}  // namespace nilo::mqtt
