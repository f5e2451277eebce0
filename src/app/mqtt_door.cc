#include "app/mqtt_door.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "app/hashes.h"
#include "app/presence.h"
#include "mqtt/codec.h"

namespace nilo::app {

namespace {

constexpr std::chrono::milliseconds kTickEvery{100};
constexpr std::size_t kMailMax = 100'000;
// A stranger's bytes that are kept until its client id is known.
constexpr std::size_t kGreetingSizeMax = 64 * 1024 + 1024;

constexpr std::string_view kTokenPrefix = "nilo_";
constexpr std::size_t kNonceBytes = 18;

// A token may stand in the place of the user name; then it is not shown to anybody.
std::string_view shown_user(std::string_view user_name) {
  return user_name.starts_with(kTokenPrefix) ? std::string_view() : user_name;
}

bool is_ours(std::string_view topic) { return topic.starts_with("$"); }

// Where programs made for AWS IoT look; a policy may let a device in there.
bool is_reserved(std::string_view topic) { return topic.starts_with("$aws/"); }

// What policies may ask of a certificate.
void show(const net::Certificate& shown, PolicySubject& subject) {
  subject.certificate_id = shown.fingerprint;
  const auto add = [&](std::string name, const std::string& value) {
    if (!value.empty()) subject.certificate.emplace_back(std::move(name), value);
  };
  add("Subject.CommonName", shown.common_name);
  add("SerialNumber", shown.serial);
}

PolicySubject subject_of(const mqtt::Login& login) {
  PolicySubject subject;
  subject.client_id = login.client_id;
  subject.source_ip = login.source_ip;
  subject.is_persistent = login.is_persistent;
  subject.has_will = login.has_will;
  return subject;
}

// Who has proven who it is gets the scope of its policies, or does not get in.
class Admission final : public mqtt::Authenticator {
 public:
  Admission(std::unique_ptr<mqtt::Authenticator> exchange, const Policies& policies,
            PolicySubject subject)
      : exchange_(std::move(exchange)), policies_(policies), subject_(std::move(subject)) {}

  Result<Step> next(std::string_view data) override {
    Step step = TRY(exchange_->next(data));
    if (step.is_done) TRY(policies_.admit(step.who, subject_));
    return step;
  }

 private:
  const std::unique_ptr<mqtt::Authenticator> exchange_;
  const Policies& policies_;
  const PolicySubject subject_;
};

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
      broker_({*this, rooms.router, rooms.retained, rooms.numbers, rooms.clock, rooms.metrics},
              limits, index, count),
      dropped_mail_(
          rooms.metrics.counter("nilo_mqtt_messages_dropped_total", "why=\"loop_busy\"", "")) {}

MqttDoor::~MqttDoor() = default;

void MqttDoor::start(const Ingest::Rooms& ingest) {
  ingest_ = std::make_unique<Ingest>(ingest);
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
  if (rooms_.log.is_backlogged()) backlogged_ = true;
  if (!more || backlogged_) socket.stream->pause_reading();
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
    backlogged_ = true;  // what causes mail waits until the other loop has read some
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

std::shared_ptr<const net::PeerCertificate> MqttDoor::certificate_of(
    mqtt::ConnectionId connection) const {
  const auto at = by_connection_.find(connection);
  return at == by_connection_.end() ? nullptr : at->second->stream->peer_certificate();
}

// Whose token was revoked or has expired, and what was allowed by hand and taken back.
void MqttDoor::drop_revoked() {
  const std::uint64_t grants = rooms_.grants.changes();
  if (std::exchange(grant_changes_seen_, grants) != grants) broker_.recheck_subscriptions();
  const std::uint64_t changes = rooms_.access.changes();
  if (std::exchange(access_changes_seen_, changes) == changes) return;
  broker_.drop_clients([this](const Principal& who) {
    return !who.credential.empty() && !rooms_.access.is_current(who.credential);
  });
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
  backlogged_ = false;
  for (auto& [socket, owner] : sockets_) {
    if (socket->wants_more) socket->stream->resume_reading();
  }
}

// Who it is, is known; what it may do says the stack.
void MqttDoor::admit(mqtt::ConnectionId connection, const PolicySubject& subject,
                     Result<Principal> who) {
  if (who) {
    if (const auto admitted = rooms_.policies.admit(*who, subject); !admitted) {
      who = admitted.error();
    }
  }
  broker_.on_authenticated(connection, std::move(who));
}

// By the certificate of its TLS connection, which says who the client is: user name (AWS device
// SDKs put their version there) and password do not count then. False: it shows none, or one that
// nobody knows and something else besides.
bool MqttDoor::log_in_by_certificate(mqtt::ConnectionId connection, const mqtt::Login& login) {
  const auto shown = certificate_of(connection);
  if (!shown) return false;
  PolicySubject subject = subject_of(login);
  show(*shown, subject);
  const Certificates& certificates = rooms_.access.certificates();
  auto who = certificates.by_certificate(*shown);
  const bool is_known = who || certificates.find(shown->fingerprint);
  if (is_known) {
    admit(connection, subject, std::move(who));
    return true;
  }
  if (const auto row = certificates.vouched_for(*shown, shown->der)) {
    rooms_.certificates.keep(*row, [this, connection, subject, shown](const Result<void>& kept) {
      run_on_loop([this, connection, subject, shown, kept] {
        admit(connection, subject,
              kept ? rooms_.access.certificates().by_certificate(*shown)
                   : Result<Principal>(kept.error()));
      });
    });
    return true;
  }
  if (rooms_.access.is_open_to(login.source_ip)) return false;
  const auto& tls = by_connection_.at(connection)->entrance.tls;
  const bool is_required = tls && tls->clients == net::TlsOptions::Clients::required;
  const bool shows_more = login.has_password || login.user_name.starts_with(kTokenPrefix);
  if (shows_more && !is_required) return false;
  RefusedLogin refused{std::string(login.client_id), std::string(shown_user(login.user_name)),
                       std::string(login.source_ip)};
  refused.certificate = *shown;
  rooms_.refused_logins.add(std::move(refused));
  broker_.on_authenticated(connection, std::move(who));
  return true;
}

void MqttDoor::authenticate(mqtt::ConnectionId connection, const mqtt::Login& login) {
  if (log_in_by_certificate(connection, login)) return;
  const Access& access = rooms_.access;
  const PolicySubject subject = subject_of(login);
  RefusedLogin shown{std::string(login.client_id), std::string(shown_user(login.user_name)),
                     std::string(login.source_ip)};
  const std::string_view secret = login.has_password ? login.password : login.user_name;
  if (secret.starts_with(kTokenPrefix)) {
    auto who = access.by_token(secret);
    if (!who) {
      shown.kind = Token::Kind::token;
      shown.hash = hash_of(secret);
      rooms_.refused_logins.add(std::move(shown));
    }
    return admit(connection, subject, std::move(who));
  }
  // A name alone proves nothing: AWS device SDKs put their version there.
  if (!login.has_password) {
    if (access.is_open_to(login.source_ip)) {
      return broker_.on_authenticated(connection, Principal{"", Role::admin});
    }
    if (auto who = access.by_address(login.client_id, login.source_ip)) {
      return admit(connection, subject, std::move(who));
    }
    rooms_.refused_logins.add(std::move(shown));
    return broker_.on_authenticated(
        connection, Error{ErrorCode::unauthenticated, "no password or token was given",
                          "make one on the server with: nilo token new NAME"});
  }
  const std::string_view name = login.user_name.empty() ? login.client_id : login.user_name;
  rooms_.passwords.check(
      {std::string(name), std::string(login.password), std::string(login.source_ip)},
      [this, connection, subject](Result<Principal> who) {
        run_on_loop([this, connection, subject, who = std::move(who)] {
          // It may have been revoked since, when this client was not yet among those to be dropped.
          const bool is_late = who && !rooms_.access.is_current(who->credential);
          admit(
              connection, subject,
              is_late ? Error{ErrorCode::unauthenticated, "this password was just revoked"} : who);
        });
      },
      [this, shown = std::move(shown)](const std::string& password) {
        rooms_.refused_logins.add_password(shown, password, rooms_.clock.steady_us());
      });
}

std::unique_ptr<mqtt::Authenticator> MqttDoor::authenticator(std::string_view method,
                                                             const mqtt::Login& login) {
  if (method != kScramMethod) return nullptr;
  const std::string ip(login.source_ip);
  const auto find = [this, ip](std::string_view name) -> Result<ScramExchange::User> {
    if (rooms_.passwords.is_blocked(name, ip)) return PasswordChecks::too_many();
    return rooms_.access.by_proof(name);
  };
  const auto was_wrong = [this, ip](std::string_view name) {
    rooms_.passwords.was_wrong(name, ip);
    if (!rooms_.access.lacks_verifier(name)) return;
    // Not for the client's ears: that would say that the name is known.
    rooms_.logger.warn("mqtt.no_verifier",
                       {{"name", name}, {"why", "set its password anew to let it use SCRAM"}});
  };
  return std::make_unique<Admission>(
      std::make_unique<ScramExchange>(ScramExchange::Users{find, was_wrong},
                                      random_text(kNonceBytes)),
      rooms_.policies, subject_of(login));
}

bool MqttDoor::may_publish(const Principal& principal, std::string_view topic) {
  const bool is_open = !is_ours(topic) || topic.starts_with(kBasicIngest);
  return principal.role != Role::viewer && is_open &&
         (!principal.scope || principal.scope->may_publish(topic));
}

// What the server says of itself ($error, $table, $alert) is for people, not for devices.
bool MqttDoor::may_subscribe(const Principal& principal, std::string_view filter) {
  const bool may_reach =
      !is_ours(filter) || principal.role != Role::device ||
      (is_reserved(filter) && principal.scope != nullptr && principal.scope->reaches_reserved());
  if (!may_reach || filter.starts_with(kBasicIngest)) return false;
  if (principal.scope && !principal.scope->may_subscribe(filter)) return false;
  if (is_about_changes(filter)) rooms_.changes_wanted.store(true);
  return true;
}

bool MqttDoor::may_retain(const Principal& principal, std::string_view topic) {
  return !principal.scope || principal.scope->may_retain(topic);
}

std::string MqttDoor::why_not(const Principal& principal, Scope::Act act, std::string_view topic) {
  const bool publishes = act == Scope::Act::publish || act == Scope::Act::retain;
  if (principal.role == Role::viewer && publishes) return "a viewer may not publish";
  if (principal.scope) {
    std::string why = principal.scope->why_not(act, topic);
    if (!why.empty()) return why;
  }
  return is_ours(topic) ? "topics that begin with $ are the server's own"
                        : "may not use this topic";
}

bool MqttDoor::is_known(std::string_view principal) { return rooms_.access.has_valid(principal); }

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

void MqttDoor::present(const mqtt::Presence& presence) {
  const TimeUs now_us = rooms_.clock.wall_us();
  std::string topic = presence_topic(presence.what, presence.client_id);
  if (!topic.empty() && ingest_->is_heard(topic)) {
    publish_event(std::move(topic), presence_payload(presence, now_us));
  }
  topic = own_presence_topic(presence.what, presence.client_id);
  if (!topic.empty() && ingest_->is_heard(topic)) {
    publish_event(std::move(topic), own_presence_payload(presence, now_us));
  }
}

// After what is being done now: it may have been caused by a message that is being taken.
void MqttDoor::publish_event(std::string topic, std::string payload) {
  Message message;
  message.topic = std::move(topic);
  message.payload = std::move(payload);
  message.qos = Qos::at_least_once;
  message.received_us = rooms_.clock.wall_us();
  run_on_loop(
      [this, message = std::move(message)] { ingest_->publish(message.view(), Ingest::Done()); });
}

void MqttDoor::refused(const mqtt::Refusal& refusal) {
  MessageView about;
  about.topic = refusal.topic;
  about.client_id = refusal.client_id;
  about.principal = refusal.principal;
  about.source_ip = refusal.source_ip;
  about.received_us = rooms_.clock.wall_us();
  using What = mqtt::Refusal::What;
  const bool has_remedy = refusal.what == What::connect || refusal.what == What::publish ||
                          refusal.what == What::subscribe;
  if (has_remedy) {
    const std::string_view user =
        refusal.principal.empty() ? shown_user(refusal.user_name) : refusal.principal;
    rooms_.refused.add({.what = std::string(mqtt::word_of(refusal.what)),
                        .client = std::string(refusal.client_id),
                        .user = std::string(user),
                        .ip = std::string(refusal.source_ip),
                        .topic = std::string(refusal.topic),
                        .reason = std::string(refusal.why),
                        .time_us = about.received_us});
  }
  rooms_.metrics
      .counter("nilo_refused_total",
               fmt::format("what=\"{}\",reason=\"{}\"", mqtt::word_of(refusal.what),
                           mqtt::text_of(refusal.reason)),
               "What MQTT clients wanted and did not get, by reason.")
      .add();
  if (refusal.what == What::connect) {
    const std::string topic = connect_failed_topic(refusal.client_id);
    if (!topic.empty() && ingest_->is_heard(topic)) {
      publish_event(topic, connect_failed_payload(refusal, about.received_us));
    }
  }
  const std::string source = fmt::format("mqtt/{}", mqtt::word_of(refusal.what));
  if (ingest_->report(source, refusal.why, about)) {
    rooms_.logger.warn("mqtt.refused", {{"what", mqtt::word_of(refusal.what)},
                                        {"client", refusal.client_id},
                                        {"ip", refusal.source_ip},
                                        {"topic", refusal.topic},
                                        {"why", refusal.why}});
  }
  need_turn();
}

}  // namespace nilo::app
