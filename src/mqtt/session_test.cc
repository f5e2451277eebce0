// What outlives a connection: sessions. Their wills: will_test.cc.
//
// One behaviour a test, named after its clause where it has one.
#include <gtest/gtest.h>

#include "mqtt/fake_host.h"
#include "mqtt/test_packets.h"

namespace nilo::mqtt {
namespace {

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
  EXPECT_EQ(told(kV5, back.take()), "t/x=5 q1 #3");
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

TEST(Session, IsNobodysButItsOwners) {
  FakeHost host;
  Peer barn(host, "a", kV5, true, 100, "barn");
  barn.send(subscribe(kV5, kAll));
  FakeHost after;
  host.replay_into(after);
  for (FakeHost* const one : {&host, &after}) {
    const Peer thief(*one, "a", kV5, true, 100, "thief");
    EXPECT_EQ(static_cast<std::uint8_t>(thief.connack[3]), 0x85);
    EXPECT_TRUE(thief.is_closed());
    const Peer old_thief(*one, "a", kV3, false, 0, "thief");
    EXPECT_EQ(old_thief.connack[3], 2);
    EXPECT_EQ(one->broker->session_count(), 1u);
  }
  EXPECT_FALSE(barn.is_closed());
  const Peer again(after, "a", kV5, false, 100, "barn");
  EXPECT_EQ(again.connack[2], 1);  // session present
}

TEST(Session, OfSomebodyWhoIsGoneEndsForTheNextOne) {
  FakeHost host;
  Peer barn(host, "a", kV5, true, 100, "barn");
  barn.send(subscribe(kV5, kAll));
  barn.vanish();
  host.gone = "barn";
  const Peer next(host, "a", kV5, false, 100, "shed");
  EXPECT_EQ(next.connack[2], 0);
  EXPECT_EQ(next.connack[3], 0);
  FakeHost after;
  host.replay_into(after);
  EXPECT_EQ(after.router.subscription_count(), 0u);
}

TEST(Session, KeepsNoSubscriptionThatIsForbiddenNow) {
  FakeHost host;
  Peer barn(host, "a", kV5, true, 100, "barn");
  barn.send(subscribe(kV5, {"a/#", Qos::at_least_once}));
  barn.send(subscribe(kV5, {"b/#", Qos::at_least_once}));
  barn.vanish();
  host.forbidden = "b/#";
  const Peer again(host, "a", kV5, false, 100, "barn");
  EXPECT_EQ(again.connack[2], 1);
  EXPECT_EQ(host.router.subscription_count(), 1u);
  FakeHost after;
  host.replay_into(after);
  EXPECT_EQ(after.router.subscription_count(), 1u);
}

// Hears only what begins with its one topic.
class OneTopic final : public Scope {
 public:
  explicit OneTopic(std::string topic) : topic_(std::move(topic)) {}
  bool may_publish(std::string_view /*topic*/) const override { return true; }
  bool may_subscribe(std::string_view /*filter*/) const override { return true; }
  bool may_receive(std::string_view topic) const override { return topic.starts_with(topic_); }
  std::string why_not(Act /*act*/, std::string_view /*topic*/) const override { return "no"; }

 private:
  std::string topic_;
};

TEST(Session, BringsOnlyWhatMayBeReceived) {
  FakeHost host;
  host.scope = std::make_shared<OneTopic>("a");
  Peer peer(host, "x", kV5, true, 100);
  peer.send(subscribe(kV5, {"#", Qos::at_least_once}));
  peer.take();
  host.scope = nullptr;
  Peer other(host, "y", kV5);
  for (const Qos qos : {Qos::at_most_once, Qos::at_least_once}) {
    other.send(publish(kV5, "b", "x", qos, 7));
    EXPECT_EQ(peer.take(), "");
    other.send(publish(kV5, "a", "x", qos, 8));
    EXPECT_NE(peer.take(), "");
  }
  EXPECT_EQ(host.refusals.size(), 1u) << "told once, not for each";
}

TEST(Session, LosesASubscriptionWhenItsRightEnds) {
  FakeHost host;
  host.scope = std::make_shared<OneTopic>("a");
  Peer peer(host, "x", kV5, true, 100);
  peer.send(subscribe(kV5, {"a/#", Qos::at_least_once}));
  peer.send(subscribe(kV5, {"b/#", Qos::at_least_once}));
  host.forbidden = "b/#";
  host.broker->recheck_subscriptions();
  EXPECT_EQ(host.router.subscription_count(), 1u);
  ASSERT_EQ(host.refusals.size(), 1u);
  EXPECT_EQ(host.refusals[0].topic, "b/#");
  FakeHost after;
  host.replay_into(after);
  EXPECT_EQ(after.router.subscription_count(), 1u);
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

TEST(Session, AResumedOneMayEndWithItsNextConnection) {
  FakeHost host;
  Peer clean(host, "a", kV5, true, 100);
  clean.send(subscribe(kV5, kAll));
  clean.vanish();
  Peer brief(host, "a", kV5, false, 0);  // ends with its connection now
  EXPECT_EQ(brief.connack[2], 1);
  FakeHost none;
  host.replay_into(none);
  none.clock.advance_us(1);
  none.broker->tick();
  EXPECT_EQ(none.broker->session_count(), 0u);
  FakeHost early;
  host.replay_into(early);
  const Peer back(early, "a", kV5, false, 100);
  EXPECT_EQ(back.connack[2], 0);
  Peer publisher(host, "p", kV5);
  publisher.send(publish(kV5, "t", "x", Qos::at_least_once, 1));
  EXPECT_EQ(told(kV5, brief.take()), "t=x q1 #1");
  brief.vanish();
  EXPECT_EQ(host.broker->session_count(), 1u);  // the publisher's
}

TEST(SessionExpiry, CountsWhileTheServerIsDown) {
  FakeHost host;
  Peer away(host, "away", kV5, false, 100);
  away.vanish();
  Peer here(host, "here", kV5, false, 100);
  FakeHost after;
  after.clock.advance_us(100'000'000);
  host.replay_into(after);
  wait_for(after, 1);
  EXPECT_EQ(after.broker->session_count(), 1u) << "who was here counts as gone from the restart";
  wait_for(after, 100);
  EXPECT_EQ(after.broker->session_count(), 0u);
}

TEST(SessionExpiry, DoesNotCountWhileTheClientIsBack) {
  FakeHost host;
  Peer first(host, "a", kV5, false, 100);
  first.vanish();
  Peer second(host, "a", kV5, false, 100);
  FakeHost after;
  after.clock.advance_us(1'000'000'000);
  host.replay_into(after);
  after.broker->tick();
  EXPECT_EQ(after.broker->session_count(), 1u);
}

}  // namespace
}  // namespace nilo::mqtt
