// app/alerting_testing.h: for tests: alerts with their tables, thread and log.
//
// In/out:  readings of tanks in percent -> history() and notices(), once settle() or wait_us()
//          returns. The process "dies" by not being let append any more: what it would have
//          written is not in the log, as if it had been killed before.
// Threads: the test's; those of Log and Applier run beside it.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <future>
#include <map>

#include "app/alerting.h"
#include "app/reactions.h"
#include "base/time_units.h"
#include "log/fake_disk.h"
#include "tables/tables_testing.h"
#include "value/key.h"

namespace nilo::app {

inline constexpr std::int64_t kS = 1'000'000;
using Readings = std::vector<std::pair<std::int64_t, double>>;  // of tanks, in percent

inline constexpr const char* kTables = R"(
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
inline constexpr const char* kLevel = R"(
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

}  // namespace nilo::app
