// api/live.h: what happens, told to open pages as it happens (docs/live.md is the protocol).
//
// In/out:  JSON texts of clients -> subscriptions; messages, changes of things' fields and alerts
//          from the house -> JSON texts, at most one burst each kLiveFlushEveryMs.
//
//   house -> LiveHub (what is pending, what was) -> LiveSession (one connection) -> WebSocket
//
// A series' points are merged and written as JSON once, whoever listens. A connection that does not
// keep up gets fewer points (first, lowest, highest, last of each series), then is closed.
// Threads: one loop's, all of it.
// Limits:  LiveLimits, each with what happens beyond.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "bus/topic_filter.h"
#include "net/websocket.h"
#include "value/message.h"
#include "value/record.h"

namespace nilo::api {

inline constexpr int kLiveFlushEveryMs =
    8;  // half an animation frame, so that each frame has fresh news

struct LiveLimits {
  std::size_t subscriptions_max = 200;       // of one connection: an error to that client
  std::size_t selectors_max = 200;           // of one subscription: an error
  std::size_t history_size_max = 16u << 20;  // bytes of points to resume from; then the oldest go
  std::size_t alerts_size_max = 1u << 20;    // bytes of alerts to resume from; likewise
  std::size_t resume_points_max = 20'000;    // told to one that resumes; more: "reset"
  std::size_t unsent_soft_max = 64u << 10;   // bytes: above, points are merged and alerts wait
  std::size_t unsent_max = 1u << 20;         // bytes: above, messages are dropped and counted
  std::size_t merged_series_max = 20'000;    // waiting for one connection: closed with 1013
  std::size_t waiting_alerts_max = 10'000;   // likewise
  std::int64_t stalled_max_us = 30'000'000;  // above unsent_soft_max all the time: 1013
  std::size_t payload_shown_max = 4096;      // bytes of a message's payload; the rest is cut
  std::size_t retained_max = 1'000;          // retained messages sent for one new subscription
};

// One field of one thing.
struct LiveSeries {
  std::string thing;
  std::string type;
  std::string field;
};

struct LivePoint {
  enum class Kind : std::uint8_t { null, number, text, boolean, invalid };
  std::uint32_t series = 0;  // 0, 1, ... in the order in which on_series() told them
  Kind kind = Kind::null;
  double number = 0;  // boolean: 0 or 1
  std::string text{};
  Seq seq = 0;
  std::int64_t time_ms = 0;
};

// What the hub asks of the house.
class LiveHouse {
 public:
  // Messages of this topic filter shall come to LiveHub::on_message(), under this number.
  virtual void listen(std::uint64_t number, const bus::TopicFilter& filter) = 0;
  virtual void stop_listening(std::uint64_t number) = 0;
  virtual std::vector<MessagePtr> retained(const bus::TopicFilter& filter, std::size_t max) = 0;
  // Points of fields shall come (or need not, any more); the first answer is on_started().
  virtual void want_points(bool wanted) = 0;
  // The last record in the tables.
  virtual Seq applied_seq() const = 0;
  // Calls LiveHub::flush() once, so much later.
  virtual void flush_after(int ms) = 0;

 protected:
  ~LiveHouse() = default;
};

// May whoever opened this connection still listen? Quick. Empty: yes.
using LiveCheck = std::function<bool()>;

class LiveHub {
 public:
  // Both must outlive the hub; the hub must outlive its sessions.
  LiveHub(LiveHouse& house, const Clock& clock, LiveLimits limits = {});
  ~LiveHub();
  LiveHub(const LiveHub&) = delete;
  LiveHub& operator=(const LiveHub&) = delete;

  // For a new connection.
  std::shared_ptr<net::WebSocketHandler> open_session(LiveCheck check);

  // From the house, in its order.
  void on_started(Seq applied);  // points after this record will come
  void on_stopped();             // none will, until on_started()
  void on_gap();                 // points were lost: everybody fetches again
  void on_series(LiveSeries series);
  void on_point(LivePoint point);
  void on_applied(Seq applied);  // all points up to this record have come
  void on_alert(Seq seq, std::string item_json);
  void on_message(std::uint64_t number, const MessagePtr& message);
  void on_dropped(std::uint64_t number, std::uint64_t count);

  // Sends what is pending.
  void flush();
  // Asks for each connection whether it may stay, and closes those that stall. Every few seconds.
  void check_sessions();

  std::size_t session_count() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nilo::api
