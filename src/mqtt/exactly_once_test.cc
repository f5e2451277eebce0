// QoS 2 of persistent sessions, both ways, across crashes: every place where the power may fail.
//
// A crash is a second host that starts from a part of the first one's log: at least all that
// somebody was told is durable.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <utility>

#include "mqtt/fake_host.h"
#include "mqtt/test_packets.h"

namespace nilo::mqtt {
namespace {

// A host whose log answers late and in order, as the real one does.
class LateHost final : public FakeHost {
 public:
  void publish(const MessageView& view, const Ticket& ticket) override {
    const auto message = std::make_shared<const Message>(Message::copy_of(view));
    std::vector<bus::Match> matches;
    std::vector<bus::GroupPtr> groups;  // none is made here
    router.match(view.topic, matches, groups);
    std::vector<Delivery> queued;
    for (const bus::Match& match : matches) {
      const auto delivery = delivery_of(match, view, ticket.publisher);
      if (delivery && is_persistent(delivery->session)) queued.push_back(*delivery);
    }
    const Seq seq = append([&](RecordWriter& record) {
      if (!queued.empty()) append_queued(record, view, queued);
      if (ticket.is_received()) append_received(record, ticket.publisher, ticket.packet_id);
    });
    later([this, message, queued, seq, ticket](const Result<void>& outcome) {
      ASSERT_TRUE(outcome);
      for (const Delivery& delivery : queued) broker->deliver(delivery, message, {seq, 0});
      if (ticket.wants_answer()) broker->on_published(ticket, Reason::success);
    });
  }
  void queue(bus::Target /*target*/, const Delivery& delivery, const MessagePtr& message) override {
    const Seq seq = append([&](RecordWriter& record) {
      append_queued(record, message->view(), {&delivery, 1});
    });
    later([this, delivery, message, seq](const Result<void>& outcome) {
      ASSERT_TRUE(outcome);
      broker->deliver(delivery, message, {seq, 0});
    });
  }
  void commit(const std::function<void(RecordWriter&)>& write,
              std::function<void(const Result<void>&)> done) override {
    append(write);
    later(std::move(done));
  }

  // The log has one more record. False: it has them all.
  bool sync() {
    if (pending_.empty()) return false;
    ++durable;
    const auto done = std::move(pending_.front());
    pending_.pop_front();
    done(Result<void>());
    return true;
  }
  void sync_all() {
    while (sync()) {
    }
  }
  void begin() { durable = records.size(); }

  std::size_t durable = 0;

 private:
  void later(std::function<void(const Result<void>&)> done) { pending_.push_back(std::move(done)); }

  std::deque<std::function<void(const Result<void>&)>> pending_;
};

const SubscribeEntry kAllOnce{"#", Qos::exactly_once};

// What `first` leaves when it is killed with `count` records on disk.
std::unique_ptr<LateHost> after_crash(const LateHost& first, std::size_t count) {
  auto next = std::make_unique<LateHost>();
  first.replay_into(*next, count);
  next->begin();
  EXPECT_EQ(next->damaged, 0);
  return next;
}

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

// --- all of it, at random

// One client of the model, with the state that the standard wants of it; it outlives connections.
class ModelClient {
 public:
  explicit ModelClient(std::string client_id) : client_id_(std::move(client_id)) {}

  // The server may not know yet that an earlier connection is gone: then it is taken over.
  void connect(LateHost& host, bool takes_over = false) {
    if (!takes_over) disconnect(host);
    lose();
    Connect packet;
    packet.version = kV3;
    packet.client_id = client_id_;
    packet.clean_start = false;
    peer_ = std::make_unique<Peer>(host);
    peer_->connect(packet);
    in_ = std::move(peer_->connack);
    is_ready_ = false;
  }
  void disconnect(LateHost& host) {
    if (peer_ && !peer_->is_closed()) host.broker->closed(peer_->id());
    lose();
  }
  void lose() {
    peer_.reset();
    in_.clear();
  }
  bool is_connected() const { return peer_ != nullptr && is_ready_; }
  void subscribe_all() { peer_->send(subscribe(kV3, kAllOnce)); }

  void publish_next() {
    const std::uint16_t id = last_id_ = static_cast<std::uint16_t>(last_id_ % 20 + 1);
    if (under_way_.count(id) != 0) return;
    under_way_[id] = {++published_, false};
    order_.push_back(id);
    peer_->send(publish(kV3, "t", std::to_string(published_), Qos::exactly_once, id));
  }

  // Takes at most `count` packets and answers them. False: there was none.
  bool read(std::size_t count) {
    if (peer_ == nullptr) return false;
    in_ += peer_->take();
    bool any = false;
    for (; count > 0 && !in_.empty(); --count) {
      Frame frame;
      std::size_t needed = 0;
      if (read_frame(in_, kPacketSizeMax, frame, needed) != Framing::complete) break;
      const std::string body(frame.body);
      const Frame copy{frame.type, frame.flags, body, frame.size};
      in_.erase(0, frame.size);
      handle(copy);
      any = true;
    }
    return any;
  }

  int published() const { return published_; }
  bool is_idle() const { return under_way_.empty() && unreleased_.empty(); }
  const std::vector<int>& got() const { return got_; }

 private:
  struct UnderWay {
    int n = 0;
    bool is_released = false;
  };

  void handle(const Frame& frame) {
    if (frame.type == PacketType::connack) return on_connack();
    if (frame.type == PacketType::publish) return on_publish(frame);
    Ack packet;
    if (frame.type == PacketType::suback || decode(frame, kV3, packet)) return;
    const std::uint16_t id = packet.packet_id;
    if (frame.type == PacketType::pubrec) {
      if (under_way_.count(id) != 0) under_way_[id].is_released = true;
      peer_->send(ack(kV3, PacketType::pubrel, id));
    } else if (frame.type == PacketType::pubcomp) {
      under_way_.erase(id);
      std::erase(order_, id);
    } else if (frame.type == PacketType::pubrel) {
      unreleased_.erase(id);
      peer_->send(ack(kV3, PacketType::pubcomp, id));
    }
  }
  void on_connack() {
    is_ready_ = true;
    for (const std::uint16_t id : order_) {
      const UnderWay& one = under_way_[id];
      if (one.is_released) {
        peer_->send(ack(kV3, PacketType::pubrel, id));
      } else {
        std::string bytes = publish(kV3, "t", std::to_string(one.n), Qos::exactly_once, id);
        bytes[0] = static_cast<char>(bytes[0] | 8);
        peer_->send(bytes);
      }
    }
  }
  void on_publish(const Frame& frame) {
    Publish packet;
    ASSERT_FALSE(decode(frame, kV3, packet));
    if (!std::exchange(unreleased_[packet.packet_id], true)) {
      got_.push_back(std::stoi(std::string(packet.payload)));
    }
    peer_->send(ack(kV3, PacketType::pubrec, packet.packet_id));
  }

  const std::string client_id_;
  std::unique_ptr<Peer> peer_;
  std::string in_;
  bool is_ready_ = false;
  std::map<std::uint16_t, UnderWay> under_way_;  // as publisher
  std::vector<std::uint16_t> order_;             // its keys
  std::map<std::uint16_t, bool> unreleased_;     // as subscriber
  std::uint16_t last_id_ = 0;
  int published_ = 0;
  std::vector<int> got_;
};

class Model {
 public:
  explicit Model(unsigned seed) : dice_(seed), host_(std::make_unique<LateHost>()) {
    subscriber_.connect(*host_);
    settle();
    subscriber_.subscribe_all();
    publisher_.connect(*host_);
    settle();
  }

  void take_over(int times) {
    for (int i = 0; i < times; ++i) {
      subscriber_.connect(*host_, true);
      if (publisher_.is_connected()) publisher_.publish_next();
      for (int j = roll(8); j > 0; --j) {
        host_->sync();
        publisher_.read(2);
        subscriber_.read(2);
      }
    }
    finish();
  }
  void run(int steps) {
    for (int i = 0; i < steps; ++i) step(roll(100));
    finish();
  }

 private:
  void finish() {
    if (!publisher_.is_connected()) publisher_.connect(*host_);
    if (!subscriber_.is_connected()) subscriber_.connect(*host_);
    settle();
    std::vector<int> all(static_cast<std::size_t>(publisher_.published()));
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i) + 1;
    EXPECT_EQ(subscriber_.got(), all);
    EXPECT_TRUE(publisher_.is_idle() && subscriber_.is_idle());
    EXPECT_EQ(host_->damaged, 0);
  }
  int roll(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(dice_); }

  void step(int what) {
    ModelClient& one = roll(2) == 0 ? publisher_ : subscriber_;
    if (what < 30) {
      if (publisher_.is_connected()) publisher_.publish_next();
    } else if (what < 60) {
      one.read(static_cast<std::size_t>(roll(4)));
    } else if (what < 85) {
      host_->sync();
    } else if (what < 90) {
      host_->clock.advance_us(200'000);
      host_->broker->tick();
    } else if (what < 94) {
      one.connect(*host_, roll(2) == 0);
    } else if (what < 97) {
      one.disconnect(*host_);
    } else {
      crash();
    }
  }
  // What nobody was told may be on the disk or not.
  void crash() {
    const std::size_t unsynced = host_->records.size() - host_->durable;
    const auto kept = static_cast<std::size_t>(roll(static_cast<int>(unsynced) + 1));
    auto next = after_crash(*host_, host_->durable + kept);
    publisher_.lose();
    subscriber_.lose();
    host_ = std::move(next);
  }
  void settle() {
    for (bool any = true; any;) {
      any = host_->sync();
      any |= publisher_.read(100);
      any |= subscriber_.read(100);
    }
  }

  std::mt19937 dice_;
  std::unique_ptr<LateHost> host_;
  ModelClient publisher_{"p"};
  ModelClient subscriber_{"s"};
};

TEST(ExactlyOnce, HoldsWhileAClientIsTakenOverAgainAndAgain) {
  Model model(1);
  model.take_over(1000);
}

TEST(ExactlyOnce, HoldsWhateverIsKilledAndWhenever) {
  constexpr unsigned kSeeds = 300;
  const char* given = std::getenv("NILO_SEED");
  const unsigned first =
      given != nullptr ? static_cast<unsigned>(std::stoul(given)) : std::random_device()();
  for (unsigned seed = first; seed != first + kSeeds && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Model model(seed);
    model.run(400);
  }
}

}  // namespace
}  // namespace nilo::mqtt
