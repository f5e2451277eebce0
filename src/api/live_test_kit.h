// api/live_test_kit.h: open pages that keep what they were told, and a house that does as it is
// told. For tests.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/live.h"

namespace nilo::api::test {

// A page: keeps the texts it was sent. Unread bytes are what the test says.
class FakeSocket final : public net::WebSocket {
 public:
  void send_text(std::string_view text) override {
    if (closed_with == 0) texts.emplace_back(text);
  }
  void send_binary(std::string_view /*bytes*/) override { FAIL(); }
  std::size_t unsent() const override { return unread; }
  void pause_reading() override { is_paused = true; }
  void resume_reading() override { is_paused = false; }
  void close(std::uint16_t code, std::string_view reason) override {
    closed_with = code;
    closed_why = reason;
  }

  std::vector<std::string> take() { return std::exchange(texts, {}); }

  std::vector<std::string> texts;
  std::size_t unread = 0;
  bool is_paused = false;
  std::uint16_t closed_with = 0;
  std::string closed_why;
};

class FakeHouse final : public LiveHouse {
 public:
  void listen(std::uint64_t number, const bus::TopicFilter& filter) override {
    filters[filter.text()] = number;
  }
  void stop_listening(std::uint64_t number) override {
    std::erase_if(filters, [number](const auto& each) { return each.second == number; });
  }
  std::vector<MessagePtr> retained(const bus::TopicFilter& filter, std::size_t max) override {
    std::vector<MessagePtr> out;
    for (const MessagePtr& each : kept) {
      if (filter.matches(each->topic) && out.size() < max) out.push_back(each);
    }
    return out;
  }
  void want_points(bool wanted) override { wants_points = wanted; }
  Seq applied_seq() const override { return applied; }
  void flush_after(int ms) override { flush_in_ms.push_back(ms); }

  std::map<std::string, std::uint64_t> filters;
  std::vector<MessagePtr> kept;
  bool wants_points = false;
  Seq applied = 0;
  std::vector<int> flush_in_ms;
};

inline MessagePtr message(std::string topic, std::string payload) {
  Message out;
  out.topic = std::move(topic);
  out.payload = std::move(payload);
  out.qos = Qos::at_least_once;
  out.received_us = 1'700'000'000'123'456;
  out.client_id = "sensor";
  return std::make_shared<const Message>(std::move(out));
}

class LiveTest : public testing::Test {
 protected:
  explicit LiveTest(const LiveLimits& limits = {}) : hub_(house_, clock_, limits) {}

  struct Page {
    FakeSocket socket;
    std::shared_ptr<net::WebSocketHandler> session;
    void say(std::string_view text) { session->on_text(text); }
    std::vector<std::string> take() { return socket.take(); }
  };
  // A page that was greeted.
  std::unique_ptr<Page> open(LiveCheck check = {}) {
    auto page = std::make_unique<Page>();
    page->session = hub_.open_session(std::move(check));
    page->session->on_open(page->socket);
    if (!std::exchange(is_started_, true)) hub_.on_started(house_.applied);
    page->take();
    return page;
  }
  void add_series(const std::string& thing, const std::string& field = "percent") {
    hub_.on_series({thing, "tank", field});
  }
  // A point in a record of its own.
  void tell(std::uint32_t series, double number) {
    LivePoint point;
    point.series = series;
    point.kind = LivePoint::Kind::number;
    point.number = number;
    point.seq = ++house_.applied;
    point.time_ms = static_cast<std::int64_t>(point.seq) * 1000;
    hub_.on_point(std::move(point));
    hub_.on_applied(house_.applied);
  }
  void tell_invalid(std::uint32_t series) {
    LivePoint point;
    point.series = series;
    point.kind = LivePoint::Kind::invalid;
    point.seq = ++house_.applied;
    point.time_ms = 5;
    hub_.on_point(std::move(point));
    hub_.on_applied(house_.applied);
  }

  FakeClock clock_{1'700'000'000'000'000};
  FakeHouse house_;
  LiveHub hub_;
  bool is_started_ = false;
};

}  // namespace nilo::api::test
