// app/ingest.h: what one message causes, on the loop that received it.
//
// A message is matched against rules and subscribers. What must be remembered (rows, the retained
// message, copies for sleeping subscribers) becomes one record of the loop's batch
// (app/loop_batch.h), which goes to the log once a turn. Whoever listens now hears it at once,
// except that a durable copy is delivered when its record has its number.
//
//   publish -> route (cached by topic) -> rules -> record -> batch -> log -> tables -> answer
//
// Threads: the loop's, all of it.
// Limits:  kDepthMax messages that cause each other and kCausedMax that one message causes: what is
//          beyond is an error and not republished; all of it fits one record, or the
//          sender is refused; kErrorsPerSecondMax errors told in full (all are counted);
//          kRoutesSizeMax bytes of cached topics, then the cache begins anew.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "app/invalid_reading.h"
#include "app/loop_batch.h"
#include "app/message_error.h"
#include "app/reactions.h"
#include "base/clock.h"
#include "base/logger.h"
#include "base/metrics.h"
#include "bus/retained.h"
#include "bus/router.h"
#include "log/log.h"
#include "mqtt/broker.h"
#include "mqtt/effects.h"
#include "rules/scratch.h"
#include "tables/tables.h"
#include "value/row.h"
#include "value/thing_template.h"

namespace nilo::app {

inline constexpr int kDepthMax = 8;
inline constexpr int kCausedMax = 1'000;
inline constexpr std::size_t kRoutesSizeMax = 16 * 1024 * 1024;
// Strangers cause errors too, and each is a row in the log.
inline constexpr std::uint64_t kErrorsPerSecondMax = 100;

class Ingest {
 public:
  struct Rooms {  // all must outlive the Ingest
    const Reactions& reactions;
    bus::Router& router;
    bus::Retained& retained;
    tables::Tables& tables;
    log::Log& log;
    ErrorSlots& error_slots;
    const Clock& clock;
    Logger& logger;
    Metrics& metrics;
    Post& post;
    // Which loop this is, of how many: keeps their receive times apart.
    std::uint32_t loop = 0;
    std::uint32_t loop_count = 1;
  };
  // Asserted: every table of the reactions is declared.
  explicit Ingest(const Rooms& rooms);

  using Done = LoopBatch::Done;
  // Hears, on this loop, of tickets that are durable and in the tables, or refused: a batch at a
  // time, or a single one at once. Before the first publish().
  void on_tickets(LoopBatch::AnswerTickets answer) { batch_.on_tickets(std::move(answer)); }

  // Rules, record, subscribers: all that `message` causes. The ticket is answered once, by
  // on_tickets(): with its batch, or inside this call if there is no room for the message; not at
  // all if it wants no answer (QoS 0).
  void publish(const MessageView& message, const mqtt::Ticket& ticket);
  // For messages that do not come over MQTT. `done` may be empty. not_found: basic ingest for a
  // rule that there is not.
  void publish(const MessageView& message, Done done);
  // mqtt::Host::hand_on().
  void hand_on(const mqtt::SharePtr& share, const MessagePtr& message);
  // Appends a record that `write` fills; for sessions and for rows of our own tables. From
  // within a delivery it becomes a later record.
  void commit(const std::function<void(RecordWriter&)>& write, Done done);
  // `message` waits for a persistent session: in a record of its own, then it is delivered. Not
  // from within a delivery.
  void queue(bus::Target target, const mqtt::Delivery& delivery, const MessagePtr& message);
  // Does a rule or a subscriber hear this topic? For messages that are only made for them.
  bool is_heard(std::string_view topic) const;
  // A message of ours about something refused: `$error/<source>`, a row of sys_errors, a counter.
  // `about`: the message it is about, as far as there is one. False: only counted, there were too
  // many this second.
  bool report(std::string_view source, std::string_view reason, const MessageView& about);

  // Hands what was gathered to the log. Once a turn of the loop.
  void flush() { batch_.flush(); }

 private:
  // A rule as this loop runs it.
  struct Reaction {
    const Rule& rule;
    RowWriter* writer;                   // of its table; nullptr: it puts nothing
    std::string source;                  // "rules/store"
    std::optional<ThingTemplate> thing;  // whose rows these are
  };
  struct Route {
    std::uint64_t router_version = 0;
    std::vector<const Reaction*> reactions;
    std::vector<bus::Match> matches;
    std::vector<bus::GroupPtr> groups;
    std::size_t size() const {
      return matches.size() * sizeof(bus::Match) + groups.size() * sizeof(bus::GroupPtr);
    }
  };
  struct Caused {  // by a rule that republishes
    const Reaction* reaction = nullptr;
    std::string payload;
  };
  struct TopicHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view topic) const {
      return std::hash<std::string_view>()(topic);
    }
  };

  void commit_later(const std::function<void(RecordWriter&)>& write, Done done);
  Result<void> take(MessageView message, const mqtt::Ticket& ticket);
  Result<void> run_rule(MessageView message);
  TimeUs unique_time();
  Result<void> react(const MessageView& message, mqtt::SessionNumber publisher, int depth);
  // Appends to `caused` what is to be republished.
  Result<void> run(const Reaction& reaction, const MessageView& message, int depth,
                   std::vector<Caused>& caused);
  Result<void> unless_refused(const Reaction& reaction, Result<void> outcome,
                              const MessageView& message, int depth);
  Result<void> put(const Reaction& reaction, const MessageView& message);
  // A cell that a column does not take.
  struct RefusedCell {
    std::size_t column;
    Value value;
    Error why;
  };
  std::optional<RefusedCell> set_cells(const Reaction& reaction,
                                       std::span<const rules::Output> outputs, TimeUs received_us);
  void note_refused(const Reaction& reaction, const RefusedCell* cell, const Error& why,
                    TimeUs received_us);
  void note_unreadable(const Reaction& reaction, const MessageView& message, const Error& why);
  void put_invalid_row(const Reaction& reaction, const InvalidReading& reading);
  Result<void> republish(const Caused& caused, const MessageView& message, int depth);
  Result<void> retain(const MessageView& message);
  Result<void> route_out(const Route& route, const MessageView& message,
                         mqtt::SessionNumber publisher);
  void send_shared(const bus::Group& group, const MessagePtr& message);
  bool may_tell_error();
  void tell_error(std::string_view source, std::string_view reason, const MessageView& about,
                  int depth);
  void tell_alone(std::string_view source, std::string_view reason, const MessageView& about);
  const Route& route_of(std::string_view topic);

  Rooms rooms_;
  LoopBatch batch_;
  rules::Scratch scratch_;
  std::unordered_map<std::string, Route, TopicHash, std::equal_to<>> routes_;
  std::size_t routes_size_ = 0;                      // bytes, about
  std::vector<std::unique_ptr<RowWriter>> writers_;  // one for each table of the reactions
  RowWriter* error_writer_ = nullptr;
  RowWriter* invalid_writer_ = nullptr;
  std::vector<Reaction> reactions_;
  int caused_count_ = 0;    // of the message being taken
  bool was_heard_ = false;  // the message taken last: by a subscriber or a rule
  bool taking_ = false;     // a message of a client or of ours is being taken, in one record
  TimeUs last_time_us_ = 0;
  std::int64_t error_second_ = 0;
  std::uint64_t errors_this_second_ = 0;
  Counter& messages_;
  Counter& rows_;
  Counter& errors_;
};

}  // namespace nilo::app
