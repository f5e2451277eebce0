#include "app/applier.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <future>

#include "log/fake_disk.h"

namespace nilo::app {
namespace {

constexpr std::size_t kBatchSize = 1024 * 1024;

std::unique_ptr<log::Batch> large_batch() {
  auto batch = std::make_unique<log::Batch>();
  RecordWriter record(batch->begin_record(), 0);
  record.begin(EffectKind::delivered);  // neither tables nor retained messages look into it
  record.out().append(kBatchSize, 'x');
  record.end();
  EXPECT_TRUE(batch->end_record());
  return batch;
}

TableSchema notes_schema() {
  TableSchema schema;
  schema.name = "sys_notes";
  schema.columns = {{.name = "id", .type = Type::int64}, {.name = "text", .type = Type::text}};
  schema.is_private = true;
  return schema;
}

// Answers each note below 3 with the next one, and asks to be called when nothing happens.
class Echo final : public ChangeObserver {
 public:
  Echo(Applier& applier, const tables::Tables& tables) : applier_(applier), tables_(tables) {}

  bool watches(const TableSchema& schema) const override { return schema.name == "sys_notes"; }
  void on_change(const tables::Change& change) override {
    newest_ = change.cells[0].as_int64();
    heard_ += change.key;
  }
  void after_batch(Seq /*applied*/) override {
    if (newest_ < 0) return;
    if (newest_ >= 3) return finished_.set_value(std::exchange(heard_, ""));
    write(std::exchange(newest_, -1) + 1);
  }
  std::int64_t due_us() const override { return is_asked_ ? kNeverDueUs : 0; }

  void write(std::int64_t id) {
    is_asked_ = true;
    const auto fill = [&](RecordWriter& record) {
      RowWriter row(*tables_.layout("sys_notes"));
      row.begin(0);
      ASSERT_TRUE(row.set(0, Value::int64(id)));
      ASSERT_TRUE(row.set(1, Value::text("again")));
      ASSERT_TRUE(row.finish(record));
    };
    applier_.append(fill, [this](const Result<void>& outcome) { heard_ += outcome ? "+" : "-"; });
  }
  std::string wait() { return finished_.get_future().get(); }

 private:
  Applier& applier_;
  const tables::Tables& tables_;
  std::int64_t newest_ = -1;
  bool is_asked_ = false;
  std::string heard_;
  std::promise<std::string> finished_;
};

TEST(Applier, TellsObserversWhatTheyAppendedOnceItIsThere) {
  const std::string folder = testing::TempDir() + "/observed-" + std::to_string(::getpid());
  const SystemClock clock;
  const auto logger = make_silent_logger();
  Metrics metrics;
  log::FakeDisk disk;
  const auto tables = tables::Tables::open({.state_dir = folder}, *logger, metrics).value();
  ASSERT_TRUE(tables->declare({{notes_schema(), {}}}));
  std::string numbers;
  RecordWriter record(numbers, 0);
  ASSERT_TRUE(tables->number_new(record));
  bus::Retained retained(clock);
  const auto log = log::Log::open(disk, clock, *logger, metrics, {.dir = "/log"}).value();
  const std::atomic<bool> changes_wanted{false};
  Applier applier(Applier::Rooms{*tables, retained, *log, clock, *logger, changes_wanted,
                                 [](const std::vector<Message>&) {}, [](const Error&) {}});
  Echo echo(applier, *tables);
  applier.start();
  log->start(applier);
  applier.observe(echo);
  applier.post([&] { echo.write(1); });
  EXPECT_EQ(echo.wait(), "1+2+3+");

  applier.close();
  std::promise<std::string> refused;
  applier.post([&] {
    applier.append([](RecordWriter&) {},
                   [&](const Result<void>& outcome) {
                     refused.set_value(outcome ? "" : outcome.error().message);
                   });
  });
  EXPECT_EQ(refused.get_future().get(), "the server is stopping");
  log->stop();
  applier.stop();
  std::filesystem::remove_all(folder);
}

TEST(Applier, HoldsTheLogUpWhenItDoesNotKeepUp) {
  const std::string folder = testing::TempDir() + "/applier-" + std::to_string(::getpid());
  const FakeClock clock{1'763'750'000'000'000};
  const auto logger = make_silent_logger();
  Metrics metrics;
  log::FakeDisk disk;
  const auto tables = tables::Tables::open({.state_dir = folder}, *logger, metrics).value();
  ASSERT_TRUE(tables->declare({}));
  bus::Retained retained(clock);
  const auto log = log::Log::open(disk, clock, *logger, metrics, {.dir = "/log"}).value();
  const std::atomic<bool> changes_wanted{false};
  Applier applier(Applier::Rooms{*tables, retained, *log, clock, *logger, changes_wanted,
                                 [](const std::vector<Message>&) {}, [](const Error&) {}});

  std::size_t most_waiting = 0;
  std::size_t done_count = 0;
  std::thread writer([&] {
    for (Seq seq = 1; seq <= 64; ++seq) {
      auto batch = large_batch();
      batch->done = [&](const Result<void>&, Seq) {
        most_waiting = std::max(most_waiting, applier.waiting_size());
        ++done_count;
      };
      applier.on_batch(std::move(batch), seq, {});
    }
  });
  while (applier.waiting_size() < kApplyWaitingMax) std::this_thread::yield();
  applier.start();
  writer.join();
  applier.stop();
  EXPECT_EQ(done_count, 64U);
  EXPECT_GE(most_waiting, kApplyWaitingMax);
  EXPECT_LT(most_waiting, kApplyWaitingMax + 2 * kBatchSize);
  EXPECT_EQ(applier.waiting_size(), 0U);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace nilo::app
