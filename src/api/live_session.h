// api/live_session.h: one open page: what it subscribed to, and what it must still be told.
//
// In/out:  what a client says (JSON) -> LiveSubscriptions asked of the hub; frames -> the socket.
// Threads: the hub's loop.
// Limits:  LiveLimits.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/live.h"
#include "api/live_points.h"
#include "value/json.h"
#include "value/selector.h"

namespace nilo::api {

class LiveSession;

struct LiveSubscription {
  enum class Kind : std::uint8_t { topic, fields, alerts };
  LiveSession* session = nullptr;
  std::string id;
  std::string json_id;
  Kind kind = Kind::topic;
  std::optional<bus::TopicFilter> filter;  // of topic
  std::vector<Selector> selectors;         // of fields
  std::optional<Seq> from;                 // resumes after it

  std::uint64_t number = 0;  // of the filter, while it listens to one
  std::uint64_t dropped = 0;
  Seq after = 0;  // what is not newer it has already
  // What it could not be told yet.
  std::unordered_map<std::uint32_t, MergedPoints> merged;
  std::vector<std::string> waiting_alerts;
  std::string out;  // of the flush under way: values or alerts, with commas
  bool is_listed = false;
  bool is_dropping = false;  // messages, until the client has caught up

  bool matches(const LiveSeries& series) const;
  bool has_waiting() const { return !merged.empty() || !waiting_alerts.empty(); }
};

// What a session asks of its hub.
class LiveDesk {
 public:
  virtual void opened(LiveSession& session) = 0;
  virtual void closed(LiveSession& session) = 0;
  virtual void drained(LiveSession& session) = 0;
  // Tells the client "subscribed", "reset" or what was wrong. False: it is not subscribed.
  virtual bool subscribe(LiveSubscription& subscription) = 0;
  virtual void unsubscribe(LiveSubscription& subscription) = 0;
  virtual const LiveLimits& limits() const = 0;

 protected:
  ~LiveDesk() = default;
};

class LiveSession final : public net::WebSocketHandler {
 public:
  using Subscriptions = std::map<std::string, std::unique_ptr<LiveSubscription>, std::less<>>;

  // `desk` must outlive the session.
  LiveSession(LiveDesk& desk, LiveCheck check) : desk_(desk), check_(std::move(check)) {}

  // net::WebSocketHandler
  void on_open(net::WebSocket& socket) override;
  void on_text(std::string_view text) override;
  void on_binary(std::string_view bytes) override;
  void on_flushed() override { desk_.drained(*this); }
  void on_closed() override;

  // Texts that are read and answered only after this.
  void say_hello(Seq seq, std::int64_t time_ms);
  bool has_said_hello() const { return said_hello_; }

  bool is_open() const { return socket_ != nullptr && !is_closing_; }
  std::size_t unsent() const { return socket_ == nullptr ? 0 : socket_->unsent(); }
  void send(std::string_view json);
  void send_error(std::string_view id, const Error& error);
  void close(std::uint16_t code, std::string_view reason);
  // {"type":"reset"}: what it asks for is not there any more. Ends the subscription.
  void reset(LiveSubscription& subscription);

  Subscriptions& subscriptions() { return subscriptions_; }
  bool may_stay() const { return !check_ || check_(); }

  // Clock::steady_us() since when too much waits.
  std::optional<std::int64_t> behind_since_us;

 private:
  Result<void> obey(const JsonNode& command, std::string& id);
  Result<void> subscribe(const JsonNode& command, const std::string& id);
  Result<void> read_subject(const JsonNode& command, LiveSubscription& subscription) const;
  void unsubscribe(std::string_view id);

  LiveDesk& desk_;
  LiveCheck check_;
  net::WebSocket* socket_ = nullptr;
  bool said_hello_ = false;
  bool is_closing_ = false;
  JsonDocument document_;
  Subscriptions subscriptions_;
};

}  // namespace nilo::api
