// mqtt/sessions.cc: sessions from their beginning to their end, and back from the log.
#include <algorithm>
#include <utility>

#include "base/time_units.h"
#include "mqtt/broker.h"

namespace nilo::mqtt {
namespace {

constexpr int kWillsPerTick = 1000;

bus::SubscriptionOptions options_of(const SubscribeEntry& entry, std::uint32_t identifier) {
  return {entry.qos, entry.no_local, entry.retain_as_published, entry.retain_handling, identifier};
}

}  // namespace

Subscription* find_subscription(Session& session, std::string_view filter) {
  const auto at = std::find_if(session.subscriptions.begin(), session.subscriptions.end(),
                               [&](const Subscription& one) { return one.filter == filter; });
  return at == session.subscriptions.end() ? nullptr : &*at;
}

Session* Broker::find_session(SessionNumber number) const {
  const auto at = sessions_.find(number);
  return at == sessions_.end() ? nullptr : at->second.get();
}

Session* Broker::find_session(std::string_view client_id) const {
  const auto at = sessions_by_client_.find(client_id);
  return at == sessions_by_client_.end() ? nullptr : at->second;
}

Session& Broker::make_session(std::string client_id, SessionNumber number) {
  auto made = std::make_unique<Session>(queue_totals_);
  Session& session = *made;
  session.number = number;
  session.client_id = std::move(client_id);
  sessions_by_client_.emplace(session.client_id, &session);
  sessions_.emplace(number, std::move(made));
  return session;
}

void Broker::leave(Session& session, std::unique_ptr<StoredWill> will) {
  session.queue.rewind();
  session.gone_us = now_us_;
  if (will != nullptr && (will->delay_s == 0 || session.expiry_s == 0)) {
    publish_will(session.number, std::exchange(session.has_logged_will, false), *will);
    will.reset();
  }
  if (session.expiry_s == 0) return end_session(session);
  session.will = std::move(will);
  note_presence(session);
  const bool expires = session.is_persistent() && session.expiry_s != kNeverExpires;
  if (expires && !std::exchange(session.is_gone_logged, true)) {
    // Nobody waits for this. If it is lost, the session stays longer.
    rooms_.host.commit([&](RecordWriter& record) { append_gone(record, session.number, wall_us_); },
                       [](const Result<void>&) {});
  }
  check_due(session);
}

void Broker::forget_will(Session& session) {
  if (!std::exchange(session.has_logged_will, false)) return;
  // Nobody waits for this. If it is lost, the will is published after the restart.
  rooms_.host.commit([&](RecordWriter& record) { append_will_end(record, session.number); },
                     [](const Result<void>&) {});
}

// Sets the timer of a session whose client is away to what comes first, and does what is due.
void Broker::check_due(Session& session) {
  const std::int64_t end_us = session.gone_us + session.expiry_s * kSecondUs;
  const bool ends = session.expiry_s != kNeverExpires;
  if (ends && end_us <= now_us_) return end_session(session);
  std::int64_t due_us = ends ? end_us : kNoTimer;
  if (session.will != nullptr) {
    const std::int64_t will_us = session.gone_us + session.will->delay_s * kSecondUs;
    if (will_us <= now_us_) {
      const std::unique_ptr<StoredWill> will = std::move(session.will);
      publish_will(session.number, std::exchange(session.has_logged_will, false), *will);
    } else if (!ends || will_us < end_us) {
      due_us = will_us;
    }
  }
  set_timer(session, due_us);
}

void Broker::set_timer(Session& session, std::int64_t due_us) {
  if (session.due_us != kNoTimer) session_timers_.erase({session.due_us, session.number});
  session.due_us = due_us;
  if (due_us != kNoTimer) session_timers_.insert({due_us, session.number});
}

void Broker::end_session(Session& session) {
  const SessionNumber number = session.number;
  // Nobody waits for this. If it is lost, the session ends once more after the restart.
  if (retire(session)) log_end(number, [](const Result<void>&) {});
}

// The log must have what others get before it has the end of the session, or a crash in between
// would lose it. While it is read again for them, nobody may begin a session of this client: that
// would end the old one in the log, too.
bool Broker::retire(Session& session) {
  const SessionNumber number = session.number;
  const std::string client_id = session.client_id;
  OutgoingQueue::Shared shared = session.queue.shared();
  erase_session(session);
  for (const auto& [share, message] : shared.held) rooms_.host.hand_on(share, message);
  if (shared.logged.empty()) return true;
  endings_[client_id];
  rooms_.host.hand_on(number, std::move(shared.logged), [this, number, client_id] {
    log_end(number, [this, client_id](const Result<void>&) {
      const auto ended = endings_.extract(client_id);
      for (const ConnectionId id : ended.mapped()) {
        if (Connection* const waiting = find(id)) begin_session(*waiting);
      }
    });
  });
  return false;
}

void Broker::log_end(SessionNumber number, std::function<void(const Result<void>&)> done) {
  if (!is_persistent(number)) return done({});
  rooms_.host.commit([&](RecordWriter& record) { append_session_end(record, number); },
                     std::move(done));
}

void Broker::erase_session(Session& session) {
  set_timer(session, kNoTimer);
  if (session.will != nullptr) {
    const std::unique_ptr<StoredWill> will = std::move(session.will);
    publish_will(session.number, std::exchange(session.has_logged_will, false), *will);
  }
  rooms_.router.remove(target_of(session));
  sessions_by_client_.erase(session.client_id);
  sessions_.erase(session.number);
}

bool Broker::apply(Seq seq, const Effect& effect) {
  SessionNumber number = 0;
  std::string_view filter;
  switch (effect.kind) {
    case EffectKind::session:
      return apply_session(effect.body);
    case EffectKind::session_end:
      if (!read_session_end(effect.body, number)) return false;
      replayed_wills_.erase(number);
      if (Session* const session = find_session(number)) erase_session(*session);
      return true;
    case EffectKind::subscribe:
      return apply_subscribe(effect.body);
    case EffectKind::unsubscribe:
      if (!read_unsubscribe(effect.body, number, filter)) return false;
      if (Session* const session = find_session(number)) unsubscribe(*session, filter);
      return true;
    case EffectKind::queued:
      return apply_queued(seq, effect.body);
    case EffectKind::delivered:
      return apply_delivered(effect.body);
    case EffectKind::settled:
      return apply_settled(effect.body);
    case EffectKind::numbered:
      return apply_numbered(effect.body);
    case EffectKind::received:
    case EffectKind::released:
    case EffectKind::confirmed:
      return apply_packet_ids(effect);
    case EffectKind::will:
      return apply_will(effect.body);
    case EffectKind::will_end:
      if (!read_will_end(effect.body, number)) return false;
      replayed_wills_.erase(number);
      return true;
    case EffectKind::gone:
      return apply_gone(effect.body);
    default:
      return true;
  }
}

bool Broker::apply_session(std::string_view body) {
  SessionEffect effect;
  if (!read_session(body, effect)) return false;
  if (!is_persistent(effect.number)) return false;
  rooms_.numbers.seen(effect.number);
  if (home_loop(effect.client_id, loop_count_) != loop_) return true;
  Session* session = find_session(effect.client_id);
  if (session != nullptr && session->number != effect.number) {
    replayed_wills_.erase(session->number);
    erase_session(*session);
    session = nullptr;
  }
  if (session == nullptr) session = &make_session(std::string(effect.client_id), effect.number);
  session->expiry_s = effect.expiry_s;
  session->owner = effect.owner;
  session->is_gone_logged = false;
  return true;
}

bool Broker::apply_subscribe(std::string_view body) {
  SubscribeEffect effect;
  if (!read_subscribe(body, effect)) return false;
  Session* const session = find_session(effect.number);
  if (session == nullptr) return true;
  const auto heard = bus::TopicFilter::parse(bus::heard_filter(effect.entry.filter));
  if (!heard) return false;
  Subscription* known = find_subscription(*session, effect.entry.filter);
  if (known == nullptr) {
    known =
        &session->subscriptions.emplace_back(Subscription{std::string(effect.entry.filter), {}});
  }
  known->options = options_of(effect.entry, effect.identifier);
  listen(*session, *heard, *known);
  return true;
}

bool Broker::apply_queued(Seq seq, std::string_view body) {
  std::vector<Delivery>& deliveries = replayed_deliveries_;
  replayed_ = {seq, seq == replayed_.seq ? replayed_.index + 1 : 0};
  if (!read_deliveries(body, deliveries)) return false;
  for (const Delivery& delivery : deliveries) {
    Session* const session = find_session(delivery.session);
    if (session == nullptr) continue;
    // Without the limits: what did not fit then is settled by a later record.
    session->queue.restore(replayed_, delivery.share != nullptr);
    note_presence(*session);
  }
  return true;
}

bool Broker::apply_delivered(std::string_view body) {
  SessionNumber number = 0;
  std::vector<Seq> seqs;
  if (!read_delivered(body, number, seqs)) return false;
  Session* const session = find_session(number);
  if (session == nullptr) return true;
  for (const Seq seq : seqs) session->queue.forget(seq);
  return true;
}

bool Broker::apply_settled(std::string_view body) {
  SessionNumber number = 0;
  std::vector<Position> places;
  if (!read_settled(body, number, places)) return false;
  Session* const session = find_session(number);
  if (session == nullptr) return true;
  for (const Position& at : places) session->queue.restore_settled(at);
  return true;
}

bool Broker::apply_numbered(std::string_view body) {
  SessionNumber number = 0;
  std::vector<Numbered> numbered;
  if (!read_numbered(body, number, numbered)) return false;
  Session* const session = find_session(number);
  if (session == nullptr) return true;
  for (const Numbered& one : numbered) session->queue.restore_id(one);
  return true;
}

bool Broker::apply_packet_ids(const Effect& effect) {
  SessionNumber number = 0;
  std::vector<std::uint16_t> ids;
  if (!read_packet_ids(effect.body, number, ids)) return false;
  Session* const session = find_session(number);
  if (session == nullptr) return true;
  for (const std::uint16_t id : ids) {
    if (effect.kind == EffectKind::confirmed) {
      session->queue.restore_confirmed(id);
      continue;
    }
    session->received.erase(id);
    if (effect.kind == EffectKind::received) session->received.add(id).is_durable = true;
  }
  return true;
}

bool Broker::apply_will(std::string_view body) {
  WillEffect effect;
  if (!read_will(body, effect)) return false;
  rooms_.numbers.seen(effect.number);
  if (home_loop(effect.message.client_id, loop_count_) != loop_) return true;
  StoredWill& will = replayed_wills_[effect.number];
  will.message = std::move(effect.message);
  will.delay_s = effect.delay_s;
  will.is_restored = true;
  return true;
}

// Until on_replayed(), `gone_us` of a session is by the server's clock.
bool Broker::apply_gone(std::string_view body) {
  SessionNumber number = 0;
  TimeUs gone_us = 0;
  if (!read_gone(body, number, gone_us)) return false;
  Session* const session = find_session(number);
  if (session == nullptr) return true;
  session->gone_us = gone_us;
  session->is_gone_logged = true;
  return true;
}

void Broker::on_replayed() {
  now_us_ = rooms_.clock.steady_us();
  wall_us_ = rooms_.clock.wall_us();
  const auto grace_s =
      static_cast<std::uint32_t>((limits_.will_grace_us + kSecondUs - 1) / kSecondUs);
  for (const auto& [number, session] : sessions_) {
    // A clock that went back makes nobody come from the future.
    const TimeUs away_us =
        session->is_gone_logged ? std::max<TimeUs>(wall_us_ - session->gone_us, 0) : 0;
    session->gone_us = now_us_ - away_us;
    const auto will = replayed_wills_.find(number);
    if (will != replayed_wills_.end()) {
      session->will = std::make_unique<StoredWill>(std::move(will->second));
      session->has_logged_will = true;
      const auto away_s = static_cast<std::uint32_t>(away_us / kSecondUs);
      session->will->delay_s = std::max(session->will->delay_s, away_s + grace_s);
      replayed_wills_.erase(will);
    }
    if (session->will != nullptr || session->expiry_s != kNeverExpires) {
      set_timer(*session, now_us_ + 1);  // tick() looks what is due
    }
  }
  for (auto& [number, will] : replayed_wills_) {
    const std::string client_id = will.message.client_id;
    restored_wills_[client_id] = {number, std::move(will)};
  }
  replayed_wills_ = {};
  restored_due_us_ = now_us_ + limits_.will_grace_us;
}

// The clients did not come back in time. Not all of them in one turn of the loop.
void Broker::publish_restored_wills() {
  for (int i = 0; i < kWillsPerTick && !restored_wills_.empty(); ++i) {
    auto node = restored_wills_.extract(restored_wills_.begin());
    publish_will(node.mapped().number, true, node.mapped().will);
  }
}

}  // namespace nilo::mqtt
