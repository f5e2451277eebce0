#include "tables/tables.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tables/scan.h"
#include "tables/tables_testing.h"

namespace nilo::tables {
namespace {

using testing::HasSubstr;

class TablesTest : public testing::Test {
 protected:
  void SetUp() override { house_.start({tank_levels(), devices()}); }

  Result<RowPage> page(const RowQuery& query) { return house_.tables().rows(query); }
  std::string latest(std::optional<std::string_view> key = {}) {
    return tank_text(house_.tables().latest({.table = "tank_levels", .key = key}));
  }
  void device(std::string_view name, std::string_view note) {
    house_.append(
        house_.row("devices", {{"name", Value::text(name)}, {"note", Value::text(note)}}));
  }
  std::string notes() {
    std::string out;
    append_rows_json(out, house_.tables().latest({.table = "devices"})->rows);
    return out;
  }

  TempFolder folder_;
  House house_{folder_.path() + "/state"};
};

TEST_F(TablesTest, KeepEveryReadingAndTheLatestOfEachKey) {
  house_.tank(2, 0, 41.5);
  house_.tank(1, 5, 89);
  house_.tank(2, 10, 75);
  EXPECT_EQ(tank_text(page({.table = "tank_levels", .key = "2"})),
            "2 0 41.5 53.37\n2 10 75 15.73\n");
  EXPECT_EQ(latest(), "1 5 89 0\n2 10 75 15.73\n");
  EXPECT_EQ(latest("2"), "2 10 75 15.73\n");
  EXPECT_EQ(latest("3"), "");
}

TEST_F(TablesTest, LatestIsByTimeNotByArrival) {
  house_.tank(1, 100, 10);
  house_.tank(1, 50, 20);
  EXPECT_EQ(latest("1"), "1 100 10 88.76\n");
  house_.tank(1, 100, 30);  // the same time again replaces
  EXPECT_EQ(latest("1"), "1 100 30 66.29\n");
  EXPECT_EQ(house_.tables().list()[0].rows, 2U);
}

TEST_F(TablesTest, WithoutSortKeyEachRowReplacesTheLast) {
  device("pump", "old");
  device("pump", "new");
  device("a/b", "");
  EXPECT_EQ(notes(), R"([["a/b","",null,null,null,"2025-11-21T18:33:20Z"],)"
                     R"(["pump","new",null,null,null,"2025-11-21T18:33:20Z"]])");
  const auto one = house_.tables().rows({.table = "devices", .key = "a%2Fb"});
  EXPECT_EQ(one->rows.row_count(), 1U);
  EXPECT_EQ(house_.tables().list()[1].rows, 2U);
}

TEST_F(TablesTest, KeepCellsOfEveryType) {
  house_.append(house_.row("devices", {{"name", Value::text("p")},
                                       {"note", Value::text("a note longer than twelve bytes")},
                                       {"seen", Value::timestamp(kNowUs)},
                                       {"ok", Value::boolean(true)},
                                       {"extra", Value::json(R"({"a":[1]})")}}));
  EXPECT_EQ(notes(),
            R"([["p","a note longer than twelve bytes","2025-11-21T18:33:20Z",true,{"a":[1]},)"
            R"("2025-11-21T18:33:20Z"]])");
}

TEST_F(TablesTest, PageThroughAKeyInBothDirections) {
  for (int i = 0; i < 7; ++i) house_.tank(1, i, i);
  for (const bool newest_first : {false, true}) {
    std::string all;
    RowQuery query{.table = "tank_levels", .key = "1", .limit = 3, .newest_first = newest_first};
    std::string cursor;
    std::vector<std::size_t> sizes;
    do {
      const auto found = page(query);
      ASSERT_TRUE(found);
      sizes.push_back(found->rows.row_count());
      for (std::size_t row = 0; row < sizes.back(); ++row) {
        append_json(all, found->rows.cell(row, 2));
        all += ' ';
      }
      cursor = found->next_cursor;
      query.cursor = cursor;
    } while (!cursor.empty());
    EXPECT_EQ(sizes, (std::vector<std::size_t>{3, 3, 1}));
    EXPECT_EQ(all, newest_first ? "6 5 4 3 2 1 0 " : "0 1 2 3 4 5 6 ");
  }
}

TEST_F(TablesTest, PageThroughEverythingInTheOrderOfArrival) {
  // Three chunks, some rows replaced, some records with two rows.
  std::vector<std::string> expected;
  for (int i = 0; i < 5000; ++i) {
    std::string record = house_.row("tank_levels", {{"device_id", Value::int64(i)},
                                                    {"time", Value::timestamp(kNowUs)},
                                                    {"distance", Value::float64(1)}});
    if (i % 3 == 0) {
      record += house_
                    .row("tank_levels", {{"device_id", Value::int64(i)},
                                         {"time", Value::timestamp(kNowUs + 1'000'000)},
                                         {"distance", Value::float64(2)}})
                    .substr(sizeof(TimeUs));
    }
    house_.append(std::move(record));
    if (i % 5 != 0) expected.push_back(std::to_string(i) + " 0 1 98.88\n");
    if (i % 3 == 0) expected.push_back(std::to_string(i) + " 1 2 97.75\n");
  }
  for (int i = 0; i < 5000; i += 5) {
    house_.tank(i, 0, 3);
    expected.push_back(std::to_string(i) + " 0 3 96.63\n");
  }
  for (const bool newest_first : {false, true}) {
    std::string all;
    std::string cursor;
    do {
      const auto found = page(
          {.table = "tank_levels", .limit = 700, .newest_first = newest_first, .cursor = cursor});
      ASSERT_TRUE(found);
      all += tank_text(found->rows);
      cursor = found->next_cursor;
    } while (!cursor.empty());
    std::string wanted;
    for (const std::string& row : expected) wanted += row;
    EXPECT_TRUE(all == wanted) << "newest first: " << newest_first;
    std::reverse(expected.begin(), expected.end());
  }
}

TEST_F(TablesTest, FilterByTime) {
  for (int i = 0; i < 10; ++i) house_.tank(i % 2, i, i);
  const TimeUs from = kNowUs + 3'000'000;
  const TimeUs to = kNowUs + 6'000'000;
  const RowQuery all{.table = "tank_levels", .from_us = from, .to_us = to};
  EXPECT_EQ(tank_text(page(all)), "1 3 3 96.63\n0 4 4 95.51\n1 5 5 94.38\n");
  RowQuery one = all;
  one.key = "1";
  EXPECT_EQ(tank_text(page(one)), "1 3 3 96.63\n1 5 5 94.38\n");
}

TEST_F(TablesTest, PageThroughLatestRowsByKey) {
  for (const char* name : {"c", "a", "e", "b", "d"}) device(name, name);
  std::string all;
  std::string cursor;
  do {
    const auto found = house_.tables().latest({.table = "devices", .limit = 2, .cursor = cursor});
    ASSERT_TRUE(found);
    for (std::size_t i = 0; i < found->rows.row_count(); ++i) {
      all += found->rows.cell(i, 0).as_text();
    }
    all += '|';
    cursor = found->next_cursor;
  } while (!cursor.empty());
  EXPECT_EQ(all, "ab|cd|e|");
}

TEST_F(TablesTest, RefuseQuestionsThatMakeNoSense) {
  const auto message = [&](const RowQuery& query) {
    const auto found = page(query);
    return found ? "" : found.error().message;
  };
  EXPECT_EQ(message({.table = "tanks"}), "no table `tanks`");
  EXPECT_EQ(message({.table = "tank_levels", .limit = kPageRowsMax}), "");
  EXPECT_EQ(message({.table = "tank_levels", .limit = kPageRowsMax + 1}),
            "limit 10001 is out of range");
  EXPECT_EQ(message({.table = "tank_levels", .limit = 0}), "limit 0 is out of range");
  for (const char* cursor : {"x", "1", "1.", ".1", "1.2x", "99999999999999999999.1"}) {
    EXPECT_THAT(message({.table = "tank_levels", .cursor = cursor}), HasSubstr("is no cursor"));
  }
  for (const char* cursor : {"x", "1.0", "9223372036854775807", "9223372036854775808"}) {
    EXPECT_THAT(message({.table = "tank_levels", .key = "1", .cursor = cursor}),
                HasSubstr("is no cursor"));
  }
  EXPECT_EQ(message({.table = "devices", .newest_first = true}),
            "from, to and order do not apply to the latest rows of devices");
}

TEST_F(TablesTest, SkipWhatTheyKnowAlready) {
  house_.tank(1, 0, 10);
  const Seq seq = house_.log().size();
  house_.tables().apply(seq, house_.log().back());
  EXPECT_EQ(house_.tables().list()[0].rows, 1U);
  EXPECT_EQ(house_.tables().applied_seq(), seq);
}

TEST_F(TablesTest, SurviveDamagedRecords) {
  house_.tank(1, 0, 10);
  const std::string record = house_.log().back();
  for (std::size_t size = 0; size < record.size(); ++size) house_.append(record.substr(0, size));
  std::string bad_catalog;
  RecordWriter writer(bad_catalog, kNowUs);
  writer.begin(EffectKind::catalog);
  bad_catalog += "nonsense";
  writer.end();
  house_.append(bad_catalog);
  EXPECT_EQ(house_.tables().list()[0].rows, 1U);
}

TEST_F(TablesTest, TellChangesOnlyToWhoWatchesTheTable) {
  std::string all;
  std::string levels;
  const auto tell_to = [](std::string& heard) {
    return [&heard](const Change& change) {
      heard += fmt::format("{}/{} {} ", change.schema.name, change.key, change.seq);
      append_json(heard, change.cells[3]);
      heard += ';';
    };
  };
  house_.tank(1, 0, 75);
  house_.tables().watch([](const TableSchema&) { return true; }, tell_to(all));
  house_.tables().watch([](const TableSchema& schema) { return schema.name == "tank_levels"; },
                        tell_to(levels));
  house_.tank(2, 0, 75);
  device("a b/c", "x");
  EXPECT_EQ(all, "tank_levels/2 3 15.73;devices/a b%2Fc 4 null;");
  EXPECT_EQ(levels, "tank_levels/2 3 15.73;");
  std::string read;
  for (Seq seq = 1; seq <= house_.log().size(); ++seq) {
    house_.tables().read(seq, house_.log()[seq - 1], tell_to(read));
  }
  EXPECT_EQ(read, "tank_levels/1 2 15.73;" + all);
  EXPECT_EQ(house_.tables().list()[0].rows, 2U);
}

TEST_F(TablesTest, AreFullAtTheirLimitAndSayWhy) {
  house_.tank(1, 0, 10);
  const std::size_t size = house_.tables().memory_size();
  EXPECT_FALSE(house_.tables().is_full());
  for (const std::size_t limit : {size + 1, size}) {
    house_.options().head_size_max = limit;
    house_.start({tank_levels(), devices()});
    ASSERT_EQ(house_.tables().memory_size(), size);
    EXPECT_EQ(house_.tables().is_full(), limit == size);
  }
  const Error error = house_.tables().full_error();
  EXPECT_EQ(error.code, ErrorCode::resource_exhausted);
  EXPECT_EQ(error.message, "tables hold 0.1 MB, their limit is 0.1 MB: no new rows");
}

TEST_F(TablesTest, RowsCountAgainstTheBudgetAndTrimGivesItBack) {
  const std::size_t empty = house_.tables().memory_size();
  for (int i = 0; i < 10'000; ++i) house_.tank(1, i, 10);
  const std::size_t full = house_.tables().memory_size();
  EXPECT_GT(full, empty + 10'000 * 40);
  house_.tables().trim(9'000);
  EXPECT_LT(house_.tables().memory_size(), full / 2);
  EXPECT_EQ(house_.tables().list()[0].rows, 1'002U);
  house_.tables().trim(20'000);
  EXPECT_EQ(tank_text(page({.table = "tank_levels"})), "");
  EXPECT_EQ(latest(), "1 9999 10 88.76\n") << "the latest row outlives the head";
}

TEST_F(TablesTest, DeclarationsAreChecked) {
  TempFolder folder;
  Metrics metrics;
  const auto logger = make_silent_logger();
  const auto refusal = [&](std::vector<TableDeclaration> declarations) {
    auto tables = Tables::open({.state_dir = folder.path()}, *logger, metrics).value();
    const auto result = tables->declare(std::move(declarations));
    return result ? "" : result.error().message;
  };
  EXPECT_EQ(refusal({tank_levels(), tank_levels()}), "two tables `tank_levels`");
  TableDeclaration bad = tank_levels();
  bad.derive.clear();
  EXPECT_EQ(refusal({bad}), "table tank_levels has derived columns without an expression");
  bad = tank_levels();
  bad.schema.columns[1].type = Type::int64;
  EXPECT_EQ(refusal({bad}), "table tank_levels has a sort key that is no timestamp");
  bad = tank_levels();
  bad.schema.columns[2].name = "received";
  EXPECT_EQ(refusal({bad}), "table tank_levels has two columns `received`");
  bad = tank_levels();
  for (std::size_t i = bad.schema.columns.size(); i < kColumnsMax; ++i) {
    bad.schema.columns.insert(bad.schema.columns.begin() + 3,
                              Column{.name = "c" + std::to_string(i)});
  }
  EXPECT_EQ(refusal({bad}), "");
  bad.schema.columns.insert(bad.schema.columns.begin() + 3, Column{.name = "one_more"});
  EXPECT_EQ(refusal({bad}), "table tank_levels has too many columns");
}

// One thread applies while others read: for ThreadSanitizer, and for torn rows.
TEST_F(TablesTest, ReadersSeeWholeRowsWhileRowsArrive) {
  std::atomic<bool> is_done{false};
  const auto read_all = [&] {
    while (!is_done) {
      const auto scan = house_.tables().scan("tank_levels");
      while (const std::size_t count = scan->next()) {
        const auto* ids = static_cast<const std::int64_t*>(scan->column(0).values);
        const auto* distances = static_cast<const double*>(scan->column(2).values);
        for (std::size_t row = 0; row < count; ++row) {
          ASSERT_EQ(distances[row], static_cast<double>(ids[row]));
        }
      }
      const auto found = house_.tables().latest({.table = "tank_levels"});
      ASSERT_TRUE(found);
      for (std::size_t row = 0; row < found->rows.row_count(); ++row) {
        ASSERT_EQ(found->rows.cell(row, 2).as_float64(),
                  static_cast<double>(found->rows.cell(row, 0).as_int64()));
      }
      ASSERT_TRUE(page({.table = "tank_levels", .key = "7", .limit = 100, .newest_first = true}));
    }
  };
  std::thread reader(read_all);
  std::thread checkpointer([&] {
    while (!is_done) ASSERT_TRUE(house_.tables().checkpoint());
  });
  for (int i = 0; i < 6'000; ++i) house_.tank(i % 50, i - (i % 7) * 100, i % 50);
  house_.tables().trim(3'000);
  for (int i = 6'000; i < 8'000; ++i) house_.tank(i % 50, i, i % 50);
  is_done = true;
  reader.join();
  checkpointer.join();
}

}  // namespace
}  // namespace nilo::tables
