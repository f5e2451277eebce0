#include "log/log.h"

#include <thread>

#include "log/log_test_kit.h"

namespace nilo::log::test {
namespace {

TEST(Log, GivesBackWhatItTookInOrder) {
  World world;
  auto log = world.open();
  log->start(world.follower);
  EXPECT_EQ(append(*log, {"a", "", "ccc"}).first, 1u);
  EXPECT_EQ(append(*log, {std::string(5000, 'd')}).first, 4u);
  log->stop();
  const Records expected{{1, "a"}, {2, ""}, {3, "ccc"}, {4, std::string(5000, 'd')}};
  EXPECT_EQ(replayed(*log), expected);
  EXPECT_EQ(log->next_seq(), 5u);
  EXPECT_EQ(log->synced_seq(), 4u);
}

TEST(Log, GoesOnWhereItStoppedWhenOpenedAgain) {
  World world;
  for (Seq seq = 1; seq <= 3; ++seq) {
    auto log = world.open();
    EXPECT_EQ(log->next_seq(), seq);
    log->start(world.follower);
    EXPECT_EQ(append(*log, {"x"}).first, seq);
  }
  EXPECT_EQ(replayed(*world.open()).size(), 3u);
  EXPECT_EQ(world.logger.count("log.tail_cut"), 0);
}

TEST(Log, ReplaysFromAnyNumber) {
  World world;
  LogOptions options = world.options();
  options.segment_size_max = 100;
  auto log = world.open(options);
  log->start(world.follower);
  for (int i = 1; i <= 20; ++i) append(*log, {std::to_string(i)});
  for (Seq from = 0; from <= 22; ++from) {
    const Records records = replayed(*log, from);
    EXPECT_EQ(records.size(), from > 20 ? 0 : 21 - std::max<Seq>(from, 1)) << from;
    for (const auto& [seq, record] : records) EXPECT_EQ(record, std::to_string(seq));
  }
}

TEST(Log, SyncsOnceForAllThatWaits) {
  World world;
  auto log = world.open();
  const std::uint64_t before = world.disk.sync_count();
  int outcomes = 0;
  for (int i = 0; i < 100; ++i) {
    auto batch = batch_of({"x"});
    batch->done = [&](const Result<void>& outcome, Seq) { outcomes += outcome.has_value(); };
    log->submit(std::move(batch));
  }
  log->start(world.follower);
  log->stop();
  EXPECT_EQ(outcomes, 100);
  EXPECT_EQ(world.disk.sync_count() - before, 1u);
}

TEST(Log, WritesAtMostWriteSizeMaxAtOnceUnlessOneBatchIsLarger) {
  const auto syncs_for = [](std::size_t first_size, std::size_t second_size) {
    World world;
    auto log = world.open();
    const std::uint64_t before = world.disk.sync_count();
    log->submit(batch_of({std::string(first_size - kRecordHeaderSize, 'a')}));
    log->submit(batch_of({std::string(second_size - kRecordHeaderSize, 'b')}));
    log->start(world.follower);
    log->stop();
    EXPECT_EQ(replayed(*log).size(), 2u);
    return world.disk.sync_count() - before;
  };
  EXPECT_EQ(syncs_for(kWriteSizeMax - 20, 20), 1u);
  EXPECT_EQ(syncs_for(kWriteSizeMax - 20, 21), 2u);
  EXPECT_EQ(syncs_for(20, kWriteSizeMax * 2), 2u);
}

TEST(Log, TellsOfAnEmptyBatchAfterAllBeforeIt) {
  World world;
  auto log = world.open();
  log->start(world.follower);
  EXPECT_EQ(append(*log, {"x"}).first, 1u);
  const Answer answer = append(*log, {});
  EXPECT_TRUE(answer.outcome);
  EXPECT_EQ(answer.first, 2u);
  EXPECT_EQ(log->next_seq(), 2u);
}

TEST(Batch, RefusesARecordOverTheLimitAndKeepsTheOthers) {
  Batch batch;
  batch.begin_record() += std::string(kRecordSizeMax, 'x');
  EXPECT_TRUE(batch.end_record());
  batch.begin_record() += std::string(kRecordSizeMax + 1, 'x');
  const auto refused = batch.end_record();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_large);
  EXPECT_EQ(batch.count(), 1u);
  EXPECT_EQ(batch.size(), kRecordHeaderSize + kRecordSizeMax);
}

TEST(Batch, ForgetsACancelledRecord) {
  Batch batch;
  batch.begin_record() += "a";
  EXPECT_TRUE(batch.end_record());
  batch.begin_record() += "b";
  batch.cancel_record();
  batch.begin_record() += "c";
  EXPECT_TRUE(batch.end_record());
  Records records;
  batch.for_each(7, [&](Seq seq, std::string_view record) { records.emplace(seq, record); });
  EXPECT_EQ(records, (Records{{7, "a"}, {8, "c"}}));
}

TEST(Log, ReplaysTheLargestRecord) {
  World world;
  auto log = world.open();
  log->start(world.follower);
  EXPECT_TRUE(append(*log, {"a", std::string(kRecordSizeMax, 'x'), "b"}).outcome);
  const Records records = replayed(*log);
  EXPECT_EQ(records.size(), 3u);
  EXPECT_EQ(records.at(2).size(), kRecordSizeMax);
}

TEST(Log, IsBackloggedWhilePendingSizeMaxBytesWait) {
  World world;
  LogOptions options = world.options();
  options.pending_size_max = 2 * (kRecordHeaderSize + 10);
  auto log = world.open(options);
  log->submit(batch_of({std::string(10, 'x')}));
  EXPECT_FALSE(log->is_backlogged());
  log->submit(batch_of({std::string(9, 'x')}));
  EXPECT_FALSE(log->is_backlogged());
  log->submit(batch_of({""}));
  EXPECT_TRUE(log->is_backlogged());
  log->start(world.follower);
  log->stop();
  EXPECT_FALSE(log->is_backlogged());
}

TEST(Log, BeginsANewSegmentWhenTheNextWriteDoesNotFit) {
  World world;
  LogOptions options = world.options();
  options.segment_size_max = kSegmentHeaderSize + 2 * (kRecordHeaderSize + 10);
  auto log = world.open(options);
  log->start(world.follower);
  append(*log, {std::string(10, 'a')});
  append(*log, {std::string(10, 'b')});
  EXPECT_EQ(world.disk.list("/log")->size(), 1u);
  append(*log, {""});
  EXPECT_EQ(*world.disk.list("/log"),
            (std::vector<std::string>{"00000000000000000001.log", "00000000000000000003.log"}));
  append(*log, {std::string(1000, 'd')});  // larger than a segment: alone in one
  EXPECT_EQ(world.disk.list("/log")->size(), 3u);
  EXPECT_EQ(replayed(*log).size(), 4u);
}

TEST(Log, DropsOnlyReleasedSegmentsOverTheSizeLimit) {
  World world;
  LogOptions options = world.options();
  options.segment_size_max = 1;  // one write a segment
  options.size_max = 3 * (kSegmentHeaderSize + kRecordHeaderSize + 1);
  auto log = world.open(options);
  log->start(world.follower);
  for (int i = 0; i < 3; ++i) append(*log, {"x"});
  log->release(4);
  append(*log, {});
  EXPECT_EQ(log->oldest_seq(), 1u);
  log->release(1);
  append(*log, {"x"});
  EXPECT_EQ(log->oldest_seq(), 1u) << "record 1 is not released";
  log->release(2);
  append(*log, {});
  EXPECT_EQ(log->oldest_seq(), 2u);
  EXPECT_EQ(replayed(*log).begin()->first, 2u);
  EXPECT_EQ(world.disk.list("/log")->size(), 3u);
  log.reset();
  EXPECT_EQ(world.open(options)->oldest_seq(), 2u);
}

TEST(Log, DropsSegmentsWhoseLastRecordIsOlderThanTheAgeLimit) {
  World world;
  LogOptions options = world.options();
  options.segment_size_max = 1;
  options.age_max_us = 1000;
  auto log = world.open(options);
  log->start(world.follower);
  append(*log, {"x"});
  append(*log, {"x"});  // the first segment ends here
  log->release(3);
  world.clock.advance_us(1000);
  append(*log, {});
  EXPECT_EQ(log->oldest_seq(), 1u);
  world.clock.advance_us(1);
  append(*log, {});
  EXPECT_EQ(log->oldest_seq(), 2u);
  world.clock.advance_us(1'000'000);
  append(*log, {});
  EXPECT_EQ(log->oldest_seq(), 2u) << "the last segment always stays";
}

TEST(Log, DoesNotDropNewSegmentsAfterAStartWithTheClockIn1970) {
  World world;
  LogOptions options = world.options();
  options.segment_size_max = 1;
  options.age_max_us = 1'000'000;
  const TimeUs now_us = world.clock.wall_us();
  for (const TimeUs start_us : {now_us, TimeUs{0}}) {
    world.clock.set_wall_us(start_us);
    auto log = world.open(options);
    log->start(world.follower);
    append(*log, {"x"});
    append(*log, {"x"});
    log->release(log->next_seq());
    world.clock.set_wall_us(now_us + 10);
    append(*log, {});
    EXPECT_EQ(log->oldest_seq(), 1u);
  }
}

TEST(Log, NeverGivesOutANumberThatACheckpointCovers) {
  World world;
  LogOptions options = world.options();
  auto log = world.open(options);
  log->start(world.follower);
  append(*log, {"a"});
  log.reset();
  options.next_seq_min = 10;
  log = world.open(options);
  log->start(world.follower);
  EXPECT_EQ(append(*log, {"b"}).first, 10u);
  ReplayReport report;
  EXPECT_EQ(replayed(*log, 1, &report), (Records{{1, "a"}, {10, "b"}}));
  ASSERT_EQ(report.damage_count, 1u);
  EXPECT_EQ(report.damages[0].first_seq, 2u);
}

TEST(Log, RefusesAFolderThatAnotherProcessUses) {
  World world;
  auto log = world.open();
  const auto second = world.try_open(world.options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
  EXPECT_EQ(second.error().message, "another process uses the folder /log");
  log.reset();
  EXPECT_TRUE(world.try_open(world.options()));
}

TEST(Log, RefusesAReadOnlyFolderWithAHint) {
  World world;
  world.disk.set_fault(FakeDisk::Fault{1, UINT64_MAX, EROFS, false, false});
  const auto log = world.try_open(world.options());
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, ErrorCode::permission_denied);
  EXPECT_NE(log.error().hint.find("--data"), std::string::npos);
}

TEST(Log, RefusesANewerFormat) {
  World world;
  world.disk.set_contents("/log/00000000000000000001.log",
                          encode(SegmentHeader{kFormatVersion + 1, 1, 0}));
  const auto log = world.try_open(world.options());
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, ErrorCode::unsupported);
}

TEST(Log, IgnoresFilesThatAreNotSegments) {
  World world;
  for (const char* name : {"notes.txt", "1.log", "00000000000000000000.log",
                           "0000000000000000000x.log", "99999999999999999999.log"}) {
    world.disk.set_contents(std::string("/log/") + name, "hello");
  }
  EXPECT_EQ(world.open()->next_seq(), 1u);
}

TEST(Cursor, FollowsTheLogWhileItIsWritten) {
  World world;
  LogOptions options = world.options();
  options.segment_size_max = 200;
  auto log = world.open(options);
  Cursor cursor = log->cursor(3);
  log->start(world.follower);
  for (Seq seq = 1; seq <= 50; ++seq) {
    append(*log, {std::to_string(seq)});
    const auto record = cursor.next();
    ASSERT_TRUE(record);
    ASSERT_EQ(record->has_value(), seq >= 3);
    if (seq < 3) continue;
    EXPECT_EQ((*record)->seq, seq);
    EXPECT_EQ((*record)->bytes, std::to_string(seq));
    EXPECT_FALSE(*cursor.next());
  }
}

TEST(Cursor, FindsARecordForwardsAndBackInAnySegment) {
  World world;
  LogOptions options = world.options();
  options.segment_size_max = 500'000;
  auto log = world.open(options);
  log->start(world.follower);
  const std::string filling(1000, 'x');
  constexpr Seq kCount = 2000;
  for (Seq seq = 1; seq <= kCount; seq += 10) {
    std::vector<std::string> records;
    for (Seq i = seq; i < seq + 10; ++i) records.push_back(std::to_string(i) + filling);
    append(*log, records);
  }
  const auto expect_finds = [&](const Log& from) {
    Cursor cursor = from.cursor(0);
    for (const Seq seq : {1999u, 3u, 4u, 900u, 905u, 904u, 2000u, 1u, 480u, 1200u}) {
      cursor.seek(seq);
      const auto record = cursor.next();
      ASSERT_TRUE(record && *record);
      EXPECT_EQ((*record)->seq, seq);
      EXPECT_EQ((*record)->bytes, std::to_string(seq) + filling);
    }
    cursor.seek(2001);
    EXPECT_FALSE(*cursor.next());
    EXPECT_EQ(cursor.damage_count(), 0u);
  };
  expect_finds(*log);
  log->stop();
  log.reset();
  log = world.open(options);
  expect_finds(*log);  // nothing is known of its segments yet
  EXPECT_EQ(replayed(*log).size(), kCount);
  expect_finds(*log);
}

TEST(Cursor, GoesOnAfterWhatALimitDropped) {
  World world;
  LogOptions options = world.options();
  options.segment_size_max = 1;
  options.size_max = 1;
  auto log = world.open(options);
  log->start(world.follower);
  for (int i = 0; i < 3; ++i) append(*log, {"x"});
  Cursor cursor = log->cursor(1);
  EXPECT_EQ((*cursor.next())->seq, 1u);
  log->release(3);
  append(*log, {"x"});
  EXPECT_EQ((*cursor.next())->seq, 3u);
  EXPECT_EQ((*cursor.next())->seq, 4u);
  EXPECT_FALSE(*cursor.next());
}

TEST(Log, TakesBatchesFromManyThreadsWhileOthersRead) {
  constexpr int kThreads = 4;
  constexpr int kBatches = 200;
  World world;
  LogOptions options = world.options();
  options.segment_size_max = 5000;
  options.size_max = 1;  // all but the last segment go, once released
  auto log = world.open(options);
  log->start(world.follower);
  std::atomic<int> done_count{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kBatches; ++i) {
        auto batch = batch_of({std::to_string(thread), std::to_string(i)});
        batch->done = [&](const Result<void>& outcome, Seq) { done_count += outcome.has_value(); };
        log->submit(std::move(batch));
      }
    });
  }
  Cursor cursor = log->cursor(1);
  std::vector<int> next_of_thread(kThreads, 0);
  for (Seq seq = 1; seq <= 2 * kThreads * kBatches; ++seq) {
    std::optional<Record> record;
    while (!record) record = *cursor.next();
    ASSERT_EQ(record->seq, seq);
    const auto thread = static_cast<std::size_t>(std::stoi(std::string(record->bytes)));
    while (!(record = *cursor.next())) std::this_thread::yield();
    ASSERT_EQ(record->seq, ++seq);
    ASSERT_EQ(record->bytes, std::to_string(next_of_thread[thread]++));
    log->release(seq);
  }
  for (std::thread& thread : threads) thread.join();
  log->stop();
  EXPECT_EQ(done_count, kThreads * kBatches);
}

}  // namespace
}  // namespace nilo::log::test
