#include "api/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "value/json.h"

namespace nilo::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kViewer = "Bearer nilo_viewer";
constexpr std::string_view kDevice = "Bearer nilo_device";
constexpr std::string_view kAdmin = "Bearer nilo_admin";

TableSchema tank_levels() {
  TableSchema schema;
  schema.name = "tank_levels";
  schema.columns = {{.name = "device_id", .type = Type::int64},
                    {.name = "time", .type = Type::timestamp},
                    {.name = "distance", .type = Type::float64, .unit = "cm", .min = 0, .max = 89},
                    {.name = "percent", .type = Type::float64, .unit = "%", .derived_sql = "..."}};
  schema.has_sort_key = true;
  return schema;
}

tables::Answer distances(const std::vector<std::pair<int, double>>& rows) {
  tables::Answer answer(
      {{.name = "device_id", .type = "int"}, {.name = "distance", .type = "double", .unit = "cm"}});
  for (const auto& [device_id, distance] : rows) {
    answer.add(Value::int64(device_id));
    answer.add(Value::float64(distance));
  }
  return answer;
}

// An Api in front of a house that remembers what it was asked, and says what the test wants.
class ApiTest : public testing::Test {
 protected:
  void SetUp() override { start({}); }

  void start(ApiOptions options) {
    api_ = std::make_unique<Api>(backend(), endpoints_, options, clock_, metrics_, *logger_);
  }

  Backend backend() {
    Backend house;
    house.authenticate = [this](const Credentials& shown, const Done<Principal>& done) {
      ++authenticated_;
      if (shown.token == "nilo_viewer") return done(Principal{"vera", Role::viewer});
      if (shown.token == "nilo_device") return done(Principal{"tank-1", Role::device});
      if (shown.token == "nilo_admin") return done(Principal{"ada", Role::admin});
      if (shown.session == "viewer") return done(Principal{"vera", Role::viewer});
      if (shown.user == "ada" && shown.password == "pass:word") {
        return done(Principal{"ada", Role::admin});
      }
      done(Error{ErrorCode::unauthenticated, "who are you?", "show a token"});
    };
    house.publish = [this](Message message, const Done<void>& done) {
      published_.push_back(std::move(message));
      done(outcome_);
    };
    house.tables = [this] { return std::vector<tables::TableInfo>{{&schema_, 3, 2, 4096}}; };
    house.rows = house.latest = [this](const tables::RowQuery& query) { return page(query); };
    house.sql = [this](tables::SqlRequest request, const tables::Sql::Done& done) {
      sql_.push_back(std::move(request));
      if (!outcome_) return done(outcome_.error());
      done(distances(answer_));
    };
    house.rules_json = [] { return std::string(R"({"rules":[]})"); };
    house.things = thing_backend();
    house.tokens = [] {
      return std::vector<TokenInfo>{
          {.name = "tank-1", .kind = "token", .topics = {"a/#"}, .created_us = 1'000'000}};
    };
    house.make_token = [this](const NewToken& wanted, const Done<std::string>& done) {
      made_ = wanted;
      if (!outcome_) return done(outcome_.error());
      done(std::string("nilo_secret"));
    };
    house.revoke_token = [this](const std::string& name, const Done<void>& done) {
      revoked_ = name;
      done(outcome_);
    };
    house.alerts.linked = [](const std::string&) { return Result<std::string>("{}"); };
    house.alerts.acknowledge_linked = [](const std::string&, const AlertBackend::Done& done) {
      done(std::string("{}"));
    };
    house.ready = [this] { return outcome_; };
    house.is_current = [](const Principal&) { return true; };
    house.accounts = accounts();
    return house;
  }

  AccountBackend accounts() {
    AccountBackend house;
    house.house = [] {
      return HouseInfo{.is_claimed = true,
                       .site_name = "Barn",
                       .site_zone = "UTC",
                       .version = "0.1.0",
                       .mqtt_port = 1883};
    };
    house.set_up = [this](const FirstUser& wanted, const Done<LoggedIn>& done) {
      set_up_ = wanted;
      done(logged_in_);
    };
    house.log_in = [this](const LogIn& shown, const Done<LoggedIn>& done) {
      if (shown.password != "right") return done(Error{ErrorCode::unauthenticated, "wrong"});
      done(logged_in_);
    };
    house.log_out = [this](const std::string& secret, const Done<void>& done) {
      logged_out_ = secret;
      done(outcome_);
    };
    house.change_password = [this](const NewPassword& wanted, const Done<LoggedIn>& done) {
      new_password_ = wanted;
      done(logged_in_);
    };
    house.users = [] {
      return std::vector<UserInfo>{{"ada", Role::admin, 1'000'000, 2'000'000},
                                   {"vera", Role::viewer, 1'000'000, 0}};
    };
    house.add_user = [this](const NewUser& wanted, const Done<void>& done) {
      new_user_ = wanted;
      done(outcome_);
    };
    house.change_user = [this](const UserChange& wanted, const Done<void>& done) {
      user_change_ = wanted;
      done(outcome_);
    };
    house.remove_user = [this](const std::string& name, const Done<void>& done) {
      removed_user_ = name;
      done(outcome_);
    };
    house.sessions = [] {
      return std::vector<SessionInfo>{{"s1", "ada", "192.0.2.7", 1'000'000, 2'000'000},
                                      {"s2", "vera", "192.0.2.8", 1'000'000, 2'000'000}};
    };
    house.end_session = [this](const std::string& id, const Done<void>& done) {
      ended_session_ = id;
      done(outcome_);
    };
    return house;
  }

  // Answers with the question.
  static ThingBackend thing_backend() {
    const auto said = [](std::string what, const ReadingsQuestion& question) {
      const auto time = [](std::optional<TimeUs> us) { return us ? std::to_string(*us) : "-"; };
      return what + " " + question.of + " " + time(question.from_us) + " " + time(question.to_us);
    };
    ThingBackend house;
    house.list = [](const ThingsQuestion& question, const ThingBackend::Json& done) {
      done(question.search + "," + question.type + "," + question.state + "," +
           std::to_string(question.limit) + "," + question.cursor);
    };
    house.show = [](const std::string& id, const ThingBackend::Json& done) {
      if (id == "nothing") return done(Error{ErrorCode::not_found, "no thing 'nothing'"});
      done(id);
    };
    house.values = [said](const ReadingsQuestion& question, bool with_stats,
                          const ThingBackend::Json& done) {
      done(said(with_stats ? "stats" : "values", question));
    };
    house.series = [said](const ReadingsQuestion& question, std::size_t width,
                          const ThingBackend::Json& done) {
      done(said(std::to_string(width), question));
    };
    house.intervals = [said](const ReadingsQuestion& question, const std::string& every,
                             const std::string& zone, const ThingBackend::Json& done) {
      done(said(every + zone, question));
    };
    house.status = [](const ThingBackend::Json& done) { done(std::string("well")); };
    return house;
  }

  Result<tables::RowPage> page(const tables::RowQuery& query) {
    if (query.table != "tank_levels") return Error{ErrorCode::not_found, "no such table"};
    asked_ = query;
    key_ = query.key.value_or("none");
    cursor_ = query.cursor;
    tables::RowPage page;
    page.rows = distances({{1, 75}});
    page.next_cursor = next_cursor_;
    page.seq = 7;
    return page;
  }

  net::HttpResponse ask(std::string_view method, std::string_view target,
                        std::string_view authorization = kAdmin, std::string_view body = "",
                        net::NameValues headers = {}) {
    Result<net::HttpTarget> parsed = net::parse_target(target);
    EXPECT_TRUE(parsed) << target;
    net::HttpRequest request;
    request.method = method;
    request.path = parsed->path;
    request.query = parsed->query;
    request.headers = std::move(headers);
    request.headers.emplace_back("host", "localhost:8080");
    if (!authorization.empty()) request.headers.emplace_back("authorization", authorization);
    request.body = body;
    request.remote_ip = "192.0.2.7";
    int answers = 0;
    net::HttpResponse out;
    api_->handle(std::move(request), [&](net::HttpResponse response) {
      ++answers;
      out = std::move(response);
    });
    EXPECT_EQ(answers, 1) << target;
    return out;
  }
  // "400 message; hint", or "200 body" without its line end.
  static std::string line(const net::HttpResponse& response) {
    JsonDocument document;
    std::string out = std::to_string(response.status) + " ";
    const auto root = document.parse(response.body);
    const JsonNode* const error = root ? (*root)->find("error") : nullptr;
    if (error == nullptr) {
      out += response.body;
      if (out.back() == '\n') out.pop_back();
      return out;
    }
    out += error->find("message")->text();
    if (const JsonNode* const hint = error->find("hint")) {
      out.append("; ").append(hint->text());
    }
    return out;
  }
  std::string get(std::string_view target, std::string_view authorization = kAdmin) {
    return line(ask("GET", target, authorization));
  }
  std::string post(std::string_view target, std::string_view body) {
    return line(ask("POST", target, kAdmin, body));
  }

  std::vector<EndpointSpec> endpoints_ = {
      {.name = "data",
       .path = "/prod/data",
       .sql = "SELECT 1",
       .parameters = {{"device_id", Type::int64}}},
      {.name = "all", .path = "/prod/all", .sql = "SELECT 2", .many = true, .open = true},
      {.name = "typed",
       .path = "/prod/typed",
       .sql = "SELECT 3",
       .parameters = {{"ratio", Type::float64},
                      {"since", Type::timestamp},
                      {"on", Type::boolean},
                      {"name", Type::text}}}};
  TableSchema schema_ = tank_levels();
  FakeClock clock_{1'763'805'600'000'000};
  Metrics metrics_;
  std::unique_ptr<Logger> logger_ = make_silent_logger();
  std::unique_ptr<Api> api_;

  Result<void> outcome_;
  std::vector<std::pair<int, double>> answer_ = {{2, 75}};
  std::string next_cursor_;
  std::vector<Message> published_;
  std::vector<tables::SqlRequest> sql_;
  tables::RowQuery asked_;
  std::string key_, cursor_, revoked_;
  NewToken made_;
  int authenticated_ = 0;
  FirstUser set_up_;
  Result<LoggedIn> logged_in_ = LoggedIn{.secret = "s3cret", .who = {"ada", Role::admin}};
  NewPassword new_password_;
  NewUser new_user_;
  UserChange user_change_;
  std::string logged_out_, removed_user_, ended_session_;
};

using Routing = ApiTest;

TEST_F(Routing, SaysWhereTheApiIs) {
  EXPECT_THAT(get("/", ""), HasSubstr(R"("api":"/api/v1")"));
  EXPECT_EQ(get("/healthz", ""), R"(200 {"status":"ok"})");
}

TEST_F(Routing, NamesTheNearestPath) {
  EXPECT_EQ(get("/api/v1/tabels"),
            "404 no such path: /api/v1/tabels; did you mean /api/v1/tables?");
  EXPECT_EQ(get("/prod/dat"), "404 no such path: /prod/dat; did you mean /prod/data?");
  EXPECT_EQ(get("/x/y/z"), "404 no such path: /x/y/z; all paths are in /api/openapi.json");
}

TEST_F(Routing, TakesAPathAsAWhole) {
  for (const char* path : {"/api/v1/tables/", "//api/v1/tables", "/api/v1/tables/a/b", "/API/v1",
                           "/api/v1/tables//rows", "/api"}) {
    EXPECT_EQ(ask("GET", path).status, 404) << path;
  }
}

TEST_F(Routing, SaysWhichMethodsAPathTakes) {
  const net::HttpResponse response = ask("PUT", "/api/v1/tokens");
  EXPECT_EQ(line(response), "405 PUT is not possible here; this path takes GET, POST, OPTIONS");
  EXPECT_EQ(net::find_value(response.headers, "Allow"), "GET, POST, OPTIONS");
}

TEST_F(Routing, AnswersOptions) {
  const net::HttpResponse response = ask("OPTIONS", "/api/v1/sql", "");
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(net::find_value(response.headers, "Allow"), "POST, OPTIONS");
  EXPECT_EQ(net::find_value(ask("OPTIONS", "*", "").headers, "Allow"),
            "GET, POST, DELETE, PUT, OPTIONS");
  EXPECT_EQ(ask("OPTIONS", "/nowhere", "").status, 404);
}

TEST_F(Routing, CountsAnswersByClass) {
  get("/healthz");
  get("/nowhere");
  const std::string text = ask("GET", "/metrics").body;
  EXPECT_THAT(text, HasSubstr("nilo_http_requests_total{code=\"2xx\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("nilo_http_requests_total{code=\"4xx\"} 1\n"));
}

TEST_F(Routing, SaysWhenItIsNotReady) {
  EXPECT_EQ(get("/readyz", ""), R"(200 {"status":"ready"})");
  outcome_ = Error{ErrorCode::unavailable, "the log takes no more"};
  EXPECT_EQ(get("/readyz", ""), "503 the log takes no more");
  EXPECT_EQ(get("/healthz", ""), R"(200 {"status":"ok"})");
}

using ApiAccess = ApiTest;

TEST_F(ApiAccess, StrangersGetNothingButTheOpenPaths) {
  for (const Route& route : api_->routes()) {
    std::string path = route.path;
    for (const std::string_view name : {"{table}", "{name}", "{id}"}) {
      if (const auto at = path.find(name); at != std::string::npos)
        path.replace(at, name.size(), "x");
    }
    const int status = ask(route.method, path, "").status;
    EXPECT_EQ(status == 401, route.access != Access::open) << route.method << " " << route.path;
  }
  EXPECT_TRUE(published_.empty());
  EXPECT_EQ(revoked_, "");
}

TEST_F(ApiAccess, AsksForAToken) {
  const net::HttpResponse response = ask("GET", "/api/v1/tables", "");
  EXPECT_EQ(line(response), "401 who are you?; show a token");
  EXPECT_EQ(net::find_value(response.headers, "WWW-Authenticate"), "Bearer realm=\"nilometer\"");
}

TEST_F(ApiAccess, EachRoleMayDoItsOwn) {
  const auto status = [this](const char* method, const char* path, std::string_view who) {
    return ask(method, path, who, "{}").status;
  };
  EXPECT_EQ(status("GET", "/api/v1/tables", kViewer), 200);
  EXPECT_EQ(status("GET", "/api/v1/tables", kDevice), 403);
  EXPECT_EQ(status("POST", "/api/v1/publish?topic=a", kDevice), 200);
  EXPECT_EQ(status("POST", "/api/v1/publish?topic=a", kViewer), 403);
  EXPECT_EQ(status("GET", "/api/v1/tokens", kViewer), 403);
  EXPECT_EQ(status("GET", "/api/v1/tokens", kAdmin), 200);
  EXPECT_EQ(status("GET", "/prod/data?device_id=2", kViewer), 200);
}

TEST_F(ApiAccess, TakesUserAndPassword) {
  EXPECT_EQ(ask("GET", "/api/v1/tokens", "Basic YWRhOnBhc3M6d29yZA==").status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/tokens", "basic YWRhOnBhc3M6d29yZA").status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/tokens", "Basic YWRhOndyb25n").status, 401);
}

TEST_F(ApiAccess, RefusesACredentialItCannotRead) {
  for (const char* text :
       {"Bearer", "Bearer ", "Digest x", "Basic !!!!", "Basic YWRh", "nilo_admin"}) {
    EXPECT_EQ(ask("GET", "/api/v1/tables", text).status, 401) << text;
  }
  EXPECT_EQ(authenticated_, 0);
}

TEST_F(ApiAccess, StopsGuessingAfterTooManyFailures) {
  for (int count = 0; count < kAuthFailuresMax; ++count) {
    EXPECT_EQ(ask("GET", "/api/v1/tables", "Bearer nilo_guess").status, 401);
  }
  const net::HttpResponse blocked = ask("GET", "/api/v1/tables", kAdmin);
  EXPECT_EQ(blocked.status, 429);
  EXPECT_EQ(net::find_value(blocked.headers, "Retry-After"), "60");
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
  clock_.advance_us(kAuthWindowUs);
  EXPECT_EQ(ask("GET", "/api/v1/tables", kAdmin).status, 200);
}

TEST_F(ApiAccess, DoesNotCountThoseWhoShowNothing) {
  for (int count = 0; count < 3 * kAuthFailuresMax; ++count) ask("GET", "/api/v1/tables", "");
  EXPECT_EQ(ask("GET", "/api/v1/tables", kAdmin).status, 200);
}

TEST_F(ApiAccess, RefusesWritesFromPagesOfOthers) {
  const net::NameValues foreign{{"origin", "http://evil.example"}};
  const net::NameValues own{{"origin", "http://localhost:8080"}};
  EXPECT_EQ(ask("POST", "/api/v1/publish?topic=a", kAdmin, "x", foreign).status, 403);
  EXPECT_EQ(ask("POST", "/api/v1/publish?topic=a", kAdmin, "x", {{"origin", "null"}}).status, 403);
  EXPECT_EQ(published_.size(), 0U);
  EXPECT_EQ(ask("POST", "/api/v1/publish?topic=a", kAdmin, "x", own).status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/tables", kAdmin, "", foreign).status, 200);
}

TEST_F(ApiAccess, AnOpenServerAnswersToLoopbackNamesOnly) {
  start({.loopback_names_only = true});
  for (const char* host : {"localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080"}) {
    EXPECT_EQ(ask("GET", "/healthz", "", "", {{"host", host}}).status, 200) << host;
  }
  net::HttpRequest request;
  request.method = "GET";
  request.path = "/api/v1/tables";
  const auto status_with = [&](std::vector<std::pair<std::string, std::string>> headers) {
    request.headers = std::move(headers);
    int status = 0;
    api_->handle(request, [&](const net::HttpResponse& response) { status = response.status; });
    return status;
  };
  EXPECT_EQ(status_with({{"host", "rebound.example:8080"}}), 403);
  EXPECT_EQ(status_with({{"host", "127.rebound.example:8080"}}), 403);
  for (const char* name : {"x-forwarded-for", "forwarded", "x-real-ip", "via"}) {
    EXPECT_EQ(status_with({{"host", "127.0.0.1"}, {name, "192.0.2.7"}}), 403)
        << name << ": a proxy on this machine speaks for others";
  }
}

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

using ApiTokens = ApiTest;

TEST_F(ApiTokens, ShowTheSecretOnce) {
  EXPECT_EQ(post("/api/v1/tokens", R"({"name":"tank-1","role":"device","valid_days":2})"),
            R"(201 {"name":"tank-1","role":"device","token":"nilo_secret"})");
  EXPECT_EQ(made_.name, "tank-1");
  EXPECT_EQ(made_.role, Role::device);
  EXPECT_EQ(made_.valid_for_us, std::int64_t{2} * 24 * 3600 * 1'000'000);
  EXPECT_EQ(
      get("/api/v1/tokens"),
      R"(200 {"tokens":[{"name":"tank-1","role":"device","kind":"token","note":"","topics":["a/#"],"revoked":false,)"
      R"("created":"1970-01-01T00:00:01Z","expires":null}]})");
}

TEST_F(ApiTokens, AreRefusedWithTheReason) {
  EXPECT_EQ(post("/api/v1/tokens", R"({"role":"device"})"), "400 'name' is required");
  EXPECT_EQ(post("/api/v1/tokens", R"({"name":"a","role":"root"})"),
            "400 unknown role `root`; one of device, viewer, admin");
  EXPECT_EQ(post("/api/v1/tokens", R"({"name":"tank-1","role":"device","password":"12345678"})"),
            R"(201 {"name":"tank-1","role":"device"})")
      << "a password is not told back";
  EXPECT_EQ(made_.password, "12345678");
  EXPECT_THAT(post("/api/v1/tokens", R"({"name":"a","role":"admin","valid_days":0})"),
              HasSubstr("400 valid_days must be 1 to 36500"));
  EXPECT_THAT(post("/api/v1/tokens", R"({"name":"a","role":"admin","valid_days":"1"})"),
              HasSubstr("400 Invalid valid_days format"));
  EXPECT_EQ(post("/api/v1/tokens", R"({"name":"a","role":"device","topics":["a/#"]})").substr(0, 3),
            "201");
  EXPECT_EQ(made_.topics, std::vector<std::string>{"a/#"});
  EXPECT_EQ(post("/api/v1/tokens", R"({"name":"a","role":"device","topics":["a\nb/#"]})"),
            "400 a topic here has no line breaks");
  for (const char* role : {"viewer", "admin"}) {
    EXPECT_EQ(post("/api/v1/tokens",
                   R"({"name":"a","topics":["a/#"],"role":")" + std::string(role) + "\"}"),
              "400 only a device is limited to topics; leave 'topics' out, or make the role "
              "'device'");
  }
  outcome_ = Error{ErrorCode::conflict, "the name is taken"};
  EXPECT_EQ(post("/api/v1/tokens", R"({"name":"a","role":"admin"})"), "409 the name is taken");
}

TEST_F(ApiTokens, AreRevokedByName) {
  EXPECT_EQ(ask("DELETE", "/api/v1/tokens/tank%201").status, 204);
  EXPECT_EQ(revoked_, "tank 1");
  outcome_ = Error{ErrorCode::not_found, "no such token"};
  EXPECT_EQ(line(ask("DELETE", "/api/v1/tokens/x")), "404 no such token");
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

using ApiAccounts = ApiTest;

TEST_F(ApiAccounts, SayWhoAsksAndWhereTheHouseIs) {
  EXPECT_EQ(get("/api/v1/session", ""),
            R"(200 {"claimed":true,"open":false,"user":null,)"
            R"("site":{"name":"Barn","zone":"UTC","url":""},"version":"0.1.0",)"
            R"("mqtt":{"host":"localhost","port":1883},"time":1763805600000})");
  EXPECT_THAT(get("/api/v1/session"), HasSubstr(R"("user":{"name":"ada","role":"admin"})"));
  EXPECT_THAT(get("/api/v1/session", kDevice), HasSubstr(R"("user":null)"));
  EXPECT_THAT(get("/api/v1/session", "Basic YWRhOnBhc3M6d29yZA=="), HasSubstr(R"("user":null)"))
      << "no way to try passwords uncounted";
}

TEST_F(ApiAccounts, GetACookieThatNoScriptAndNoOtherSiteHas) {
  const auto login = [this](net::NameValues headers) {
    return ask("POST", "/api/v1/login", "", R"({"name":"ada","password":"right"})",
               std::move(headers));
  };
  const net::HttpResponse plain = login({});
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(net::find_value(plain.headers, "Set-Cookie"),
            "nilo_session=s3cret; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000");
  EXPECT_THAT(plain.body, HasSubstr(R"("user":{"name":"ada","role":"admin"})"));
  EXPECT_THAT(plain.body, Not(HasSubstr("s3cret")));
  EXPECT_TRUE(net::find_value(login({{"x-forwarded-proto", "https"}}).headers, "Set-Cookie")
                  ->ends_with("; Secure"));
  EXPECT_EQ(login({{"origin", "http://evil.example"}}).status, 403);
  EXPECT_EQ(post("/api/v1/login", R"({"name":"ada","password":"x"})"), "401 wrong");
}

TEST_F(ApiAccounts, AreToldHowLongToWait) {
  logged_in_ = LoggedIn{.wait_s = 34};
  const net::HttpResponse response =
      ask("POST", "/api/v1/setup", "", R"({"code":"K7QM-3XPD","name":"ada","password":"p"})");
  EXPECT_EQ(line(response), "429 too many tries; wait 34 s");
  EXPECT_EQ(net::find_value(response.headers, "Retry-After"), "34");
  EXPECT_FALSE(net::find_value(response.headers, "Set-Cookie"));
  EXPECT_EQ(set_up_.code, "K7QM-3XPD");
  EXPECT_EQ(set_up_.remote_ip, "192.0.2.7");
}

TEST_F(ApiAccounts, ChangeThingsByCookieOnlyFromOurOwnPages) {
  const net::NameValues cookie{{"cookie", "a=1; nilo_session=viewer"}};
  const auto with = [&](const char* name, const char* value) {
    net::NameValues headers = cookie;
    headers.emplace_back(name, value);
    return headers;
  };
  const std::string passwords = R"({"old":"a","new":"b"})";
  const char* path = "/api/v1/session/password";
  EXPECT_EQ(ask("GET", "/api/v1/tables", "", "", cookie).status, 200);
  EXPECT_EQ(ask("POST", path, "", passwords, cookie).status, 403) << "no Origin";
  EXPECT_EQ(ask("POST", path, "", passwords, with("origin", "http://evil.example")).status, 403);
  EXPECT_EQ(ask("POST", path, "", passwords, with("origin", "null")).status, 403);
  EXPECT_EQ(new_password_.new_password, "");
  EXPECT_EQ(ask("POST", path, "", passwords, with("origin", "http://localhost:8080")).status, 200);
  EXPECT_EQ(new_password_.who.name, "vera");
  EXPECT_EQ(ask("GET", "/api/v1/tables", "", "", with("upgrade", "websocket")).status, 403)
      << "a WebSocket is more than reading";
  EXPECT_EQ(ask("GET", "/api/v1/users", "", "", cookie).status, 403) << "a viewer";
}

TEST_F(ApiAccounts, LeaveWithoutACookie) {
  const net::HttpResponse response =
      ask("POST", "/api/v1/logout", "", "",
          {{"cookie", "nilo_session=viewer"}, {"origin", "http://localhost:8080"}});
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(logged_out_, "viewer");
  EXPECT_EQ(net::find_value(response.headers, "Set-Cookie"),
            "nilo_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
}

TEST_F(ApiAccounts, AreAddedChangedAndRemoved) {
  EXPECT_EQ(get("/api/v1/users"),
            R"(200 {"users":[{"name":"ada","role":"admin","created":1000,"last_login":2000},)"
            R"({"name":"vera","role":"viewer","created":1000,"last_login":null}]})");
  EXPECT_EQ(post("/api/v1/users", R"({"name":"bo","role":"viewer","password":"12345678"})"),
            "201 {}");
  EXPECT_EQ(new_user_.name, "bo");
  EXPECT_EQ(ask("POST", "/api/v1/users/bo", kAdmin, R"({"role":"admin"})").status, 204);
  EXPECT_EQ(user_change_.role, "admin");
  EXPECT_EQ(ask("DELETE", "/api/v1/users/bo").status, 204);
  EXPECT_EQ(removed_user_, "bo");
  outcome_ = Error{ErrorCode::conflict, "`ada` is the last admin"};
  EXPECT_EQ(line(ask("DELETE", "/api/v1/users/ada")), "409 `ada` is the last admin");
}

TEST_F(ApiAccounts, SeeAndEndTheirOwnSessions) {
  EXPECT_EQ(get("/api/v1/sessions", kViewer),
            R"(200 {"sessions":[{"id":"s2","user":"vera","ip":"192.0.2.8","created":1000,)"
            R"("seen":2000}]})");
  EXPECT_THAT(get("/api/v1/sessions"), HasSubstr(R"("id":"s1")"));
  EXPECT_EQ(ask("DELETE", "/api/v1/sessions/s1", kViewer).status, 404);
  EXPECT_EQ(ended_session_, "");
  EXPECT_EQ(ask("DELETE", "/api/v1/sessions/s2", kViewer).status, 204);
  EXPECT_EQ(ended_session_, "s2");
}

TEST(OpenApi, IsJsonAndHasEveryRoute) {
  const std::vector<EndpointSpec> endpoints = {{.name = "data",
                                                .path = "/prod/data",
                                                .sql = "",
                                                .parameters = {{"device_id", Type::int64}}}};
  FakeClock clock(0);
  Metrics metrics;
  const auto logger = make_silent_logger();
  const Api api({}, endpoints, {}, clock, metrics, *logger);
  const std::string text = openapi_json(endpoints);
  JsonDocument document;
  const auto root = document.parse(text);
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ((*root)->find("openapi")->text(), "3.1.0");
  const JsonNode& paths = *(*root)->find("paths");
  std::size_t operations = 0;
  for (const JsonMember& path : paths.members()) operations += path.value.size();
  EXPECT_EQ(operations, api.routes().size());
  const JsonNode* const get = paths.find("/prod/data")->find("get");
  ASSERT_NE(get, nullptr);
  const JsonNode& parameter = *get->find("parameters")->elements().begin();
  EXPECT_EQ(parameter.find("name")->text(), "device_id");
  EXPECT_TRUE(parameter.find("required")->is_true());
}

TEST(FailureLimiter, ForgetsAllRatherThanGrow) {
  FailureLimiter limiter;
  for (int count = 0; count < kAuthFailuresMax; ++count) limiter.failed("bad", 0);
  for (std::size_t number = 1; number < kAddressesMax; ++number) {
    limiter.failed(std::to_string(number), 0);
  }
  EXPECT_TRUE(limiter.is_blocked("bad", 0));
  limiter.failed("one more", 0);
  EXPECT_FALSE(limiter.is_blocked("bad", 0));
}

}  // namespace
}  // namespace nilo::api
