// Disks that fail: whatever call fails and however, nothing acknowledged is lost, nothing refused
// comes back, nothing is there twice, and the log can be opened again.
#include <cerrno>
#include <random>
#include <set>

#include "log/log_test_kit.h"

namespace nilo::log::test {
namespace {

// What the clients of a log know. Every record's text is its own.
struct Model {
  Records durable;                 // acknowledged, or seen after a start
  std::set<std::string> refused;   // told: not written
  std::set<std::string> in_doubt;  // no answer that says which
  std::uint64_t next_text = 0;

  std::string new_text(std::size_t size) {
    return std::to_string(++next_text) + ":" + std::string(size, 'x');
  }

  void note(const std::vector<std::string>& records, const Answer& answer, bool has_failed) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (answer.outcome) {
        const bool is_new = durable.emplace(answer.first + i, records[i]).second;
        EXPECT_TRUE(is_new) << "number " << answer.first + i << " given twice";
      } else {
        (has_failed ? in_doubt : refused).insert(records[i]);
      }
    }
  }

  // What a log serves after a start. From now on it must stay.
  void check(const Records& records) {
    for (const auto& [seq, text] : durable) {
      const auto found = records.find(seq);
      ASSERT_TRUE(found != records.end()) << "acknowledged record " << seq << " is lost";
      ASSERT_EQ(found->second, text);
    }
    std::set<std::string> seen;
    for (const auto& [seq, text] : records) {
      ASSERT_TRUE(seen.insert(text).second) << text << " is there twice";
      ASSERT_FALSE(refused.contains(text)) << text << " was refused";
      ASSERT_TRUE(durable.contains(seq) || in_doubt.contains(text)) << text << " is made up";
    }
    durable = records;
  }
};

LogOptions small_segments(const World& world) {
  LogOptions options = world.options();
  options.segment_size_max = 1000;
  return options;
}

// A short life of a log: starts, writes across two segments, stops. Open may fail.
void live(World& world, Model& model, const LogOptions& options) {
  auto opened = world.try_open(options);
  if (!opened) return;
  const auto log = std::move(*opened);
  log->start(world.follower);
  for (const std::size_t size : {10u, 600u, 600u, 5u}) {
    // Half of a write holds the whole first record.
    const std::vector<std::string> records{model.new_text(1), model.new_text(size)};
    const Answer answer = append(*log, records);
    model.note(records, answer, log->failure().has_value());
  }
}

void check_after(World& world, Model& model, const LogOptions& options) {
  const auto log = world.open(options);
  ASSERT_NE(log, nullptr);
  ReplayReport report;
  model.check(replayed(*log, 1, &report));
  log->start(world.follower);
  const std::vector<std::string> records{model.new_text(3)};
  const Answer answer = append(*log, records);
  ASSERT_TRUE(answer.outcome) << answer.outcome.error().message;
  model.note(records, answer, false);
  model.check(replayed(*log));
}

std::uint64_t calls_of_two_lives() {
  World world;
  Model model;
  live(world, model, small_segments(world));
  live(world, model, small_segments(world));
  EXPECT_EQ(model.durable.size(), 16u);
  return world.disk.call_count();
}

struct FaultCase {
  const char* name;
  FakeDisk::Fault fault;  // its call is filled in
};

class LogFault : public testing::TestWithParam<FaultCase> {};

TEST_P(LogFault, AtEveryCallLosesNothingAndDoublesNothing) {
  const std::uint64_t calls = calls_of_two_lives();
  for (std::uint64_t call = 1; call <= calls; ++call) {
    for (std::uint64_t seed = 0; seed < 4; ++seed) {  // 0: the power stays
      SCOPED_TRACE(testing::Message() << "call " << call << ", seed " << seed);
      World world;
      Model model;
      const LogOptions options = small_segments(world);
      FakeDisk::Fault fault = GetParam().fault;
      fault.call = call;
      world.disk.set_fault(fault);
      live(world, model, options);
      live(world, model, options);
      world.disk.set_fault(std::nullopt);
      if (seed > 0) {
        std::mt19937_64 random(seed);
        world.disk.cut_power();
        world.disk.restore_power(random);
      }
      check_after(world, model, options);
      if (HasFatalFailure()) return;
    }
  }
}

constexpr std::uint64_t kForGood = UINT64_MAX;

INSTANTIATE_TEST_SUITE_P(
    All, LogFault,
    testing::Values(FaultCase{"ErrorOnce", {0, 0, EIO, false, false}},
                    FaultCase{"ErrorsFromThenOn", {0, kForGood, EIO, false, false}},
                    FaultCase{"FullOnce", {0, 0, ENOSPC, false, false}},
                    FaultCase{"FullFromThenOn", {0, kForGood, ENOSPC, false, false}},
                    FaultCase{"WritesFindTheDiskFull", {0, kForGood, ENOSPC, true, false}},
                    FaultCase{"ShortOnce", {0, 0, 0, false, false}},
                    FaultCase{"ShortFromThenOn", {0, kForGood, 0, false, false}},
                    FaultCase{"ShortThenFull", {0, kForGood, ENOSPC, true, true}}),
    [](const auto& fault) { return fault.param.name; });

TEST(LogPowerCut, AtEveryCallLosesNothingAcknowledged) {
  const std::uint64_t calls = calls_of_two_lives();
  for (std::uint64_t call = 1; call <= calls; ++call) {
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      SCOPED_TRACE(testing::Message() << "call " << call << ", seed " << seed);
      World world;
      Model model;
      const LogOptions options = small_segments(world);
      world.disk.cut_power_at(call);
      live(world, model, options);
      live(world, model, options);
      std::mt19937_64 random(seed);
      world.disk.restore_power(random);
      check_after(world, model, options);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

// Many lives of one log on one disk, each ended by a power cut at a random call under load.
TEST(LogPowerCut, AtRandomLosesNothingAcknowledged) {
  const std::uint64_t seed = std::random_device()();
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  World world;
  Model model;
  LogOptions options = world.options();
  options.segment_size_max = 5000;
  for (int round = 0; round < 100; ++round) {
    auto log = world.open(options);
    ASSERT_NE(log, nullptr);
    model.check(replayed(*log));
    if (HasFatalFailure()) return;
    world.disk.cut_power_at(world.disk.call_count() + 1 + random() % 20);
    std::vector<std::pair<std::vector<std::string>, Answer>> answers(20);
    for (auto& [records, answer] : answers) {
      answer.outcome = Error{};
      for (std::size_t count = 1 + random() % 3; count > 0; --count) {
        records.push_back(model.new_text(random() % 700));
      }
      auto batch = batch_of(records);
      batch->done = [&answer = answer](const Result<void>& outcome, Seq first) {
        answer = {outcome, first};
      };
      log->submit(std::move(batch));
    }
    log->start(world.follower);
    log.reset();
    for (const auto& [records, answer] : answers) model.note(records, answer, true);
    world.disk.cut_power();
    world.disk.restore_power(random);
  }
  EXPECT_GT(model.durable.size(), 100u);
}

TEST(Log, RefusesWritesWhileTheDiskIsFullAndRecovers) {
  World world;
  auto log = world.open();
  log->start(world.follower);
  append(*log, {"before"});
  world.disk.set_fault(FakeDisk::Fault{1, UINT64_MAX, ENOSPC, true, false});
  for (int i = 0; i < 3; ++i) {
    const Answer answer = append(*log, {"refused"});
    ASSERT_FALSE(answer.outcome);
    EXPECT_EQ(answer.outcome.error().code, ErrorCode::resource_exhausted);
    EXPECT_TRUE(answer.outcome.error().message.starts_with("disk full"));
  }
  EXPECT_FALSE(log->failure());
  EXPECT_EQ(world.logger.count("log.write_refused"), 1);
  EXPECT_EQ(replayed(*log), (Records{{1, "before"}}));
  world.disk.set_fault(std::nullopt);
  EXPECT_EQ(append(*log, {"after"}).first, 2u);
  EXPECT_EQ(world.logger.count("log.writing_again"), 1);
  log.reset();
  EXPECT_EQ(replayed(*world.open()), (Records{{1, "before"}, {2, "after"}}));
}

TEST(Log, CompletesShortWrites) {
  World world;
  auto log = world.open();
  log->start(world.follower);
  world.disk.set_fault(FakeDisk::Fault{1, UINT64_MAX, 0, false, false});
  EXPECT_TRUE(append(*log, {std::string(3000, 'a'), "b"}).outcome);
  EXPECT_EQ(replayed(*log).size(), 2u);
}

TEST(Log, AcknowledgesNothingAfterAFailedSync) {
  World world;
  auto log = world.open();
  log->start(world.follower);
  append(*log, {"before"});
  world.disk.set_fault(
      FakeDisk::Fault{world.disk.call_count() + 2, 0, EIO, false, false});  // write, then sync
  const Answer answer = append(*log, {"lost"});
  ASSERT_FALSE(answer.outcome);
  EXPECT_EQ(answer.outcome.error().code, ErrorCode::unavailable);
  ASSERT_TRUE(log->failure());
  for (int i = 0; i < 3; ++i) {  // the disk works again; what it holds nobody knows
    const Answer later = append(*log, {"later"});
    ASSERT_FALSE(later.outcome);
    EXPECT_EQ(later.outcome.error().code, ErrorCode::unavailable);
  }
  EXPECT_EQ(world.logger.count("log.failed"), 1);
  EXPECT_EQ(log->next_seq(), 2u);
  log.reset();
  EXPECT_EQ(replayed(*world.open()), (Records{{1, "before"}}));
}

TEST(Log, TellsTheFollowerOfEveryBatchWhenItFails) {
  World world;
  auto log = world.open();
  world.disk.set_fault(FakeDisk::Fault{world.disk.call_count() + 1, UINT64_MAX, EIO, false, false});
  int refusals = 0;
  for (int i = 0; i < 5; ++i) {
    auto batch = batch_of({std::string(kWriteSizeMax, 'x')});
    batch->done = [&](const Result<void>& outcome, Seq) { refusals += !outcome.has_value(); };
    log->submit(std::move(batch));
  }
  log->start(world.follower);
  log->stop();
  EXPECT_EQ(refusals, 5);
  EXPECT_FALSE(log->is_backlogged());
}

TEST(Log, SyncsWhatAKilledProcessLeftBeforeItCountsAsDurable) {
  World world;
  {
    auto log = world.open();
    log->start(world.follower);
    append(*log, {"a"});
  }
  // Written, not synced: as after kill -9 between write and sync.
  const std::string path = "/log/00000000000000000001.log";
  std::string record(kRecordHeaderSize, '\0');
  record += "b";
  set_record_length(record.data(), 1);
  seal_record(record, 2);
  {
    const auto file = *world.disk.open(path, Disk::OpenMode::read_write);
    const std::string_view piece = record;
    ASSERT_TRUE(write_all(*file, *file->size(), std::span(&piece, 1)));
  }
  const Records expected{{1, "a"}, {2, "b"}};
  EXPECT_EQ(replayed(*world.open()), expected);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    world.disk.cut_power();
    world.disk.restore_power(random);
    EXPECT_EQ(replayed(*world.open()), expected);
  }
}

TEST(Log, SyncsTheFolderThatAKilledProcessLeftBeforeItAcknowledges) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    World world;
    ASSERT_TRUE(world.disk.open("/log/00000000000000000001.log", Disk::OpenMode::create));
    {
      auto log = world.open();
      log->start(world.follower);
      ASSERT_TRUE(append(*log, {"a"}).outcome);
    }
    std::mt19937_64 random(seed);
    world.disk.cut_power();
    world.disk.restore_power(random);
    EXPECT_EQ(replayed(*world.open()), (Records{{1, "a"}}));
  }
}

}  // namespace
}  // namespace nilo::log::test
