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
  return std::max(paused_until_us, waiting.begin()->first);
}

void NoticeQueue::put(const Entry& entry) {
  drop(entry.number);
  servers_[entry.server].waiting.insert({entry.due_us, {entry.number, entry.created_us}});
  where_[entry.number] = {entry.server, entry.due_us};
}

bool NoticeQueue::drop(std::int64_t number) {
  const auto place = where_.find(number);
  if (place == where_.end()) return false;
  const auto server = servers_.find(place->second.server);
  server->second.waiting.erase({place->second.due_us, {number, 0}});
  // A server without a past is not remembered.
  if (server->second.waiting.empty() && server->second.failures == 0) servers_.erase(server);
  where_.erase(place);
  return true;
}

std::optional<std::int64_t> NoticeQueue::take(std::int64_t now_us) {
  const Server* best = nullptr;
  for (const auto& [name, server] : servers_) {
    if (server.waiting.empty() || server.due_us() > now_us) continue;
    const bool is_first = best == nullptr || *server.waiting.begin() < *best->waiting.begin();
    if (is_first) best = &server;
  }
  if (best == nullptr) return std::nullopt;
  const std::int64_t number = best->waiting.begin()->second.number;
  drop(number);
  return number;
}

std::int64_t NoticeQueue::due_us() const {
  std::int64_t due = std::numeric_limits<std::int64_t>::max();
  for (const auto& [name, server] : servers_) {
    if (!server.waiting.empty()) due = std::min(due, server.due_us());
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
  if (known->second.waiting.empty()) servers_.erase(known);
  return failures;
}

std::vector<std::int64_t> NoticeQueue::older(const std::string& server,
                                             TimeUs created_before_us) const {
  std::vector<std::int64_t> numbers;
  const auto known = servers_.find(server);
  if (known == servers_.end()) return numbers;
  for (const auto& [due_us, waiting] : known->second.waiting) {
    if (waiting.created_us < created_before_us) numbers.push_back(waiting.number);
  }
  return numbers;
}

}  // namespace nilo::app
