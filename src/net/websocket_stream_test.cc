#include "net/websocket_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/http_server.h"
#include "net/test_net.h"

namespace nilo::net {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kProtocols[] = {"mqtt", "mqttv3.1"};

// A frame as a client sends it. `first`: FIN, reserved bits and opcode.
std::string frame(int first, std::string_view payload) {
  constexpr std::string_view kMask = "\x12\x34\x56\x78";
  std::string out(1, static_cast<char>(first));
  const std::size_t size = payload.size();
  const int bytes = size < 126 ? 0 : size <= 0xffff ? 2 : 8;
  out.push_back(static_cast<char>(0x80 | (bytes == 0   ? static_cast<int>(size)
                                          : bytes == 2 ? 126
                                                       : 127)));
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(size >> (8 * i) & 0xff));
  out += kMask;
  for (std::size_t i = 0; i < size; ++i) {
    out.push_back(static_cast<char>(payload[i] ^ kMask[i % 4]));
  }
  return out;
}
std::string binary(std::string_view payload) { return frame(0x82, payload); }

// Sends back what it gets.
class Echo final : public StreamHandler {
 public:
  explicit Echo(std::unique_ptr<Stream> taken) : stream(std::move(taken)) {}
  void on_bytes(std::string_view bytes) override {
    received.append(bytes);
    // A copy, for it may replace itself, or destroy all this.
    if (const auto react = on_received) return react();
    stream->send(bytes);
  }
  void on_closed(std::string_view why) override {
    ++closed;
    reason = why;
  }

  std::unique_ptr<Stream> stream;
  std::string received;
  std::function<void()> on_received;
  int closed = 0;
  std::string reason;
};

class WebSocketStreamTest : public testing::Test {
 protected:
  void SetUp() override {
    thread_.call([this] {
      server_ = HttpServer::listen(thread_.loop(), {"127.0.0.1", 0}, {}, *logger_,
                                   [this](const HttpRequest& request, const Respond& respond) {
                                     answer(request, respond);
                                   })
                    .value();
    });
  }
  void TearDown() override {
    thread_.call([this] {
      server_.reset();
      echo_.reset();
    });
  }
  void answer(const HttpRequest& request, const Respond& respond) {
    auto accepted = accept_websocket_stream(request, kProtocols, [this](TakenStream taken) {
      EXPECT_EQ(taken.remote_ip, "127.0.0.1");
      EXPECT_EQ(taken.bytes, "");
      echo_ = std::make_unique<Echo>(std::move(taken.stream));
      if (prepare_) prepare_();
      if (!attaches_) return;
      ASSERT_TRUE(echo_->stream->attach(thread_.loop(), *echo_));
    });
    HttpResponse refused;
    refused.status = 400;
    respond(accepted ? std::move(*accepted) : refused);
  }
  static std::string handshake(std::string_view protocols) {
    std::string text =
        "GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    if (!protocols.empty())
      text.append("Sec-WebSocket-Protocol: ").append(protocols).append("\r\n");
    return text + "\r\n";
  }
  TestClient connect() { return TestClient(server_->address()); }
  TestClient open(std::string_view behind_the_handshake = "") {
    TestClient client = connect();
    client.send(handshake("mqtt") + std::string(behind_the_handshake));
    EXPECT_THAT(client.read_to("\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
    thread_.wait_until([this] { return echo_ != nullptr; });
    return client;
  }
  void wait_for(const std::string& bytes) {
    thread_.wait_until([&] { return echo_->received == bytes; });
  }
  // What the server says at the end, and that it ends.
  std::string last_words(TestClient& client) {
    std::string all = client.read_all();
    client.close();
    thread_.wait_until([this] { return echo_->closed == 1; });
    return all;
  }

  LoopThread thread_;
  std::unique_ptr<Logger> logger_ = make_silent_logger();
  std::unique_ptr<Echo> echo_;
  std::function<void()> prepare_;
  bool attaches_ = true;
  std::unique_ptr<HttpServer> server_;
};

// 3.1.1 [MQTT-6.0.0-2]
// 5.0 [MQTT-6.0.0-2]
TEST_F(WebSocketStreamTest, IsBytesWhateverTheFrames) {
  TestClient client = open();
  client.send(binary("one packet") + binary("") + frame(0x02, "in ") + frame(0x00, "") +
              frame(0x89, "?") + frame(0x00, "three ") + frame(0x80, "pieces"));
  wait_for("one packetin three pieces");
  const std::string all = client.read(12 + 3 + 5);
  EXPECT_EQ(all.substr(0, 12), "\x82\x0aone packet");
  EXPECT_THAT(all, HasSubstr("\x8a\x01?"));
}

TEST_F(WebSocketStreamTest, GivesALongMessageAsItComesAndKeepsNothingOfIt) {
  prepare_ = [this] { echo_->on_received = [] {}; };
  TestClient client = open();
  const std::string big(3 * 1024 * 1024, 'x');
  const std::string framed = binary(big);
  client.send(framed.substr(0, 1000));
  thread_.wait_until([this] { return echo_->received.size() == 1000 - 14; });
  client.send(framed.substr(1000) + binary("end"));
  wait_for(big + "end");
}

TEST_F(WebSocketStreamTest, FramesWhatItSends) {
  TestClient client = open();
  for (const std::size_t size : {std::size_t{125}, std::size_t{126}, std::size_t{70'000}}) {
    thread_.call([&] { echo_->stream->send(std::string(size, 'x')); });
    const std::size_t header = size < 126 ? 2 : size <= 0xffff ? 4 : 10;
    EXPECT_EQ(client.read(header + size).substr(header), std::string(size, 'x'));
  }
}

TEST_F(WebSocketStreamTest, WhatCameRightBehindTheHandshakeIsNotLost) {
  prepare_ = [this] { echo_->on_received = [] {}; };  // no echo in what open() reads
  TestClient client = open(binary("early"));
  wait_for("early");
}

TEST_F(WebSocketStreamTest, MovesToAnotherLoopInTheMiddleOfAFrame) {
  LoopThread other;
  prepare_ = [&] {
    echo_->on_received = [&] {
      echo_->on_received = nullptr;
      echo_->stream->detach();
      other.loop().post([&] {
        ASSERT_TRUE(echo_->stream->attach(other.loop(), *echo_));
        echo_->stream->send("here");
      });
    };
  };
  TestClient client = open();
  const std::string second = binary("second");
  client.send(binary("first") + second.substr(0, 8));
  // The first half of the second may be behind it.
  EXPECT_EQ(client.read(6).substr(0, 6), "\x82\x04here");
  client.send(second.substr(8));
  other.wait_until([&] { return echo_->received == "firstsecond"; });
  other.call([&] { echo_->stream->close(); });
}

TEST_F(WebSocketStreamTest, LeavesBytesAtThePeerWhileReadingIsPaused) {
  prepare_ = [this] { echo_->on_received = [this] { echo_->stream->pause_reading(); }; };
  TestClient client = open();
  client.send(binary("first") + binary("later"));
  thread_.wait_until([this] { return !echo_->received.empty(); });
  for (int turn = 0; turn < 100; ++turn) thread_.call([] {});
  EXPECT_EQ(thread_.call([this] { return echo_->received; }), "first");
  thread_.call([this] { echo_->stream->resume_reading(); });
  wait_for("firstlater");
}

// 3.1.1 [MQTT-6.0.0-1]
// 5.0 [MQTT-6.0.0-1]
TEST_F(WebSocketStreamTest, RefusesTextsAndWhatIsNoFrame) {
  const std::pair<std::string, std::string> cases[] = {
      {frame(0x81, "text"), "\x03\xeb"},          // 1003
      {std::string("\x82\x04mqtt"), "\x03\xea"},  // 1002: not masked
      {frame(0xc2, "bits"), "\x03\xea"},          // a reserved bit
      {frame(0x80, "orphan"), "\x03\xea"},        // continues nothing
      {frame(0x83, "opcode"), "\x03\xea"},
  };
  for (const auto& [bytes, code] : cases) {
    TestClient client = open();
    client.send(bytes);
    const std::string words = last_words(client);
    EXPECT_EQ(words.substr(0, 1), "\x88");
    EXPECT_EQ(words.substr(2, 2), code);
    EXPECT_THAT(thread_.call([this] { return echo_->reason; }), StartsWith("WebSocket: "));
    EXPECT_EQ(thread_.call([this] { return echo_->received; }), "");
    thread_.call([this] { echo_.reset(); });
  }
}

TEST_F(WebSocketStreamTest, AnswersAGoodbye) {
  TestClient client = open();
  client.send(frame(0x88, "\x03\xe8"));
  EXPECT_EQ(last_words(client), "\x88\x02\x03\xe8");
  EXPECT_EQ(thread_.call([this] { return echo_->reason; }), "closed by the peer");
}

TEST_F(WebSocketStreamTest, SaysGoodbyeBehindTheLastBytes) {
  prepare_ = [this] {
    echo_->on_received = [this] {
      echo_->stream->send("last");
      echo_->stream->close_after_flush();
    };
  };
  TestClient client = open();
  client.send(binary("go"));
  EXPECT_EQ(last_words(client), "\x82\x04last\x88\x02\x03\xe8");
}

// 3.1.1 [MQTT-6.0.0-3] [MQTT-6.0.0-4]
// 5.0 [MQTT-6.0.0-3] [MQTT-6.0.0-4]
TEST_F(WebSocketStreamTest, ChoosesAProtocolAndInsistsOnOne) {
  for (const auto& [offered, chosen] :
       {std::pair{"mqtt", "mqtt"}, {"mqttv3.1", "mqttv3.1"}, {"graphql, mqttv3.1, mqtt", "mqtt"}}) {
    TestClient client = connect();
    client.send(handshake(offered));
    EXPECT_THAT(client.read_to("\r\n\r\n"),
                HasSubstr(std::string("\r\nSec-WebSocket-Protocol: ") + chosen + "\r\n"));
    thread_.wait_until([this] { return echo_ != nullptr; });
    thread_.call([this] { echo_.reset(); });
  }
  for (const char* offered : {"", "graphql"}) {
    TestClient client = connect();
    client.send(handshake(offered));
    EXPECT_THAT(client.read_to("\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  }
}

TEST_F(WebSocketStreamTest, IsNoHttpConnectionAnyMore) {
  TestClient client = open();
  thread_.wait_until([this] { return server_->connections() == 0; });
  thread_.call([this] { server_.reset(); });
  client.send(binary("still here"));
  EXPECT_EQ(client.read(12).substr(2), "still here");
}

TEST_F(WebSocketStreamTest, ClosesWhenNobodyTakesIt) {
  attaches_ = false;
  TestClient client = open();
  thread_.call([this] { echo_.reset(); });
  EXPECT_TRUE(client.is_closed());
  thread_.call([this] { echo_ = nullptr; });
}

}  // namespace
}  // namespace nilo::net
