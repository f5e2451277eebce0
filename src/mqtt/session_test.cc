// What outlives a connection: sessions and wills.
//
// One behaviour a test, named after its clause where it has one.
#include <gtest/gtest.h>

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

TEST(Broker, AnIdleConnectionIsSmall) {
  EXPECT_LE(sizeof(Connection), 512u);
  EXPECT_LE(sizeof(Session), 384u);
}

// --- wills and expiry across a crash

void wait_for(FakeHost& host, std::int64_t seconds) {
  host.clock.advance_us(seconds * 1'000'000);
  host.broker->tick();
}

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

TEST(WillAcrossACrash, OfALoginThatIsNoMoreIsNotPublished) {
  FakeHost host;
  Peer peer(host);
  Connect packet = with_will(kV3, 0, 0);
  packet.has_user_name = true;
  packet.user_name = "former";
  peer.connect(packet);
  FakeHost after;
  after.gone = "former";
  host.replay_into(after);
  wait_for(after, 60);
  EXPECT_TRUE(after.published.empty());
  EXPECT_EQ(after.refusals.size(), 1u);
  FakeHost third;
  after.replay_into(third);
  wait_for(third, 60);
  EXPECT_TRUE(third.published.empty());
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
