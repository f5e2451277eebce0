// Alerts and the disk: what is told exactly once, whatever is refused or killed.
#include "app/alerting_testing.h"

namespace nilo::app {
namespace {

TEST_F(AlertingTest, TellTheFirstCrossingEverThoughKilledBeforeItWasWritten) {
  start(kAll);
  applier_->close();
  read({{1, 10}});
  read({{1, 50}});
  restart();
  EXPECT_EQ(history("level~tank-1~low"), "firing normal");
  EXPECT_EQ(notices()["level~tank-1~low"], "firing recovered");
  restart();
  EXPECT_EQ(history("level~tank-1~low"), "firing normal");
}

TEST_F(AlertingTest, KeepALineOfHistoryForEachOfManyTransitionsAtOnce) {
  start(kAll);
  read({{1, 10}, {1, 50}, {1, 90}, {1, 50}, {1, 10}});
  read({{1, 50}});
  settle();
  EXPECT_EQ(history("level~tank-1~low"), "firing normal firing normal");
  EXPECT_EQ(history("level~tank-1~high"), "firing normal");
  clock_.set_wall_us(tables::kNowUs - kHourUs);
  read({{1, 10}});
  settle();
  EXPECT_EQ(history("level~tank-1~low"), "firing normal firing normal firing");
}

TEST_F(AlertingTest, LoseAndDoubleNothingWhenTheirRecordIsRefused) {
  start(kAll);
  read({{2, 10}});
  settle();
  std::promise<void> full;
  std::promise<void> held_up;
  applier_->post([&] {
    held_up.set_value();
    full.get_future().wait();
  });
  held_up.get_future().wait();  // before the rows, which otherwise may come first
  auto batch = std::make_unique<log::Batch>();
  for (const double percent : {10.0, 50.0}) {
    RecordWriter record(batch->begin_record(), clock_.wall_us());
    fill_readings({{1, percent}, {2, percent}}, record);
    ASSERT_TRUE(batch->end_record());
  }
  const Seq last = log_->synced_seq() + batch->count();
  log_->submit(std::move(batch));
  while (log_->synced_seq() < last) std::this_thread::yield();
  disk_.set_fault(log::FakeDisk::Fault{.call = disk_.call_count() + 1,
                                       .call_end = UINT64_MAX,
                                       .number = ENOSPC,
                                       .only_writes = true});
  full.set_value();
  settle();
  EXPECT_EQ(history("level~tank-1~low"), "");
  wait_us(3 * kAlertRetryUs);
  EXPECT_EQ(history("level~tank-1~low"), "");
  EXPECT_EQ(act("level~tank-1~low", {}).error().code, ErrorCode::conflict) << "it is over";
  disk_.set_fault(std::nullopt);
  wait_us(kAlertRetryUs);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(history("level~tank-1~low"), "firing normal");
    EXPECT_EQ(history("level~tank-2~low"), "firing normal");
    EXPECT_EQ(notices()["level~tank-1~low"], "firing recovered");
    EXPECT_EQ(notices()["level~tank-2~low"], "firing recovered");
    restart();
  }
}

TEST_F(AlertingTest, WaitForARefusedMarkInsteadOfTurningInCircles) {
  start(kAll);
  read({{1, 50}});
  settle();
  disk_.set_fault(log::FakeDisk::Fault{.call = disk_.call_count() + 1,
                                       .call_end = UINT64_MAX,
                                       .number = ENOSPC,
                                       .only_writes = true});
  wait_us(kAlertMarkEveryUs);
  EXPECT_GT(alerting_->due_us(), clock_.steady_us());
  disk_.set_fault(std::nullopt);
}

constexpr std::int64_t kStorm = 1500;

TEST_F(AlertingTest, TellAStormOfSeveralRecordsOnceThoughKilledAfterTheFirst) {
  start(kAll);
  for (const double percent : {10.0, 50.0}) {
    for (std::int64_t tank = 0; tank < kStorm; tank += 100) {
      Readings readings;
      for (std::int64_t i = tank; i < tank + 100; ++i) readings.emplace_back(i, percent);
      read(readings);
    }
  }
  settle();
  const auto told = notices();
  ASSERT_EQ(told.size(), static_cast<std::size_t>(kStorm));
  for (const auto& [id, events] : told) ASSERT_EQ(events, "firing recovered") << id;

  // The same at once, then the end of the process between two records.
  std::promise<void> go;
  applier_->post([&] { go.get_future().wait(); });
  auto batch = std::make_unique<log::Batch>();
  for (std::int64_t tank = 0; tank < kStorm; ++tank) {
    RecordWriter record(batch->begin_record(), clock_.wall_us());
    fill_readings({{tank, 90}}, record);
    ASSERT_TRUE(batch->end_record());
  }
  const Seq last = log_->synced_seq() + batch->count();
  log_->submit(std::move(batch));
  while (log_->synced_seq() < last) std::this_thread::yield();
  dies_after_record_ = true;
  go.set_value();
  settle();
  const std::size_t written = notices().size();
  EXPECT_GT(written, static_cast<std::size_t>(kStorm));
  EXPECT_LT(written, 2 * static_cast<std::size_t>(kStorm)) << "several records";
  restart();
  std::size_t high = 0;
  for (const auto& [id, events] : notices()) {
    if (!id.ends_with("high")) continue;
    ++high;
    ASSERT_EQ(events, "firing") << id;
  }
  EXPECT_EQ(high, static_cast<std::size_t>(kStorm));
}

TEST_F(AlertingTest, KeepTogetherWhatOneChangeCausedThoughItIsMoreThanARecord) {
  start(kAll);
  read({{kStorm, 10}});  // its reminder is due before the record of the others
  settle();
  std::promise<void> go;
  applier_->post([&] { go.get_future().wait(); });
  clock_.advance_us(30 * 60 * kS);
  auto batch = std::make_unique<log::Batch>();
  RecordWriter record(batch->begin_record(), clock_.wall_us());
  for (const double percent : {10.0, 50.0}) {
    Readings readings;
    for (std::int64_t tank = 0; tank <= kStorm; ++tank) readings.emplace_back(tank, percent);
    fill_readings(readings, record);
  }
  ASSERT_TRUE(batch->end_record());
  const Seq last = log_->synced_seq() + 1;
  log_->submit(std::move(batch));
  while (log_->synced_seq() < last) std::this_thread::yield();
  dies_after_record_ = true;
  go.set_value();
  settle();
  restart();
  const auto told = notices();
  EXPECT_EQ(told.size(), static_cast<std::size_t>(kStorm) + 1);
  for (const auto& [id, events] : told) {
    const bool was_open = id == fmt::format("level~tank-{}~low", kStorm);
    ASSERT_EQ(events, was_open ? "firing reminder recovered" : "firing recovered") << id;
  }
}

TEST_F(AlertingTest, BeginAnewWhenTheyComeBackToTheStack) {
  start(kAll);
  Readings low;
  for (std::int64_t tank = 0; tank < kStorm; ++tank) low.emplace_back(tank, 10);
  read(low);
  settle();
  restart(kTables);
  read({{0, 50}, {0, 10}, {1, 50}});
  settle();
  const std::size_t before = notices().size();
  restart();
  EXPECT_EQ(history("level~tank-0~low"), "firing normal") << "closed, and nothing since";
  EXPECT_EQ(history("level~tank-1~low"), "firing normal");
  EXPECT_EQ(notices().size(), before);
  read({{0, 10}});
  settle();
  EXPECT_EQ(history("level~tank-0~low"), "firing normal firing");
}

TEST_F(AlertingTest, KeepWhatPeopleSaidOverRefusalsAndStarts) {
  start(kAll);
  read({{1, 10}});
  settle();
  const auto row =
      act("level~tank-1~low", {Alerting::Deed::Kind::acknowledge, {}, "anna", "on my way"});
  ASSERT_TRUE(row) << row.error().message;
  EXPECT_EQ(row->owner + ": " + row->note, "anna: on my way");
  restart();
  const auto kept = find_alert(*tables_, "level~tank-1~low");
  EXPECT_EQ(kept->owner + ": " + kept->note, "anna: on my way");
  EXPECT_EQ(alerting_->count(alerts::State::acknowledged), 1U);
  EXPECT_EQ(alerting_->open_count_of("tank-1"), 1U);
  clock_.advance_us(kS);
  read({{1, 50}});
  settle();
  EXPECT_EQ(history("level~tank-1~low"), "firing acknowledged normal");
  EXPECT_EQ(find_alert(*tables_, "level~tank-1~low")->owner, "");
  EXPECT_EQ(alerting_->open_count(), 0U);
}

}  // namespace
}  // namespace nilo::app
