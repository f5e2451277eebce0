#include "app/notice_ledger.h"

#include <fmt/format.h>

#include <array>
#include <functional>

#include "base/utf8.h"
#include "net/http_post.h"
#include "value/json_text.h"

namespace nilo::app {

namespace {

constexpr std::array kStates = {kWaiting, kSent, kParked};  // indexed by NoticeState

std::size_t hash_of(std::string_view alert_id) { return std::hash<std::string_view>()(alert_id); }

std::string shown_target(const Notice& notice) {
  if (notice.channel != kWebhookChannel) return notice.to;
  const auto origin = net::origin_of(notice.to);
  return origin ? *origin + "/…" : "…";
}

void append_ms(std::string& out, std::string_view member, TimeUs us) {
  append_number(out, member, us == 0 ? std::nullopt : std::optional(us / 1000));
}

}  // namespace

Result<NoticeState> notice_state_of_word(std::string_view word) {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (word == kStates[i]) return static_cast<NoticeState>(i);
  }
  return Error{ErrorCode::invalid_argument,
               fmt::format("`{}` is no state of a notice", printable(word, 40)),
               "waiting, sent, parked"};
}

std::string alert_id_of(const Notice& notice) {
  return notice.alert + "~" + notice.thing + "~" + notice.condition;
}

void append_notice_json(std::string& out, const Notice& notice) {
  out += '{';
  append_text(out, "id", notice.id);
  append_text(out, "alert_id", alert_id_of(notice));
  append_text(out, "event", notice.event);
  append_text(out, "channel", notice.channel);
  append_text(out, "to", shown_target(notice));
  append_text(out, "subject", notice.subject);
  append_text(out, "state", notice.state);
  append_number(out, "tries", notice.tries);
  append_ms(out, "next", notice.state == kWaiting ? notice.next_try_us : 0);
  append_ms(out, "created", notice.created_us);
  append_ms(out, "sent", notice.sent_us);
  append_text(out, "answer", notice.answer);
  out += '}';
}

void NoticeLedger::saw(const Notice& notice) {
  const auto number = number_of(notice.id);
  const auto word = notice_state_of_word(notice.state);
  if (!number || !word) return;  // not a row of ours
  const Entry entry{hash_of(alert_id_of(notice)), *word};
  state_.with([&](State& state) {
    const auto forget = [&](std::int64_t old) {
      const auto at = state.by_number.find(old);
      if (at == state.by_number.end()) return;
      --state.counts[static_cast<std::size_t>(at->second.state)];
      state.by_number.erase(at);
    };
    forget(*number);
    forget(*number - kNoticesMax);  // whose place it took
    state.by_number[*number] = entry;
    ++state.counts[static_cast<std::size_t>(entry.state)];
  });
}

NoticeLedger::Counts NoticeLedger::counts() const {
  return state_.with([](const State& state) {
    return Counts{state.counts[0], state.counts[1], state.counts[2]};
  });
}

template <typename Wanted>
std::vector<std::int64_t> NoticeLedger::newest_if(Wanted wanted, std::size_t limit) const {
  return state_.with([&](const State& state) {
    std::vector<std::int64_t> numbers;
    for (auto at = state.by_number.rbegin(); at != state.by_number.rend(); ++at) {
      if (numbers.size() >= limit) break;
      if (wanted(at->second)) numbers.push_back(at->first);
    }
    return numbers;
  });
}

std::vector<std::int64_t> NoticeLedger::newest(std::optional<NoticeState> wanted,
                                               std::size_t limit) const {
  return newest_if([&](const Entry& entry) { return !wanted || entry.state == *wanted; }, limit);
}

std::vector<std::int64_t> NoticeLedger::of_alert(std::string_view alert_id,
                                                 std::size_t limit) const {
  const std::size_t hash = hash_of(alert_id);
  return newest_if([&](const Entry& entry) { return entry.alert_hash == hash; }, limit);
}

}  // namespace nilo::app
