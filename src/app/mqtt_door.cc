#include "app/mqtt_door.h"

#include <utility>

#include "mqtt/codec.h"

namespace nilo::app {

namespace {

constexpr std::chrono::milliseconds kTickEvery{100};

}  // namespace

bool is_about_changes(std::string_view filter) { return filter.starts_with("$table/"); }

struct MqttDoor::Socket final : net::StreamHandler {
  Socket(MqttDoor& owner, std::unique_ptr<net::Stream> connected, std::string remote_ip,
         const Entrance& came_by)
      : door(owner), stream(std::move(connected)), ip(std::move(remote_ip)), entrance(came_by) {}

  void on_bytes(std::string_view bytes) override { door.on_bytes(*this, bytes); }
  void on_flushed() override { door.send(*this); }
  void on_closed(std::string_view reason) override { door.gone(*this, reason); }

  MqttDoor& door;
  std::unique_ptr<net::Stream> stream;  // none: it moved to another loop
  std::string ip;
  const Entrance& entrance;
  mqtt::ConnectionId connection = 0;  // 0: a stranger, or closed by the broker
  std::string greeting;               // a stranger's first bytes
  net::TimerId greeting_timer = net::TimerId::none;
  bool wants_more = true;  // the broker's word; the backlog has one of its own
  bool send_pending = false;
};

MqttDoor::MqttDoor(const Rooms& rooms, const mqtt::Limits& limits, std::uint32_t index,
                   std::uint32_t count)
    : rooms_(rooms),
      index_(index),
      count_(count),
      access_({rooms.access, rooms.certificates, rooms.policies, rooms.passwords,
               rooms.refused_logins, rooms.clock, rooms.logger, *this}),
      broker_({*this, rooms.router, rooms.retained, rooms.numbers, rooms.clock, rooms.metrics},
              limits, index, count),
      dropped_mail_(
          rooms.metrics.counter("nilo_mqtt_messages_dropped_total", "why=\"loop_busy\"", "")) {}

MqttDoor::~MqttDoor() = default;

void MqttDoor::start(const Ingest::Rooms& ingest) {
  ingest_ = std::make_unique<Ingest>(ingest);
  reports_.emplace(ClientReports::Rooms{*ingest_, rooms_.policies, rooms_.refused, rooms_.clock,
                                        rooms_.logger, rooms_.metrics, *this});
  ingest_->on_tickets(
      [this](const std::vector<mqtt::Ticket>& tickets, const Result<void>& outcome) {
        using mqtt::Reason;
        const auto refusal = outcome ? Reason::success : mqtt::reason_of(outcome.error().code);
        const std::string_view why = outcome ? std::string_view() : outcome.error().message;
        for (const mqtt::Ticket& ticket : tickets) {
          const bool is_lonely = outcome && !ticket.was_heard;
          broker_.on_published(ticket, is_lonely ? Reason::no_matching_subscribers : refusal, why);
        }
      });
  rooms_.loop.every(kTickEvery, [this] { tick(); });
}

MqttDoor::Socket* MqttDoor::attach(std::unique_ptr<net::Stream> stream,
                                   const std::string& remote_ip, const Entrance& entrance) {
  auto socket = std::make_unique<Socket>(*this, std::move(stream), remote_ip, entrance);
  if (const auto attached = socket->stream->attach(rooms_.loop, *socket); !attached) {
    rooms_.logger.warn("mqtt.accept_failed", {{"reason", attached.error().message}});
    return nullptr;
  }
  Socket* const taken = socket.get();
  sockets_.emplace(taken, std::move(socket));
  connection_count_.store(sockets_.size());
  return taken;
}

void MqttDoor::take(std::unique_ptr<net::Stream> stream, const std::string& remote_ip,
                    const Entrance& entrance) {
  Socket* const socket = attach(std::move(stream), remote_ip, entrance);
  if (socket == nullptr) return;
  if (count_ == 1) return open(*socket, {});
  socket->greeting_timer = rooms_.loop.after(
      std::chrono::milliseconds(mqtt::Limits().connect_timeout_us / 1000), [this, socket] {
        socket->greeting_timer = net::TimerId::none;
        socket->stream->close();
        drop(*socket);
      });
}

void MqttDoor::shut_down() {
  broker_.shut_down();
  ingest_->flush();
}

void MqttDoor::on_bytes(Socket& socket, std::string_view bytes) {
  if (socket.connection != 0) return feed(socket, bytes);
  greet(socket, bytes);
}

// Reads a stranger's client id and hands it to the loop that owns it.
void MqttDoor::greet(Socket& socket, std::string_view bytes) {
  socket.greeting += bytes;
  const auto client_id = mqtt::peek_client_id(socket.greeting);
  if (!client_id && socket.greeting.size() <= kGreetingSizeMax) return;
  rooms_.loop.cancel(std::exchange(socket.greeting_timer, net::TimerId::none));
  const std::uint32_t home =
      client_id && !client_id->empty() ? mqtt::home_loop(*client_id, count_) : index_;
  const std::string greeting = std::exchange(socket.greeting, {});
  if (home == index_) return open(socket, greeting);
  move_home(socket, *rooms_.doors[home], greeting);
}

void MqttDoor::move_home(Socket& socket, MqttDoor& home, std::string greeting) {
  socket.stream->detach();
  // Shared, because a task may be copied; and closed with the task if that never runs.
  const auto stream = std::make_shared<std::unique_ptr<net::Stream>>(std::move(socket.stream));
  home.run_on_loop(
      [&home, stream, ip = socket.ip, &entrance = socket.entrance, greeting = std::move(greeting)] {
        if (Socket* const moved = home.attach(std::move(*stream), ip, entrance)) {
          home.open(*moved, greeting);
        }
      });
  drop(socket);
}

// From here on it is the broker's.
void MqttDoor::open(Socket& socket, std::string_view greeting) {
  socket.connection = broker_.open(
      socket.ip, socket.entrance.profile == stack::Listener::Profile::aws ? &aws_limits_ : nullptr);
  by_connection_[socket.connection] = &socket;
  if (!greeting.empty()) feed(socket, greeting);
}

void MqttDoor::feed(Socket& socket, std::string_view bytes) {
  const mqtt::ConnectionId connection = socket.connection;
  const bool more = broker_.receive(connection, bytes);
  need_turn();
  if (socket.connection != connection) return;  // closed meanwhile
  socket.wants_more = more;
  if (rooms_.log.is_backlogged()) set_backlogged(true);
  if (!more || backlogged_) socket.stream->pause_reading();
}

void MqttDoor::set_backlogged(bool is_backlogged) {
  backlogged_ = is_backlogged;
  broker_.set_reads(!is_backlogged);
}

void MqttDoor::send(Socket& socket) {
  if (socket.connection == 0 || socket.stream->unsent() > 0) return;
  const std::string out = broker_.take_out(socket.connection);
  if (!out.empty()) socket.stream->send(out);
}

// The peer, or the network, ended it.
void MqttDoor::gone(Socket& socket, std::string_view /*reason*/) {
  const mqtt::ConnectionId connection = std::exchange(socket.connection, 0);
  if (connection != 0) {
    by_connection_.erase(connection);
    broker_.closed(connection);
    need_turn();
  }
  drop(socket);
}

void MqttDoor::drop(Socket& socket) {
  rooms_.loop.cancel(std::exchange(socket.greeting_timer, net::TimerId::none));
  const auto at = sockets_.find(&socket);
  if (at == sockets_.end()) return;
  // It may be in the middle of a call to us.
  dropped_.push_back(std::move(at->second));
  sockets_.erase(at);
  connection_count_.store(sockets_.size());
  need_turn();
}

void MqttDoor::need_turn() {
  if (std::exchange(turn_pending_, true)) return;
  rooms_.loop.defer([this] { end_turn(); });
}

// Once for all that this turn brought: the log gets its batch, the sockets get their bytes.
void MqttDoor::end_turn() {
  turn_pending_ = false;
  ingest_->flush();
  std::vector<mqtt::ConnectionId> ready;
  ready.swap(ready_to_send_);
  for (const mqtt::ConnectionId connection : ready) {
    const auto at = by_connection_.find(connection);
    if (at == by_connection_.end()) continue;
    at->second->send_pending = false;
    send(*at->second);
  }
  ready.clear();
  if (ready_to_send_.empty()) ready_to_send_.swap(ready);  // keeps the capacity
  dropped_.clear();
}

void MqttDoor::deliver(bus::Target target, const mqtt::Delivery& delivery,
                       const MessagePtr& message, const Position& at) {
  if (target.loop == kLiveLoop) return rooms_.live.put(target.session, message);
  if (target.loop == index_) {
    broker_.deliver(delivery, message, at);
    need_turn();
    return;
  }
  NILO_ASSERT(target.loop < count_);
  MqttDoor& door = *rooms_.doors[target.loop];
  const std::size_t before = door.mail_.with([&](std::vector<Mail>& mail) {
    const std::size_t waiting = mail.size();
    const bool may_drop = delivery.qos == Qos::at_most_once;
    if (waiting < kMailMax || !may_drop) mail.push_back({delivery, message, at});
    return waiting;
  });
  if (before >= kMailMax) {
    set_backlogged(true);  // what causes mail waits until the other loop has read some
    if (delivery.qos == Qos::at_most_once) dropped_mail_.add();
  }
  if (before == 0) door.run_on_loop([&door] { door.open_mail(); });
}

void MqttDoor::open_mail() {
  const std::vector<Mail> mail =
      mail_.with([](std::vector<Mail>& waiting) { return std::exchange(waiting, {}); });
  for (const Mail& letter : mail) broker_.deliver(letter.delivery, letter.message, letter.at);
  need_turn();
}

void MqttDoor::run_on_loop(std::function<void()> task) {
  rooms_.loop.post([this, task = std::move(task)] {
    task();
    need_turn();
  });
}

// Whose token or certificate was revoked or has expired, and what was allowed by hand and taken
// back.
void MqttDoor::drop_revoked() {
  const std::uint64_t grants = rooms_.grants.changes();
  if (std::exchange(grant_changes_seen_, grants) != grants) broker_.recheck_subscriptions();
  const std::uint64_t changes = rooms_.access.changes();
  if (std::exchange(access_changes_seen_, changes) == changes) return;
  broker_.drop_clients([this](const Principal& who) { return access_.why_ended(who); });
}

void MqttDoor::tick() {
  broker_.tick();
  session_count_.store(broker_.session_count());
  drop_revoked();
  need_turn();
  if (!backlogged_ || rooms_.log.is_backlogged()) return;
  for (const auto& door : rooms_.doors) {
    if (door->mail_count() >= kMailMax) return;
  }
  set_backlogged(false);
  for (auto& [socket, owner] : sockets_) {
    if (socket->wants_more) socket->stream->resume_reading();
  }
}

void MqttDoor::authenticate(mqtt::ConnectionId connection, const mqtt::Login& login) {
  MqttAccess::Shown shown;
  if (const auto at = by_connection_.find(connection); at != by_connection_.end()) {
    const auto& tls = at->second->entrance.tls;
    shown.certificate = at->second->stream->peer_certificate();
    shown.needs_certificate = tls && tls->clients == net::TlsOptions::Clients::required;
  }
  access_.log_in(login, shown, [this, connection](Result<Principal> who) {
    broker_.on_authenticated(connection, std::move(who));
  });
}

std::unique_ptr<mqtt::Authenticator> MqttDoor::authenticator(std::string_view method,
                                                             const mqtt::Login& login) {
  return access_.exchange(method, login);
}

bool MqttDoor::may_publish(const Principal& principal, std::string_view topic) {
  return MqttAccess::may_publish(principal, topic);
}

bool MqttDoor::may_subscribe(const Principal& principal, std::string_view filter) {
  if (!MqttAccess::may_subscribe(principal, filter)) return false;
  if (is_about_changes(filter)) rooms_.changes_wanted.store(true);
  return true;
}

bool MqttDoor::may_retain(const Principal& principal, std::string_view topic) {
  return MqttAccess::may_retain(principal, topic);
}

std::string MqttDoor::why_not(const Principal& principal, Scope::Act act, std::string_view topic) {
  return MqttAccess::why_not(principal, act, topic);
}

bool MqttDoor::is_known(std::string_view principal) { return rooms_.access.has_valid(principal); }

std::optional<Principal> MqttDoor::remembered(const Message& message) {
  return access_.remembered(message);
}

std::vector<MessagePtr> MqttDoor::own_messages(const bus::TopicFilter& filter) {
  return rooms_.sys.matching(filter);
}

void MqttDoor::publish(const MessageView& message, const mqtt::Ticket& ticket) {
  ingest_->publish(message, ticket);
  need_turn();
}

void MqttDoor::queue(bus::Target target, const mqtt::Delivery& delivery,
                     const MessagePtr& message) {
  ingest_->queue(target, delivery, message);
  need_turn();
}

void MqttDoor::fetch(mqtt::SessionNumber session, std::vector<Position> places) {
  using Fetched = std::vector<mqtt::Broker::Fetched>;
  rooms_.queue_reader.fetch(session, std::move(places), [this, session](Fetched fetched) {
    const auto shared = std::make_shared<Fetched>(std::move(fetched));
    run_on_loop([this, session, shared] { broker_.on_fetched(session, std::move(*shared)); });
  });
}

void MqttDoor::hand_on(const mqtt::SharePtr& share, const MessagePtr& message) {
  ingest_->hand_on(share, message);
  need_turn();
}

void MqttDoor::hand_on(mqtt::SessionNumber session, std::vector<Position> places,
                       std::function<void()> done) {
  using Fetched = std::vector<mqtt::Broker::Fetched>;
  rooms_.queue_reader.fetch(session, std::move(places), [this, done](Fetched fetched) {
    const auto shared = std::make_shared<Fetched>(std::move(fetched));
    run_on_loop([this, shared, done] {
      for (const mqtt::Broker::Fetched& one : *shared) {
        const mqtt::Letter& letter = one.letter;
        const bool is_ours = letter.message != nullptr && letter.share != nullptr;
        if (is_ours && letter.qos == Qos::at_least_once) hand_on(letter.share, letter.message);
      }
      done();
    });
  });
}

void MqttDoor::commit(const std::function<void(RecordWriter&)>& write,
                      std::function<void(const Result<void>&)> done) {
  ingest_->commit(write, std::move(done));
  need_turn();
}

void MqttDoor::send_ready(mqtt::ConnectionId connection) {
  const auto at = by_connection_.find(connection);
  if (at == by_connection_.end() || std::exchange(at->second->send_pending, true)) return;
  ready_to_send_.push_back(connection);
  need_turn();
}

void MqttDoor::send_early(mqtt::ConnectionId connection) {
  const auto at = by_connection_.find(connection);
  if (at != by_connection_.end()) send(*at->second);
}

void MqttDoor::read_ready(mqtt::ConnectionId connection) {
  const auto at = by_connection_.find(connection);
  if (at == by_connection_.end()) return;
  at->second->wants_more = true;
  if (!backlogged_) at->second->stream->resume_reading();
}

void MqttDoor::close(mqtt::ConnectionId connection, std::string last_bytes) {
  const auto at = by_connection_.find(connection);
  if (at == by_connection_.end()) return;
  Socket& socket = *at->second;
  by_connection_.erase(at);
  socket.connection = 0;
  if (!last_bytes.empty()) socket.stream->send(last_bytes);
  socket.stream->close_after_flush();
}

void MqttDoor::present(const mqtt::Presence& presence) { reports_->present(presence); }

void MqttDoor::refused(const mqtt::Refusal& refusal) {
  reports_->refused(refusal);
  need_turn();
}

}  // namespace nilo::app
