#include "tables/sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <map>
#include <random>

#include "tables/tables_testing.h"

namespace nilo::tables {
namespace {

using testing::HasSubstr;

// Where the build puts the library: beside the programs.
std::string library_path() {
  const char* given = std::getenv("NILO_DUCKDB");
  if (given != nullptr) return given;
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "libduckdb.so";
}

std::string fmt_row(std::int64_t id, std::int64_t count, std::int64_t sum) {
  return std::to_string(id) + ' ' + std::to_string(count) + ' ' + std::to_string(sum) + '\n';
}

class SqlTest : public testing::Test {
 protected:
  void SetUp() override {
    house_.start({tank_levels(), devices()});
    sql_ = make({});
  }

  std::unique_ptr<Sql> make(SqlOptions options) {
    if (options.library.empty()) options.library = library_path();
    return Sql::make(house_.tables(), std::move(options), *logger_);
  }

  static Result<Answer> ask(Sql& sql, SqlRequest request) {
    std::promise<Result<Answer>> promise;
    auto future = promise.get_future();
    sql.query(std::move(request),
              [&](Result<Answer> answer) { promise.set_value(std::move(answer)); });
    return future.get();
  }
  Result<Answer> ask(std::string sql, std::vector<SqlParameter> parameters = {}) {
    return ask(*sql_, {std::move(sql), std::move(parameters)});
  }
  // The answer's rows as JSON, or the error.
  std::string rows(std::string sql, std::vector<SqlParameter> parameters = {}) {
    const auto answer = ask(std::move(sql), std::move(parameters));
    if (!answer) return answer.error().message;
    std::string out;
    append_rows_json(out, *answer);
    return out;
  }
  ErrorCode code(std::string sql) {
    const auto answer = ask(std::move(sql));
    EXPECT_FALSE(answer) << to_json(*answer);
    return answer ? ErrorCode::internal : answer.error().code;
  }

  TempFolder folder_;
  House house_{folder_.path()};
  const std::unique_ptr<Logger> logger_ = make_silent_logger();
  std::unique_ptr<Sql> sql_;
};

TEST_F(SqlTest, AnswersTheWaterTanksQuestions) {
  house_.tank(2, 0, 41);
  house_.tank(2, 20, 75);
  house_.tank(1, 20, 89);
  EXPECT_EQ(rows("SELECT device_id, distance, percent FROM latest('tank_levels') ORDER BY ALL"),
            "[[1,89,0],[2,75,15.73]]");
  EXPECT_EQ(
      rows("SELECT device_id, distance FROM latest('tank_levels') WHERE device_id = $device_id",
           {SqlParameter::of("device_id", Value::int64(2))}),
      "[[2,75]]");
  EXPECT_EQ(rows("SELECT count(*), max(percent) FROM tank_levels"), "[[3,53.93]]");
  EXPECT_EQ(rows("SELECT count(*) FROM tank_levels WHERE device_id = 2"), "[[2]]");
  EXPECT_EQ(rows("SELECT time, received FROM tank_levels WHERE distance = 75"),
            R"([["2025-11-21T18:33:40Z","2025-11-21T18:33:40Z"]])");
  house_.tank(2, 40, 60);
  EXPECT_EQ(rows("SELECT count(*) FROM tank_levels"), "[[4]]") << "the next statement sees it";
}

TEST_F(SqlTest, NamesItsColumnsAndTheirTypes) {
  house_.tank(1, 0, 10);
  const auto answer = ask("SELECT *, 1.50::DECIMAL(9,2) AS d, [1] AS l FROM tank_levels");
  ASSERT_TRUE(answer);
  std::string columns;
  for (const auto& column : answer->columns()) columns += column.name + ':' + column.type + ' ';
  EXPECT_EQ(columns,
            "device_id:int time:timestamp distance:double percent:double received:timestamp "
            "d:decimal(9,2) l:json ");
}

TEST_F(SqlTest, ReadsCellsOfEveryTypeAndNulls) {
  house_.append(house_.row("devices", {{"name", Value::text("p")},
                                       {"note", Value::text("longer than twelve bytes")},
                                       {"seen", Value::timestamp(kNowUs)},
                                       {"ok", Value::boolean(true)},
                                       {"extra", Value::json(R"({"a":[1]})")}}));
  house_.append(house_.row("devices", {{"name", Value::text("q")}, {"note", Value::text("")}}));
  EXPECT_EQ(rows("SELECT * EXCLUDE received FROM devices ORDER BY name"),
            R"([["p","longer than twelve bytes","2025-11-21T18:33:20Z",true,"{\"a\":[1]}"],)"
            R"(["q","",null,null,null]])");
  EXPECT_EQ(rows("SELECT count(note), count(ok), count(*) FROM latest('devices')"), "[[2,1,2]]");
}

TEST_F(SqlTest, GivesWhatDuckDbComputesWithoutLoss) {
  EXPECT_EQ(rows("SELECT 170141183460469231731687303715884105727, -9223372036854775808,"
                 " 18446744073709551615::UBIGINT, 0.1::FLOAT, -1.50::DECIMAL(4,2),"
                 " 12345678901234567890.12::DECIMAL(38,2)"),
            "[[170141183460469231731687303715884105727,-9223372036854775808,"
            "18446744073709551615,0.1,-1.50,12345678901234567890.12]]");
  EXPECT_EQ(rows("SELECT sum(x) FROM range(10) t(x)"), "[[45]]") << "a HUGEINT that fits";
  EXPECT_EQ(rows("SELECT DATE '2026-11-22', TIME '10:00:01', INTERVAL 90 MINUTE, NULL"),
            R"([["2026-11-22","10:00:01","01:30:00",null]])");
  EXPECT_EQ(rows("SELECT [1, NULL], {'a': 'x', 'b': [true]}, MAP {'k': 1.5}, MAP {1: 'v'},"
                 " [[1], []], array_value(1, 2)"),
            R"([[[1,null],{"a":"x","b":[true]},{"k":1.5},{"1":"v"},[[1],[]],[1,2]]])");
  EXPECT_EQ(rows("SELECT 'nan'::DOUBLE, TIMESTAMP_S '2026-01-01 00:00:00',"
                 " TIMESTAMP_NS '2026-01-01 00:00:00.123456789', 'b'::ENUM('a', 'b')"),
            R"([[null,"2026-01-01T00:00:00Z","2026-01-01T00:00:00.123456Z","b"]])");
  EXPECT_EQ(rows("SELECT '\\xAA'::BLOB AS b"), "column b has a type that cannot be shown");
}

TEST_F(SqlTest, KnowsTimeBucketsPercentilesAndNow) {
  for (int i = 0; i < 7200; i += 600) house_.tank(1, i, i / 100);
  EXPECT_EQ(rows("SELECT time_bucket(INTERVAL 1 HOUR, time) AS hour, count(*), avg(distance),"
                 " median(distance) FROM tank_levels GROUP BY hour ORDER BY hour"),
            R"([["2025-11-21T18:00:00Z",3,6,6],["2025-11-21T19:00:00Z",6,33,33],)"
            R"(["2025-11-21T20:00:00Z",3,60,60]])");
  EXPECT_EQ(rows("SELECT count(*) FROM tank_levels WHERE time > TIMESTAMP '2025-11-21 20:00:00'"),
            "[[3]]");
  EXPECT_EQ(rows("SELECT count(*) FROM tank_levels WHERE time < now()"), "[[12]]");
}

TEST_F(SqlTest, TakesParametersOfEveryType) {
  EXPECT_EQ(
      rows("SELECT $i, $d, $b, $t, $s, $n",
           {SqlParameter::of("i", Value::int64(-5)), SqlParameter::of("d", Value::float64(0.5)),
            SqlParameter::of("b", Value::boolean(true)),
            SqlParameter::of("t", Value::timestamp(kNowUs)),
            SqlParameter::of("s", Value::text("it's; DROP TABLE x")),
            SqlParameter::of("n", Value::null())}),
      R"([[-5,0.5,true,"2025-11-21T18:33:20Z","it's; DROP TABLE x",null]])");
  EXPECT_EQ(rows("SELECT $a"), "parameter $a has no value");
  EXPECT_EQ(rows("SELECT 1", {SqlParameter::of("a", Value::int64(1))}),
            "the statement has no parameter $a");
}

TEST_F(SqlTest, OnlyReads) {
  for (const char* statement : {"CREATE TABLE x (a INT)",
                                "CREATE VIEW v AS SELECT 1",
                                "CREATE TEMP TABLE x AS SELECT 1",
                                "DROP VIEW tank_levels",
                                "INSERT INTO tank_levels VALUES (1)",
                                "DELETE FROM tank_levels",
                                "UPDATE tank_levels SET distance = 1",
                                "COPY (SELECT 1) TO '/tmp/nilo_sql_test.csv'",
                                "ATTACH '/tmp/nilo_sql_test.db' AS d",
                                "SET threads = 4",
                                "RESET threads",
                                "SET VARIABLE x = 1",
                                "PRAGMA threads = 4",
                                "CALL pragma_version()",
                                "BEGIN",
                                "COMMIT",
                                "INSTALL httpfs",
                                "LOAD httpfs",
                                "PREPARE p AS SELECT 1",
                                "EXECUTE p",
                                "CHECKPOINT",
                                "VACUUM",
                                "USE memory",
                                "EXPORT DATABASE '/tmp/nilo_sql_test'",
                                "CREATE MACRO m() AS 1",
                                "EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1",
                                "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/nilo_sql_test.csv'"}) {
    const auto answer = ask(statement);
    ASSERT_FALSE(answer) << statement;
    EXPECT_THAT(answer.error().code,
                testing::AnyOf(ErrorCode::permission_denied, ErrorCode::invalid_argument))
        << statement << ": " << answer.error().message;
  }
  EXPECT_EQ(ask("CREATE TABLE x (a INT)").error().message,
            "SQL here only reads: SELECT, WITH, EXPLAIN, DESCRIBE, SHOW and SUMMARIZE");
  EXPECT_FALSE(std::filesystem::exists("/tmp/nilo_sql_test.csv"));
  EXPECT_EQ(rows("SELECT count(*) FROM duckdb_tables()"), "[[0]]");
}

TEST_F(SqlTest, TouchesNoFiles) {
  for (const char* statement :
       {"SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM '/etc/passwd.csv'",
        "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_parquet('http://127.0.0.1/x.parquet')",
        "SELECT * FROM read_json('/etc/passwd')", "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM arrow_scan(1::POINTER, 1::POINTER, 1::POINTER)", "SELECT getenv('HOME')"}) {
    const auto answer = ask(statement);
    ASSERT_FALSE(answer) << statement << to_json(*answer);
    EXPECT_NE(answer.error().code, ErrorCode::internal) << answer.error().message;
  }
}

TEST_F(SqlTest, AllowsEveryReadingStatement) {
  house_.tank(1, 0, 10);
  for (const char* statement :
       {"WITH t AS (SELECT 1) SELECT * FROM t", "FROM tank_levels", "DESCRIBE tank_levels",
        "SHOW TABLES", "SUMMARIZE tank_levels", "EXPLAIN SELECT * FROM tank_levels",
        "EXPLAIN ANALYZE SELECT count(*) FROM tank_levels", "VALUES (1), (2)", "SELECT 1;"}) {
    const auto answer = ask(statement);
    EXPECT_TRUE(answer) << statement << ": " << answer.error().message;
  }
  EXPECT_EQ(rows("SHOW TABLES"), R"([["devices"],["tank_levels"]])");
}

TEST_F(SqlTest, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(rows("SELECT *\nFORM x"), HasSubstr("LINE 2"));
  EXPECT_THAT(rows("SELECT * FROM tank_level"), HasSubstr("tank_levels"));
  EXPECT_THAT(rows("SELECT distanc FROM tank_levels"), HasSubstr("distance"));
  EXPECT_THAT(rows("SELECT * FROM latest('nope')"), HasSubstr("there is no table `nope`"));
  EXPECT_THAT(rows("SELECT * FROM latest(NULL)"), HasSubstr("there is no table"));
  EXPECT_EQ(rows("SELECT 1; SELECT 2"), "there are 2 statements");
  EXPECT_EQ(rows(""), "there is no statement");
  EXPECT_EQ(rows("-- nothing"), "there is no statement");
  EXPECT_EQ(rows(std::string("SELECT 1\0", 9)), "the statement contains a zero byte");
  EXPECT_EQ(code("SELECT 'x'::INT"), ErrorCode::invalid_argument);
  EXPECT_EQ(code("SELECT error('mine')"), ErrorCode::invalid_argument);
}

TEST_F(SqlTest, EndsAStatementThatTakesTooLong) {
  sql_ = make({.time_max_us = 50'000});
  const auto answer = ask("SELECT count(*) FROM range(1000000000000) a, range(1000000) b");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::deadline_exceeded);
  EXPECT_EQ(answer.error().message, "the statement took longer than 50 ms");
  EXPECT_EQ(rows("SELECT 1"), "[[1]]") << "the next one is well";
}

TEST_F(SqlTest, EndsAStatementThatWantsAllMemory) {
  sql_ = make({.memory_max = std::size_t{32} * 1024 * 1024});
  EXPECT_EQ(code("SELECT count(*) FROM (SELECT DISTINCT range, md5(range::VARCHAR) FROM "
                 "range(10000000))"),
            ErrorCode::resource_exhausted);
  const auto answer = ask("SELECT list(range) FROM range(100000000)");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::resource_exhausted);
  EXPECT_THAT(answer.error().message, AllOf(HasSubstr("MiB used"), Not(HasSubstr("\n"))));
  EXPECT_EQ(rows("SELECT 1"), "[[1]]");
}

TEST_F(SqlTest, EndsAtItsLimitOfRows) {
  sql_ = make({.row_max = 5000});
  EXPECT_EQ(ask("SELECT * FROM range(5000)")->row_count(), 5000U);
  const auto answer = ask("SELECT * FROM range(5001)");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::too_large);
  EXPECT_EQ(answer.error().message, "the answer has more than 5000 rows");
  EXPECT_EQ(code("SELECT * FROM range(1000000000000)"), ErrorCode::too_large);
}

TEST_F(SqlTest, EndsAtItsLimitOfBytes) {
  sql_ = make({.time_max_us = 600'000'000});  // a sanitizer on a busy machine takes its time
  EXPECT_EQ(code("SELECT repeat('x', 1000000) FROM range(200)"), ErrorCode::too_large);
  EXPECT_EQ(code("SELECT '" + std::string(64 * 1024, 'x') + "'"), ErrorCode::too_large);
  EXPECT_TRUE(ask("SELECT '" + std::string(64 * 1024 - 9, 'x') + "'"));
}

TEST_F(SqlTest, SurvivesDeepNesting) {
  for (const int depth : {100, 10'000, 30'000}) {
    const auto count = static_cast<std::size_t>(depth);
    const auto answer = ask("SELECT " + std::string(count, '(') + "1" + std::string(count, ')'));
    if (!answer) {
      EXPECT_EQ(answer.error().code, ErrorCode::invalid_argument);
    }
  }
  std::string sum = "SELECT 1";
  while (sum.size() < 60'000) sum += "+1";
  ignore(ask(sum));
  EXPECT_EQ(rows("SELECT 1"), "[[1]]");
}

TEST_F(SqlTest, RefusesWhatItsQueueCannotHold) {
  sql_ = make({.time_max_us = 60'000'000, .thread_count = 1, .queue_max = 2});
  const std::string endless = "SELECT count(*) FROM range(1000000000000) a, range(1000000) b";
  std::vector<std::promise<Result<Answer>>> promises(4);
  std::vector<std::future<Result<Answer>>> futures;
  for (auto& promise : promises) futures.push_back(promise.get_future());
  // One runs and two wait, or three wait and one is refused at once: the pool decides.
  std::size_t refused = 0;
  for (std::size_t i = 0; i < promises.size(); ++i) {
    sql_->query({endless, {}}, [&promises, i](Result<Answer> answer) {
      promises[i].set_value(std::move(answer));
    });
  }
  sql_.reset();  // answers all that is left
  for (auto& future : futures) {
    const auto answer = future.get();
    ASSERT_FALSE(answer);
    refused += answer.error().code == ErrorCode::resource_exhausted ? 1 : 0;
  }
  EXPECT_GE(refused, 1U);
  EXPECT_LE(refused, 2U);
}

TEST_F(SqlTest, SaysThatItsLibraryIsMissing) {
  sql_ = make({.library = "/nowhere/libduckdb.so"});
  const auto answer = ask("SELECT 1");
  // Another test of this process may have loaded it already.
  if (!answer) {
    EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
  }
}

TEST_F(SqlTest, AgreesWithAModelOverRandomRows) {
  constexpr unsigned kSeed = 7;
  std::mt19937 random(kSeed);
  std::map<std::pair<std::int64_t, std::int64_t>, double> model;
  for (int i = 0; i < 30'000; ++i) {
    const auto id = static_cast<std::int64_t>(random() % 40);
    const auto second = static_cast<std::int64_t>(random() % 2'000);
    const auto distance = static_cast<double>(random() % 890) / 10;
    house_.tank(id, second, distance);
    model[{id, second}] = distance;
  }
  std::map<std::int64_t, std::pair<std::int64_t, double>> sums;
  for (const auto& [key, distance] : model) {
    ++sums[key.first].first;
    sums[key.first].second += std::round(distance * 10);
  }
  std::string expected;
  for (const auto& [id, sum] : sums) {
    expected += fmt_row(id, sum.first, static_cast<std::int64_t>(sum.second));
  }
  const auto answer = ask(
      "SELECT device_id, count(*), sum(round(distance * 10)::BIGINT) FROM tank_levels GROUP BY 1 "
      "ORDER BY 1");
  ASSERT_TRUE(answer);
  std::string found;
  for (std::size_t row = 0; row < answer->row_count(); ++row) {
    found += fmt_row(answer->cell(row, 0).as_int64(), answer->cell(row, 1).as_int64(),
                     answer->cell(row, 2).as_int64());
  }
  EXPECT_EQ(found, expected) << "seed " << kSeed;
  EXPECT_EQ(rows("SELECT count(*) FROM latest('tank_levels') l SEMI JOIN tank_levels t ON "
                 "l.device_id = t.device_id AND l.time = t.time AND l.distance = t.distance"),
            "[[40]]");
}

}  // namespace
}  // namespace nilo::tables
