#include "net/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "net/http_client.h"
#include "net/test_net.h"

namespace nilo::net {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Answers "METHOD path body", at once; except "/later", which the test answers, "/dropped", and
// "/big", 8 MiB.
class HttpServerTest : public testing::Test {
 protected:
  void SetUp() override { start({}); }
  void TearDown() override { stop(); }

  void start(HttpLimits limits) {
    stop();
    thread_.call([&, this] {
      server_ = HttpServer::listen(thread_.loop(), {"127.0.0.1", 0}, limits, *logger_,
                                   [this](HttpRequest request, Respond respond) {
                                     handle(std::move(request), std::move(respond));
                                   })
                    .value();
    });
  }
  void stop() {
    thread_.call([this] {
      later_.clear();
      server_.reset();
    });
  }
  void handle(HttpRequest request, Respond respond) {
    ++handled_;
    if (request.path == "/dropped") return;
    if (request.path == "/later") return later_.push_back(std::move(respond));
    HttpResponse response;
    response.content_type = "text/plain";
    response.body = request.path == "/big"
                        ? std::string(8 * 1024 * 1024, 'x')
                        : request.method + " " + request.path + " " + request.body;
    last_ = std::move(request);
    respond(std::move(response));
  }
  TestClient connect() { return TestClient(server_->address()); }
  std::string url(const std::string& path) { return "http://" + server_->address().text() + path; }
  // What the server sends for `bytes`, until it closes.
  std::string ask(std::string_view bytes) {
    TestClient client = connect();
    client.send(bytes);
    return client.read_all();
  }

  LoopThread thread_;
  std::unique_ptr<Logger> logger_ = make_silent_logger();
  std::unique_ptr<HttpServer> server_;
  HttpRequest last_;
  std::vector<Respond> later_;
  int handled_ = 0;
};

constexpr std::string_view kBye = "GET /bye HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

TEST_F(HttpServerTest, HandsTheRequestOverDecoded) {
  HttpCall call;
  call.method = "POST";
  call.url = url("/a%20b?x=1&y=2");
  call.headers = {{"X-Thing", "tank"}};
  call.body = "payload";
  const HttpResponse response = http_call(call).value();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/plain");
  EXPECT_EQ(response.body, "POST /a b payload");
  EXPECT_EQ(last_.query, (NameValues{{"x", "1"}, {"y", "2"}}));
  EXPECT_EQ(last_.header("x-thing"), "tank");
  EXPECT_EQ(last_.remote_ip, "127.0.0.1");
}

TEST_F(HttpServerTest, SendsTheSecureHeaders) {
  const HttpResponse response = http_call({.url = url("/")}).value();
  EXPECT_EQ(response.header("x-content-type-options"), "nosniff");
  EXPECT_EQ(response.header("referrer-policy"), "no-referrer");
  EXPECT_EQ(response.header("cache-control"), "no-store");
  EXPECT_EQ(response.header("content-security-policy"),
            "default-src 'none'; frame-ancestors 'none'");
  EXPECT_THAT(std::string(response.header("date")), EndsWith(" GMT"));
}

TEST_F(HttpServerTest, KeepsTheConnectionForTheNextRequest) {
  TestClient client = connect();
  for (int count = 0; count < 3; ++count) {
    client.send("GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.read_to("GET /again "), HasSubstr("Connection: keep-alive\r\n"));
  }
}

TEST_F(HttpServerTest, ClosesWhenTheClientAsksAndFor10) {
  EXPECT_THAT(ask(kBye), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(ask("GET / HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrderUpToAClose) {
  std::string requests;
  for (int count = 0; count < 50; ++count) {
    requests += "GET /" + std::to_string(count) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  const std::string answers = ask(requests + std::string(kBye) + requests);
  std::size_t at = 0;
  for (int count = 0; count < 50; ++count) {
    at = answers.find("\r\n\r\nGET /" + std::to_string(count) + " ", at);
    ASSERT_NE(at, std::string::npos) << count;
  }
  EXPECT_THAT(answers, EndsWith("GET /bye "));
  EXPECT_EQ(handled_, 51);
}

TEST_F(HttpServerTest, TakesARequestByteByByte) {
  TestClient client = connect();
  for (const char byte : std::string("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                                     "Connection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")) {
    client.send({&byte, 1});
  }
  EXPECT_THAT(client.read_all(), EndsWith("POST /x abcde"));
}

// A proxy in front has looked at the header, not at what follows the body.
TEST_F(HttpServerTest, TakesNoHeaderFromBehindTheBody) {
  const std::string post =
      "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Before: yes\r\n"
      "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n";
  EXPECT_THAT(ask(post + "Authorization: Bearer nilo_x\r\n\r\n"), EndsWith("POST /x ab"));
  EXPECT_EQ(last_.header("x-before"), "yes");
  EXPECT_EQ(last_.header("authorization"), "");
}

TEST_F(HttpServerTest, AnswersFromAnotherThread) {
  TestClient client = connect();
  client.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n" + std::string(kBye));
  thread_.wait_until([&] { return later_.size() == 1; });
  EXPECT_EQ(handled_, 1);  // the second waits for the first
  std::thread([respond = std::move(later_[0])] {
    respond({.status = 201, .content_type = "text/plain", .body = "done"});
  }).join();
  EXPECT_THAT(client.read_all(), testing::AllOf(StartsWith("HTTP/1.1 201 Created\r\n"),
                                                HasSubstr("\r\n\r\ndone"), EndsWith("GET /bye ")));
}

TEST_F(HttpServerTest, AnswersAClientThatSendsNoMore) {
  TestClient client = connect();
  client.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  client.end_sending();
  thread_.wait_until([&] { return later_.size() == 1; });
  thread_.call([&] { later_[0]({}); });
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServerTest, ForgetsAnAnswerWhoseClientLeft) {
  TestClient client = connect();
  client.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  thread_.wait_until([&] { return later_.size() == 1; });
  client.reset();
  thread_.call([&] { later_[0]({}); });
  EXPECT_EQ(http_call({.url = url("/")}).value().status, 200);
}

TEST_F(HttpServerTest, AnAnswerMayComeAfterTheServerIsGone) {
  TestClient client = connect();
  client.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  thread_.wait_until([&] { return later_.size() == 1; });
  const Respond respond = later_[0];
  stop();
  respond({});
  EXPECT_TRUE(client.is_closed());
}

TEST_F(HttpServerTest, AForgottenRequestIsAnswered500) {
  EXPECT_EQ(http_call({.url = url("/dropped")}).value().status, 500);
}

TEST_F(HttpServerTest, HeadGetsTheLengthWithoutTheBody) {
  const std::string answer = ask("HEAD /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 7\r\n"));  // "GET /x "
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, ABigAnswerReachesASlowReaderBeforeTheNextRequestIsRead) {
  TestClient client = connect();
  client.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n" + std::string(kBye));
  thread_.wait_until([&] { return handled_ == 1; });
  for (int turn = 0; turn < 20; ++turn) thread_.call([] {});
  EXPECT_EQ(thread_.call([&] { return handled_; }), 1);
  const std::string answers = client.read_all();
  EXPECT_GT(answers.size(), 8U * 1024 * 1024);
  EXPECT_THAT(answers.substr(answers.size() - 9), "GET /bye ");
}

TEST_F(HttpServerTest, SaysContinueToAClientThatWaitsForIt) {
  TestClient client = connect();
  client.send(
      "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
      "Connection: close\r\n\r\n");
  EXPECT_EQ(client.read_to("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  EXPECT_THAT(client.read_all(), EndsWith("POST /x ok"));
}

TEST_F(HttpServerTest, TakesAHeaderUpToItsLimit) {
  const std::string start = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: ";
  const std::size_t fields_at = start.find("Host");
  const std::size_t room = HttpLimits{}.header_size_max - (start.size() - fields_at) - 4;
  EXPECT_THAT(ask(start + std::string(room, 'x') + "\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask(start + std::string(room + 1, 'x') + "\r\n\r\n"), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, TakesABodyUpToItsLimit) {
  const std::size_t limit = HttpLimits{}.body_size_max;
  HttpCall call{.method = "POST", .url = url("/"), .headers = {}, .body = std::string(limit, 'x')};
  EXPECT_EQ(http_call(call).value().status, 200);
  call.body += 'x';
  const HttpResponse refused = http_call(call).value();
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(
      refused.body,
      "{\"error\":{\"code\":\"too_large\",\"message\":\"the body is over 1048576 bytes\"}}\n");
}

TEST_F(HttpServerTest, TakesAChunkedBodyUpToItsLimit) {
  start({.body_size_max = 8});
  const std::string start =
      "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_THAT(ask(start + "4\r\nabcd\r\n4\r\nefgh\r\n0\r\n\r\n"), EndsWith("abcdefgh"));
  EXPECT_THAT(ask(start + "4\r\nabcd\r\n5\r\nefghi\r\n0\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, RefusesWhatCouldBeReadInTwoWays) {
  const std::string post = "POST / HTTP/1.1\r\nHost: x\r\n";
  for (const std::string& bytes : {
           post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
           post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
           post + "Content-Length: +3\r\n\r\nabc",
           post + "Content-Length: -1\r\n\r\n",
           post + "Content-Length: 99999999999999999999\r\n\r\n",
           post + "Transfer-Encoding: gzip\r\n\r\n",
           post + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
           post + "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
           post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcde\r\n0\r\n\r\n",
           post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
           std::string("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nHost : x\r\n\r\n"),
           std::string("GET / HTTP/2.0\r\nHost: x\r\n\r\n"),
           std::string("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nHost: x\r\nBad\x01Name: x\r\n\r\n"),
           std::string("\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02xx", 16),
           std::string("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"),
       }) {
    EXPECT_THAT(ask(bytes), StartsWith("HTTP/1.1 4")) << bytes;
  }
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpServerTest, ClosesARequestThatNeverEnds) {
  start({.request_timeout = milliseconds(40)});
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: "), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"),
              StartsWith("HTTP/1.1 408 "));
}

TEST_F(HttpServerTest, ClosesAConnectionThatAsksNothing) {
  start({.idle_timeout = milliseconds(40)});
  EXPECT_EQ(ask(""), "");
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, ClosesAConnectionThatDoesNotReadItsAnswer) {
  start({.idle_timeout = milliseconds(40)});
  TestClient client = connect();
  client.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
  thread_.wait_until([&] { return handled_ == 1 && server_->connections() == 0; });
}

TEST_F(HttpServerTest, DoesNotHurryAHandler) {
  start({.request_timeout = milliseconds(4), .idle_timeout = milliseconds(4)});
  TestClient client = connect();
  client.send("GET /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  thread_.wait_until([&] { return later_.size() == 1; });
  std::string other = ask("GET");  // its own time-out passes meanwhile
  EXPECT_THAT(other, StartsWith("HTTP/1.1 408 "));
  thread_.call([&] { later_[0]({}); });
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, AnswersOneConnectionTooManyAndServesAgainLater) {
  start({.connections_max = 2});
  TestClient first = connect();
  TestClient second = connect();
  thread_.wait_until([&] { return server_->connections() == 2; });
  EXPECT_THAT(connect().read_all(), StartsWith("HTTP/1.1 503 "));
  second.close();
  thread_.wait_until([&] { return server_->connections() == 1; });
  EXPECT_EQ(http_call({.url = url("/")}).value().status, 200);
}

TEST_F(HttpServerTest, AHeaderValueCannotStartAnotherHeader) {
  TestClient client = connect();
  client.send("GET /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  thread_.wait_until([&] { return later_.size() == 1; });
  thread_.call([&] { later_[0]({.headers = {{"X", "a\r\nSet-Cookie: b"}}}); });
  EXPECT_THAT(client.read_all(), Not(HasSubstr("\nSet-Cookie")));
}

TEST(HttpClient, SaysWhenNobodyAnswers) {
  const auto nobody = http_call({.url = "http://127.0.0.1:1/"});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, ErrorCode::unavailable);
  const auto https = http_call({.url = "https://127.0.0.1/"});
  ASSERT_FALSE(https);
  EXPECT_EQ(https.error().code, ErrorCode::unsupported);
}

TEST_F(HttpServerTest, TheClientGivesUpInTime) {
  const auto late = http_call({.url = url("/later"), .timeout = milliseconds(20)});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::deadline_exceeded);
}

}  // namespace
}  // namespace nilo::net
