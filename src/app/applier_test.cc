#include "app/applier.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

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
