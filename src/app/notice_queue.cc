#include "app/notice_queue.h"

#include <algorithm>
#include <limits>

namespace nilo::app {

std::int64_t back_off_us(std::int64_t failures, std::uint64_t dice) {
  const auto doublings = std::clamp<std::int64_t>(failures - 1, 0, 7);
  const std::int64_t base = std::min(kBackOffMinUs << doublings, kBackOffMaxUs);
  const std::int64_t fifth = base / 5;
  const auto jitter = static_cast<std::int64_t>(dice % static_cast<std::uint64_t>(2 * fifth + 1));
  return base - fifth + jitter;
}

std::int64_t NoticeQueue::Server::due_us() const {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  for (const auto& [name, line] : lines) first = std::min(first, line.begin()->second.due_us);
  return std::max(paused_until_us, first);
}

std::optional<NoticeQueue::Turn> NoticeQueue::Server::turn_at(std::int64_t now_us) const {
  if (paused_until_us > now_us) return std::nullopt;
  std::optional<Turn> best;
  for (const auto& [name, line] : lines) {
    const auto& [number, first] = *line.begin();
    if (first.due_us > now_us) continue;
    const Turn turn{first.is_aside, number};
    if (!best || turn < *best) best = turn;
  }
  return best;
}

void NoticeQueue::put(const Entry& entry) {
  drop(entry.number);
  Line& line = servers_[entry.server].lines[entry.line];
  line[entry.number] = {entry.due_us, entry.since_us, entry.is_aside};
  where_[entry.number] = {entry.server, entry.line};
}

bool NoticeQueue::drop(std::int64_t number) {
  const auto place = where_.find(number);
  if (place == where_.end()) return false;
  const auto server = servers_.find(place->second.server);
  auto& lines = server->second.lines;
  const auto line = lines.find(place->second.line);
  line->second.erase(number);
  if (line->second.empty()) lines.erase(line);
  // A server without a past is not remembered.
  if (lines.empty() && server->second.failures == 0) servers_.erase(server);
  where_.erase(place);
  return true;
}

std::optional<std::int64_t> NoticeQueue::take(std::int64_t now_us) {
  std::optional<Turn> best;
  for (const auto& [name, server] : servers_) {
    const auto turn = server.turn_at(now_us);
    if (turn && (!best || *turn < *best)) best = turn;
  }
  if (!best) return std::nullopt;
  drop(best->second);
  return best->second;
}

std::int64_t NoticeQueue::due_us() const {
  std::int64_t due = std::numeric_limits<std::int64_t>::max();
  for (const auto& [name, server] : servers_) {
    if (!server.lines.empty()) due = std::min(due, server.due_us());
  }
  return due;
}

int NoticeQueue::fail(const std::string& server, std::int64_t now_us, std::uint64_t dice) {
  Server& failed = servers_[server];
  failed.paused_until_us = now_us + back_off_us(++failed.failures, dice);
  return failed.failures;
}

int NoticeQueue::recover(const std::string& server) {
  const auto known = servers_.find(server);
  if (known == servers_.end()) return 0;
  const int failures = std::exchange(known->second.failures, 0);
  known->second.paused_until_us = 0;
  if (known->second.lines.empty()) servers_.erase(known);
  return failures;
}

std::vector<std::int64_t> NoticeQueue::older(const std::string& server,
                                             std::int64_t before_us) const {
  std::vector<std::int64_t> numbers;
  const auto known = servers_.find(server);
  if (known == servers_.end()) return numbers;
  for (const auto& [name, line] : known->second.lines) {
    for (const auto& [number, waiting] : line) {
      if (waiting.since_us < before_us) numbers.push_back(number);
    }
  }
  return numbers;
}

}  // namespace nilo::app
