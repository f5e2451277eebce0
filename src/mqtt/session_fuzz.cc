// Three clients, a clock and a house that answers late, driven by any bytes: the broker never
// reads outside them, loses no connection, and a replay of its log is never damaged.
//
// Each step is one byte that says what happens, and what it needs.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "mqtt/fake_host.h"

namespace nilo::mqtt {
namespace {

constexpr std::size_t kPeers = 3;

Limits small_limits() {
  Limits limits;
  limits.receive_max = 4;
  limits.topic_alias_max = 2;
  limits.session_queue_max = 8;
  limits.session_queue_size_max = 4096;
  limits.out_buffer_size_max = 512;
  limits.subscriptions_max = 4;
  limits.sessions_max = 6;
  limits.packet_size_max = 4096;
  limits.first_packet_size_max = 1024;
  return limits;
}

class Driver {
 public:
  void run(ByteReader& in) {
    while (in.ok() && !in.at_end()) step(in);
    host_.broker->shut_down();
    FakeHost after(small_limits());
    host_.replay_into(after);
    NILO_ASSERT(after.damaged == 0);
  }

 private:
  void step(ByteReader& in) {
    const std::uint8_t what = in.u8();
    ConnectionId& id = peers_[what % kPeers];
    switch (what / kPeers % 12) {
      case 0:
        if (id != 0) host_.broker->closed(id);
        id = host_.broker->open("10.0.0.1");
        break;
      case 1:
        connect(id, in);
        break;
      case 2:
      case 3:
      case 4:
        receive(id, in.take(std::min<std::size_t>(in.left(), in.u8())));
        break;
      case 5:
        host_.broker->take_out(id);
        break;
      case 6:
        host_.clock.advance_us(std::int64_t{in.u8()} * 1'000'000);
        host_.broker->tick();
        break;
      case 7:
        host_.holds_publishes = !host_.holds_publishes;
        break;
      case 8:
        answer_publish(in.u8());
        break;
      case 9:
        host_.holds_commits = !host_.holds_commits;
        break;
      case 10:
        answer_commit(in.u8());
        break;
      default:
        host_.broker->closed(id);
        break;
    }
  }

  // A valid CONNECT, so that the fuzzer gets past the door.
  void connect(ConnectionId& id, ByteReader& in) {
    if (id == 0 || host_.closed.count(id) != 0) id = host_.broker->open("10.0.0.1");
    const std::uint8_t options = in.u8();
    Connect packet;
    packet.version = (options & 1) != 0 ? Version::v5 : Version::v3_1_1;
    packet.clean_start = (options & 2) != 0;
    packet.client_id = (options & 4) != 0 ? "a" : "b";
    packet.has_will = (options & 8) != 0;
    packet.will.topic = "will";
    packet.keep_alive_s = options;
    if (packet.version == Version::v5 && (options & 16) != 0) {
      packet.properties.set(Property::session_expiry, options);
      packet.properties.set(Property::receive_maximum, 2);
      packet.will.properties.set(Property::will_delay, 3);
    }
    if (packet.version == Version::v5 && (options & 32) != 0) {
      packet.properties.set(Property::topic_alias_maximum, 1);
    }
    if (packet.version == Version::v5 && (options & 64) != 0) {
      packet.properties.set(Property::authentication_method, std::string_view("count"));
      packet.properties.set(Property::authentication_data, std::string_view("1"));
    }
    std::string bytes;
    encode(bytes, packet);
    receive(id, bytes);
    if ((options & 128) != 0) share(id, packet.version);
  }

  // A member of the same group as the others.
  void share(ConnectionId id, Version version) {
    std::string bytes;
    encode(bytes, version, 1, Properties(),
           std::vector<SubscribeEntry>{{"$share/g/#", Qos::at_least_once}});
    receive(id, bytes);
  }

  // In a copy of its own, so that the sanitizer sees a view that outlives it.
  void receive(ConnectionId id, std::string_view bytes) {
    const std::string copy(bytes);
    host_.broker->receive(id, copy);
  }

  void answer_publish(std::uint8_t which) {
    if (host_.tickets.empty()) return;
    const std::size_t index = which % host_.tickets.size();
    const Ticket ticket = host_.tickets[index];
    host_.tickets.erase(host_.tickets.begin() + static_cast<std::ptrdiff_t>(index));
    host_.broker->on_published(ticket, which > 200 ? Reason::quota_exceeded : Reason::success);
  }

  void answer_commit(std::uint8_t which) {
    if (host_.commits.empty()) return;
    const auto done = std::move(host_.commits.front());
    host_.commits.pop_front();
    if (which > 200) {
      done(Error{ErrorCode::resource_exhausted, "disk full"});
    } else {
      done(Result<void>());
    }
  }

  FakeHost host_{small_limits()};
  ConnectionId peers_[kPeers] = {};
};

}  // namespace
}  // namespace nilo::mqtt

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  nilo::ByteReader in({reinterpret_cast<const char*>(data), size});
  nilo::mqtt::Driver driver;
  driver.run(in);
  return 0;
}
