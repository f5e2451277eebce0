// Alerts with their tables, thread and log. The process "dies" by not being let append any more:
// what it would have written is not in the log, as if it had been killed before.
#include "app/alerting.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <future>
#include <map>

#include "app/reactions.h"
#include "base/time_units.h"
#include "log/fake_disk.h"
#include "tables/tables_testing.h"
#include "value/key.h"

namespace nilo::app {
namespace {

constexpr std::int64_t kS = 1'000'000;
using Readings = std::vector<std::pair<std::int64_t, double>>;  // of tanks, in percent

constexpr const char* kTables = R"(
[mail]
server = "127.0.0.1"
port = 9
tls = "none"
from = "tanks@example.org"

[table.levels]
key = ["tank int", "time timestamp"]
thing = "tank-{tank}"
columns = { percent = { type = "double", unit = "%" } }

)";
constexpr const char* kLevel = R"(
[alert.level]
of = "tank-*/percent"
low = 20
high = 80
clear = 2
remind = "30m"
flap = { changes = 1000, within = "1h" }
mail = { to = ["anna@example.org"], subject = "${thing.id} ${state}", text = "${value}" }
)";

class AlertingTest : public testing::Test {
 protected:
  ~AlertingTest() override { end(); }

  void start(const std::string& stack_text) {
    stack::Loaded loaded = stack::parse({{"nilo.toml", stack_text}});
    const Reactions reactions = compile(loaded);
    ASSERT_TRUE(loaded.ok()) << stack::render(loaded.diagnostics, loaded.files, false);
    stack_ = std::move(loaded.stack);
    // Latest rows are taken from the log alone: no start knows more than the disk does.
    state_ = std::make_unique<tables::TempFolder>();
    tables_ = tables::Tables::open({.state_dir = state_->path()}, *logger_, metrics_).value();
    ASSERT_TRUE(tables_->declare(reactions.tables));
    log_ = log::Log::open(disk_, clock_, *logger_, metrics_, {.dir = "/log"}).value();
    ASSERT_TRUE(log_->replay(0, [&](Seq seq, std::string_view record) {
      Applier::apply(*tables_, retained_, seq, record);
    }));
    applier_ = std::make_unique<Applier>(
        Applier::Rooms{*tables_, retained_, *log_, clock_, *logger_, changes_wanted_,
                       [](const std::vector<Message>&) {}, [](const Error&) {}});
    applier_->start();
    log_->start(*applier_);
    write([&](RecordWriter& record) { return tables_->number_new(record); });
    tables_->each_latest(kNoticesTable, [&](const tables::Change& change) {
      notice_numbers_.saw(notice_of(change.cells).id);
    });
    alerting_ = std::make_unique<Alerting>(
        Alerting::Rooms{stack_, *tables_, *applier_, *log_, notice_numbers_, clock_, *logger_,
                        metrics_, named_in(stack_), [](const AlertRow&) { return std::string(); },
                        [this](std::span<const AlertRow>, Seq) {
                          if (dies_after_record_) applier_->close();
                        }});
    ASSERT_TRUE(alerting_->load());
    write([&](RecordWriter& record) { return alerting_->write_first_mark(record); });
    applier_->observe(*alerting_);
    settle();
  }
  void end() {
    if (!log_) return;
    applier_->close();
    log_->stop();
    applier_->stop();
    alerting_.reset();
    applier_.reset();
    log_.reset();
    tables_.reset();
    dies_after_record_ = false;
  }
  void restart(const std::string& stack_text = std::string(kTables) + kLevel) {
    end();
    start(stack_text);
  }

  // Durable and in the tables when it returns; nothing, if `fill` says so.
  void write(const std::function<bool(RecordWriter&)>& fill) {
    auto batch = std::make_unique<log::Batch>();
    RecordWriter record(batch->begin_record(), clock_.wall_us());
    if (!fill(record)) return;
    ASSERT_TRUE(batch->end_record());
    std::promise<bool> durable;
    batch->done = [&](const Result<void>& outcome, Seq) { durable.set_value(bool(outcome)); };
    log_->submit(std::move(batch));
    ASSERT_TRUE(durable.get_future().get());
  }
  // All in one record.
  bool fill_readings(const Readings& readings, RecordWriter& record) {
    for (const auto& [tank, percent] : readings) {
      RowWriter row(*tables_->layout("levels"));
      row.begin(clock_.wall_us());
      EXPECT_TRUE(row.set(0, Value::int64(tank)));
      EXPECT_TRUE(row.set(1, Value::timestamp(++reading_time_)));
      EXPECT_TRUE(row.set(2, Value::float64(percent)));
      EXPECT_TRUE(row.finish(record));
    }
    return true;
  }
  void read(const Readings& readings) {
    write([&](RecordWriter& record) { return fill_readings(readings, record); });
  }

  // Until the tables thread and the log have nothing to do before time goes on.
  void settle() {
    for (Seq before = 0; before != log_->next_seq();) {
      before = log_->next_seq();
      for (int i = 0; i < 2; ++i) {  // what the first turn makes due is done before the second
        std::promise<void> turn;
        applier_->post([&] { turn.set_value(); });
        turn.get_future().wait();
      }
      std::promise<void> heard;
      auto empty = std::make_unique<log::Batch>();
      empty->done = [&](const Result<void>&, Seq) { heard.set_value(); };
      log_->submit(std::move(empty));
      heard.get_future().wait();
    }
  }
  void wait_us(std::int64_t us) {
    clock_.advance_us(us);
    settle();
  }

  Result<AlertRow> act(const std::string& id, Alerting::Deed deed) {
    std::promise<Result<AlertRow>> answer;
    alerting_->act(id, std::move(deed),
                   [&](const Result<AlertRow>& row) { answer.set_value(row); });
    settle();
    return answer.get_future().get();
  }

  // "firing normal", oldest first.
  std::string history(const std::string& id) {
    std::string key;
    const Value cell = Value::text(id);
    append_key_text(key, std::span(&cell, 1));
    std::string out;
    const auto page = tables_->rows({.table = kAlertHistoryTable, .key = key});
    for (std::size_t i = 0; page && i < page->rows.row_count(); ++i) {
      out += (i == 0 ? "" : " ") + std::string(page->rows.cell(i, 2).as_text());
    }
    return out;
  }
  // "firing recovered": the notices of an alert, oldest first.
  std::map<std::string, std::string> notices() {
    std::map<std::int64_t, Notice> by_number;
    tables_->each_latest(kNoticesTable, [&](const tables::Change& change) {
      const Notice notice = notice_of(change.cells);
      by_number[*number_of(notice.id)] = notice;
    });
    std::map<std::string, std::string> out;
    for (const auto& [number, each] : by_number) {
      std::string& events = out[each.alert + "~" + each.thing + "~" + each.condition];
      events += (events.empty() ? "" : " ") + each.event;
    }
    return out;
  }

  const std::string kAll = std::string(kTables) + kLevel;
  FakeClock clock_{tables::kNowUs};
  std::unique_ptr<Logger> logger_ = make_silent_logger();
  Metrics metrics_;
  log::FakeDisk disk_;
  bus::Retained retained_{clock_};
  const std::atomic<bool> changes_wanted_{false};
  TimeUs reading_time_ = tables::kNowUs;
  std::atomic<bool> dies_after_record_{false};
  std::unique_ptr<tables::TempFolder> state_;
  stack::Stack stack_;
  NoticeNumbers notice_numbers_;
  std::unique_ptr<tables::Tables> tables_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<Applier> applier_;
  std::unique_ptr<Alerting> alerting_;
};

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

TEST_F(AlertingTest, GoOnByTheirOwnTimeWhenTheWallClockJumps) {
  start(kAll + "silent = \"2h\"\n");
  read({{1, 10}, {2, 10}});
  settle();
  ASSERT_TRUE(act("level~tank-2~low", {Alerting::Deed::Kind::snooze, kHourUs, "anna"}));
  wait_us(10 * 60 * kS);
  for (const std::int64_t jump_us : {-kHourUs, 25 * kHourUs}) {
    clock_.set_wall_us(clock_.wall_us() + jump_us);
    settle();
    EXPECT_EQ(notices()["level~tank-1~low"], "firing");
    EXPECT_EQ(notices()["level~tank-2~low"], "firing");
  }
  wait_us(20 * 60 * kS - 1);
  EXPECT_EQ(notices()["level~tank-1~low"], "firing");
  wait_us(1);
  EXPECT_EQ(notices()["level~tank-1~low"], "firing reminder");
  wait_us(30 * 60 * kS - 1);
  EXPECT_EQ(notices()["level~tank-2~low"], "firing");
  wait_us(1);
  EXPECT_EQ(notices()["level~tank-2~low"], "firing reminder");
  EXPECT_EQ(notices().size(), 2U) << "nobody was silent";
}

TEST_F(AlertingTest, RowsThatComeLateAreNoNews) {
  start(kAll);
  read({{1, 50}});
  reading_time_ -= kHourUs;
  read({{1, 10}});
  settle();
  EXPECT_EQ(history("level~tank-1~low"), "") << "the tank is at 50 %";
  restart();
  read({{1, 10}});
  settle();
  EXPECT_EQ(history("level~tank-1~low"), "") << "nor after a restart";
  reading_time_ += kHourUs;
  read({{1, 10}});
  settle();
  EXPECT_EQ(history("level~tank-1~low"), "firing");
}

TEST_F(AlertingTest, ARowAheadOfItsTimeMakesNoOtherLate) {
  start(kAll);
  reading_time_ += 23 * kHourUs;
  read({{1, 50}});
  reading_time_ -= 23 * kHourUs;
  wait_us(kS);
  reading_time_ += kS;
  read({{1, 10}});
  settle();
  EXPECT_EQ(history("level~tank-1~low"), "firing");
}

TEST_F(AlertingTest, WhatCameWhileTheServersClockWasAheadMakesNothingLate) {
  start(kAll);
  clock_.set_wall_us(clock_.wall_us() + 5 * kHourUs);
  reading_time_ += 5 * kHourUs;
  read({{1, 50}});
  settle();
  clock_.set_wall_us(clock_.wall_us() - 5 * kHourUs);
  reading_time_ -= 5 * kHourUs - kS;
  for (const double percent : {10.0, 50.0}) {
    read({{1, percent}});
    restart();
  }
  settle();
  EXPECT_EQ(history("level~tank-1~low"), "firing normal");
}

TEST_F(AlertingTest, WhatWasLateBeforeACrashIsLateAfterIt) {
  start(kAll);
  wait_us(kHourUs);
  reading_time_ += kHourUs;
  read({{1, 50}});
  settle();
  wait_us(kAlertMarkEveryUs);
  dies_after_record_ = true;  // nothing more is written, the mark neither
  read({{2, 10}});
  settle();
  wait_us(1);
  reading_time_ -= kHourUs / 2;
  read({{1, 10}});
  wait_us(1);
  reading_time_ += kHourUs;
  read({{1, 60}});
  settle();
  dies_after_record_ = false;
  restart();
  settle();
  EXPECT_EQ(history("level~tank-1~low"), "");
}

TEST_F(AlertingTest, SilenceGoesOnAfterARestartWithoutTheTimeThatTheServerWasOff) {
  const std::string stack_text = kAll + "silent = \"26h\"\n";
  start(stack_text);
  read({{1, 50}, {2, 50}});
  for (const std::int64_t off_us : {std::int64_t{0}, 5 * kHourUs}) {
    wait_us(12 * kHourUs);
    read({{2, 50}});
    settle();
    end();
    clock_.advance_us(off_us);
    start(stack_text);
  }
  wait_us(2 * kHourUs - 1);
  EXPECT_EQ(history("level~tank-1~silent"), "");
  wait_us(1);
  EXPECT_EQ(history("level~tank-1~silent"), "firing");
  EXPECT_EQ(history("level~tank-2~silent"), "");
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
