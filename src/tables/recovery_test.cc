// What is left after a stop, a crash, and a change of the stack.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "tables/catalog.h"
#include "tables/state_store.h"
#include "tables/tables_testing.h"

namespace nilo::tables {
namespace {

using testing::HasSubstr;

class RecoveryTest : public testing::Test {
 protected:
  void SetUp() override { house_.start({tank_levels(), devices()}); }
  std::string latest() { return tank_text(house_.tables().latest({.table = "tank_levels"})); }
  std::string rows() { return tank_text(house_.tables().rows({.table = "tank_levels"})); }

  TempFolder folder_;
  House house_{folder_.path() + "/state"};
};

TEST_F(RecoveryTest, ReplayingTheLogBringsEverythingBack) {
  house_.tank(1, 0, 10);
  house_.tank(2, 1, 20);
  house_.start({tank_levels(), devices()});
  EXPECT_EQ(rows(), "1 0 10 88.76\n2 1 20 77.53\n");
  EXPECT_EQ(latest(), rows());
}

TEST_F(RecoveryTest, LatestRowsOutliveTheLog) {
  house_.tank(1, 0, 10);
  house_.tank(2, 1, 20);
  ASSERT_TRUE(house_.tables().checkpoint());
  const Seq covered = house_.tables().checkpoint_seq();
  EXPECT_EQ(covered, house_.log().size());
  house_.start({tank_levels(), devices()}, covered + 1);
  EXPECT_EQ(house_.tables().checkpoint_seq(), covered);
  EXPECT_EQ(rows(), "");
  EXPECT_EQ(latest(), "1 0 10 88.76\n2 1 20 77.53\n");
  EXPECT_EQ(house_.log().size(), covered) << "the catalog came back too: nothing is new";
}

TEST_F(RecoveryTest, ReplayingWhatACheckpointCoversChangesNothing) {
  house_.tank(1, 5, 10);
  house_.tank(1, 0, 20);  // late
  ASSERT_TRUE(house_.tables().checkpoint());
  house_.tank(1, 6, 30);  // after the checkpoint, before the crash
  house_.start({tank_levels(), devices()});
  EXPECT_EQ(latest(), "1 6 30 66.29\n");
  EXPECT_EQ(house_.tables().list()[0].rows, 3U);
}

TEST_F(RecoveryTest, ACheckpointWritesOnlyWhatChanged) {
  house_.tank(1, 0, 10);
  ASSERT_TRUE(house_.tables().checkpoint());
  const Seq before = house_.tables().checkpoint_seq();
  ASSERT_TRUE(house_.tables().checkpoint());
  EXPECT_EQ(house_.tables().checkpoint_seq(), before);
  house_.tank(2, 0, 10);
  ASSERT_TRUE(house_.tables().checkpoint());
  EXPECT_EQ(house_.tables().checkpoint_seq(), before + 1);
}

// A crash at a random record, with checkpoints at random records, and the log trimmed behind them.
TEST_F(RecoveryTest, AgreesWithAModelOverRandomCrashes) {
  constexpr unsigned kSeed = 42;
  std::mt19937 random(kSeed);
  std::map<std::int64_t, std::pair<std::int64_t, double>> model;
  for (int step = 0; step < 3'000; ++step) {
    const auto id = static_cast<std::int64_t>(random() % 20);
    const auto second = static_cast<std::int64_t>(random() % 10'000);
    const auto distance = static_cast<double>(random() % 89);
    house_.tank(id, second, distance);
    const auto at = model.find(id);
    if (at == model.end() || at->second.first <= second) model[id] = {second, distance};
    if (random() % 100 == 0) {
      ASSERT_TRUE(house_.tables().checkpoint());
    }
    if (random() % 200 == 0) {
      const Seq covered = house_.tables().checkpoint_seq();
      house_.start({tank_levels(), devices()}, random() % 2 == 0 ? covered + 1 : 1);
      ASSERT_EQ(house_.tables().list()[0].keys, model.size());
    }
  }
  const auto page = house_.tables().latest({.table = "tank_levels"});
  ASSERT_EQ(page->rows.row_count(), model.size());
  for (std::size_t row = 0; row < model.size(); ++row) {
    const auto& [second, distance] = model[page->rows.cell(row, 0).as_int64()];
    EXPECT_EQ(page->rows.cell(row, 1), Value::timestamp(kNowUs + second * 1'000'000)) << kSeed;
    EXPECT_EQ(page->rows.cell(row, 2), Value::float64(distance)) << kSeed;
  }
}

TEST_F(RecoveryTest, NumbersStayWithTheirNamesWhenTheStackChanges) {
  const TableLayout before = *house_.tables().layout("tank_levels");
  house_.tank(1, 0, 10);
  // The table goes, another comes; then it is back with a column more, in front of the old one.
  house_.start({devices()});
  EXPECT_EQ(house_.tables().layout("tank_levels"), nullptr);
  TableDeclaration changed = tank_levels();
  changed.schema.columns.insert(changed.schema.columns.begin() + 2, Column{.name = "battery"});
  changed.schema.columns.pop_back();
  changed.derive.clear();
  TableDeclaration other = devices();
  other.schema.name = "other";
  house_.start({other, changed});
  const TableLayout& after = *house_.tables().layout("tank_levels");
  EXPECT_EQ(after.table_id, before.table_id);
  EXPECT_EQ(after.column_ids,
            (std::vector<std::uint32_t>{before.column_ids[0], before.column_ids[1], 4,
                                        before.column_ids[2]}));
  std::string found;
  append_rows_json(found, house_.tables().rows({.table = "tank_levels"})->rows);
  EXPECT_EQ(found, R"([[1,"2025-11-21T18:33:20Z",null,10,"2025-11-21T18:33:20Z"]])");
}

TEST_F(RecoveryTest, ARenamedColumnStartsEmptyAndTheOldNameComesBackFull) {
  house_.tank(1, 0, 10);
  TableDeclaration renamed = tank_levels();
  renamed.schema.columns[2].name = "distance_cm";
  house_.start({renamed});
  EXPECT_EQ(rows(), "1 0 null null\n");
  house_.start({tank_levels()});
  EXPECT_EQ(rows(), "1 0 10 88.76\n");
}

TEST_F(RecoveryTest, AColumnOfAnotherTypeHidesItsOldCells) {
  house_.tank(1, 0, 10);
  TableDeclaration changed = tank_levels();
  changed.schema.columns[2].type = Type::text;
  changed.schema.columns.pop_back();
  changed.derive.clear();
  house_.start({changed});
  EXPECT_TRUE(house_.tables().rows({.table = "tank_levels"})->rows.cell(0, 2).is_null());
}

TEST_F(RecoveryTest, AKeyOfAnotherTypeLeavesTheOldRowsOut) {
  house_.tank(1, 0, 10);
  ASSERT_TRUE(house_.tables().checkpoint());
  TableDeclaration changed = tank_levels();
  changed.schema.columns[0].type = Type::text;
  house_.start({changed});
  EXPECT_EQ(rows(), "");
  EXPECT_EQ(latest(), "");
}

TEST_F(RecoveryTest, ADerivedColumnMayChangeAtAnyTime) {
  house_.tank(1, 0, 75);
  ASSERT_TRUE(house_.tables().checkpoint());
  TableDeclaration changed = tank_levels();
  changed.schema.columns[3].decimals = 0;
  house_.start({changed});
  EXPECT_EQ(rows(), "1 0 75 16\n");
  EXPECT_EQ(latest(), "1 0 75 16\n");
}

TEST_F(RecoveryTest, AStateThatIsTooSmallSaysSoAndRowsStayMarked) {
  TempFolder folder;
  House house(folder.path());
  house.options().state_size_max = std::size_t{256} * 1024;
  house.start({tank_levels()});
  for (int i = 0; i < 20'000; ++i) house.tank(i, 0, 10);
  const auto refused = house.tables().checkpoint();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
  EXPECT_THAT(refused.error().message, HasSubstr(folder.path()));
  EXPECT_EQ(house.tables().checkpoint_seq(), 0U);
  EXPECT_EQ(house.tables().list()[0].keys, 20'000U);
  // With room again the same rows are written.
  auto log = house.log();
  house.options().state_size_max = std::size_t{64} * 1024 * 1024;
  house.start({tank_levels()});
  ASSERT_TRUE(house.tables().checkpoint());
  house.start({tank_levels()}, log.size() + 1);
  EXPECT_EQ(house.tables().list()[0].keys, 20'000U);
}

TEST_F(RecoveryTest, AFailedCheckpointIsMadeUpForByTheNext) {
  TempFolder folder;
  House house(folder.path());
  house.options().state_size_max = std::size_t{256} * 1024;
  house.start({devices()});
  const std::string long_note(60'000, 'x');
  const auto note = [&](std::string_view name, std::string_view text) {
    house.append(house.row("devices", {{"name", Value::text(name)}, {"note", Value::text(text)}}));
  };
  note("kept", "small");
  for (const char* name : {"a", "b", "c", "d", "e"}) note(name, long_note);
  ASSERT_FALSE(house.tables().checkpoint());
  for (const char* name : {"a", "b", "c", "d", "e"}) note(name, "small now");
  ASSERT_TRUE(house.tables().checkpoint());
  house.start({devices()}, house.log().size() + 1);
  EXPECT_EQ(house.tables().list()[0].keys, 6U);
}

TEST_F(RecoveryTest, AStateFolderThatIsNoneIsNamed) {
  Metrics metrics;
  const auto logger = make_silent_logger();
  TempFolder folder;
  const std::string file = folder.path() + "/file";
  std::ofstream(file) << "x";
  const auto not_a_folder = Tables::open({.state_dir = file + "/state"}, *logger, metrics);
  ASSERT_FALSE(not_a_folder);
  EXPECT_THAT(not_a_folder.error().message, HasSubstr(file));

  std::ofstream(folder.path() + "/data.mdb") << std::string(10'000, 'x');
  const auto damaged = Tables::open({.state_dir = folder.path()}, *logger, metrics);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::corrupt);
}

TEST(StateStore, ATransactionThatIsNotCommittedNeverWas) {
  TempFolder folder;
  const auto open = [&] {
    return std::move(StateStore::open(folder.path(), std::size_t{1} << 20)).value();
  };
  {
    auto store = open();
    auto transaction = store->begin().value();
    ASSERT_TRUE(transaction->put_latest(1, {"a", 7, kNowUs, "body"}));
    ASSERT_TRUE(transaction->put_catalog(1, 0, "entry"));
  }
  auto store = open();
  EXPECT_EQ(store->seq(), 0U);
  int count = 0;
  const auto count_rows = [&](const auto& /*row*/) { ++count; };
  ASSERT_TRUE(store->read_latest(1, count_rows));
  ASSERT_TRUE(store->read_catalog(count_rows));
  EXPECT_EQ(count, 0);
}

TEST(StateStore, KeepsTablesApart) {
  TempFolder folder;
  auto store = std::move(StateStore::open(folder.path(), std::size_t{1} << 20)).value();
  auto transaction = store->begin().value();
  for (const std::uint32_t table : {1U, 2U, 256U, 257U}) {
    ASSERT_TRUE(transaction->put_latest(table, {"k", table, kNowUs, "b"}));
    ASSERT_TRUE(transaction->put_latest(table, {"k2", table, kNowUs, "b"}));
  }
  ASSERT_TRUE(transaction->commit(9));
  EXPECT_EQ(store->seq(), 9U);
  std::string seen;
  ASSERT_TRUE(store->read_latest(256, [&](const StoredRow& row) {
    seen += std::string(row.key) + '=' + std::to_string(row.seq) + ' ';
  }));
  EXPECT_EQ(seen, "k=256 k2=256 ");
}

}  // namespace
}  // namespace nilo::tables
