#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/api_test_kit.h"

namespace nilo::api::test {
namespace {

using testing::HasSubstr;

using ApiTables = ApiTest;

TEST_F(ApiTables, AreListedWithTheirColumns) {
  EXPECT_EQ(get("/api/v1/tables/tank_levels"),
            R"(200 {"name":"tank_levels","rows":3,"keys":2,"bytes":4096,"columns":[)"
            R"({"name":"device_id","type":"int","key":true},)"
            R"({"name":"time","type":"timestamp","key":true},)"
            R"({"name":"distance","type":"double","unit":"cm","min":0,"max":89},)"
            R"({"name":"percent","type":"double","derived":true,"unit":"%"}]})");
  EXPECT_THAT(get("/api/v1/tables"),
              testing::StartsWith(R"(200 {"tables":[{"name":"tank_levels")"));
  EXPECT_EQ(get("/api/v1/tables/tank_level"),
            "404 no table 'tank_level'; did you mean 'tank_levels'?");
}

TEST_F(ApiTables, GiveRowsPageByPage) {
  next_cursor_ = "c2";
  EXPECT_EQ(
      get("/api/v1/tables/tank_levels/rows?key=1&from=2026-11-22T10:00:00Z&to=1795000000000"
          "&limit=2&order=newest&cursor=c1"),
      R"(200 {"columns":[{"name":"device_id","type":"int"},)"
      R"({"name":"distance","type":"double","unit":"cm"}],"rows":[[1,75]],"next":"c2","seq":7})");
  EXPECT_EQ(key_, "1");
  EXPECT_EQ(asked_.from_us, parse_iso_time("2026-11-22T10:00:00Z").value());
  EXPECT_EQ(asked_.to_us, 1'795'000'000'000'000);
  EXPECT_EQ(asked_.limit, 2U);
  EXPECT_TRUE(asked_.newest_first);
  EXPECT_EQ(cursor_, "c1");
}

TEST_F(ApiTables, GiveTheLatestRowOfEachKey) {
  EXPECT_THAT(get("/api/v1/tables/tank_levels/latest"), HasSubstr(R"("next":null)"));
  EXPECT_EQ(key_, "none");
  EXPECT_EQ(asked_.limit, 1000U);
  EXPECT_EQ(get("/api/v1/tables/other/latest"), "404 no such table");
}

TEST_F(ApiTables, RefuseParametersThatAreNone) {
  const std::string rows = "/api/v1/tables/tank_levels/rows?";
  EXPECT_EQ(get(rows + "limti=5"), "400 unknown parameter 'limti'; did you mean 'limit'?");
  EXPECT_EQ(get(rows + "zzzzzzzz=5"),
            "400 unknown parameter 'zzzzzzzz'; it takes key, limit, cursor, from, to, order");
  EXPECT_EQ(get("/api/v1/tables?x=1"), "400 unknown parameter 'x'; it takes none");
  EXPECT_EQ(get(rows + "limit=1&limit=2"), "400 limit is given twice");
  EXPECT_EQ(get(rows + "limit=many"), "400 Invalid limit format, expected a number; it was 'many'");
  EXPECT_EQ(get(rows + "order=up"), "400 order must be one of: oldest, newest");
  EXPECT_EQ(get(rows + "from=yesterday"),
            "400 Invalid from format, expected a time such as 2026-11-22T10:00:00Z, or "
            "milliseconds since 1970; it was 'yesterday'");
}

TEST_F(ApiTables, LimitThePage) {
  const std::string rows = "/api/v1/tables/tank_levels/rows?limit=";
  EXPECT_EQ(ask("GET", rows + "1").status, 200);
  EXPECT_EQ(ask("GET", rows + "10000").status, 200);
  EXPECT_EQ(get(rows + "0"), "400 limit must be 1 to 10000");
  EXPECT_EQ(get(rows + "10001"), "400 limit must be 1 to 10000");
}

using ApiEndpoint = ApiTest;

TEST_F(ApiEndpoint, AnswersOneRowAsAnObject) {
  EXPECT_EQ(get("/prod/data?device_id=2"), R"(200 {"device_id":2,"distance":75})");
  ASSERT_EQ(sql_.size(), 1U);
  EXPECT_EQ(sql_[0].sql, "SELECT 1");
  ASSERT_EQ(sql_[0].parameters.size(), 1U);
  EXPECT_EQ(sql_[0].parameters[0].name, "device_id");
  EXPECT_EQ(sql_[0].parameters[0].number, 2);
}

TEST_F(ApiEndpoint, AnswersSeveralRowsAsAList) {
  answer_ = {{1, 10}, {2, 75}};
  EXPECT_EQ(get("/prod/data?device_id=2"),
            R"(200 [{"device_id":1,"distance":10},{"device_id":2,"distance":75}])");
}

TEST_F(ApiEndpoint, OfManyAlwaysAnswersAList) {
  EXPECT_EQ(get("/prod/all", ""), R"(200 [{"device_id":2,"distance":75}])");
  answer_.clear();
  EXPECT_EQ(get("/prod/all", ""), "200 []");
}

TEST_F(ApiEndpoint, SaysWhatIsMissing) {
  EXPECT_EQ(get("/prod/data"), "400 device_id is required");
  EXPECT_TRUE(sql_.empty());
}

TEST_F(ApiEndpoint, TakesOnlyWholeDecimalNumbersInRange) {
  for (const char* text : {"", "two", "2x", "0x2", "2.0", "%202", "+2", "9223372036854775808"}) {
    EXPECT_THAT(get("/prod/data?device_id=" + std::string(text)),
                testing::StartsWith("400 Invalid device_id format, expected a number"))
        << text;
  }
  EXPECT_TRUE(sql_.empty());
  for (const char* text : {"-2", "0", "9223372036854775807", "-9223372036854775808"}) {
    EXPECT_EQ(ask("GET", "/prod/data?device_id=" + std::string(text)).status, 200) << text;
  }
}

TEST_F(ApiEndpoint, TakesEachType) {
  EXPECT_EQ(
      ask("GET", "/prod/typed?ratio=1.5e3&since=2026-11-22T10:00:00%2B01:00&on=true&name=a%20b")
          .status,
      200);
  ASSERT_EQ(sql_.size(), 1U);
  const auto& given = sql_[0].parameters;
  ASSERT_EQ(given.size(), 4U);
  EXPECT_EQ(given[0].float64, 1500);
  EXPECT_EQ(given[1].number, parse_iso_time("2026-11-22T09:00:00Z").value());
  EXPECT_EQ(given[2].number, 1);
  EXPECT_EQ(given[3].text, "a b");
  const std::string rest = "&since=0&on=0&name=";
  EXPECT_EQ(ask("GET", "/prod/typed?ratio=nan" + rest).status, 400);
  EXPECT_EQ(ask("GET", "/prod/typed?ratio=inf" + rest).status, 400);
  EXPECT_EQ(ask("GET", "/prod/typed?ratio=0" + rest).status, 200);
}

TEST_F(ApiEndpoint, SaysThatThereIsNoRowAndForWhat) {
  answer_.clear();
  EXPECT_EQ(get("/prod/data?device_id=9"), "404 no row for device_id = 9");
}

TEST_F(ApiEndpoint, PassesOnWhyThereIsNoAnswer) {
  outcome_ = Error{ErrorCode::deadline_exceeded, "took too long"};
  EXPECT_EQ(get("/prod/data?device_id=9"), "504 took too long");
}

using ApiPublish = ApiTest;

TEST_F(ApiPublish, SendsTheBodyAsItIs) {
  EXPECT_EQ(line(ask("POST", "/api/v1/publish?topic=water2/pub&retain=true", kDevice,
                     std::string_view("\x00{\xff", 3))),
            R"(200 {"topic":"water2/pub"})");
  ASSERT_EQ(published_.size(), 1U);
  EXPECT_EQ(published_[0].topic, "water2/pub");
  EXPECT_EQ(published_[0].payload, std::string("\x00{\xff", 3));
  EXPECT_EQ(published_[0].qos, Qos::at_least_once);
  EXPECT_TRUE(published_[0].retain);
  EXPECT_EQ(published_[0].received_us, clock_.wall_us());
  EXPECT_EQ(published_[0].principal, "tank-1");
  EXPECT_EQ(published_[0].source_ip, "192.0.2.7");
}

TEST_F(ApiPublish, SaysWhatIsNotOnDisk) {
  outcome_ = Error{ErrorCode::resource_exhausted, "the disk is full"};
  EXPECT_EQ(post("/api/v1/publish?topic=a", "x"), "507 the disk is full");
}

TEST_F(ApiPublish, RefusesWhatIsNoTopic) {
  EXPECT_EQ(ask("POST", "/api/v1/publish").status, 400);
  EXPECT_EQ(ask("POST", "/api/v1/publish?topic=").status, 400);
  EXPECT_EQ(ask("POST", "/api/v1/publish?topic=a/%23").status, 400);
  EXPECT_EQ(ask("POST", "/api/v1/publish?topic=a&qos=3").status, 400);
  EXPECT_EQ(ask("POST", "/api/v1/publish?topic=$table/x").status, 403);
  EXPECT_TRUE(published_.empty());
}

using ApiSql = ApiTest;

TEST_F(ApiSql, AnswersJsonOrCsv) {
  const std::string body = R"({"sql":"SELECT 1"})";
  EXPECT_EQ(post("/api/v1/sql", body),
            R"(200 {"columns":[{"name":"device_id","type":"int"},)"
            R"({"name":"distance","type":"double","unit":"cm"}],"rows":[[2,75]]})");
  const net::HttpResponse csv = ask("POST", "/api/v1/sql", kViewer, body, {{"accept", "text/csv"}});
  EXPECT_EQ(csv.body, "device_id,distance\r\n2,75\r\n");
  EXPECT_THAT(csv.content_type, testing::StartsWith("text/csv"));
}

TEST_F(ApiSql, PassesParametersWithTheirTypes) {
  EXPECT_EQ(ask("POST", "/api/v1/sql", kViewer,
                R"({"sql":"SELECT $a","params":{"a":1,"b":2.5,"c":"x","d":true,"e":null}})")
                .status,
            200);
  const auto& given = sql_.at(0).parameters;
  ASSERT_EQ(given.size(), 5U);
  EXPECT_EQ(given[0].type, Type::int64);
  EXPECT_EQ(given[0].number, 1);
  EXPECT_EQ(given[1].float64, 2.5);
  EXPECT_EQ(given[2].text, "x");
  EXPECT_EQ(given[3].type, Type::boolean);
  EXPECT_EQ(given[4].type, Type::null);
}

TEST_F(ApiSql, RefusesABodyThatIsNoQuestion) {
  EXPECT_THAT(post("/api/v1/sql", R"({"sql":)"), HasSubstr("400 not JSON at byte 7"));
  EXPECT_EQ(post("/api/v1/sql", "[]"), "400 the body must be an object");
  EXPECT_THAT(post("/api/v1/sql", "{}"), HasSubstr("400 'sql' is required"));
  EXPECT_EQ(post("/api/v1/sql", R"({"sql":1})"), "400 'sql' must be text");
  EXPECT_EQ(post("/api/v1/sql", R"({"sqll":"x"})"),
            "400 unknown member 'sqll'; did you mean 'sql'?");
  EXPECT_EQ(post("/api/v1/sql", R"({"sql":"x","params":[]})"), "400 'params' must be an object");
  EXPECT_EQ(post("/api/v1/sql", R"({"sql":"x","params":{"a":[1]}})"),
            "400 parameter 'a' must be a number, text, true, false or null");
  EXPECT_EQ(ask("POST", "/api/v1/sql", kViewer, std::string(100'000, '[')).status, 400);
  EXPECT_TRUE(sql_.empty());
}

using ApiThings = ApiTest;

TEST_F(ApiThings, AreAskedForWithEverythingTheQuerySays) {
  EXPECT_EQ(get("/api/v1/things"), "200 ,,,50,");
  EXPECT_EQ(get("/api/v1/things?search=barn&type=tank&state=silent&limit=7&cursor=tank-1"),
            "200 barn,tank,silent,7,tank-1");
  EXPECT_EQ(get("/api/v1/things?limit=1000").substr(0, 3), "200");
  EXPECT_EQ(get("/api/v1/things?limit=1001").substr(0, 3), "400");
  EXPECT_EQ(get("/api/v1/things?state=dead").substr(0, 3), "400");
  EXPECT_EQ(get("/api/v1/things/tank-1"), "200 tank-1");
  EXPECT_EQ(get("/api/v1/status"), "200 well");
  EXPECT_EQ(get("/api/v1/things/nothing").substr(0, 3), "404");
}

TEST_F(ApiThings, HaveReadingsThatAreAskedForWithTimesInMilliseconds) {
  EXPECT_EQ(get("/api/v1/values?of=a/b,c"), "200 values a/b,c - -");
  EXPECT_EQ(get("/api/v1/values?of=a/b&from=1000&to=2000&stats=1"),
            "200 stats a/b 1000000 2000000");
  EXPECT_EQ(get("/api/v1/series?of=a/b"), "200 1200 a/b - -");
  EXPECT_EQ(get("/api/v1/series?of=a/b&px=4096"), "200 4096 a/b - -");
  EXPECT_EQ(get("/api/v1/series?of=a/b&px=4097").substr(0, 3), "400");
  EXPECT_EQ(get("/api/v1/series?of=a/b&px=0").substr(0, 3), "400");
  EXPECT_EQ(get("/api/v1/intervals?of=a/b&every=1d&zone=Europe/Rome"), "200 1dEurope/Rome a/b - -");
  EXPECT_EQ(get("/api/v1/intervals?of=a/b&every=1y").substr(0, 3), "400");
  EXPECT_EQ(get("/api/v1/series").substr(0, 3), "400");
}

}  // namespace
}  // namespace nilo::api::test
