// app/live_feed.h: joins the open pages (api/live.h) with the house.
//
// In/out:  what the hub asks for -> subscriptions of the router, points of things' fields made of
//          the rows that the tables take. They travel in batches to the people's loop.
// Threads: the hub and what it asks: the people's loop. ChangeObserver and on_alert(): the tables
//          thread.
// Limits:  kLivePointsWaitingMax points on their way; then all are dropped, counted, and every page
//          fetches again. kLiveSeriesMax series; what is beyond is not live. While nobody listens,
//          a row costs nothing; the listening lingers for kLiveLinger, so that one page alone can
//          be loaded again without a gap.
#pragma once

#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/live.h"
#include "app/applier.h"
#include "app/change_observer.h"
#include "app/live_mail.h"
#include "app/things.h"
#include "base/metrics.h"
#include "bus/retained.h"
#include "bus/router.h"
#include "net/event_loop.h"

namespace nilo::app {

inline constexpr std::size_t kLivePointsWaitingMax = 100'000;
inline constexpr std::size_t kLiveSeriesMax = 500'000;
inline constexpr std::chrono::seconds kLiveLinger{120};
inline constexpr std::chrono::seconds kLiveCheckEvery{5};  // logins, and who does not read

class LiveFeed final : public ChangeObserver, api::LiveHouse {
 public:
  struct Rooms {  // all must outlive the feed
    net::EventLoop& loop;
    LiveMail& mail;
    bus::Router& router;
    const bus::Retained& retained;
    const tables::Tables& tables;
    const Things& things;  // must observe before the feed does
    Applier& applier;
    std::atomic<bool>& changes_wanted;
    const Clock& clock;
    Metrics& metrics;
  };
  // Before the loop runs. Must outlive the loop's run() and the tables thread.
  explicit LiveFeed(const Rooms& rooms);

  api::LiveHub& hub() { return hub_; }

  // The state of an alert changed in the record `seq`; `item_json` is its AlertItem. Tables thread.
  void on_alert(Seq seq, std::string item_json);

  // ChangeObserver
  bool watches(const TableSchema& schema) const override;
  void on_change(const tables::Change& change) override;
  void after_batch(Seq applied) override;

 private:
  // What the tables thread hands over.
  struct Batch {
    std::vector<api::LiveSeries> series;
    std::vector<api::LivePoint> points;
    std::vector<std::pair<Seq, std::string>> alerts;
    bool has_gap = false;
    bool is_start = false;
    Seq applied = 0;
    bool is_empty() const {
      return series.empty() && points.empty() && alerts.empty() && !has_gap && !is_start;
    }
  };
  struct Field {
    std::size_t column;
    std::uint32_t series;
  };
  using Fields = std::vector<Field>;
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  template <typename T>
  using ByText = boost::unordered_flat_map<std::string, T, TextHash, std::equal_to<>>;
  using ByKey = ByText<Fields>;

  // api::LiveHouse
  void listen(std::uint64_t number, const bus::TopicFilter& filter) override;
  void stop_listening(std::uint64_t number) override;
  std::vector<MessagePtr> retained(const bus::TopicFilter& filter, std::size_t max) override;
  void want_points(bool wanted) override;
  Seq applied_seq() const override { return rooms_.tables.applied_seq(); }
  void flush_after(int ms) override;

  const Fields& fields_of_row(const tables::Change& change);
  std::uint32_t series_of(const ThingInfo& thing, const std::string& field);
  void add_invalid(const tables::Change& change);
  void hand_over(Seq applied);
  void take(Batch batch);

  Rooms rooms_;
  api::LiveHub hub_;
  net::TimerId linger_timer_ = net::TimerId::none;
  bool wants_points_ = false;  // the hub's word, or it lingers
  std::atomic<std::size_t> points_waiting_{0};
  Counter& dropped_;

  // The tables thread's.
  bool is_listening_ = false;
  Batch batch_;
  std::uint32_t series_count_ = 0;
  boost::unordered_flat_map<const TableSchema*, ByKey> fields_;
  ByText<std::vector<std::pair<std::string, std::uint32_t>>> series_of_thing_;  // by id: field, no.
};

}  // namespace nilo::app
