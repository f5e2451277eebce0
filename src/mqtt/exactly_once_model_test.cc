// QoS 2 of persistent sessions at random: two clients that do what the standard wants, and a server
// that is killed at any moment. Each message comes once and in order.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <utility>

#include "mqtt/late_host.h"

namespace nilo::mqtt {
namespace {

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
