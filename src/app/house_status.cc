#include "app/house_status.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "base/time_units.h"
#include "base/version.h"

namespace nilo::app {

namespace {

constexpr std::int64_t kRateOverUs = kSecondUs;

// 0: the folder cannot be asked.
std::uint64_t free_bytes(const std::string& folder) {
  std::error_code failed;
  const auto space = std::filesystem::space(folder, failed);
  return failed ? 0 : space.available;
}

}  // namespace

HouseStatus::HouseStatus(Rooms rooms)
    : rooms_(std::move(rooms)), started_us_(rooms_.clock.wall_us()) {
  rate_.with([this](Rate& rate) {
    rate.steady_us = rooms_.clock.steady_us();
    rate.messages = rooms_.messages.value();
  });
}

double HouseStatus::messages_per_s(std::uint64_t messages) {
  const std::int64_t now_us = rooms_.clock.steady_us();
  return rate_.with([&](Rate& rate) {
    const std::int64_t passed_us = now_us - rate.steady_us;
    if (passed_us >= kRateOverUs) {
      rate.per_s =
          static_cast<double>(messages - rate.messages) * 1e6 / static_cast<double>(passed_us);
      rate.steady_us = now_us;
      rate.messages = messages;
    }
    return rate.per_s;
  });
}

std::string HouseStatus::json() {
  const std::uint64_t messages = rooms_.messages.value();
  const ThingCounts things = rooms_.things.counts();
  std::size_t total = 0;
  for (const std::size_t count : things) total += count;
  const auto of_state = [&](ThingState state) { return things[static_cast<std::size_t>(state)]; };
  const AlertSummary alerts = rooms_.alerts();
  const NoticeLedger::Counts notices = rooms_.notices.counts();
  const std::string quiet_since =
      alerts.quiet_since_us ? fmt::to_string(*alerts.quiet_since_us / 1000) : "null";
  return fmt::format(
      R"({{"started":{},"messages_per_s":{:.1f},"messages":{},)"
      R"("things":{{"total":{},"reporting":{}}},"alerts":{{"open":{}}},"quiet_since":{},)"
      R"("notices":{{"waiting":{},"parked":{}}},)"
      R"("disk":{{"free_bytes":{},"log_bytes":{}}},"version":"{}"}})",
      started_us_ / 1000, messages_per_s(messages), messages, total,
      of_state(ThingState::ok) + of_state(ThingState::invalid), alerts.open, quiet_since,
      notices.waiting, notices.parked, free_bytes(rooms_.data_dir), rooms_.log.size(), kVersion);
}

}  // namespace nilo::app
