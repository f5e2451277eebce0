#include "app/log_replay.h"

#include "app/applier.h"
#include "mqtt/effects.h"

namespace nilo::app {

namespace {

constexpr std::int64_t kProgressEveryUs = 2'000'000;

void apply(const ReplayRooms& rooms, Seq seq, std::string_view record) {
  Applier::apply(rooms.tables, rooms.retained, seq, record);
  RecordReader reader(record);
  Effect effect;
  while (reader.next(effect)) {
    const bool is_session = effect.kind >= EffectKind::session;
    if (!is_session) continue;
    mqtt::SubscribeEffect subscribe;
    const bool hears_changes = effect.kind == EffectKind::subscribe &&
                               mqtt::read_subscribe(effect.body, subscribe) &&
                               is_about_changes(bus::heard_filter(subscribe.entry.filter));
    if (hears_changes) rooms.changes_wanted = true;
    for (const auto& door : rooms.doors) {
      if (!door->broker().apply(seq, effect)) {
        rooms.logger.warn("log.session_effect_damaged", {{"seq", seq}});
      }
    }
  }
}

}  // namespace

Result<void> replay_log(const ReplayRooms& rooms) {
  const std::int64_t began_us = rooms.clock.steady_us();
  std::int64_t told_us = began_us;
  const Seq last = rooms.log.synced_seq();
  const auto report = TRY(rooms.log.replay(0, [&](Seq seq, std::string_view record) {
    apply(rooms, seq, record);
    if ((seq & 0xffff) != 0 || rooms.clock.steady_us() - told_us < kProgressEveryUs) return;
    told_us = rooms.clock.steady_us();
    rooms.logger.info("log.replaying", {{"seq", seq}, {"of", last}});
  }));
  const std::int64_t ms = (rooms.clock.steady_us() - began_us) / 1000;
  rooms.logger.info(
      "log.replayed",
      {{"records", report.record_count}, {"damaged", report.damage_count}, {"ms", ms}});
  for (const auto& door : rooms.doors) door->broker().on_replayed();
  return {};
}

}  // namespace nilo::app
