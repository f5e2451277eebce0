#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/api_test_kit.h"

namespace nilo::api::test {
namespace {

using testing::HasSubstr;
using testing::Not;

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

using ApiGrants = ApiTest;

TEST_F(ApiGrants, AreListedAndTakenBack) {
  EXPECT_EQ(get("/api/v1/grants"),
            R"(200 {"grants":[{"login":"tank-1","act":"publish","topic":"barn/\"level\"",)"
            R"("granted":"1970-01-01T00:00:01Z"}]})");
  const std::string which = "/api/v1/grants?login=tank-1&act=subscribe&topic=barn/%23";
  EXPECT_EQ(ask("GET", "/api/v1/grants", kViewer).status, 403);
  EXPECT_EQ(ask("DELETE", which, kViewer).status, 403);
  EXPECT_EQ(revoked_, "");
  EXPECT_EQ(ask("DELETE", which).status, 204);
  EXPECT_EQ(revoked_, "tank-1 subscribe barn/#");
  EXPECT_EQ(ask("DELETE", "/api/v1/grants?login=tank-1&act=publish").status, 400);
  EXPECT_EQ(ask("DELETE", "/api/v1/grants?login=tank-1&act=hear&topic=a").status, 400);
  outcome_ = Error{ErrorCode::not_found, "no such grant"};
  EXPECT_EQ(line(ask("DELETE", which)), "404 no such grant");
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

}  // namespace
}  // namespace nilo::api::test
