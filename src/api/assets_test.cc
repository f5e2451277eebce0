#include "api/assets.h"

#include <gtest/gtest.h>

#include <string>

namespace nilo::api {
namespace {

const std::vector<Asset> kFiles = {{"index.html", "<html>", "GZ"},
                                   {"assets/app-1a2b.js", "let a", "GZJS"},
                                   {"assets/sans-77.woff2", "font"},
                                   {"favicon.svg", "<svg>"}};

net::HttpRequest get(std::string path, net::NameValues headers = {}) {
  net::HttpRequest request;
  request.method = "GET";
  request.path = std::move(path);
  request.headers = std::move(headers);
  return request;
}

std::string said(const net::HttpResponse& response, std::string_view name) {
  return std::string(net::find_value(response.headers, name).value_or("nothing"));
}

TEST(WebFiles, ThatCarryAHashAreKeptForEver) {
  const Assets assets(kFiles);
  const auto script = assets.file(get("/assets/app-1a2b.js"));
  ASSERT_TRUE(script);
  EXPECT_EQ(script->body, "let a");
  EXPECT_EQ(script->content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(said(*script, "Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(said(*assets.file(get("/favicon.svg")), "Cache-Control"), "no-cache");
}

TEST(WebFiles, ArePackedForWhoTakesIt) {
  const Assets assets(kFiles);
  const auto body = [&](const char* encodings) {
    const auto answer = assets.file(get("/assets/app-1a2b.js", {{"accept-encoding", encodings}}));
    return answer->body + " " + said(*answer, "Content-Encoding");
  };
  EXPECT_EQ(body("br, gzip"), "GZJS gzip");
  EXPECT_EQ(body("gzip;q=0.5"), "GZJS gzip");
  EXPECT_EQ(body("gzip;q=0"), "let a nothing");
  EXPECT_EQ(body("gzip;q=0.00, br"), "let a nothing");
  EXPECT_EQ(body("xgzip"), "let a nothing");
  EXPECT_EQ(body(""), "let a nothing");
  const auto font = assets.file(get("/assets/sans-77.woff2", {{"accept-encoding", "gzip"}}));
  EXPECT_EQ(font->body, "font");
}

TEST(WebFiles, ThatTheBrowserHasAreNotSentAgain) {
  const Assets assets(kFiles);
  const std::string tag = said(*assets.file(get("/favicon.svg")), "ETag");
  for (const std::string& shown : {tag, "W/" + tag, "\"x\", " + tag, std::string("*")}) {
    const auto again = assets.file(get("/favicon.svg", {{"if-none-match", shown}}));
    EXPECT_EQ(again->status, 304) << shown;
    EXPECT_EQ(again->body, "");
    EXPECT_EQ(said(*again, "ETag"), tag);
  }
  EXPECT_EQ(assets.file(get("/favicon.svg", {{"if-none-match", "\"x\""}}))->status, 200);
  const auto packed = assets.file(get("/assets/app-1a2b.js", {{"accept-encoding", "gzip"}}));
  const auto plain = assets.file(get("/assets/app-1a2b.js"));
  EXPECT_NE(said(*packed, "ETag"), said(*plain, "ETag")) << "other bytes, other tag";
}

TEST(WebFiles, AreFoundByTheirWholePathOnly) {
  const Assets assets(kFiles);
  for (const char* path : {"/assets", "/assets/", "/assets/../favicon.svg", "favicon.svg", "/x"}) {
    EXPECT_FALSE(assets.file(get(path))) << path;
  }
  net::HttpRequest post = get("/favicon.svg");
  post.method = "POST";
  EXPECT_FALSE(assets.file(post));
}

TEST(ThePage, IsForWhoWantsHtml) {
  const Assets assets(kFiles);
  const net::NameValues browser{{"accept", "text/html,application/xhtml+xml,*/*;q=0.8"}};
  for (const char* path : {"/", "/things", "/t/tank-1", "/p/tanks"}) {
    ASSERT_TRUE(assets.page(get(path, browser))) << path;
    EXPECT_EQ(assets.page(get(path, browser))->content_type, "text/html; charset=utf-8");
  }
  for (const char* path : {"/api/v1/tables", "/assets/old-1.js"}) {
    EXPECT_FALSE(assets.page(get(path, browser))) << path;
  }
  EXPECT_FALSE(assets.page(get("/", {{"accept", "*/*"}})));
  EXPECT_FALSE(assets.page(get("/", {{"accept", "text/html;q=0, */*"}})));
  EXPECT_FALSE(assets.page(get("/")));
  EXPECT_FALSE(Assets().page(get("/", browser))) << "built without one";
}

TEST(ThePage, MayLoadOnlyWhatIsOurs) {
  const auto page = Assets(kFiles).file(get("/index.html"));
  const std::string policy = said(*page, "Content-Security-Policy");
  EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
  EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_EQ(policy.find("nonce"), std::string::npos);
}

TEST(ThePage, GetsAFreshNonceEachTimeIfItAsksForOne) {
  int count = 0;
  const Assets assets({{"index.html", "<a %NONCE% b %NONCE%>", "GZ"}},
                      [&] { return "n" + std::to_string(++count); });
  const auto first = assets.file(get("/index.html", {{"accept-encoding", "gzip"}}));
  EXPECT_EQ(first->body, "<a n1 b n1>");
  EXPECT_NE(said(*first, "Content-Security-Policy").find("style-src 'self' 'nonce-n1';"),
            std::string::npos);
  EXPECT_EQ(said(*first, "ETag"), "nothing");
  EXPECT_EQ(assets.file(get("/index.html"))->body, "<a n2 b n2>");
}

}  // namespace
}  // namespace nilo::api
