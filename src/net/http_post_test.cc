#include "net/http_post.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include "net/http_server.h"
#include "net/public_address.h"
#include "net/test_net.h"

namespace nilo::net {
namespace {

using Verdict = Delivery::Verdict;

TEST(PublicAddress, IsWhatTheRegistriesCallGloballyReachable) {
  for (const char* ip :
       {"1.1.1.1",         "9.255.255.255",   "11.0.0.0",         "100.63.255.255",
        "100.128.0.0",     "126.255.255.255", "128.0.0.0",        "169.253.255.255",
        "172.15.255.255",  "172.32.0.0",      "192.0.1.0",        "192.167.255.255",
        "192.169.0.0",     "198.17.255.255",  "198.20.0.0",       "223.255.255.255",
        "2606:4700::1111", "2a00::1",         "64:ff9b::808:808", "::ffff:8.8.8.8",
        "2002:808:808::1"}) {
    EXPECT_TRUE(is_public(ip)) << ip;
  }
}

TEST(PublicAddress, OfIpv6BelongsToItsNetwork) {
  EXPECT_EQ(network_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(network_of("2001:db8:1:2::7"), "2001:db8:1:2::/64");
  EXPECT_EQ(network_of("2001:db8:1:3::7"), "2001:db8:1:3::/64");
  EXPECT_EQ(network_of("::1"), "::/64");
  for (const char* ip : {"192.0.2.1", "::ffff:192.0.2.1", "", "x"}) EXPECT_EQ(network_of(ip), ip);
}

TEST(PublicAddress, IsNoneOfThisMachineOrItsNetwork) {
  for (const char* ip : {"0.0.0.0",
                         "0.255.255.255",
                         "10.0.0.0",
                         "10.255.255.255",
                         "100.64.0.0",
                         "100.127.255.255",
                         "127.0.0.1",
                         "127.255.255.255",
                         "169.254.169.254",
                         "172.16.0.0",
                         "172.31.255.255",
                         "192.0.0.1",
                         "192.0.2.9",
                         "192.88.99.1",
                         "192.168.0.0",
                         "192.168.255.255",
                         "198.18.0.0",
                         "198.19.255.255",
                         "198.51.100.3",
                         "203.0.113.7",
                         "224.0.0.1",
                         "239.1.1.1",
                         "240.0.0.0",
                         "255.255.255.255",
                         "::",
                         "::1",
                         "::7f00:1",
                         "::ffff:127.0.0.1",
                         "::ffff:10.1.2.3",
                         "::ffff:169.254.169.254",
                         "64:ff9b::a00:1",
                         "64:ff9b:1::1",
                         "100::1",
                         "2001::1",
                         "2001:1ff::1",
                         "2001:db8::1",
                         "2002:7f00:1::",
                         "2002:c0a8:1::1",
                         "3fff::1",
                         "fc00::1",
                         "fdff::1",
                         "fe80::1",
                         "febf::1",
                         "fec0::1",
                         "ff02::1",
                         "4000::1",
                         "",
                         "no address",
                         "1.2.3",
                         "2130706433"}) {
    EXPECT_FALSE(is_public(ip)) << ip;
  }
}

TEST(OriginOf, ShowsNeitherPathNorPassword) {
  EXPECT_EQ(origin_of("https://u:secret@ntfy.sh/topic?auth=x").value(), "https://ntfy.sh");
  EXPECT_EQ(origin_of("http://[::1]:8080/x").value(), "http://[::1]:8080");
}

TEST(OriginOf, RefusesWhatIsNoUrlToPostTo) {
  for (const char* bad :
       {"", "ntfy.sh/topic", "ftp://a/b", "file:///etc/passwd", "gopher://x", "http://",
        "http://a b/", "http://a/\r\nX: y", "javascript:1", "smtp://a"}) {
    EXPECT_FALSE(origin_of(bad)) << bad;
  }
}

TEST(HttpPoster, ConnectsToNoPrivateAddressHoweverItIsWritten) {
  HttpPoster poster;
  for (const char* url :
       {"http://127.0.0.1:1/", "http://localhost:1/", "http://[::1]:1/", "http://127.1:1/",
        "http://2130706433:1/", "http://0x7f000001:1/", "http://0177.0.0.1:1/", "http://0:1/",
        "http://[::ffff:127.0.0.1]:1/", "http://[::ffff:7f00:1]:1/", "http://10.0.0.1:1/",
        "http://169.254.169.254/latest/meta-data/", "http://192.168.1.1:1/"}) {
    const Delivery delivery = poster.post({.url = url, .body = "x"});
    EXPECT_EQ(delivery.verdict, Verdict::refused) << url;
    EXPECT_NE(delivery.answer.find("allow_private"), std::string::npos) << delivery.answer;
  }
}

// A server that answers every request with `answer` and keeps the last one.
class WithServer : public ::testing::Test {
 protected:
  WithServer() {
    loop_.call([this] {
      server_ = HttpServer::listen(loop_.loop(), {"127.0.0.1", 0}, {}, *logger_,
                                   [this](HttpRequest request, const Respond& respond) {
                                     seen_ = std::move(request);
                                     ++count_;
                                     respond(answer_);
                                   })
                    .value();
      url_ = "http://" + server_->address().text() + "/hook";
    });
  }
  ~WithServer() override {
    loop_.call([this] { server_.reset(); });
  }
  Delivery post(int status, std::string body = "words") {
    loop_.call([&] {
      answer_ = {};
      answer_.status = status;
      answer_.body = std::move(body);
    });
    return poster_.post({.url = url_,
                         .body = "Orchard is low",
                         .headers = {{"Title", "a\r\nX-Forged: 1"}, {"Tags", "droplet"}},
                         .allow_private = true});
  }
  std::string header(std::string_view name) {
    return loop_.call([&] { return std::string(seen_.header(name)); });
  }

  const std::unique_ptr<Logger> logger_ = make_silent_logger();
  LoopThread loop_;
  std::unique_ptr<HttpServer> server_;
  HttpResponse answer_;
  HttpRequest seen_;
  int count_ = 0;
  std::string url_;
  HttpPoster poster_;
};

TEST_F(WithServer, APostArrivesWithItsHeadersOnLinesOfTheirOwn) {
  const Delivery delivery = post(200);
  EXPECT_EQ(delivery.verdict, Verdict::accepted) << delivery.answer;
  EXPECT_EQ(delivery.answer, "HTTP 200: words");
  EXPECT_EQ(loop_.call([&] { return seen_.body; }), "Orchard is low");
  EXPECT_EQ(header("title"), "a  X-Forged: 1");
  EXPECT_EQ(header("tags"), "droplet");
  EXPECT_EQ(header("x-forged"), "");
  EXPECT_EQ(header("content-type"), "text/plain; charset=utf-8");
}

TEST_F(WithServer, TheStatusSaysWhetherToTryAgain) {
  EXPECT_EQ(post(204, "").verdict, Verdict::accepted);
  for (const int status : {400, 401, 403, 404, 410}) {
    EXPECT_EQ(post(status).verdict, Verdict::refused) << status;
  }
  for (const int status : {408, 429, 500, 502, 503}) {
    EXPECT_EQ(post(status).verdict, Verdict::failed) << status;
  }
}

TEST_F(WithServer, RedirectsAreNotFollowed) {
  const Delivery delivery = post(302);
  EXPECT_EQ(delivery.verdict, Verdict::refused);
  EXPECT_EQ(loop_.call([&] { return count_; }), 1);
}

TEST_F(WithServer, AnEndlessAnswerIsCutAndCounts) {
  const Delivery delivery = post(200, std::string(4 * kPostAnswerSizeMax, 'x'));
  EXPECT_EQ(delivery.verdict, Verdict::accepted) << delivery.answer;
  EXPECT_LE(delivery.answer.size(), kAnswerTextSizeMax + 20);
}

TEST_F(WithServer, AConnectionMadeWithLeaveDoesNotServeAPostWithoutIt) {
  ASSERT_EQ(post(200).verdict, Verdict::accepted);
  EXPECT_EQ(poster_.post({.url = url_, .body = "x"}).verdict, Verdict::refused);
}

TEST(HttpPoster, GivesUpWhenToldTo) {
  HttpPoster poster;
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);  // listens, never answers
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof any;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&any), size), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&any), &size);
  const std::string url = "http://127.0.0.1:" + std::to_string(ntohs(any.sin_port));
  EXPECT_EQ(
      poster.post({.url = url, .body = "x", .allow_private = true}, [] { return true; }).verdict,
      Verdict::stopped);
  ::close(listener);
}

}  // namespace
}  // namespace nilo::net
