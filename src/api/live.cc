// What is pending is kept by its source (a filter, a series, the alerts), not by its listeners: a
// hundred pages that show the same tank cost one merge and one JSON text a flush, and a hundred
// copies of bytes. Only for a connection that does not keep up, what it misses is kept apart.
#include "api/live.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>
#include <utility>

#include "api/live_points.h"
#include "api/live_session.h"
#include "api/live_topics.h"
#include "value/value.h"

namespace nilo::api {
namespace {

using Listeners = std::vector<LiveSubscription*>;

struct Series {
  LiveSeries name;
  std::string json_of;
  Listeners listeners{};
  MergedPoints pending{};
  bool was_invalid = false;
};

}  // namespace

class LiveHub::Impl final : public LiveDesk {
 public:
  Impl(LiveHouse& house, const Clock& clock, const LiveLimits& limits)
      : house_(house),
        clock_(clock),
        limits_(limits),
        topics_(house, limits_),
        points_(limits.history_size_max),
        alerts_(limits.alerts_size_max) {
    alerts_.restart(house.applied_seq());
  }

  // From the house.
  void start(Seq applied) {
    is_started_ = true;
    applied_ = applied;
    points_.restart(applied);
    for (LiveSession* session : sessions_) {
      if (!session->has_said_hello()) greet(*session);
    }
  }
  void stop() { is_started_ = false; }
  void lose_points();
  void add_series(LiveSeries name);
  void add_point(LivePoint point);
  void set_applied(Seq applied) { applied_ = std::max(applied_, applied); }
  void add_alert(Seq seq, std::string item);
  void add_message(std::uint64_t number, const Message& message) {
    if (topics_.add_message(number, message)) need_flush();
  }
  void add_dropped(std::uint64_t number, std::uint64_t count) {
    if (topics_.add_dropped(number, count)) need_flush();
  }
  void flush();
  void check_sessions();
  std::size_t session_count() const { return sessions_.size(); }

  // LiveDesk
  void opened(LiveSession& session) override;
  void closed(LiveSession& session) override;
  void drained(LiveSession& session) override;
  bool subscribe(LiveSubscription& subscription) override;
  void unsubscribe(LiveSubscription& subscription) override;
  const LiveLimits& limits() const override { return limits_; }

 private:
  void greet(LiveSession& session) { session.say_hello(applied_, clock_.wall_us() / 1000); }
  bool subscribe_fields(LiveSubscription& subscription);
  bool subscribe_alerts(LiveSubscription& subscription);
  void send_subscribed(const LiveSubscription& subscription);
  bool resume_points(LiveSubscription& subscription);
  void send_missed(LiveSubscription& subscription,
                   const std::map<std::uint32_t, std::vector<LivePoint>>& missed);

  bool is_behind(const LiveSubscription& subscription) const;
  void list(LiveSubscription& subscription);
  void flush_points();
  void flush_alerts();
  void flush_waiting();
  void send_listed();
  void keep_points(LiveSubscription& subscription, std::uint32_t series);
  void send_values(LiveSubscription& subscription);
  void need_flush();

  LiveHouse& house_;
  const Clock& clock_;
  const LiveLimits limits_;
  std::unordered_set<LiveSession*> sessions_;
  bool is_started_ = false;
  Seq applied_ = 0;

  LiveTopics topics_;

  std::vector<Series> series_;
  Listeners field_listeners_;
  std::vector<std::uint32_t> dirty_series_;
  LiveHistory<LivePoint> points_;

  Listeners alert_listeners_;
  std::vector<std::pair<Seq, std::string>> pending_alerts_;
  LiveHistory<std::string> alerts_;

  std::set<LiveSubscription*> waiting_;  // with something they could not be told
  Listeners listed_;                     // of the flush under way
  bool flush_wanted_ = false;
  std::int64_t flushed_us_ = INT64_MIN / 2;
};

void LiveHub::Impl::need_flush() {
  if (std::exchange(flush_wanted_, true)) return;
  const std::int64_t passed_ms = (clock_.steady_us() - flushed_us_) / 1000;
  house_.flush_after(static_cast<int>(std::max<std::int64_t>(0, kLiveFlushEveryMs - passed_ms)));
}

void LiveHub::Impl::opened(LiveSession& session) {
  sessions_.insert(&session);
  if (sessions_.size() == 1) house_.want_points(true);
  if (is_started_) greet(session);
}

void LiveHub::Impl::closed(LiveSession& session) {
  for (const auto& [id, subscription] : session.subscriptions()) unsubscribe(*subscription);
  session.subscriptions().clear();
  sessions_.erase(&session);
  if (sessions_.empty()) house_.want_points(false);
}

// Whoever lost messages hears of it now, and not with the next one.
void LiveHub::Impl::drained(LiveSession& session) {
  session.behind_since_us.reset();
  for (const auto& [id, each] : session.subscriptions()) {
    each->is_dropping = false;
    if (each->dropped > 0) send_messages(*each, {});
  }
}

void LiveHub::Impl::send_subscribed(const LiveSubscription& subscription) {
  subscription.session->send(
      fmt::format(R"({{"type":"subscribed","id":{},"seq":{}}})", subscription.json_id, applied_));
}

// What is pending belongs to those who listened before.
bool LiveHub::Impl::subscribe(LiveSubscription& subscription) {
  flush();
  switch (subscription.kind) {
    case LiveSubscription::Kind::topic:
      topics_.listen(subscription);
      send_subscribed(subscription);
      topics_.send_retained(subscription);
      return true;
    case LiveSubscription::Kind::fields:
      return subscribe_fields(subscription);
    case LiveSubscription::Kind::alerts:
      return subscribe_alerts(subscription);
  }
  return false;
}

bool LiveHub::Impl::subscribe_fields(LiveSubscription& subscription) {
  const bool is_possible = !subscription.from || (points_.has_all_after(*subscription.from) &&
                                                  *subscription.from <= house_.applied_seq());
  if (!is_possible || !resume_points(subscription)) {
    subscription.session->reset(subscription);
    return false;
  }
  subscription.after = subscription.from.value_or(0);
  field_listeners_.push_back(&subscription);
  for (Series& series : series_) {
    if (subscription.matches(series.name)) series.listeners.push_back(&subscription);
  }
  return true;
}

// False: too much was missed.
bool LiveHub::Impl::resume_points(LiveSubscription& subscription) {
  std::map<std::uint32_t, std::vector<LivePoint>> missed;
  std::map<std::uint32_t, bool> is_heard;
  std::size_t count = 0;
  if (subscription.from) {
    points_.for_each_after(*subscription.from, [&](Seq, const LivePoint& point) {
      const auto [heard, is_first] = is_heard.try_emplace(point.series, false);
      if (is_first) heard->second = subscription.matches(series_[point.series].name);
      if (!heard->second) return true;
      missed[point.series].push_back(point);
      return ++count <= limits_.resume_points_max;
    });
  }
  if (count > limits_.resume_points_max) return false;
  send_subscribed(subscription);
  send_missed(subscription, missed);
  return true;
}

void LiveHub::Impl::send_missed(LiveSubscription& subscription,
                                const std::map<std::uint32_t, std::vector<LivePoint>>& missed) {
  for (const auto& [series, points] : missed) {
    append_values(subscription.out, series_[series].json_of, points, false);
    subscription.out += ',';
  }
  if (!missed.empty()) send_values(subscription);
}

bool LiveHub::Impl::subscribe_alerts(LiveSubscription& subscription) {
  if (subscription.from &&
      (!alerts_.has_all_after(*subscription.from) || *subscription.from > house_.applied_seq())) {
    subscription.session->reset(subscription);
    return false;
  }
  subscription.after = subscription.from.value_or(0);
  alert_listeners_.push_back(&subscription);
  send_subscribed(subscription);
  if (!subscription.from) return true;
  alerts_.for_each_after(*subscription.from, [&](Seq, const std::string& item) {
    subscription.waiting_alerts.push_back(item);
    return true;
  });
  if (subscription.has_waiting()) {
    waiting_.insert(&subscription);
    need_flush();
  }
  return true;
}

void LiveHub::Impl::unsubscribe(LiveSubscription& subscription) {
  waiting_.erase(&subscription);
  switch (subscription.kind) {
    case LiveSubscription::Kind::topic:
      return topics_.stop_listening(subscription);
    case LiveSubscription::Kind::alerts:
      std::erase(alert_listeners_, &subscription);
      return;
    case LiveSubscription::Kind::fields:
      std::erase(field_listeners_, &subscription);
      for (Series& series : series_) std::erase(series.listeners, &subscription);
      return;
  }
}

void LiveHub::Impl::add_series(LiveSeries name) {
  std::string json_of;
  append_json_string(json_of, name.thing + "/" + name.field);
  Series& series = series_.emplace_back(Series{std::move(name), std::move(json_of)});
  for (LiveSubscription* each : field_listeners_) {
    if (each->matches(series.name)) series.listeners.push_back(each);
  }
}

void LiveHub::Impl::add_point(LivePoint point) {
  Series& series = series_.at(point.series);
  const std::size_t size = sizeof(LivePoint) + sizeof(Seq) + point.text.size();
  if (!series.listeners.empty()) {
    if (series.pending.empty()) dirty_series_.push_back(point.series);
    series.pending.add(point);
    need_flush();
  }
  const Seq seq = point.seq;
  points_.add(seq, std::move(point), size);
}

// Everybody fetches again.
void LiveHub::Impl::lose_points() {
  for (const std::uint32_t each : dirty_series_) series_[each].pending.clear();
  dirty_series_.clear();
  points_.restart(applied_);
  const Listeners all = field_listeners_;
  for (LiveSubscription* each : all) {
    LiveSession& session = *each->session;
    session.reset(*each);
    unsubscribe(*each);
    session.subscriptions().erase(each->id);
  }
}

void LiveHub::Impl::add_alert(Seq seq, std::string item) {
  const std::size_t size = item.size() + sizeof(std::string) + sizeof(Seq);
  if (!alert_listeners_.empty()) {
    pending_alerts_.emplace_back(seq, item);
    need_flush();
  }
  alerts_.add(seq, std::move(item), size);
}

void LiveHub::Impl::flush() {
  flush_wanted_ = false;
  flushed_us_ = clock_.steady_us();
  topics_.flush();
  flush_waiting();
  flush_points();
  flush_alerts();
  send_listed();
  if (!waiting_.empty()) need_flush();
}

bool LiveHub::Impl::is_behind(const LiveSubscription& subscription) const {
  return subscription.has_waiting() || subscription.after > applied_ ||
         subscription.session->unsent() > limits_.unsent_soft_max;
}

void LiveHub::Impl::list(LiveSubscription& subscription) {
  if (!std::exchange(subscription.is_listed, true)) listed_.push_back(&subscription);
}

void LiveHub::Impl::flush_points() {
  std::string values;
  for (const std::uint32_t number : dirty_series_) {
    Series& series = series_[number];
    values.clear();
    append_values(values, series.json_of, series.pending.points(), series.was_invalid);
    for (LiveSubscription* each : series.listeners) {
      const bool has_news = each->after < series.pending.points().front().seq;
      if (!has_news || is_behind(*each)) {
        keep_points(*each, number);
        continue;
      }
      each->out.append(values).push_back(',');
      list(*each);
    }
    series.was_invalid = series.pending.points().back().kind == LivePoint::Kind::invalid;
    series.pending.clear();
  }
  dirty_series_.clear();
}

// For later, or for when what it has already is passed.
void LiveHub::Impl::keep_points(LiveSubscription& subscription, std::uint32_t number) {
  MergedPoints& kept = subscription.merged[number];
  for (const LivePoint& point : series_[number].pending.points()) {
    if (point.seq > subscription.after) kept.add(point);
  }
  if (kept.empty()) subscription.merged.erase(number);
  if (subscription.has_waiting()) waiting_.insert(&subscription);
  if (subscription.merged.size() <= limits_.merged_series_max) return;
  subscription.session->close(net::close_code::kTryAgainLater, "too slow: too many series wait");
}

void LiveHub::Impl::flush_alerts() {
  for (LiveSubscription* each : alert_listeners_) {
    const bool behind = is_behind(*each);
    for (const auto& [seq, item] : pending_alerts_) {
      if (seq <= each->after) continue;
      if (behind) {
        each->waiting_alerts.push_back(item);
      } else {
        each->out.append(item).push_back(',');
        list(*each);
      }
    }
    if (each->has_waiting()) waiting_.insert(each);
    if (each->waiting_alerts.size() <= limits_.waiting_alerts_max) continue;
    each->session->close(net::close_code::kTryAgainLater, "too slow: too many alerts wait");
  }
  pending_alerts_.clear();
}

// Whoever has caught up is told what waited.
void LiveHub::Impl::flush_waiting() {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    LiveSubscription& each = **at;
    const bool may_go = each.session->unsent() <= limits_.unsent_soft_max;
    at = may_go ? waiting_.erase(at) : std::next(at);
    if (!may_go) continue;
    each.session->behind_since_us.reset();
    for (const auto& [series, merged] : each.merged) {
      append_values(each.out, series_[series].json_of, merged.points(), false);
      each.out += ',';
    }
    for (const std::string& item : each.waiting_alerts) each.out.append(item).push_back(',');
    each.merged.clear();
    each.waiting_alerts.clear();
    if (!each.out.empty()) list(each);
  }
}

void LiveHub::Impl::send_values(LiveSubscription& subscription) {
  subscription.out.pop_back();
  const bool is_alerts = subscription.kind == LiveSubscription::Kind::alerts;
  const std::string_view name = is_alerts ? "alerts" : "values";
  subscription.session->send(
      fmt::format(R"({{"type":"{}","id":{},"seq":{},"{}":[{}]}})", name, subscription.json_id,
                  std::max(applied_, subscription.after), name, subscription.out));
  subscription.out.clear();
}

void LiveHub::Impl::send_listed() {
  for (LiveSubscription* each : listed_) {
    each->is_listed = false;
    send_values(*each);
  }
  listed_.clear();
}

void LiveHub::Impl::check_sessions() {
  const std::int64_t now_us = clock_.steady_us();
  for (LiveSession* session : sessions_) {
    if (session->unsent() <= limits_.unsent_soft_max) {
      session->behind_since_us.reset();
    } else if (!session->behind_since_us) {
      session->behind_since_us = now_us;
    } else if (now_us - *session->behind_since_us >= limits_.stalled_max_us) {
      session->close(net::close_code::kTryAgainLater, "too slow: nothing was read for a while");
    }
    if (!session->may_stay()) {
      session->close(net::close_code::kPolicyViolation, "the login has ended");
    }
  }
}

LiveHub::LiveHub(LiveHouse& house, const Clock& clock, LiveLimits limits)
    : impl_(std::make_unique<Impl>(house, clock, limits)) {}
LiveHub::~LiveHub() = default;

std::shared_ptr<net::WebSocketHandler> LiveHub::open_session(LiveCheck check) {
  return std::make_shared<LiveSession>(*impl_, std::move(check));
}

void LiveHub::on_started(Seq applied) { impl_->start(applied); }
void LiveHub::on_stopped() { impl_->stop(); }
void LiveHub::on_gap() { impl_->lose_points(); }
void LiveHub::on_series(LiveSeries series) { impl_->add_series(std::move(series)); }
void LiveHub::on_point(LivePoint point) { impl_->add_point(std::move(point)); }
void LiveHub::on_applied(Seq applied) { impl_->set_applied(applied); }
void LiveHub::on_alert(Seq seq, std::string item) { impl_->add_alert(seq, std::move(item)); }
void LiveHub::on_message(std::uint64_t number, const MessagePtr& message) {
  impl_->add_message(number, *message);
}
void LiveHub::on_dropped(std::uint64_t number, std::uint64_t count) {
  impl_->add_dropped(number, count);
}
void LiveHub::flush() { impl_->flush(); }
void LiveHub::check_sessions() { impl_->check_sessions(); }
std::size_t LiveHub::session_count() const { return impl_->session_count(); }

}  // namespace nilo::api
