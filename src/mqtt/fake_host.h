// mqtt/fake_host.h: a house for tests: everything a Broker needs, in memory and at once.
//
// It routes and retains like the real one. What the real one does later (passwords, the disk) can
// be held back and answered by hand.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/time_units.h"
#include "mqtt/broker.h"

namespace nilo::mqtt {

// "20 02 00 00" -> bytes; blanks are ignored.
inline std::string from_hex(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != ' ') digits.push_back(c);
  }
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return out;
}

inline std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : bytes) {
    out.push_back(kDigits[static_cast<std::uint8_t>(c) >> 4]);
    out.push_back(kDigits[static_cast<std::uint8_t>(c) & 15]);
  }
  return out;
}

// Wants "1", then "2", then a name. Answers each number with itself; the name is who comes in.
class CountingAuthenticator : public Authenticator {
 public:
  Result<Step> next(std::string_view data) override {
    if (++count_ < 3 && data == std::to_string(count_)) return Step{false, std::string(data), {}};
    if (count_ != 3) return Error{ErrorCode::unauthenticated, "miscounted"};
    return Step{true, "welcome", Principal{std::string(data), Role::device}};
  }

 private:
  int count_ = 0;
};

class FakeHost : public Host {
 public:
  static constexpr std::size_t kAllRecords = ~std::size_t{0};

  struct Closed {
    ConnectionId connection;
    std::string last_bytes;
  };
  struct Refused {
    Refusal::What what;
    std::string client_id;
    std::string topic;
    Reason reason;
    std::string why;
  };
  struct Commit {
    std::string record;
    std::function<void(const Result<void>&)> done;
  };

  explicit FakeHost(Limits limits = {})
      : broker(std::make_unique<Broker>(
            Broker::Rooms{*this, router, retained, numbers, clock, metrics}, limits, 0, 1)) {}

  void authenticate(ConnectionId connection, const Login& login) override {
    logins.push_back(std::string(login.client_id));
    if (holds_logins) return;
    if (login.has_password && login.password == "wrong") {
      broker->on_authenticated(connection, Error{ErrorCode::unauthenticated, "no such user"});
    } else {
      broker->on_authenticated(connection,
                               Principal{std::string(login.user_name), Role::device, scope});
    }
  }
  std::unique_ptr<Authenticator> authenticator(std::string_view method,
                                               const Login& /*login*/) override {
    if (method != "count") return nullptr;
    return std::make_unique<CountingAuthenticator>();
  }
  bool may_publish(const Principal& principal, std::string_view topic) override {
    return principal.name != "mute" && !topic.starts_with(closed_topic) && !topic.starts_with('$');
  }
  bool may_retain(const Principal& /*principal*/, std::string_view topic) override {
    return !topic.starts_with("fleeting");
  }
  std::string why_not(const Principal& /*principal*/, Scope::Act act,
                      std::string_view /*topic*/) override {
    return act == Scope::Act::subscribe ? "may not subscribe to this" : "may not publish here";
  }
  bool may_subscribe(const Principal& principal, std::string_view filter) override {
    return principal.name != "deaf" && !filter.starts_with(forbidden);
  }
  bool is_known(std::string_view principal) override { return principal != gone; }
  std::optional<Principal> remembered(const Message& message) override {
    if (message.principal == gone) return std::nullopt;
    return Principal{message.principal, Role::device, scope};
  }

  std::vector<MessagePtr> own_messages(const bus::TopicFilter& filter) override {
    if (!filter.matches("$SYS/uptime")) return {};
    auto message = std::make_shared<Message>();
    message->topic = "$SYS/uptime";
    message->payload = "1";
    return {message};
  }

  void publish(const MessageView& view, const Ticket& ticket) override {
    const auto message = std::make_shared<const Message>(Message::copy_of(view));
    published.push_back(message);
    if (view.retain) retained.set(message);
    std::vector<bus::Match> matches;
    std::vector<bus::GroupPtr> groups;
    router.match(view.topic, matches, groups);
    std::vector<Delivery> deliveries;
    std::vector<Delivery> queued;
    for (const bus::Match& match : matches) {
      const auto delivery = delivery_of(match, view, ticket.publisher);
      if (!delivery) continue;
      deliveries.push_back(*delivery);
      if (waits_for_log(*delivery)) queued.push_back(*delivery);
    }
    Seq seq = 0;
    if (!queued.empty() || ticket.is_received() || ticket.will != 0) {
      seq = append([&](RecordWriter& record) {
        if (!queued.empty()) append_queued(record, view, queued);
        if (ticket.is_received()) append_received(record, ticket.publisher, ticket.packet_id);
        if (ticket.will != 0) append_will_end(record, ticket.will);
      });
    }
    for (const Delivery& delivery : deliveries) broker->deliver(delivery, message, {seq, 0});
    for (const bus::GroupPtr& group : groups) send_shared(*group, message);
    if (!ticket.wants_answer()) return;
    if (holds_publishes) {
      tickets.push_back(ticket);
    } else {
      const bool is_heard = !deliveries.empty() || !groups.empty();
      broker->on_published(ticket, is_heard ? Reason::success : Reason::no_matching_subscribers);
    }
  }

  void hand_on(const SharePtr& share, const MessagePtr& message) override {
    const bus::GroupPtr group = router.group(*share);
    if (group) send_shared(*group, message);
  }
  void hand_on(SessionNumber session, std::vector<Position> places,
               std::function<void()> done) override {
    if (holds_hand_ons) {
      hand_ons.push_back([this, session, places, done] {
        holds_hand_ons = false;
        hand_on(session, places, done);
      });
      return;
    }
    for (const Position& at : places) {
      Letter letter;
      read_letter(records.at(at.seq - 1), at.index, session, letter);
      const bool is_ours = letter.share != nullptr && letter.qos == Qos::at_least_once;
      if (is_ours) hand_on(letter.share, letter.message);
    }
    done();
  }

  void queue(bus::Target /*target*/, const Delivery& delivery, const MessagePtr& message) override {
    const Seq seq = append([&](RecordWriter& record) {
      append_queued(record, message->view(), {&delivery, 1});
    });
    broker->deliver(delivery, message, {seq, 0});
  }

  void fetch(SessionNumber session, std::vector<Position> places) override {
    std::vector<Broker::Fetched> fetched;
    for (const Position& at : places) {
      Letter letter;
      read_letter(records.at(at.seq - 1), at.index, session, letter);
      fetched.push_back({at, std::move(letter)});
    }
    fetched_count += fetched.size();
    broker->on_fetched(session, std::move(fetched));
  }

  void commit(const std::function<void(RecordWriter&)>& write,
              std::function<void(const Result<void>&)> done) override {
    append(write);
    if (holds_commits) {
      commits.push_back(std::move(done));
    } else {
      done(Result<void>());
    }
  }

  void send_ready(ConnectionId connection) override { ready.push_back(connection); }
  void send_early(ConnectionId connection) override { early.push_back(connection); }
  void read_ready(ConnectionId connection) override { readable.push_back(connection); }
  void close(ConnectionId connection, std::string last_bytes) override {
    closed[connection] = std::move(last_bytes);
  }
  void refused(const Refusal& refusal) override {
    refusals.push_back({refusal.what, std::string(refusal.client_id), std::string(refusal.topic),
                        refusal.reason, std::string(refusal.why)});
  }

  void present(const Presence& presence) override {
    constexpr std::string_view kWhat[] = {"connected", "disconnected", "subscribed",
                                          "unsubscribed"};
    std::string told(kWhat[static_cast<std::size_t>(presence.what)]);
    told += " " + std::string(presence.client_id);
    for (const std::string& filter : presence.filters) told += " " + filter;
    if (presence.what == Presence::What::disconnected) {
      told += " " + std::to_string(static_cast<int>(presence.end));
    }
    presences.push_back(told);
  }

  // A second host that starts from the records of this one, as after a crash: from the first
  // `count` of them.
  void replay_into(FakeHost& other, std::size_t count = kAllRecords) const {
    for (std::size_t i = 0; i < std::min(count, records.size()); ++i) {
      RecordReader reader(records[i]);
      Effect effect;
      while (reader.next(effect)) {
        if (!other.broker->apply(i + 1, effect)) ++other.damaged;
      }
      other.records.push_back(records[i]);
    }
    other.broker->on_replayed();
  }

  // Stand before the broker, which uses them to its end.
  FakeClock clock{1'800'000'000'000'000};
  bus::Router router;
  bus::Retained retained{clock};
  SessionNumbers numbers;
  Metrics metrics;
  std::string forbidden{"forbidden"};     // filters that begin so
  std::string closed_topic{"forbidden"};  // nobody publishes to what begins so
  std::string gone{"nobody"};             // whose token was revoked
  const Limits* listener = nullptr;       // by which the next peer comes
  std::shared_ptr<const Scope> scope{};   // of who logs in next
  bool holds_logins = false;
  bool holds_publishes = false;
  bool holds_commits = false;
  bool holds_hand_ons = false;  // of what is in the log
  std::vector<std::string> logins;
  std::vector<MessagePtr> published;
  std::deque<Ticket> tickets;
  std::deque<std::function<void(const Result<void>&)>> commits;
  std::deque<std::function<void()>> hand_ons;
  std::vector<ConnectionId> ready;
  std::vector<ConnectionId> early;
  std::vector<ConnectionId> readable;
  std::map<ConnectionId, std::string> closed;
  std::vector<Refused> refusals;
  std::vector<std::string> presences;
  std::vector<std::string> records;  // the log: record n has sequence n + 1
  int damaged = 0;
  std::size_t fetched_count = 0;
  std::unique_ptr<Broker> broker;

 protected:
  static bool waits_for_log(const Delivery& delivery) {
    return is_persistent(delivery.session) && delivery.qos != Qos::at_most_once;
  }
  void send_shared(const bus::Group& group, const MessagePtr& message) {
    const Addressed chosen = delivery_of(group, message->view());
    if (waits_for_log(chosen.delivery)) return queue(chosen.target, chosen.delivery, message);
    broker->deliver(chosen.delivery, message, {});
  }
  Seq append(const std::function<void(RecordWriter&)>& write) {
    std::string bytes;
    RecordWriter record(bytes, clock.wall_us());
    write(record);
    records.push_back(std::move(bytes));
    return records.size();
  }
};

// One client, in bytes.
class Peer {
 public:
  explicit Peer(FakeHost& host) : host_(host), id_(host.broker->open("10.0.0.1", host.listener)) {}

  // Connects and eats the CONNACK, which must say yes.
  Peer(FakeHost& host, std::string_view client_id, Version version, bool clean_start = true,
       std::uint32_t expiry_s = 0, std::string_view user = {})
      : Peer(host) {
    Connect packet;
    packet.has_user_name = !user.empty();
    packet.user_name = user;
    packet.version = version;
    packet.client_id = client_id;
    packet.clean_start = clean_start;
    packet.keep_alive_s = 60;
    if (expiry_s != 0) packet.properties.set(Property::session_expiry, expiry_s);
    connect(packet);
  }
  void connect(const Connect& packet) {
    std::string bytes;
    encode(bytes, packet);
    is_reading_ = host_.broker->receive(id_, bytes);
    connack = take();
  }

  bool send(std::string_view bytes) { return is_reading_ = host_.broker->receive(id_, bytes); }
  bool send_hex(std::string_view text) { return send(from_hex(text)); }
  // What came since the last take.
  std::string take() {
    std::string out;
    for (std::string part; !(part = host_.broker->take_out(id_)).empty();) out += part;
    const auto at = host_.closed.find(id_);
    if (at != host_.closed.end()) out += std::exchange(at->second, {});
    return out;
  }
  std::string take_hex() { return to_hex(take()); }
  bool is_closed() const { return host_.closed.count(id_) != 0; }
  void vanish() { host_.broker->closed(id_); }
  ConnectionId id() const { return id_; }
  bool is_reading() const { return is_reading_; }

  std::string connack;

 private:
  FakeHost& host_;
  ConnectionId id_;
  bool is_reading_ = true;
};

inline void wait_for(FakeHost& host, std::int64_t seconds) {
  host.clock.advance_us(seconds * kSecondUs);
  host.broker->tick();
}

}  // namespace nilo::mqtt
