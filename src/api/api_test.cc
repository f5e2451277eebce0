#include "api/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/api_test_kit.h"

namespace nilo::api::test {
namespace {

using testing::HasSubstr;

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
            "GET, POST, PUT, DELETE, OPTIONS");
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
    for (const std::string_view name : {"{table}", "{name}", "{id}", "{certificate}"}) {
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
}  // namespace nilo::api::test
