#include "app/ingest.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/time_units.h"
#include "base/utf8.h"

namespace nilo::app {

namespace {

constexpr std::size_t kUnreadableShownSizeMax = 256;
constexpr std::size_t kRuleShownSizeMax = 64;
constexpr std::size_t kRouteOverheadSize = 200;  // a map's node and its vectors

// May this failure pass, so that the sender should keep the message and try again?
bool is_refusal(const Error& error) {
  return error.code == ErrorCode::resource_exhausted || error.code == ErrorCode::unavailable;
}

// Is it a copy that must survive a crash?
bool waits_for_log(const mqtt::Delivery& delivery) {
  return mqtt::is_persistent(delivery.session) && delivery.qos != Qos::at_most_once;
}

}  // namespace

Ingest::Ingest(const Rooms& rooms)
    : rooms_(rooms),
      batch_(rooms.log, rooms.post),
      messages_(rooms.metrics.counter("nilo_messages_total", R"(dir="in")",
                                      "Messages published to the server.")),
      rows_(rooms.metrics.counter("nilo_rows_written_total", "", "Rows given to the log.")),
      errors_(rooms.metrics.counter("nilo_message_errors_total", "",
                                    "Messages of which something was refused ($error/...).")) {
  std::unordered_map<std::string_view, RowWriter*> writer_of;
  for (const tables::TableDeclaration& table : rooms.reactions.tables) {
    const TableLayout* layout = rooms.tables.layout(table.schema.name);
    NILO_ASSERT(layout != nullptr);
    writers_.push_back(std::make_unique<RowWriter>(*layout));
    writer_of[table.schema.name] = writers_.back().get();
  }
  error_writer_ = writer_of.at(kErrorsTable);
  invalid_writer_ = writer_of.at(kInvalidTable);
  for (const Rule& rule : rooms.reactions.rules) {
    RowWriter* writer = rule.table.empty() ? nullptr : writer_of.at(rule.table);
    std::optional<ThingTemplate> thing;
    if (writer != nullptr && !rooms.tables.layout(rule.table)->schema.thing.empty()) {
      const TableSchema& schema = rooms.tables.layout(rule.table)->schema;
      thing = ThingTemplate::parse(schema.thing, schema).value();  // the stack's check
    }
    reactions_.push_back({rule, writer, "rules/" + rule.name, std::move(thing)});
  }
}

void Ingest::publish(const MessageView& message, const mqtt::Ticket& ticket) {
  if (taking_) {
    // A will, set off by a delivery of the message being taken: after it.
    rooms_.post.run_on_loop(
        [this, later = Message::copy_of(message), ticket] { publish(later.view(), ticket); });
    return;
  }
  const Result<void> outcome = take(message, ticket);
  if (!ticket.wants_answer()) return;
  if (!outcome) return batch_.refuse(ticket, outcome);
  mqtt::Ticket taken = ticket;
  taken.was_heard = was_heard_;
  batch_.answer(taken);
}

void Ingest::publish(const MessageView& message, Done done) {
  const Result<void> outcome = take(message, {});
  if (!done) return;
  if (!outcome) return done(outcome);
  const bool has_no_rule = !was_heard_ && message.topic.starts_with(kBasicIngest);
  if (has_no_rule) return done(Error{ErrorCode::not_found, "there is no such rule"});
  batch_.answer(std::move(done));
}

void Ingest::commit(const std::function<void(RecordWriter&)>& write, Done done) {
  if (taking_) return commit_later(write, std::move(done));
  write(batch_.record(rooms_.clock.wall_us()));
  const Result<void> ended = batch_.end_record();
  if (!ended) rooms_.logger.error("ingest.record_refused", {{"reason", ended.error().message}});
  if (!done) return;
  if (!ended) return done(ended);
  batch_.answer(std::move(done));
}

// Set off by a delivery of the message being taken, whose record may still be taken back: after it.
void Ingest::commit_later(const std::function<void(RecordWriter&)>& write, Done done) {
  std::string bytes;
  RecordWriter record(bytes, 0);
  const std::size_t begin = bytes.size();
  write(record);
  rooms_.post.run_on_loop([this, effects = bytes.substr(begin), done = std::move(done)] {
    commit([&](RecordWriter& later) { later.out() += effects; }, done);
  });
}

void Ingest::hand_on(const mqtt::SharePtr& share, const MessagePtr& message) {
  if (taking_) {
    // A session that ended by a delivery of the message being taken: after it.
    rooms_.post.run_on_loop([this, share, message] { hand_on(share, message); });
    return;
  }
  const bus::GroupPtr group = rooms_.router.group(*share);
  if (group == nullptr) return;  // nobody is left: it ends as its session did
  send_shared(*group, message);
  const Result<void> ended = batch_.end_record();
  if (!ended) rooms_.logger.error("ingest.record_refused", {{"reason", ended.error().message}});
}

void Ingest::queue(bus::Target target, const mqtt::Delivery& delivery, const MessagePtr& message) {
  NILO_ASSERT(!taking_);  // that record may still be taken back
  batch_.queue(message, {&target, 1}, {&delivery, 1}, rooms_.clock.wall_us());
  const Result<void> ended = batch_.end_record();
  if (!ended) rooms_.logger.error("ingest.record_refused", {{"reason", ended.error().message}});
}

bool Ingest::report(std::string_view source, std::string_view reason, const MessageView& about) {
  if (!may_tell_error()) return false;
  if (!taking_) {
    tell_alone(source, reason, about);
    return true;
  }
  // Set off by a delivery of the message being taken: after it.
  rooms_.post.run_on_loop(
      [this, source = std::string(source), reason = std::string(reason),
       later = Message::copy_of(about)] { tell_alone(source, reason, later.view()); });
  return true;
}

// One message and all it causes: one record, or nothing of it. An error means that nothing is kept
// and the sender must not believe otherwise; a bad reading is no such error: it is kept as an error
// message.
Result<void> Ingest::take(MessageView message, const mqtt::Ticket& ticket) {
  NILO_ASSERT(!taking_);
  // Before this message, not after it: who waits for it must join the batch that holds it.
  if (batch_.is_large()) flush();
  if (routes_size_ > kRoutesSizeMax) {
    routes_.clear();
    routes_size_ = 0;
  }
  messages_.add();
  message.received_us = unique_time();
  taking_ = true;
  caused_count_ = 0;
  was_heard_ = false;
  Result<void> outcome = message.topic.starts_with(kBasicIngest)
                             ? run_rule(message)
                             : react(message, ticket.publisher, 0);
  if (outcome) {
    if (ticket.is_received()) {
      mqtt::append_received(batch_.record(message.received_us), ticket.publisher, ticket.packet_id);
    }
    outcome = batch_.end_record();
  } else {
    batch_.cancel_record();
  }
  taking_ = false;
  if (!outcome) report("refused", outcome.error().message, message);
  return outcome;
}

// No two messages of this server have the same receive time: it is part of the key of rows without
// a time of their own, and two such rows must not replace each other. Each loop has its own
// residue.
TimeUs Ingest::unique_time() {
  const auto stride = static_cast<TimeUs>(rooms_.loop_count);
  const TimeUs now_us = rooms_.clock.wall_us() / stride * stride + rooms_.loop;
  last_time_us_ = std::max(now_us, last_time_us_ + stride);
  return last_time_us_;
}

Result<void> Ingest::react(const MessageView& message, mqtt::SessionNumber publisher, int depth) {
  // What a rule causes may add routes, which leaves map nodes where they are.
  const Route& route = route_of(message.topic);
  was_heard_ |= !route.reactions.empty() || !route.matches.empty() || !route.groups.empty();
  std::vector<Caused> caused;
  for (const Reaction* reaction : route.reactions) TRY(run(*reaction, message, depth, caused));
  if (message.retain) TRY(retain(message));
  TRY(route_out(route, message, publisher));
  // Last, so that who hears both hears the cause first.
  for (const Caused& next : caused) {
    TRY(unless_refused(*next.reaction, republish(next, message, depth), message, depth));
  }
  return {};
}

// The rule sees the rest of the topic as its own. A retained message is none here: nobody could ask
// for it.
Result<void> Ingest::run_rule(MessageView message) {
  const std::string_view whole = message.topic;
  std::string_view rest = whole.substr(kBasicIngest.size());
  const std::size_t slash = rest.find('/');
  const std::string_view name = rest.substr(0, slash);
  const auto rule =
      std::find_if(reactions_.begin(), reactions_.end(),
                   [&](const Reaction& reaction) { return reaction.rule.name == name; });
  if (rule == reactions_.end()) {
    if (may_tell_error()) {
      tell_error(
          "rules/" + printable(name, kRuleShownSizeMax),
          fmt::format("RuleNotFound: there is no rule `{}`", printable(name, kRuleShownSizeMax)),
          message, 0);
    }
    was_heard_ = false;  // but its error may have been
    return {};
  }
  was_heard_ = true;
  message.topic = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  message.retain = false;
  std::vector<Caused> caused;
  TRY(run(*rule, message, 0, caused));
  for (const Caused& next : caused) {
    TRY(unless_refused(*next.reaction, republish(next, message, 0), message, 0));
  }
  return {};
}

bool Ingest::is_heard(std::string_view topic) const {
  const bool has_rule =
      std::any_of(reactions_.begin(), reactions_.end(),
                  [&](const Reaction& each) { return each.rule.filter.matches(topic); });
  if (has_rule) return true;
  std::vector<bus::Match> matches;
  std::vector<bus::GroupPtr> groups;
  rooms_.router.match(topic, matches, groups);
  return !matches.empty() || !groups.empty();
}

Result<void> Ingest::run(const Reaction& reaction, const MessageView& message, int depth,
                         std::vector<Caused>& caused) {
  const Rule& rule = reaction.rule;
  switch (rule.statement.evaluate(message, scratch_)) {
    case rules::Outcome::no_match:
      return {};
    case rules::Outcome::failed: {
      const Error why{ErrorCode::invalid_argument, scratch_.error(), ""};
      note_unreadable(reaction, message, why);
      return unless_refused(reaction, why, message, depth);
    }
    case rules::Outcome::matched:
      break;
  }
  Result<void> outcome;
  if (reaction.writer != nullptr) outcome = put(reaction, message);
  if (outcome && rule.republish) {
    std::string payload;
    outcome = scratch_.append_json(payload);
    if (outcome) caused.push_back({&reaction, std::move(payload)});
  }
  return unless_refused(reaction, std::move(outcome), message, depth);
}

// What went wrong is told, and only a refusal is an error of the message.
Result<void> Ingest::unless_refused(const Reaction& reaction, Result<void> outcome,
                                    const MessageView& message, int depth) {
  if (outcome || is_refusal(outcome.error())) return outcome;
  if (may_tell_error()) tell_error(reaction.source, outcome.error().message, message, depth);
  return {};
}

Result<void> Ingest::put(const Reaction& reaction, const MessageView& message) {
  if (rooms_.tables.is_full()) return rooms_.tables.full_error();
  const std::span<const rules::Output> outputs = TRY(scratch_.outputs());
  const auto refused = set_cells(reaction, outputs, message.received_us);
  Result<void> outcome = refused ? Result<void>(refused->why)
                                 : reaction.writer->finish(batch_.record(message.received_us));
  if (!outcome) {
    note_refused(reaction, refused ? &*refused : nullptr, outcome.error(), message.received_us);
    return outcome;
  }
  rows_.add();
  return {};
}

// Gives the writer of the rule's table all cells; the first one it does not take is the result.
std::optional<Ingest::RefusedCell> Ingest::set_cells(const Reaction& reaction,
                                                     std::span<const rules::Output> outputs,
                                                     TimeUs received_us) {
  const Rule& rule = reaction.rule;
  const TableSchema& schema = rooms_.tables.layout(rule.table)->schema;
  RowWriter& writer = *reaction.writer;
  writer.begin(received_us);
  std::optional<RefusedCell> refused;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    std::optional<std::size_t> column;
    if (rule.statement.selects_all()) {
      column = schema.find(outputs[i].name);
    } else if (rule.columns[i] >= 0) {
      column = static_cast<std::size_t>(rule.columns[i]);
    }
    const bool is_stored = column && *column < writer.cells().size();
    if (!is_stored) continue;
    const auto set = writer.set(*column, outputs[i].value);
    if (!set && !refused) refused = {*column, outputs[i].value, set.error()};
  }
  return refused;
}

// A row was refused for `cell`, or, without one, because a value is missing.
void Ingest::note_refused(const Reaction& reaction, const RefusedCell* cell, const Error& why,
                          TimeUs received_us) {
  if (!reaction.thing) return;
  const TableSchema& schema = rooms_.tables.layout(reaction.rule.table)->schema;
  const std::size_t first = schema.partition_count + (schema.has_sort_key ? 1 : 0);
  InvalidReading reading{received_us, "", why.message, ""};
  if (cell != nullptr) {
    reading.field = schema.columns[cell->column].name;
    append_json(reading.value, cell->value);
  } else if (first + 1 == schema.stored_count()) {
    reading.field = schema.columns[first].name;
  }
  put_invalid_row(reaction, reading);
}

// The rule could not make anything of the message. Whose it is may be in the topic all the same:
// then the rule says so of an empty object, too.
void Ingest::note_unreadable(const Reaction& reaction, const MessageView& message,
                             const Error& why) {
  if (!reaction.thing || rooms_.tables.is_full()) return;
  MessageView empty = message;
  empty.payload = "{}";
  if (reaction.rule.statement.evaluate(empty, scratch_) != rules::Outcome::matched) return;
  const auto outputs = scratch_.outputs();
  if (!outputs) return;
  set_cells(reaction, *outputs, message.received_us);
  InvalidReading reading{message.received_us, "", why.message, ""};
  append_json_string(reading.value, printable(message.payload, kUnreadableShownSizeMax));
  put_invalid_row(reaction, reading);
}

// The key cells are in the writer of the rule's table; nothing is kept if one is missing.
void Ingest::put_invalid_row(const Reaction& reaction, const InvalidReading& reading) {
  const TableSchema& schema = rooms_.tables.layout(reaction.rule.table)->schema;
  const auto key = reaction.writer->cells().first(schema.partition_count);
  const bool is_known =
      std::none_of(key.begin(), key.end(), [](const Value& cell) { return cell.is_null(); });
  if (!is_known) return;
  const std::string thing = reaction.thing->id_of(key);
  if (thing.empty()) return;
  write_invalid(*invalid_writer_, batch_.record(reading.time_us), thing, reading);
}

Result<void> Ingest::republish(const Caused& caused, const MessageView& message, int depth) {
  const stack::Republish& to = *caused.reaction->rule.republish;
  if (depth + 1 >= kDepthMax) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("republish to {} stopped: {} messages deep, rules cause each other",
                             to.topic, kDepthMax),
                 "break the circle of republish rules"};
  }
  if (++caused_count_ > kCausedMax) {
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("republish to {} stopped: one message caused {} others", to.topic, kCausedMax),
        "break the circle of republish rules"};
  }
  MessageView next = message;
  next.topic = to.topic;
  next.payload = caused.payload;
  next.qos = static_cast<Qos>(to.qos);
  next.retain = false;
  next.properties = nullptr;
  return react(next, 0, depth + 1);
}

Result<void> Ingest::retain(const MessageView& message) {
  TRY(rooms_.retained.check(message));
  bus::Retained::write_effect(batch_.record(message.received_us), message);
  return {};
}

// Everybody who listens hears it now; durable copies wait for their record's number.
Result<void> Ingest::route_out(const Route& route, const MessageView& message,
                               mqtt::SessionNumber publisher) {
  MessagePtr shared;  // made once, only if somebody listens
  std::vector<mqtt::Delivery> durable;
  std::vector<bus::Target> targets;  // of `durable`
  for (const bus::Match& match : route.matches) {
    auto delivery = mqtt::delivery_of(match, message, publisher);
    if (!delivery) continue;
    if (!shared) shared = std::make_shared<const Message>(Message::copy_of(message));
    if (waits_for_log(*delivery)) {
      durable.push_back(*std::move(delivery));
      targets.push_back(match.target);
    } else {
      rooms_.post.deliver(match.target, *delivery, shared, {});
    }
  }
  for (const bus::GroupPtr& group : route.groups) {
    if (!shared) shared = std::make_shared<const Message>(Message::copy_of(message));
    send_shared(*group, shared);
  }
  if (!durable.empty()) batch_.queue(shared, targets, durable, message.received_us);
  // Now, and not when the record ends: a thousand copies of a large message need not fit in memory.
  return batch_.check_record_size();
}

// Each in an effect of its own: a place in the log stands for one copy of one session, which may
// hear the message by itself, too.
void Ingest::send_shared(const bus::Group& group, const MessagePtr& message) {
  const mqtt::Addressed chosen = mqtt::delivery_of(group, message->view());
  if (waits_for_log(chosen.delivery)) {
    batch_.queue(message, {&chosen.target, 1}, {&chosen.delivery, 1}, message->received_us);
  } else {
    rooms_.post.deliver(chosen.target, chosen.delivery, message, {});
  }
}

// Counts an error. False: enough were told this second.
bool Ingest::may_tell_error() {
  errors_.add();
  const std::int64_t second = rooms_.clock.steady_us() / kSecondUs;
  if (second != error_second_) {
    error_second_ = second;
    errors_this_second_ = 0;
  }
  return ++errors_this_second_ <= kErrorsPerSecondMax;
}

// In a record of its own.
void Ingest::tell_alone(std::string_view source, std::string_view reason,
                        const MessageView& about) {
  taking_ = true;
  caused_count_ = 0;
  tell_error(source, reason, about, 0);
  const Result<void> ended = batch_.end_record();
  taking_ = false;
  if (!ended) rooms_.logger.error("ingest.record_refused", {{"reason", ended.error().message}});
}

void Ingest::tell_error(std::string_view source, std::string_view reason, const MessageView& about,
                        int depth) {
  const MessageError what{source, reason, about};
  write_error(*error_writer_, batch_.record(about.received_us),
              rooms_.error_slots.next.fetch_add(1) % kErrorRowsMax, what);
  if (depth + 1 >= kDepthMax) return;
  const std::string topic = fmt::format("$error/{}", source);
  const std::string payload = payload_of(what);
  MessageView error;
  error.topic = topic;
  error.payload = payload;
  error.qos = Qos::at_least_once;
  error.received_us = about.received_us;
  // No rule listens to `$error/...` (reactions.cc), so this causes nothing but deliveries.
  ignore(react(error, 0, depth + 1));
}

const Ingest::Route& Ingest::route_of(std::string_view topic) {
  const std::uint64_t version = rooms_.router.version();
  auto at = routes_.find(topic);
  if (at != routes_.end() && at->second.router_version == version) return at->second;
  if (at == routes_.end()) {
    at = routes_.emplace(topic, Route{}).first;
    routes_size_ += kRouteOverheadSize + topic.size();
    for (const Reaction& reaction : reactions_) {
      if (reaction.rule.filter.matches(topic)) at->second.reactions.push_back(&reaction);
    }
  }
  Route& route = at->second;
  route.router_version = version;
  routes_size_ -= route.size();
  route.matches.clear();
  route.groups.clear();
  rooms_.router.match(topic, route.matches, route.groups);
  routes_size_ += route.size();
  return route;
}

}  // namespace nilo::app
