// app/mqtt_door.h: one event loop with its MQTT connections: sockets, broker and ingest together.
//
// Bytes come from the sockets, go through the broker, become messages for the ingest; what the
// broker has to say goes out once a turn. Who somebody is and what it may do is asked of
// mqtt_access.h; what is told of clients, client_reports.h tells. A connection is first a stranger:
// the loop that accepted it reads its CONNECT and hands the socket to the loop that owns the client
// id.
// Threads: runs on one loop's thread; run_on_loop() also from others.
// Limits:  mqtt::Limits; connections are bounded by who accepts them (reception.h); kMailMax
//          messages for one other loop (then QoS 0 is dropped and counted, and what publishes here
//          is read no more until that loop has read some).
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "app/access.h"
#include "app/certificate_store.h"
#include "app/client_reports.h"
#include "app/entrances.h"
#include "app/grants.h"
#include "app/ingest.h"
#include "app/live_mail.h"
#include "app/mqtt_access.h"
#include "app/password_checks.h"
#include "app/policies.h"
#include "app/queue_reader.h"
#include "app/refused_list.h"
#include "app/refused_logins.h"
#include "app/sys_topics.h"
#include "base/guarded.h"
#include "mqtt/broker.h"
#include "net/event_loop.h"
#include "net/stream.h"

namespace nilo::app {

class MqttDoor;

inline constexpr std::size_t kMailMax = 100'000;
// A stranger's bytes that are kept until its client id is known.
inline constexpr std::size_t kGreetingSizeMax = 64 * 1024 + 1024;

// Does this filter hear changes of tables?
bool is_about_changes(std::string_view filter);

// The doors of all loops; fixed once the server runs.
using MqttDoors = std::vector<std::unique_ptr<MqttDoor>>;

class MqttDoor final : public mqtt::Host, public Post {
 public:
  struct Rooms {  // all must outlive the door
    net::EventLoop& loop;
    const MqttDoors& doors;
    Access& access;
    const CertificateStore& certificates;
    const Policies& policies;
    const Grants& grants;
    PasswordChecks& passwords;
    RefusedLogins& refused_logins;
    bus::Router& router;
    bus::Retained& retained;
    mqtt::SessionNumbers& numbers;
    QueueReader& queue_reader;
    LiveMail& live;                     // for open pages
    RefusedList& refused;               // for the page that lets devices in
    const SysTopics& sys;               // what the server says of itself
    std::atomic<bool>& changes_wanted;  // set once somebody subscribes to `$table/...`
    log::Log& log;
    const Clock& clock;
    Logger& logger;
    Metrics& metrics;
  };
  // `index` of the loop, of `count`. `ingest`: the rooms of this loop's Ingest, with this as Post.
  MqttDoor(const Rooms& rooms, const mqtt::Limits& limits, std::uint32_t index,
           std::uint32_t count);
  ~MqttDoor() override;

  // Once, before the loop runs.
  void start(const Ingest::Rooms& ingest);
  // A connection that was just accepted, not attached; on the loop. `entrance` outlives the door.
  void take(std::unique_ptr<net::Stream> stream, const std::string& remote_ip,
            const Entrance& entrance);
  // Says goodbye to all clients; on the loop.
  void shut_down();

  Ingest& ingest() { return *ingest_; }
  mqtt::Broker& broker() { return broker_; }
  std::size_t connection_count() const { return connection_count_.load(); }
  std::size_t session_count() const { return session_count_.load(); }  // as of the last tick

  // Post
  void deliver(bus::Target target, const mqtt::Delivery& delivery, const MessagePtr& message,
               const Position& at) override;
  void run_on_loop(std::function<void()> task) override;

  // mqtt::Host
  void authenticate(mqtt::ConnectionId connection, const mqtt::Login& login) override;
  std::unique_ptr<mqtt::Authenticator> authenticator(std::string_view method,
                                                     const mqtt::Login& login) override;
  bool may_publish(const Principal& principal, std::string_view topic) override;
  bool may_subscribe(const Principal& principal, std::string_view filter) override;
  bool may_retain(const Principal& principal, std::string_view topic) override;
  std::string why_not(const Principal& principal, Scope::Act act, std::string_view topic) override;
  bool is_known(std::string_view principal) override;
  std::optional<Principal> remembered(const Message& message) override;
  std::vector<MessagePtr> own_messages(const bus::TopicFilter& filter) override;
  void publish(const MessageView& message, const mqtt::Ticket& ticket) override;
  void queue(bus::Target target, const mqtt::Delivery& delivery,
             const MessagePtr& message) override;
  void fetch(mqtt::SessionNumber session, std::vector<Position> places) override;
  void hand_on(const mqtt::SharePtr& share, const MessagePtr& message) override;
  void hand_on(mqtt::SessionNumber session, std::vector<Position> places,
               std::function<void()> done) override;
  void commit(const std::function<void(RecordWriter&)>& write,
              std::function<void(const Result<void>&)> done) override;
  void send_ready(mqtt::ConnectionId connection) override;
  void send_early(mqtt::ConnectionId connection) override;
  void read_ready(mqtt::ConnectionId connection) override;
  void close(mqtt::ConnectionId connection, std::string last_bytes) override;
  void refused(const mqtt::Refusal& refusal) override;
  void present(const mqtt::Presence& presence) override;

 private:
  struct Socket;
  struct Mail {
    mqtt::Delivery delivery;
    MessagePtr message;
    Position at{};
  };

  Socket* attach(std::unique_ptr<net::Stream> stream, const std::string& remote_ip,
                 const Entrance& entrance);
  void move_home(Socket& socket, MqttDoor& home, std::string greeting);
  void on_bytes(Socket& socket, std::string_view bytes);
  void greet(Socket& socket, std::string_view bytes);
  void open(Socket& socket, std::string_view greeting);
  void feed(Socket& socket, std::string_view bytes);
  void send(Socket& socket);
  void gone(Socket& socket, std::string_view reason);
  void drop(Socket& socket);
  void need_turn();
  void end_turn();
  void open_mail();
  std::size_t mail_count() const {
    return mail_.with([](const std::vector<Mail>& mail) { return mail.size(); });
  }
  void set_backlogged(bool is_backlogged);
  void drop_revoked();
  void tick();

  Rooms rooms_;
  const std::uint32_t index_;
  const std::uint32_t count_;
  const mqtt::Limits aws_limits_ = mqtt::aws_limits();  // of listeners with that profile
  MqttAccess access_;
  mqtt::Broker broker_;
  std::unique_ptr<Ingest> ingest_;
  std::optional<ClientReports> reports_;  // with the ingest, from start() on
  std::unordered_map<Socket*, std::unique_ptr<Socket>> sockets_;
  std::unordered_map<mqtt::ConnectionId, Socket*> by_connection_;
  std::vector<mqtt::ConnectionId> ready_to_send_;
  std::vector<std::unique_ptr<Socket>> dropped_;  // destroyed at the end of the turn
  bool turn_pending_ = false;
  bool backlogged_ = false;
  std::uint64_t access_changes_seen_ = 0;
  std::uint64_t grant_changes_seen_ = 0;
  Guarded<std::vector<Mail>> mail_;
  std::atomic<std::size_t> connection_count_{0};
  std::atomic<std::size_t> session_count_{0};
  Counter& dropped_mail_;
};

}  // namespace nilo::app
