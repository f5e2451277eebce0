// Any texts of an open page, one a line, and what happens meanwhile (`!` and a letter): no crash,
// only JSON is answered, and the house is left as it was found.
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/live.h"
#include "base/assert.h"
#include "value/json.h"

namespace {

class Socket final : public nilo::net::WebSocket {
 public:
  void send_text(std::string_view text) override {
    const auto root = document_.parse(text);
    NILO_ASSERT(root && (*root)->find("type") != nullptr);
  }
  void send_binary(std::string_view /*bytes*/) override { NILO_ASSERT(false); }
  std::size_t unsent() const override { return unread; }
  void pause_reading() override {}
  void resume_reading() override {}
  void close(std::uint16_t /*code*/, std::string_view /*reason*/) override { is_closed = true; }

  std::size_t unread = 0;
  bool is_closed = false;

 private:
  nilo::JsonDocument document_;
};

class House final : public nilo::api::LiveHouse {
 public:
  void listen(std::uint64_t number, const nilo::bus::TopicFilter& filter) override {
    NILO_ASSERT(filters.emplace(number, filter.text()).second);
  }
  void stop_listening(std::uint64_t number) override { NILO_ASSERT(filters.erase(number) == 1); }
  std::vector<nilo::MessagePtr> retained(const nilo::bus::TopicFilter& /*filter*/,
                                         std::size_t /*max*/) override {
    return {};
  }
  void want_points(bool wanted) override { wants_points = wanted; }
  nilo::Seq applied_seq() const override { return applied; }
  void flush_after(int /*ms*/) override {}

  std::map<std::uint64_t, std::string> filters;
  bool wants_points = false;
  nilo::Seq applied = 0;
};

class Visit {
 public:
  Visit() {
    hub_.on_series({"tank-1", "tank", "percent"});
    hub_.on_series({"tank-\"2\"", "tank", "state"});
    session_ = hub_.open_session({});
    session_->on_open(socket_);
    hub_.on_started(house_.applied);
  }
  ~Visit() {
    socket_.unread = 0;
    session_->on_flushed();
    hub_.flush();
    session_->on_closed();
    NILO_ASSERT(house_.filters.empty() && !house_.wants_points && hub_.session_count() == 0);
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  void read(std::string_view line) {
    if (socket_.is_closed) return;
    if (line.starts_with('!')) {
      happen(line.size() > 1 ? line[1] : ' ', line.substr(1));
    } else {
      session_->on_text(line);
    }
  }

 private:
  void happen(char what, std::string_view words) {
    switch (what) {
      case 'p':
        tell(words);
        break;
      case 'm':
        for (const auto& [number, filter] : house_.filters) {
          nilo::Message message;
          message.topic = "water1/pub";
          message.payload = words;
          hub_.on_message(number, std::make_shared<const nilo::Message>(std::move(message)));
        }
        break;
      case 'd':
        for (const auto& [number, filter] : house_.filters) hub_.on_dropped(number, 2);
        break;
      case 'a':
        hub_.on_alert(++house_.applied, R"({"id":"low"})");
        break;
      case 'g':
        hub_.on_gap();
        break;
      case 'b':  // reads nothing any more
        socket_.unread = words.size() > 1 ? 2u << 20 : 100u << 10;
        break;
      case 'r':
        socket_.unread = 0;
        session_->on_flushed();
        break;
      default:
        hub_.flush();
        hub_.check_sessions();
    }
  }

  void tell(std::string_view words) {
    nilo::api::LivePoint point;
    point.series = words.size() % 2;
    point.kind = static_cast<nilo::api::LivePoint::Kind>(words.size() / 2 % 5);
    point.number = static_cast<double>(words.size());
    point.text = words;
    point.seq = ++house_.applied;
    point.time_ms = static_cast<std::int64_t>(point.seq);
    hub_.on_point(std::move(point));
    hub_.on_applied(house_.applied);
  }

  nilo::FakeClock clock_{1'700'000'000'000'000};
  Socket socket_;
  House house_;
  nilo::api::LiveHub hub_{house_, clock_, {.subscriptions_max = 4, .merged_series_max = 1}};
  std::shared_ptr<nilo::net::WebSocketHandler> session_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Visit visit;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    visit.read(line);
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
  return 0;
}
