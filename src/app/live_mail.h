// app/live_mail.h: messages on their way from the MQTT loops to the loop of the open pages.
//
// A page that listens to a topic filter is a subscriber of the router like any other, only that its
// loop is kLiveLoop: what the doors deliver there is put in here.
// Threads: put(): any. Everything else: the pages' loop.
// Limits:  kLiveMailMax messages and kLiveMailSizeMax bytes of payload wait; what comes then is
//          dropped and counted for its filter, and the pages are told how many.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/guarded.h"
#include "base/metrics.h"
#include "net/event_loop.h"
#include "value/message.h"

namespace nilo::app {

// bus::Target::loop of open pages; the session there is the number of a filter.
inline constexpr std::uint32_t kLiveLoop = 0xffffffff;
inline constexpr std::size_t kLiveMailMax = 50'000;
inline constexpr std::size_t kLiveMailSizeMax = 64u << 20;

class LiveMail {
 public:
  struct Letters {
    std::vector<std::pair<std::uint64_t, MessagePtr>> messages;  // by number of the filter
    std::map<std::uint64_t, std::uint64_t> dropped;              // likewise
    std::size_t size = 0;
  };

  LiveMail(net::EventLoop& loop, Metrics& metrics)
      : loop_(loop),
        dropped_(metrics.counter("nilo_live_messages_dropped_total", "",
                                 "Messages not shown on open pages: too many were waiting.")) {}

  // Who reads it; once, before the first put(). Must outlive the loop's run().
  void open(std::function<void(const Letters&)> reader) { reader_ = std::move(reader); }

  void put(std::uint64_t number, const MessagePtr& message) {
    const bool is_first = letters_.with([&](Letters& letters) {
      const bool was_empty = letters.messages.empty() && letters.dropped.empty();
      if (letters.messages.size() >= kLiveMailMax || letters.size >= kLiveMailSizeMax) {
        ++letters.dropped[number];
        dropped_.add();
      } else {
        letters.messages.emplace_back(number, message);
        letters.size += message->payload.size();
      }
      return was_empty;
    });
    if (!is_first) return;
    loop_.post([this] {
      reader_(letters_.with([](Letters& letters) { return std::exchange(letters, {}); }));
    });
  }

 private:
  net::EventLoop& loop_;
  Counter& dropped_;
  std::function<void(const Letters&)> reader_;
  Guarded<Letters> letters_;
};

}  // namespace nilo::app
