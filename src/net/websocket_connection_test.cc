#include "net/websocket_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "net/http_server.h"
#include "net/tcp_stream.h"
#include "net/test_net.h"

namespace nilo::net {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// Keeps what it hears and says what the test wants; on the loop.
class Echo final : public WebSocketHandler {
 public:
  void on_open(WebSocket& now_open) override {
    socket = &now_open;
    ++opened;
  }
  void on_text(std::string_view text) override {
    heard.emplace_back(text);
    if (text == "echo") socket->send_text("echoed");
    if (text == "bytes") socket->send_binary(std::string("\0\xff", 2));
    if (text == "bye") socket->close(close_code::kTryAgainLater, "enough");
    if (text == "pause") socket->pause_reading();
  }
  void on_binary(std::string_view bytes) override { heard.emplace_back(bytes); }
  void on_flushed() override { was_flushed = true; }
  void on_closed() override {
    socket = nullptr;
    ++closed;
  }

  WebSocket* socket = nullptr;
  std::vector<std::string> heard;
  bool was_flushed = false;
  int opened = 0;
  int closed = 0;
};

constexpr std::string_view kHandshake =
    "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

// Masked with zeros: as they are.
std::string frame(int first, std::string_view payload) {
  std::string out(1, static_cast<char>(first));
  out.push_back(static_cast<char>(0x80 | static_cast<int>(payload.size())));
  return out.append(4, '\0').append(payload);
}
std::string text_frame(std::string_view text) { return frame(0x81, text); }

class WebSocketConnectionTest : public testing::Test {
 protected:
  void SetUp() override { start({}); }
  void TearDown() override {
    thread_.call([this] { server_.reset(); });
  }
  void start(HttpLimits limits) {
    thread_.call([&, this] {
      server_.reset();
      server_ = HttpServer::listen(
                    thread_.loop(), {"127.0.0.1", 0}, limits, *logger_,
                    [this](HttpRequest request, Respond respond) { answer(request, respond); })
                    .value();
    });
  }
  void answer(const HttpRequest& request, const Respond& respond) {
    if (request.path == "/later") return later_.push_back([=, this] { accept(request, respond); });
    accept(request, respond);
  }
  void accept(const HttpRequest& request, const Respond& respond) {
    auto accepted = accept_websocket(request, echo_);
    HttpResponse refused;
    refused.status = 400;
    respond(accepted ? std::move(*accepted) : refused);
  }
  TestClient connect() { return TestClient(server_->address()); }
  // After the handshake, on both sides: the client has read the answer before the handler is open.
  TestClient open() {
    const int before = thread_.call([this] { return echo_->opened; });
    TestClient client = connect();
    client.send(kHandshake);
    EXPECT_THAT(client.read_to("\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
    thread_.wait_until([&] { return echo_->opened > before; });
    return client;
  }
  std::vector<std::string> heard(std::size_t count) {
    thread_.wait_until([&] { return echo_->heard.size() >= count; });
    return thread_.call([this] { return echo_->heard; });
  }

  LoopThread thread_;
  std::unique_ptr<Logger> logger_ = make_silent_logger();
  std::shared_ptr<Echo> echo_ = std::make_shared<Echo>();
  std::vector<std::function<void()>> later_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(WebSocketConnectionTest, CarriesMessagesBothWays) {
  TestClient client = open();
  client.send(text_frame("echo") + frame(0x82, "\xff") + text_frame("bytes"));
  EXPECT_EQ(client.read(8 + 4),
            std::string("\x81\x06") + "echoed" + std::string("\x82\x02\0\xff", 4));
  EXPECT_THAT(heard(3), ElementsAre("echo", "\xff", "bytes"));
}

TEST_F(WebSocketConnectionTest, HearsWhatCameWithTheHandshake) {
  TestClient client = connect();
  client.send(std::string(kHandshake) + text_frame("echo"));
  EXPECT_THAT(client.read_to("echoed"), StartsWith("HTTP/1.1 101 "));
}

TEST_F(WebSocketConnectionTest, OpensWhenTheAnswerComesLater) {
  TestClient client = connect();
  std::string handshake(kHandshake);
  client.send(handshake.replace(handshake.find("/ws"), 3, "/later") + text_frame("echo"));
  thread_.wait_until([this] { return !later_.empty(); });
  thread_.call([this] { later_.front()(); });
  EXPECT_THAT(client.read_to("echoed"), StartsWith("HTTP/1.1 101 "));
}

TEST_F(WebSocketConnectionTest, AnswersPings) {
  TestClient client = open();
  client.send(frame(0x89, "hi"));
  EXPECT_EQ(client.read(4), "\x8a\x02hi");
}

TEST_F(WebSocketConnectionTest, AnswersAGoodbyeAndEnds) {
  TestClient client = open();
  client.send(frame(0x88, "\x03\xe8"));
  EXPECT_EQ(client.read_all(), "\x88\x02\x03\xe8");
  thread_.wait_until([this] { return echo_->closed == 0; });
  client.close();
  thread_.wait_until([this] { return echo_->closed == 1; });
}

TEST_F(WebSocketConnectionTest, SaysWhyItCloses) {
  TestClient client = open();
  client.send(text_frame("bye") + text_frame("not heard"));
  EXPECT_EQ(client.read_all(), std::string("\x88\x08\x03\xf5") + "enough");
  client.close();
  thread_.wait_until([this] { return echo_->closed == 1; });
  EXPECT_THAT(heard(1), ElementsAre("bye"));
}

TEST_F(WebSocketConnectionTest, RefusesWhatIsNotWebSocket) {
  TestClient client = open();
  client.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(client.read_all(), StartsWith("\x88"));
}

TEST_F(WebSocketConnectionTest, ReadsOnWhenItMay) {
  TestClient client = open();
  client.send(text_frame("pause") + text_frame("waits"));
  EXPECT_THAT(heard(1), ElementsAre("pause"));
  thread_.call([this] { echo_->socket->resume_reading(); });
  EXPECT_THAT(heard(2), ElementsAre("pause", "waits"));
}

TEST_F(WebSocketConnectionTest, SaysWhatWaitsToBeRead) {
  TestClient client = open();
  const std::string big(8 << 20, 'x');
  thread_.call([&] { echo_->socket->send_text(big); });
  thread_.wait_until([this] { return echo_->socket->unsent() > 0; });
  EXPECT_FALSE(thread_.call([this] { return echo_->was_flushed; }));
  EXPECT_EQ(client.read(big.size() + 10).size(), big.size() + 10);
  thread_.wait_until([this] { return echo_->was_flushed && echo_->socket->unsent() == 0; });
}

// Each ping is answered, so one who never reads could fill the memory.
TEST_F(WebSocketConnectionTest, DoesNotListenToWhoDoesNotRead) {
  TestClient client = open();
  std::string pings;
  while (pings.size() < 64 * 1024) pings += frame(0x89, std::string(125, 'x'));
  std::size_t sent = 0;
  std::size_t most = 0;
  // Until the kernel has no room, and the server has not made any by reading on.
  for (int full = 0; full < 100 && sent < (64U << 20);) {
    const ssize_t size = ::send(client.fd(), pings.data() + sent % pings.size(),
                                pings.size() - sent % pings.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    full = size < 0 ? full + 1 : 0;
    if (size > 0) sent += static_cast<std::size_t>(size);
    most = std::max(most, thread_.call([this] { return echo_->socket->unsent(); }));
  }
  EXPECT_LT(sent, 64U << 20);
  EXPECT_GT(most, kWebSocketUnreadMax);
  EXPECT_LT(most, 2 * kWebSocketUnreadMax);
  // Once it reads, all its pings are answered: of 131 bytes each, with 127.
  const std::size_t answers = sent / 131;
  EXPECT_EQ(client.read(answers * 127).size() / 127, answers);
}

TEST_F(WebSocketConnectionTest, IsToldWhenTheClientVanishes) {
  TestClient client = open();
  client.reset();
  thread_.wait_until([this] { return echo_->closed == 1; });
  EXPECT_EQ(thread_.call([this] { return server_->connections(); }), 0U);
}

TEST_F(WebSocketConnectionTest, IsToldWhenTheServerEnds) {
  const TestClient client = open();
  thread_.call([this] { server_.reset(); });
  EXPECT_EQ(echo_->closed, 1);
}

TEST_F(WebSocketConnectionTest, DoesNotTakeTheRoomOfRequests) {
  start({.connections_max = 1, .websockets_max = 2});
  const TestClient first = open();
  TestClient second = open();
  TestClient third = connect();
  third.send(kHandshake);
  EXPECT_THAT(third.read_all(), StartsWith("HTTP/1.1 503 "));
  third.close();
  second.reset();
  thread_.wait_until([this] { return server_->connections() == 1; });
  const TestClient fourth = open();
}

TEST(WebSocketConnection, IsCutWhenNobodyAnswersItsPings) {
  LoopThread thread;
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
  struct Ignore final : StreamHandler {
    void on_bytes(std::string_view /*bytes*/) override {}
    void on_closed(std::string_view /*reason*/) override {}
  } ignore_all;
  thread.call([&] {
    TcpStream stream(pair[0]);
    ASSERT_TRUE(stream.attach(thread.loop(), ignore_all));
    WebSocketConnection connection(thread.loop(), stream, std::make_shared<Echo>());
    connection.open({});
    const auto now = std::chrono::steady_clock::now();
    EXPECT_TRUE(connection.check(now + kPingEvery - std::chrono::seconds(1)));
    EXPECT_TRUE(connection.check(now + kPingEvery + std::chrono::seconds(1)));
    EXPECT_EQ(connection.unsent(), 2U);  // a ping
    connection.on_bytes(frame(0x8a, ""));
    EXPECT_TRUE(connection.check(now + 2 * kPingEvery + std::chrono::seconds(2)));
    EXPECT_FALSE(connection.check(now + 3 * kPingEvery + std::chrono::seconds(3)));
  });
  ::close(pair[1]);
}

}  // namespace
}  // namespace nilo::net
