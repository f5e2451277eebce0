// Damaged segments: what is served is what was written, whatever happened to the bytes.
#include "log/segment.h"

#include <random>

#include "log/log_test_kit.h"

namespace nilo::log::test {
namespace {

constexpr const char* kFirst = "/log/00000000000000000001.log";

const Records& written() {
  static const Records kRecords{
      {1, "first"}, {2, ""}, {3, std::string(40, 'c')}, {4, "x"}, {5, "last one"}};
  return kRecords;
}

// A segment with the records above.
std::string segment_bytes() {
  World world;
  auto log = world.open();
  log->start(world.follower);
  for (const auto& [seq, record] : written()) append(*log, {record});
  log->stop();
  return world.disk.contents(kFirst);
}

struct Outcome {
  Records records;
  ReplayReport report;
  Seq next_seq = 0;
  int tail_cuts = 0;
  int damaged_headers = 0;
};

Outcome read(std::string bytes) {
  World world;
  world.disk.set_contents(kFirst, std::move(bytes));
  const auto log = world.open();
  Outcome outcome;
  outcome.records = replayed(*log, 1, &outcome.report);
  outcome.next_seq = log->next_seq();
  outcome.tail_cuts = world.logger.count("log.tail_cut");
  outcome.damaged_headers = world.logger.count("log.header_damaged");
  return outcome;
}

// Asserts that nothing was made up, and returns how many records are missing.
std::size_t missing_of(const Outcome& outcome) {
  for (const auto& [seq, record] : outcome.records) {
    EXPECT_TRUE(written().contains(seq) && written().at(seq) == record) << seq;
  }
  return written().size() - outcome.records.size();
}

TEST(Segment, IsAsTheFormatPageSays) {
  World world;
  auto log = world.open();
  log->start(world.follower);
  append(*log, {"nilo"});
  log->stop();
  const std::string bytes = world.disk.contents(kFirst);
  const std::string header = bytes.substr(0, 32);
  EXPECT_EQ(header.substr(0, 8), "nilo-log");
  EXPECT_EQ(header.substr(8, 8), std::string("\1\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(header.substr(24, 4), std::string("\1\0\0\0", 4));
  const std::string record = bytes.substr(32);
  const std::string checked("\4\0\0\0\1\0\0\0\0\0\0\0nilo", 16);
  EXPECT_EQ(record.substr(4), checked);
  std::string crc;
  put_fixed(crc, crc32c(checked));
  EXPECT_EQ(record.substr(0, 4), crc);
}

TEST(Crc32c, GivesTheValuesOfTheStandard) {
  // RFC 3720 appendix B.4, and the check value of CRC-32C.
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
}

TEST(Segment, IsCutAtTheLastGoodRecordWhereverItIsTorn) {
  const std::string bytes = segment_bytes();
  const std::size_t last_at = bytes.size() - kRecordHeaderSize - written().at(5).size();
  for (std::size_t size = last_at; size < bytes.size(); ++size) {
    const Outcome outcome = read(bytes.substr(0, size));
    EXPECT_EQ(missing_of(outcome), 1u) << size;
    EXPECT_EQ(outcome.next_seq, 5u);
    EXPECT_EQ(outcome.tail_cuts, size > last_at ? 1 : 0) << size;
    EXPECT_EQ(outcome.report.damage_count, 0u);
  }
}

TEST(Segment, IsReadAsFarAsItGoesWhenCutAnywhere) {
  const std::string bytes = segment_bytes();
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const Outcome outcome = read(bytes.substr(0, size));
    missing_of(outcome);
    EXPECT_EQ(outcome.next_seq, outcome.records.size() + 1) << size;
  }
}

TEST(Segment, TakesNewRecordsAfterATornTail) {
  const std::string bytes = segment_bytes();
  for (const std::string& tail : {std::string(700, '\0'), std::string("\1\2\3"),
                                  bytes.substr(kSegmentHeaderSize, 30), bytes.substr(32)}) {
    World world;
    world.disk.set_contents(kFirst, bytes + tail);
    auto log = world.open();
    EXPECT_EQ(world.logger.count("log.tail_cut"), 1);
    log->start(world.follower);
    EXPECT_EQ(append(*log, {"new"}).first, 6u);
    log.reset();
    log = world.open();
    Records expected = written();
    expected[6] = "new";
    EXPECT_EQ(replayed(*log), expected);
    EXPECT_EQ(world.logger.count("log.tail_cut"), 1);
  }
}

TEST(Segment, LosesAtMostTheRecordInWhichABitFlipped) {
  const std::string bytes = segment_bytes();
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    const Outcome outcome = read(damaged);
    const bool is_in_header = bit / 8 < kSegmentHeaderSize;
    EXPECT_EQ(missing_of(outcome), is_in_header ? 0u : 1u) << bit;
    const int reports =
        static_cast<int>(outcome.report.damage_count) + outcome.tail_cuts + outcome.damaged_headers;
    EXPECT_EQ(reports, 1) << bit;
  }
}

TEST(Segment, ReportsWhereTheDamageIs) {
  std::string bytes = segment_bytes();
  const std::size_t second_at = kSegmentHeaderSize + kRecordHeaderSize + 5;
  bytes[second_at + 9] ^= 1;
  const Outcome outcome = read(bytes);
  ASSERT_EQ(outcome.report.damages.size(), 1u);
  const Damage& damage = outcome.report.damages[0];
  EXPECT_EQ(damage.file, "00000000000000000001.log");
  EXPECT_EQ(damage.offset, second_at);
  EXPECT_EQ(damage.size, kRecordHeaderSize);
  EXPECT_EQ(damage.first_seq, 2u);
  EXPECT_EQ(outcome.report.record_count, 4u);
}

TEST(Segment, ServesNoRecordThatOnlyLooksLikeOneInsideAnother) {
  // A payload that holds a whole, valid record 2; then record 1 around it is damaged.
  const std::string inner = segment_bytes().substr(kSegmentHeaderSize + kRecordHeaderSize + 5, 16);
  World world;
  auto log = world.open();
  log->start(world.follower);
  append(*log, {"0123456789abcdef" + inner, "two", "three"});
  log.reset();
  std::string bytes = world.disk.contents(kFirst);
  bytes[kSegmentHeaderSize + kRecordHeaderSize] ^= 1;
  world.disk.set_contents(kFirst, bytes);
  EXPECT_EQ(replayed(*world.open()), (Records{{2, "two"}, {3, "three"}}));
}

TEST(Segment, CountsAllDamagesAndListsSome) {
  World world;
  auto log = world.open();
  log->start(world.follower);
  const int count = 2 * static_cast<int>(kDamagesListedMax) + 2;
  append(*log, std::vector<std::string>(static_cast<std::size_t>(count), "x"));
  log.reset();
  std::string bytes = world.disk.contents(kFirst);
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); i += 2) {
    bytes[kSegmentHeaderSize + i * (kRecordHeaderSize + 1)] ^= 1;
  }
  world.disk.set_contents(kFirst, bytes);
  ReplayReport report;
  EXPECT_EQ(replayed(*world.open(), 1, &report).size(), kDamagesListedMax + 1);
  EXPECT_EQ(report.damage_count, kDamagesListedMax + 1);
  EXPECT_EQ(report.damages.size(), kDamagesListedMax);
  EXPECT_EQ(world.logger.count("log.damaged"), static_cast<int>(kDamagesListedMax));
}

TEST(Segment, IsReportedWhenItEndsTooEarlyBeforeAnother) {
  World world;
  LogOptions options = world.options();
  options.segment_size_max = 70;
  auto log = world.open(options);
  log->start(world.follower);
  for (int i = 0; i < 4; ++i) append(*log, {"x"});
  log.reset();
  const std::string bytes = world.disk.contents(kFirst);
  world.disk.set_contents(kFirst, bytes.substr(0, bytes.size() - kRecordHeaderSize - 1));
  ReplayReport report;
  EXPECT_EQ(replayed(*world.open(options), 1, &report).size(), 3u);
  ASSERT_EQ(report.damage_count, 1u);
  EXPECT_EQ(report.damages[0].first_seq, 2u);
  EXPECT_EQ(report.damages[0].size, 0u);
}

TEST(Segment, SurvivesThousandsOfRandomFlips) {
  World world;
  LogOptions options = world.options();
  options.segment_size_max = 600;
  std::mt19937 random(20'261'122);
  Records expected;
  {
    auto log = world.open(options);
    log->start(world.follower);
    for (int i = 0; i < 60; ++i) {
      const std::string record(random() % 100, static_cast<char>(random()));
      expected[append(*log, {record}).first] = record;
    }
  }
  const std::vector<std::string> names = *world.disk.list("/log");
  ASSERT_GT(names.size(), 3u);
  for (int round = 0; round < 1000; ++round) {
    World copy;
    std::size_t flips = 0;
    for (const std::string& name : names) {
      std::string bytes = world.disk.contents("/log/" + name);
      for (; flips < 10 && random() % 3 != 0; ++flips) {
        bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
      }
      copy.disk.set_contents("/log/" + name, bytes);
    }
    ReplayReport report;
    const Records records = replayed(*copy.open(options), 1, &report);
    for (const auto& [seq, record] : records) ASSERT_EQ(record, expected.at(seq));
    ASSERT_LE(expected.size() - records.size(), flips);
    if (records.size() < expected.size()) {
      ASSERT_GT(static_cast<int>(report.damage_count) + copy.logger.count("log.tail_cut"), 0);
    }
  }
}

}  // namespace
}  // namespace nilo::log::test
