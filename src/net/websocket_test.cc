#include "net/websocket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace nilo::net {
namespace {

using Event = WebSocketReader::Event;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::size_t kSizeMax = 70'000;

// A frame as a client sends it. `first`: FIN, reserved bits and opcode.
std::string client_frame(int first, std::string_view payload, bool masked = true) {
  const std::string_view mask = "\x12\x34\x56\x78";
  std::string out(1, static_cast<char>(first));
  const int bit = masked ? 0x80 : 0;
  const std::size_t size = payload.size();
  if (size < 126) {
    out.push_back(static_cast<char>(bit | static_cast<int>(size)));
  } else if (size <= 0xffff) {
    out.push_back(static_cast<char>(bit | 126));
    for (int i = 1; i >= 0; --i) out.push_back(static_cast<char>(size >> (8 * i) & 0xff));
  } else {
    out.push_back(static_cast<char>(bit | 127));
    for (int i = 7; i >= 0; --i) out.push_back(static_cast<char>(size >> (8 * i) & 0xff));
  }
  if (masked) out += mask;
  for (std::size_t i = 0; i < size; ++i) {
    out.push_back(masked ? static_cast<char>(payload[i] ^ mask[i % 4]) : payload[i]);
  }
  return out;
}

struct Seen {
  Event event;
  std::string payload;
  bool operator==(const Seen&) const = default;
};

// All events of `bytes`, fed `step` at a time.
std::vector<Seen> read_all(std::string_view bytes, std::size_t step = SIZE_MAX) {
  WebSocketReader reader(kSizeMax);
  std::vector<Seen> seen;
  while (!bytes.empty()) {
    reader.feed(bytes.substr(0, step));
    bytes.remove_prefix(std::min(step, bytes.size()));
    for (Event event = reader.next(); event != Event::none; event = reader.next()) {
      seen.push_back({event, std::string(reader.payload())});
    }
  }
  return seen;
}

// What the reader says to `bytes`, which it must refuse.
std::uint16_t refusal_of(std::string_view bytes) {
  WebSocketReader reader(kSizeMax);
  reader.feed(bytes);
  Event event = reader.next();
  while (event != Event::none && event != Event::failed) event = reader.next();
  EXPECT_EQ(event, Event::failed);
  EXPECT_FALSE(reader.payload().empty());
  EXPECT_EQ(reader.next(), Event::none);  // nothing follows
  return reader.close_code();
}

TEST(WebSocketHandshake, AnswersTheKeyOfTheStandard) {
  EXPECT_EQ(websocket_accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

class NoHandler final : public WebSocketHandler {
 public:
  void on_open(WebSocket& /*socket*/) override {}
  void on_text(std::string_view /*text*/) override {}
  void on_binary(std::string_view /*bytes*/) override {}
  void on_closed() override {}
};

HttpRequest handshake() {
  HttpRequest request;
  request.method = "GET";
  request.path = "/ws";
  request.headers = {{"host", "x"},
                     {"connection", "keep-alive, Upgrade"},
                     {"upgrade", "WebSocket"},
                     {"sec-websocket-version", "13"},
                     {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="},
                     {"sec-websocket-protocol", "mqttv3.1, mqtt"}};
  return request;
}

HttpRequest handshake_with(std::string_view name, std::string value) {
  HttpRequest request = handshake();
  for (auto& [key, old] : request.headers) {
    if (key == name) old = value;
  }
  return request;
}

Result<HttpResponse> accept(const HttpRequest& request, std::string_view protocol = {}) {
  return accept_websocket(request, std::make_shared<NoHandler>(), protocol);
}

TEST(WebSocketHandshake, IsAnsweredWith101) {
  const HttpResponse response = accept(handshake()).value();
  EXPECT_EQ(response.status, 101);
  EXPECT_NE(response.websocket, nullptr);
  EXPECT_EQ(find_value(response.headers, "Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(find_value(response.headers, "Sec-WebSocket-Protocol"), std::nullopt);
}

TEST(WebSocketHandshake, TakesAProtocolOnlyIfItWasOffered) {
  EXPECT_EQ(find_value(accept(handshake(), "mqtt")->headers, "Sec-WebSocket-Protocol"), "mqtt");
  EXPECT_FALSE(accept(handshake(), "mqt"));
}

TEST(WebSocketHandshake, IsRefusedWhenItIsNone) {
  for (const auto& [name, value] : NameValues{{"connection", "keep-alive"},
                                              {"upgrade", "h2c"},
                                              {"sec-websocket-version", "8"},
                                              {"sec-websocket-key", "short"},
                                              {"sec-websocket-key", "***lIHNhbXBsZSBub25jZQ=="}}) {
    EXPECT_FALSE(accept(handshake_with(name, value))) << name << ": " << value;
  }
  HttpRequest post = handshake();
  post.method = "POST";
  EXPECT_FALSE(accept(post));
}

TEST(WebSocketReader, ReadsTheFramesOfTheStandard) {
  // RFC 6455 section 5.7: a masked "Hello".
  EXPECT_THAT(read_all("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
              ElementsAre(Seen{Event::text, "Hello"}));
}

TEST(WebSocketReader, ReadsEveryLengthInAnyPieces) {
  for (const std::size_t size : {0UL, 1UL, 125UL, 126UL, 65'535UL, 65'536UL, kSizeMax}) {
    const std::string payload(size, 'x');
    const std::string bytes = client_frame(0x82, payload) + client_frame(0x81, "after");
    const std::vector<Seen> expected = {{Event::binary, payload}, {Event::text, "after"}};
    EXPECT_EQ(read_all(bytes), expected) << size;
    EXPECT_EQ(read_all(bytes, 1), expected) << size;
    EXPECT_EQ(read_all(bytes, 1000), expected) << size;
  }
}

TEST(WebSocketReader, JoinsFragmentsAndSeesControlFramesBetweenThem) {
  const std::string bytes = client_frame(0x01, "one ") + client_frame(0x89, "are you there") +
                            client_frame(0x00, "two ") + client_frame(0x8a, "") +
                            client_frame(0x80, "three");
  const std::vector<Seen> expected = {
      {Event::ping, "are you there"}, {Event::pong, ""}, {Event::text, "one two three"}};
  EXPECT_EQ(read_all(bytes), expected);
  EXPECT_EQ(read_all(bytes, 1), expected);
}

TEST(WebSocketReader, ChecksUtf8OverFragments) {
  const std::string euro = "\xe2\x82\xac";
  EXPECT_THAT(read_all(client_frame(0x01, euro.substr(0, 1)) + client_frame(0x80, euro.substr(1))),
              ElementsAre(Seen{Event::text, euro}));
  EXPECT_EQ(refusal_of(client_frame(0x81, "\xff")), close_code::kInvalidPayload);
  EXPECT_THAT(read_all(client_frame(0x82, "\xff")), ElementsAre(Seen{Event::binary, "\xff"}));
}

TEST(WebSocketReader, RefusesAMessageOneByteTooLargeBeforeItIsSent) {
  const std::string frame = client_frame(0x82, std::string(kSizeMax + 1, 'x'));
  EXPECT_EQ(refusal_of(std::string_view(frame).substr(0, 10)), close_code::kTooBig);
  const std::string first = client_frame(0x02, std::string(kSizeMax, 'x'));
  EXPECT_EQ(refusal_of(first + client_frame(0x80, "x")), close_code::kTooBig);
}

TEST(WebSocketReader, RefusesWhatTheStandardForbids) {
  const std::uint16_t wrong = close_code::kProtocolError;
  EXPECT_EQ(refusal_of(client_frame(0x81, "x", false)), wrong) << "not masked";
  EXPECT_EQ(refusal_of(client_frame(0xc1, "x")), wrong) << "a reserved bit";
  EXPECT_EQ(refusal_of(client_frame(0x83, "x")), wrong) << "opcode 3";
  EXPECT_EQ(refusal_of(client_frame(0x8b, "x")), wrong) << "opcode 11";
  EXPECT_EQ(refusal_of(client_frame(0x09, "x")), wrong) << "a ping in pieces";
  EXPECT_EQ(refusal_of(client_frame(0x89, std::string(126, 'x'))), wrong) << "a long ping";
  EXPECT_EQ(refusal_of(client_frame(0x80, "x")), wrong) << "the end of nothing";
  EXPECT_EQ(refusal_of(client_frame(0x01, "x") + client_frame(0x81, "y")), wrong) << "two at once";
  EXPECT_EQ(refusal_of(std::string("\x81\xfe\x00\x7d", 4)), wrong) << "125 in two bytes";
  EXPECT_EQ(refusal_of(std::string("\x81\xff\0\0\0\0\0\0\xff\xff", 10)), wrong) << "in eight";
  EXPECT_EQ(refusal_of(std::string("\x81\xff\x80\0\0\0\0\0\0\0", 10)), wrong) << "2^63 bytes";
}

TEST(WebSocketReader, ReadsGoodbyes) {
  EXPECT_THAT(read_all(client_frame(0x88, "")), ElementsAre(Seen{Event::close, ""}));
  WebSocketReader reader(kSizeMax);
  reader.feed(client_frame(0x88, "\x03\xe8thanks"));
  EXPECT_EQ(reader.next(), Event::close);
  EXPECT_EQ(reader.close_code(), close_code::kNormal);
  EXPECT_EQ(reader.payload(), "thanks");
  EXPECT_EQ(refusal_of(client_frame(0x88, "\x03")), close_code::kProtocolError);
  EXPECT_EQ(refusal_of(client_frame(0x88, "\x03\xed")), close_code::kProtocolError) << "1005";
  EXPECT_EQ(refusal_of(client_frame(0x88, "\x0b\xb7")), close_code::kProtocolError) << "2999";
  EXPECT_EQ(refusal_of(client_frame(0x88, "\x03\xe8\xff")), close_code::kInvalidPayload);
}

// The payload of a server's frame, whose length stands in `header_size` bytes.
TEST(WebSocketFrames, AreWrittenWithTheShortestLength) {
  for (const auto& [size, header_size] : std::vector<std::pair<std::size_t, std::size_t>>{
           {0, 2}, {125, 2}, {126, 4}, {65'535, 4}, {65'536, 10}}) {
    std::string frame;
    append_frame(frame, WebSocketOpcode::text, std::string(size, 'x'));
    EXPECT_EQ(frame.size(), header_size + size);
    EXPECT_EQ(frame[0], '\x81');
  }
}

TEST(WebSocketFrames, CutTheReasonOfAGoodbye) {
  std::string frame;
  append_close_frame(frame, close_code::kTryAgainLater, std::string(500, 'x'));
  EXPECT_LE(frame.size(), 2 + 125U);
  EXPECT_THAT(frame, HasSubstr("\x03\xf5xxx"));
}

}  // namespace
}  // namespace nilo::net
