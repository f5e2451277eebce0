// api/api_test_kit.h: an Api in front of a house that remembers what it was asked. For tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/api.h"
#include "value/json.h"

namespace nilo::api::test {

inline constexpr std::string_view kViewer = "Bearer nilo_viewer";
inline constexpr std::string_view kDevice = "Bearer nilo_device";
inline constexpr std::string_view kAdmin = "Bearer nilo_admin";

inline TableSchema tank_levels() {
  TableSchema schema;
  schema.name = "tank_levels";
  schema.columns = {{.name = "device_id", .type = Type::int64},
                    {.name = "time", .type = Type::timestamp},
                    {.name = "distance", .type = Type::float64, .unit = "cm", .min = 0, .max = 89},
                    {.name = "percent", .type = Type::float64, .unit = "%", .derived_sql = "..."}};
  schema.has_sort_key = true;
  return schema;
}

inline tables::Answer distances(const std::vector<std::pair<int, double>>& rows) {
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
    house.publish_refused = [this](const Message& message, const std::string& why) {
      refused_publishes_.push_back(message.topic + ": " + why);
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
    house.grants.list = [] {
      return std::vector<GrantInfo>{{"tank-1", "publish", "barn/\"level\"", 1'000'000}};
    };
    house.grants.revoke = [this](const GrantInfo& which, const Done<void>& done) {
      revoked_ = which.login + " " + which.act + " " + which.topic;
      done(outcome_);
    };
    house.alerts.linked = [](const std::string&) { return Result<std::string>("{}"); };
    house.alerts.acknowledge_linked = [](const std::string&, const AlertBackend::Done& done) {
      done(std::string("{}"));
    };
    house.ready = [this] { return outcome_; };
    house.is_current = [](const Principal&) { return true; };
    house.accounts = accounts();
    house.certificates = certificates();
    return house;
  }

  CertificateBackend certificates() {
    const CertificateInfo info{.fingerprint = "ab12",
                               .name = "tank-1",
                               .kind = "device",
                               .state = "active",
                               .topics = {"a/#"},
                               .created_us = 1'000'000};
    CertificateBackend house;
    house.list = [info] { return std::vector<CertificateInfo>{info}; };
    house.ca = [](const Done<std::string>& done) { done(std::string("the CA")); };
    house.issue = [this, info](const NewCertificate& wanted, const Done<IssuedCertificate>& done) {
      new_certificate_ = wanted;
      if (!outcome_) return done(outcome_.error());
      done(IssuedCertificate{info, "C", wanted.request.empty() ? "K" : "", "A"});
    };
    house.add = [this, info](const ForeignCertificate& foreign, const Done<CertificateInfo>& done) {
      foreign_ = foreign;
      done(info);
    };
    house.set_state = [this, info](const std::string& which, const std::string& state,
                                   const Done<CertificateInfo>& done) {
      certificate_change_ = which + " " + state;
      done(info);
    };
    house.remove = [this](const std::string& which, const Done<void>& done) {
      revoked_ = which;
      done(outcome_);
    };
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
    house.set = [](const ThingEdit& edit, const ThingBackend::Changed& done) {
      if (edit.id != "tank-4") return done(Error{ErrorCode::conflict, "it is written elsewhere"});
      std::string seen = edit.type + "," + edit.name;
      for (const auto& [name, text] : edit.properties) seen += "," + name + "=" + text;
      done(seen == "tank,Meadow,depth=89 cm,lat=48.25,indoor=true"
               ? Result<void>()
               : Result<void>(Error{ErrorCode::internal, seen}));
    };
    house.remove = [](const std::string& id, const ThingBackend::Changed& done) {
      done(id == "tank-4" ? Result<void>() : Result<void>(Error{ErrorCode::not_found, "no"}));
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
  std::vector<std::string> refused_publishes_;
  std::vector<tables::SqlRequest> sql_;
  tables::RowQuery asked_;
  std::string key_, cursor_, revoked_;
  NewCertificate new_certificate_;
  ForeignCertificate foreign_;
  std::string certificate_change_;
  NewToken made_;
  int authenticated_ = 0;
  FirstUser set_up_;
  Result<LoggedIn> logged_in_ = LoggedIn{.secret = "s3cret", .who = {"ada", Role::admin}};
  NewPassword new_password_;
  NewUser new_user_;
  UserChange user_change_;
  std::string logged_out_, removed_user_, ended_session_;
};

}  // namespace nilo::api::test
