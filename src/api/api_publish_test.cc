// Messages that come over HTTP, and MQTT that comes by a WebSocket.
#include <gmock/gmock.h>

#include <memory>
#include <set>
#include <string>

#include "api/api_test_kit.h"
#include "net/tls.h"

namespace nilo::api::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

const net::NameValues kHandshake = {{"connection", "Upgrade"},
                                    {"upgrade", "websocket"},
                                    {"sec-websocket-version", "13"},
                                    {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="},
                                    {"sec-websocket-protocol", "mqtt"}};

net::NameValues handshake_from(std::string origin) {
  net::NameValues headers = kHandshake;
  headers.emplace_back("origin", std::move(origin));
  return headers;
}

using TopicsPath = ApiTest;

TEST_F(TopicsPath, PublishesItsBodyToTheRestOfThePath) {
  for (const char* path : {"/topics/water1/pub", "/topics/water1%2Fpub"}) {
    const net::HttpResponse response = ask("POST", path, kDevice, "41.2");
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_THAT(response.body, HasSubstr(R"({"message":"OK","traceId":")"));
    ASSERT_FALSE(published_.empty());
    EXPECT_EQ(published_.back().topic, "water1/pub");
    EXPECT_EQ(published_.back().payload, "41.2");
    EXPECT_EQ(published_.back().qos, Qos::at_most_once);
    EXPECT_EQ(published_.back().principal, "tank-1");
    EXPECT_EQ(published_.back().source_ip, "192.0.2.7");
  }
  ask("POST", "/topics//a//b/?qos=1&retain=true", kDevice, "x");
  EXPECT_EQ(published_.back().topic, "/a//b/");
  EXPECT_EQ(published_.back().qos, Qos::at_least_once);
  EXPECT_TRUE(published_.back().retain);
}

TEST_F(TopicsPath, RefusesInAwssWords) {
  const net::HttpResponse own = ask("POST", "/topics/%24SYS/x", kDevice, "x");
  EXPECT_EQ(own.status, 403);
  EXPECT_THAT(own.body, HasSubstr(R"({"message":"topics that begin with '$')"));
  ASSERT_EQ(refused_publishes_.size(), 1u);
  EXPECT_THAT(refused_publishes_.front(), HasSubstr("$SYS/x: topics that begin with '$'"));
  EXPECT_THAT(own.body, HasSubstr(R"("traceId":")"));
  EXPECT_EQ(ask("POST", "/topics/a/%2B", kDevice, "x").status, 400);
  EXPECT_EQ(ask("POST", "/topics/a?qos=2", kDevice, "x").status, 400);
  EXPECT_EQ(ask("POST", "/topics/a", kViewer, "x").status, 403);
  EXPECT_EQ(ask("POST", "/topics/a", "", "x").status, 401);
  EXPECT_EQ(ask("POST", "/topics/", kDevice, "x").status, 404);
  EXPECT_EQ(ask("GET", "/topics/a", kDevice).status, 405);
  EXPECT_TRUE(published_.empty());
  outcome_ = Error{ErrorCode::resource_exhausted, "the disk is full"};
  const net::HttpResponse full = ask("POST", "/topics/a", kDevice, "x");
  EXPECT_EQ(full.status, 507);
  EXPECT_THAT(full.body, HasSubstr(R"({"message":"the disk is full")"));
}

TEST_F(TopicsPath, EveryAnswerHasAnotherTrace) {
  std::set<std::string> bodies;
  for (int count = 0; count < 100; ++count) {
    bodies.insert(ask("POST", "/topics/a", kDevice, "x").body);
  }
  EXPECT_EQ(bodies.size(), 100U);
}

class MqttPath : public ApiTest {
 protected:
  void SetUp() override { start({.mqtt_origins = {"https://app.example.org"}}); }
  void start(ApiOptions options) {
    Backend house = backend();
    house.take_mqtt = [](net::TakenStream) {};
    api_ = std::make_unique<Api>(std::move(house), endpoints_, std::move(options), clock_, metrics_,
                                 *logger_);
  }
  int status_from(std::string origin) {
    return ask("GET", "/mqtt", "", "", handshake_from(std::move(origin))).status;
  }
};

TEST_F(MqttPath, IsOpenToDevicesOurOwnPagesAndInvitedOnes) {
  const net::HttpResponse device = ask("GET", "/mqtt", "", "", kHandshake);
  EXPECT_EQ(device.status, 101);
  EXPECT_TRUE(device.stream_taker);
  EXPECT_EQ(device.websocket, nullptr);
  EXPECT_EQ(net::find_value(device.headers, "Sec-WebSocket-Protocol"), "mqtt");
  EXPECT_EQ(status_from("http://localhost:8080"), 101);
  EXPECT_EQ(status_from("https://localhost:8080"), 101);
  EXPECT_EQ(status_from("https://app.example.org"), 101);
  EXPECT_EQ(status_from("http://app.example.org"), 403);
  EXPECT_EQ(status_from("https://app.example.org.evil.example"), 403);
  EXPECT_EQ(status_from("null"), 403);
  // Invited for MQTT alone.
  EXPECT_EQ(ask("GET", "/api/v1/ws", kViewer, "", handshake_from("https://app.example.org")).status,
            403);
  EXPECT_EQ(ask("GET", "/mqtt", "").status, 400);
}

using OverTls = ApiTest;

TEST_F(OverTls, CookiesAreSecureAndNothingBindsABrowserToIt) {
  net::HttpRequest request;
  request.method = "POST";
  request.path = "/api/v1/login";
  request.headers = {{"host", "localhost:8443"}};
  request.body = R"({"name":"ada","password":"right"})";
  request.is_encrypted = true;
  net::HttpResponse response;
  api_->handle(std::move(request), [&](net::HttpResponse answer) { response = std::move(answer); });
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(std::string(*net::find_value(response.headers, "Set-Cookie")), EndsWith("; Secure"));
  EXPECT_FALSE(net::find_value(response.headers, "Strict-Transport-Security"));
}

TEST_F(OverTls, TheCertificateIsPartOfWhatWasShown) {
  net::HttpRequest request;
  request.certificate = std::make_shared<net::PeerCertificate>();
  EXPECT_EQ(read_credentials(request).value().certificate, request.certificate);
}

}  // namespace
}  // namespace nilo::api::test
